package storetest

import (
	"testing"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

var ledger = map[string]func(*testing.T, Open){
	"LedgerSaysWhatItIs": func(t *testing.T, open Open) {
		s := newStore(t, open)
		is := got(s.Ledger(t.Context()))(t)
		if is.Kind != store.KindSQLite && is.Kind != store.KindPostgres || is.Schema < 30 || is.Bytes <= 0 {
			t.Errorf("the ledger is %+v", is)
		}
	},
	"WaitingIsCountedByPriority": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SetBinding(t.Context(), "cards", source, "v1"))
		replan := wants("C", "Replanned")
		replan.Priority = bindings.PriorityReplan
		got(s.Commit(t.Context(), bindings.Plan{Source: source, Reading: "r1", Promote: map[string]bool{"cards": true}, Proposals: []bindings.Proposal{wants("A", "Mug"), wants("B", "Cup"), replan}}))(t)
		waiting := got(s.WaitingByPriority(t.Context()))(t)
		if waiting[bindings.PriorityChange] != 2 || waiting[bindings.PriorityReplan] != 1 || waiting[bindings.PriorityNow] != 0 || len(waiting) != 4 {
			t.Errorf("what waits is %v", waiting)
		}
	},
}

package storetest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
)

var intakes = map[string]func(*testing.T, Open){
	"JobKeepsWhatItAskedFor": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.AcceptJob(t.Context(), batch.Job{ID: "j1", Template: "card", Version: 1, Priority: batch.High, MaxErrors: 7}))
		if j := got(s.Job(t.Context(), "j1"))(t); j.Priority != batch.High || j.MaxErrors != 7 {
			t.Errorf("job is %+v", j)
		}
	},

	"StagedRowsAreReadBeforeThereIsAJob": func(t *testing.T, open Open) {
		s := newStore(t, open)
		want := []batch.Row{
			{Index: 0, Key: "a", Values: []byte(`{"title":"x"}`)}, {Index: 1, Key: "b", Error: &batch.RowError{Code: "bad_row", Message: "no"}},
			{Index: 2, Key: "c", Values: []byte(`{}`)},
		}
		must(t, s.StageRows(t.Context(), "j1", want))
		must(t, s.StageRows(t.Context(), "other", want))
		all := got(s.Sent(t.Context(), "j1", -1, 2))(t)
		all = append(all, got(s.Sent(t.Context(), "j1", all[len(all)-1].Index, 2))(t)...)
		if diff := cmp.Diff(want, all); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
	},

	"PicturesThatAreThereOrAskedForAreNotUnrendered": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wants("a", "drawn"))
		draw(t, s)
		replan(t, s, wants("b", "waiting"))
		var asked []string
		for i := range 1500 {
			asked = append(asked, fmt.Sprint("fp-card-new-", i))
		}
		missing := got(s.Unrendered(t.Context(), append(asked, "fp-card-drawn", "fp-card-waiting")))(t)
		if diff := cmp.Diff(asked, missing); diff != "" {
			t.Errorf("missing (-want +got):\n%s", diff)
		}
	},

	"PriorityOfARowIsThatOfItsRender": func(t *testing.T, open Open) {
		s := newStore(t, open)
		for i, id := range []string{"low", "high"} {
			acceptJob(t, s, id, 1)
			p := wantsOutputs(bindings.JobOwner(id), "0", "card="+id)
			p.Priority = []batch.Priority{batch.Low, batch.High}[i].OfRenders()
			must(t, s.PlanRows(t.Context(), hand(3000), id, []bindings.Proposal{p}, 1, true))
		}
		if claims := got(s.ClaimRenders(t.Context(), hand(1), 1))(t); len(claims) != 1 || claims[0].Owner.Job() != "high" {
			t.Errorf("claimed was %+v, want the render of high priority", claims)
		}
	},
}

package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// as is p as a variant of the unit u-KEY.
func as(variant string, p bindings.Proposal) bindings.Proposal {
	p.Assigned = bindings.Assigned{Experiment: "exp_1", Unit: "u-" + p.Key, Variant: variant}
	p.Digest += "as " + variant
	return p
}

// toldAs are the variants that were told, by event and key.
func toldAs(claims []store.DeliveryClaim) map[string]string {
	all := map[string]string{}
	for _, c := range claims {
		all[c.Event+" "+c.Key] = c.Assigned.Variant + " for " + c.Assigned.Unit
	}
	return all
}

var treated = map[string]func(*testing.T, Open){
	"RowIsToldWithItsVariant": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		replan(t, s, as("a", wants("a", "1")), as("b", fails("b", "missing_variable")), wants("c", "1"))
		draw(t, s)
		want := map[string]string{"render.completed a": "a for u-a", "render.failed b": "b for u-b", "render.completed c": " for "}
		if diff := cmp.Diff(want, toldAs(deliver(t, s, "hook", nil))); diff != "" {
			t.Errorf("told was (-want +got):\n%s", diff)
		}
		replan(t, s, removes("a"))
		if diff := cmp.Diff(map[string]string{"image.removed a": "a for u-a"}, toldAs(deliver(t, s, "hook", nil))); diff != "" {
			t.Errorf("of the removal was told (-want +got):\n%s", diff)
		}
	},

	// The picture is the same, and where a click leads is not.
	"AnotherVariantIsToldAlsoWithTheSamePicture": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		for _, step := range []struct {
			variant string
			told    int
		}{{"a", 1}, {"a", 0}, {"b", 1}} {
			replan(t, s, as(step.variant, wants("a", "1")))
			draw(t, s)
			told := deliver(t, s, "hook", nil)
			if len(told) != step.told || step.told > 0 && told[0].Assigned.Variant != step.variant {
				t.Errorf("as variant %s told was %+v, want %d", step.variant, told, step.told)
			}
		}
		if made := got(s.Counters(t.Context()))(t); made.RendersWaiting != 0 {
			t.Errorf("the same picture is made again: %+v", made)
		}
	},

	"ToldAgainIsTheVariantOfNow": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		replan(t, s, as("a", wants("a", "1")))
		draw(t, s)
		deliver(t, s, "hook", nil)
		for _, newID := range []bool{false, true} {
			got(s.Redeliver(t.Context(), sink.Selection{Sink: "hook"}, newID))(t)
			if diff := cmp.Diff(map[string]string{"render.completed a": "a for u-a"}, toldAs(deliver(t, s, "hook", nil))); diff != "" {
				t.Errorf("with another id %v, told was (-want +got):\n%s", newID, diff)
			}
		}
	},

	"VariantWaitsWithWhatTheGuardHolds": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		draw(t, s)
		deliver(t, s, "hook", nil)
		p := plan(t, s, reading{seq: 2, rows: map[string]string{"a": "2"}})
		p.Closes = &bindings.Closing{Complete: true, At: start, Rows: 1, Has: func(string) bool { return true }, Judge: func(string, bindings.Counts) bindings.Verdict {
			return bindings.Verdict{HoldChanges: true, Reason: "all of it"}
		}}
		for i, q := range p.Proposals {
			p.Proposals[i] = as("b", q)
		}
		got(s.Commit(t.Context(), p))(t)
		if n := got(s.AcceptGuard(t.Context(), "cards"))(t); n != 1 {
			t.Fatalf("accepted were %d", n)
		}
		draw(t, s)
		if diff := cmp.Diff(map[string]string{"render.completed a": "b for u-a"}, toldAs(deliver(t, s, "hook", nil))); diff != "" {
			t.Errorf("told was (-want +got):\n%s", diff)
		}
	},

	"RowsOfAJobHaveTheirVariants": func(t *testing.T, open Open) {
		s := newStore(t, open)
		acceptJob(t, s, "j1", 3)
		rows := got(s.UnplannedRows(t.Context(), "j1", 10))(t)
		var proposals []bindings.Proposal
		for i, r := range rows {
			p := as([]string{"a", "b"}[i%2], wantsOutputs(bindings.JobOwner("j1"), r.Key, "card=1"))
			if i == 2 {
				p = as("b", fails(r.Key, "missing_variable"))
				p.Owner = bindings.JobOwner("j1")
			}
			p.Index = r.Index
			proposals = append(proposals, p)
		}
		must(t, s.PlanRows(t.Context(), hand(3000), "j1", proposals, 3, true))
		draw(t, s)
		for _, status := range []string{"", "completed", "failed"} {
			for _, r := range got(s.Results(t.Context(), "j1", -1, 10, status))(t) {
				if want := proposals[r.Index].Assigned; r.Assigned != want {
					t.Errorf("of %q row %d is %+v, want %+v", status, r.Index, r.Assigned, want)
				}
			}
		}
		if _, r, err := s.JobRow(t.Context(), "j1", "1"); err != nil || r.Assigned.Variant != "b" {
			t.Errorf("the row alone is %+v, %v", r, err)
		}
	},
}

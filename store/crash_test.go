package store_test

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

// The moments at which tests of the whole daemon kill it are named here, each
// with what is durable then.
func TestCrashPointsAreBetweenDurableSteps(t *testing.T) {
	ctx := t.Context()
	var s *store.Store
	var points []string
	at := map[string]func(){}
	s, err := store.Open(ctx, store.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "p.db")}, store.Options{Crash: func(point string) {
		points = append(points, point)
		if look := at[point]; look != nil {
			look()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	check := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, points); diff != "" {
			t.Errorf("points (-want +got):\n%s", diff)
		}
		points = nil
	}
	counters := func() store.Counters {
		t.Helper()
		c, err := s.Counters(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	s.SetSinks(map[string][]string{"cards": {"hook"}}, map[string][]string{"hook": {"render.completed"}})
	plan := bindings.Plan{Source: "shop", Reading: "shop#1", Promote: map[string]bool{"cards": true},
		Rows: []bindings.RowChange{{Key: "a", Version: 1, Values: []byte(`{}`), Digest: "d"}},
		Proposals: []bindings.Proposal{{Owner: bindings.BindingOwner("cards"), Key: "a", Digest: "d",
			Wants: []bindings.Want{{Output: "card", Fingerprint: "fp", Spec: bindings.Spec{Page: "p", Encoding: bindings.Encoding{Format: "png"}}}}}},
		Closes: &bindings.Closing{Complete: true, Rows: 1, Has: func(string) bool { return true }}}
	at["closing.tx"] = func() {
		if c := counters(); c.Rows != 0 {
			t.Errorf("in the closing transaction %d rows are durable", c.Rows)
		}
	}
	at["plan.committed"] = func() {
		if c := counters(); c.Rows != 1 || c.RendersWaiting != 1 {
			t.Errorf("after the commit durable is %+v", c)
		}
	}
	_, err = s.Commit(ctx, plan)
	must(err)
	check("closing.tx", "plan.committed")

	at["renders.claimed"] = func() {
		if c := counters(); c.RendersClaimed != 1 {
			t.Errorf("after the claim durable is %+v", c)
		}
	}
	claims, err := s.ClaimRenders(ctx, store.Turn{ID: 1}, 1)
	must(err)
	check("renders.claimed")

	at["renders.recorded"] = func() {
		if c := counters(); c.RendersDone != 1 || c.DeliveriesWaiting != 1 {
			t.Errorf("after the record durable is %+v", c)
		}
	}
	done := []store.Rendered{{Fingerprint: claims[0].Fingerprint, Hash: "h", Ext: "png"}}
	must(s.FinishRenders(ctx, store.Turn{ID: 1}, done, false))
	check("renders.recorded")
	must(s.FinishRenders(ctx, store.Turn{ID: 1}, nil, true))
	check()

	turn := store.Turn{ID: 2, Sink: "hook"}
	sent, err := s.ClaimDeliveries(ctx, turn, 1)
	must(err)
	at["delivery.finish"] = func() {
		if c := counters(); c.DeliveriesClaimed != 1 || c.DeliveriesDelivered != 0 {
			t.Errorf("before the end of a delivery durable is %+v", c)
		}
	}
	must(s.FinishDeliveries(ctx, turn, []store.Delivered{{ID: sent[0].ID}}, true))
	check("delivery.finish")

	must(s.AcceptJob(ctx, batch.Job{ID: "j1", Template: "card", Version: 1}))
	check("job.accepted")
}

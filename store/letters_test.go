package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// What is cut off between two pages has moved the first, and the same order again
// moves the rest: nothing is told twice for it.
func TestMovingLettersIsGoneOnWithWhereItWasCutOff(t *testing.T) {
	const rows = 600
	ctx, cut := context.WithCancel(t.Context())
	s, err := store.Open(t.Context(), store.Config{URL: "sqlite:" + filepath.Join(t.TempDir(), "p.db")}, store.Options{Crash: func(point string) {
		if point == "letters.moved" {
			cut()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	s.SetSinks(map[string][]string{"cards": {"hook"}}, map[string][]string{"hook": {"render.completed"}})
	plan := bindings.Plan{Source: "shop", Reading: "shop#1", Promote: map[string]bool{"cards": true},
		Closes: &bindings.Closing{Complete: true, Rows: rows, Has: func(string) bool { return true }}}
	for i := range rows {
		key := fmt.Sprint("k", i)
		plan.Rows = append(plan.Rows, bindings.RowChange{Key: key, Version: 1, Values: []byte(`{}`), Digest: "d"})
		plan.Proposals = append(plan.Proposals, bindings.Proposal{Owner: bindings.BindingOwner("cards"), Key: key, Digest: "d",
			Wants: []bindings.Want{{Output: "card", Fingerprint: "fp", Spec: bindings.Spec{Page: "p", Encoding: bindings.Encoding{Format: "png"}}}}})
	}
	_, err = s.Commit(t.Context(), plan)
	must(err)
	_, err = s.ClaimRenders(t.Context(), store.Turn{ID: 1}, 1)
	must(err)
	must(s.FinishRenders(t.Context(), store.Turn{ID: 1}, []store.Rendered{{Fingerprint: "fp", Hash: "h", Ext: "png"}}, true))
	tell := func(err error) (told int) {
		t.Helper()
		turn := store.Turn{ID: 2, Sink: "hook"}
		for {
			claims, bad := s.ClaimDeliveries(t.Context(), turn, 200)
			must(bad)
			if len(claims) == 0 {
				return told
			}
			told += len(claims)
			var done []store.Delivered
			for _, c := range claims {
				done = append(done, store.Delivered{ID: c.ID, Err: err, Dead: err != nil})
			}
			must(s.FinishDeliveries(t.Context(), turn, done, false))
		}
	}
	counts := func(waiting, dead int64) {
		t.Helper()
		all, err := s.DeliveryCounts(t.Context())
		must(err)
		c := all[0]
		if c.Waiting != waiting || c.Dead != dead || c.Planned != c.Delivered+c.Waiting+c.Dead+c.Superseded {
			t.Errorf("counts are %+v, want %d waiting and %d dead", c, waiting, dead)
		}
	}

	if n := tell(errors.New("down")); n != rows {
		t.Fatalf("%d deliveries died", n)
	}
	if n, err := s.Replay(ctx, sink.Selection{Sink: "hook"}); n != 500 || !errors.Is(err, context.Canceled) {
		t.Errorf("cut off, it replayed %d: %v", n, err)
	}
	counts(500, 100)
	n, err := s.Replay(t.Context(), sink.Selection{Sink: "hook"})
	if must(err); n != 100 {
		t.Errorf("gone on with, it replayed %d", n)
	}
	counts(600, 0)
	if n := tell(nil); n != rows {
		t.Errorf("%d deliveries arrived", n)
	}

	ctx, cut = context.WithCancel(t.Context())
	defer cut()
	if done, err := s.Redeliver(ctx, sink.Selection{Sink: "hook"}, false); done.Told != 500 || !errors.Is(err, context.Canceled) {
		t.Errorf("cut off, it told %+v again: %v", done, err)
	}
	counts(500, 0)
	done, err := s.Redeliver(t.Context(), sink.Selection{Sink: "hook"}, false)
	if must(err); done.Told != 100 {
		t.Errorf("gone on with, it told %+v again", done)
	}
	if n := tell(nil); n != rows {
		t.Errorf("%d arrived again", n)
	}
	counts(0, 0)
}

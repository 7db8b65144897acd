package store

import (
	"context"
	"errors"
	"testing"

	"github.com/pictifyd/pictifyd/bindings"
)

func want(tb testing.TB, s *Store, pictures ...string) {
	tb.Helper()
	for _, f := range pictures {
		p := bindings.Proposal{Owner: bindings.BindingOwner("cards"), Key: f, Digest: f,
			Wants: []bindings.Want{{Output: "card", Fingerprint: f, Spec: bindings.Spec{Page: "p", Encoding: bindings.Encoding{Format: "png"}}}}}
		if _, err := s.Replan(tb.Context(), "cards", []bindings.Proposal{p}); err != nil {
			tb.Fatal(err)
		}
	}
}

func claimed(tb testing.TB, s *Store, turn int64) []Claim {
	tb.Helper()
	claims, err := s.ClaimRenders(tb.Context(), Turn{ID: turn}, 100)
	if err != nil {
		tb.Fatal(err)
	}
	return claims
}

// afterRest makes due what rests.
func afterRest(tb testing.TB, s *Store) {
	tb.Helper()
	if err := s.write(tb.Context(), func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `UPDATE renders SET due_at = 0`)
		return err
	}); err != nil {
		tb.Fatal(err)
	}
}

// A worker that fails over a picture again and again (the machine is at fault,
// but only there) must not keep the others waiting.
func TestRenderThatFailsItsTurnsDoesNotHoldUpTheOthers(t *testing.T) {
	s := newSQLite(t)
	want(t, s, "a poison", "b", "c")
	drawn := map[string]bool{}
	rests := 0
	for turn := int64(1); len(drawn) < 2; turn++ {
		if turn > 30 {
			t.Fatalf("after %d turns only %v are drawn", turn-1, drawn)
		}
		claims := claimed(t, s, turn)
		if len(claims) == 0 {
			rests++
			afterRest(t, s)
			continue
		}
		if claims[0].Fingerprint == "a poison" {
			if err := s.release(t.Context(), Turn{ID: turn}); err != nil {
				t.Fatal(err)
			}
			continue
		}
		for _, c := range claims {
			drawn[c.Fingerprint] = true
			if err := s.FinishRenders(t.Context(), Turn{ID: turn}, []Rendered{{Fingerprint: c.Fingerprint, Hash: "h", Ext: "png"}}, true); err != nil {
				t.Fatal(err)
			}
		}
	}
	if rests == 0 {
		t.Error("the suspects never rested")
	}
}

// Failed turns are not dead processes: a disk that was full for a minute must
// not make a picture look like one that kills.
func TestFailedTurnsDoNotCountAsDeaths(t *testing.T) {
	s := newSQLite(t)
	want(t, s, "a")
	for turn := range int64(10) {
		afterRest(t, s)
		if claims := claimed(t, s, turn); len(claims) != 1 {
			t.Fatalf("turn %d claimed %v", turn, claims)
		}
		if err := s.release(t.Context(), Turn{ID: turn}); err != nil {
			t.Fatal(err)
		}
	}
	afterRest(t, s)
	claimed(t, s, 11)
	if err := s.putBack(t.Context()); err != nil { // the process died once
		t.Fatal(err)
	}
	claims := claimed(t, s, 12)
	if len(claims) != 1 {
		t.Fatal("the picture was given up")
	}
	retry := Rendered{Fingerprint: "a", Retry: errors.New("Chrome is away")}
	if err := s.FinishRenders(t.Context(), Turn{ID: 12}, []Rendered{retry}, true); err != nil {
		t.Fatal(err)
	}
	if claims := claimed(t, s, 13); len(claims) != 1 {
		t.Error("the picture was given up at its first try that said something of it")
	}
}

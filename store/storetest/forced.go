package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

func redrawAll(tb testing.TB, s *store.Store, proposals ...bindings.Proposal) int {
	tb.Helper()
	return got(s.Redraw(tb.Context(), "cards", proposals, bindings.PriorityChange))(tb)
}

var forced = map[string]func(*testing.T, Open){
	"ImagesAreDrawnAgainAlthoughNothingChanged": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		a, b := wants("a", "1"), wants("b", "2")
		replan(t, s, a, b)
		drawShowing(t, s, "old")
		deliver(t, s, "hook", nil)

		if n := redrawAll(t, s, a); n != 1 {
			t.Errorf("%d images are drawn again, want the one", n)
		}
		if g := image(t, s, "a"); g.Hash != "old of fp-card-1" || !g.Waiting || g.Generation != 2 {
			t.Errorf("meanwhile served is %+v", g)
		}
		if n := redrawAll(t, s, a); n != 0 {
			t.Errorf("%d images that are on their way are drawn again", n)
		}
		if diff := cmp.Diff([]string{"fp-card-1"}, drawShowing(t, s, "new")); diff != "" {
			t.Errorf("drawn (-want +got):\n%s", diff)
		}
		if g := image(t, s, "a"); g.Hash != "new of fp-card-1" || g.Waiting {
			t.Errorf("served is %+v", g)
		}
		if sent := deliver(t, s, "hook", nil); len(sent) != 1 || sent[0].Generation != 2 {
			t.Errorf("told is %+v", sent)
		}
		if st := status(t, s); st.Ready != 2 || st.Failed != 0 {
			t.Errorf("status is %+v", st)
		}
	},

	"SameBytesAreNotTold": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		a := wants("a", "1")
		replan(t, s, a)
		drawShowing(t, s, "old")
		deliver(t, s, "hook", nil)
		redrawAll(t, s, a)
		drawShowing(t, s, "old")
		if sent := deliver(t, s, "hook", nil); len(sent) != 0 {
			t.Errorf("told is %+v", sent)
		}
	},

	"ImageThatFailedIsTriedAgain": func(t *testing.T, open Open) {
		s := newStore(t, open)
		two := wantsOutputs(owner, "a", "card=1", "story=1")
		replan(t, s, two)
		for turn := int64(1); turn <= 2; turn++ { // a page each
			for _, c := range claim(t, s, turn, 10) {
				done := picture(c)
				if c.Fingerprint == "fp-story-1" {
					done = store.Rendered{Fingerprint: c.Fingerprint, Problem: &bindings.Problem{Code: "render_failed", Message: "no"}}
				}
				must(t, s.FinishRenders(t.Context(), hand(turn), []store.Rendered{done}, true))
			}
		}
		if st := status(t, s); st.Failed != 1 {
			t.Fatalf("status is %+v, want one that failed", st)
		}
		if n := redrawAll(t, s, two); n != 2 {
			t.Errorf("%d images are drawn again, want both", n)
		}
		if st := status(t, s); st.Failed != 0 || st.Waiting != 1 {
			t.Errorf("meanwhile status is %+v", st)
		}
		draw(t, s)
		if st := status(t, s); st.Failed != 0 || st.Ready != 1 {
			t.Errorf("status is %+v, want it ready", st)
		}
	},

	"WhatIsNotWantedIsNotDrawnAgain": func(t *testing.T, open Open) {
		s := newStore(t, open)
		a := wants("a", "1")
		replan(t, s, a, wants("b", "2"))
		draw(t, s)
		replan(t, s, bindings.Proposal{Owner: owner, Key: "b", Remove: true, Digest: "removed"})
		if n := redrawAll(t, s, wants("a", "other"), wants("b", "2"), wants("c", "3")); n != 0 {
			t.Errorf("%d images are drawn again: another picture, one that is removed, one that never was", n)
		}
		if drawn := draw(t, s); len(drawn) != 0 {
			t.Errorf("drawn is %q", drawn)
		}
	},

	"HeldIsShownAsItIsAndAsItWouldBe": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: three("1"), promote: true})
		draw(t, s)
		read(t, s, reading{seq: 2, rows: map[string]string{"a": "2", "b": "2"}, judge: strict(0)})
		held := got(s.Held(t.Context(), "cards", "", 10))(t)
		var keys []string
		for _, h := range held {
			if h.Gone {
				keys = append(keys, "gone "+h.Key)
				continue
			}
			keys = append(keys, h.Key)
			if len(h.Now) != 1 || len(h.Now[0].Spec.Values) != 1 || h.Now[0].Spec.Values[0] != "1" || h.Becomes.Wants[0].Spec.Values[0] != "2" || len(h.Row) == 0 {
				t.Errorf("held is %+v", h)
			}
		}
		if diff := cmp.Diff([]string{"a", "b", "gone c"}, keys); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if more := got(s.Held(t.Context(), "cards", "a", 1))(t); len(more) != 2 || more[0].Key != "b" {
			t.Errorf("the next are %+v", more)
		}
		got(s.AcceptGuard(t.Context(), "cards"))(t)
		if n := got(s.Ceiling(t.Context(), "cards"))(t); n != 1 {
			t.Errorf("accepted are %d removals, want 1", n)
		}
		if held := got(s.Held(t.Context(), "cards", "", 10))(t); len(held) != 0 {
			t.Errorf("still held is %+v", held)
		}
	},
}

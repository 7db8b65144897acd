package storetest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

// askedFor is a picture as a caller's request made it.
func askedFor(value string) (bindings.Spec, store.Rendered) {
	spec := wants("a", value).Wants[0].Spec
	return spec, store.Rendered{
		Fingerprint: "fp-card-" + value, Hash: "hash of fp-card-" + value, Ext: "png", Bytes: 7, Width: 4, Height: 3, Duration: 5 * time.Millisecond,
		Fitting: bindings.Fitting{Layers: []bindings.LayerFit{{Layer: "title", FontPx: 12, Lines: 2, Clipped: true}}},
	}
}

var asked = map[string]func(*testing.T, Open){
	"APictureThatWasAskedForIsThere": func(t *testing.T, open Open) {
		s := newStore(t, open)
		spec, done := askedFor("1")
		if _, ok, err := s.Made(t.Context(), done.Fingerprint); ok || err != nil {
			t.Fatalf("before it was made it is there: %t, %v", ok, err)
		}
		must(t, s.RecordMade(t.Context(), spec, done))
		m, ok, err := s.Made(t.Context(), done.Fingerprint)
		if !ok || err != nil || m.At.IsZero() {
			t.Fatalf("made: %t, %v, at %v", ok, err, m.At)
		}
		if diff := cmp.Diff(done, m.Rendered); diff != "" {
			t.Errorf("made (-want +got):\n%s", diff)
		}
		replan(t, s, wants("a", "1"))
		if drawn := draw(t, s); len(drawn) != 0 {
			t.Errorf("a row that wants the same was drawn again: %q", drawn)
		}
	},

	"ARowThatWaitsGetsWhatWasAskedFor": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		replan(t, s, wants("a", "1"))
		spec, done := askedFor("1")
		must(t, s.RecordMade(t.Context(), spec, done))
		if drawn := draw(t, s); len(drawn) != 0 {
			t.Errorf("it was drawn again: %q", drawn)
		}
		if sent := deliver(t, s, "hook", nil); len(sent) != 1 || sent[0].Outputs[0].Hash != done.Hash {
			t.Errorf("told was %+v", sent)
		}
	},

	"ATurnMayFinishWhatWasAskedForMeanwhile": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		replan(t, s, wants("a", "1"))
		claims := claim(t, s, 1, 100)
		spec, done := askedFor("1")
		must(t, s.RecordMade(t.Context(), spec, done))
		must(t, s.FinishRenders(t.Context(), hand(1), []store.Rendered{picture(claims[0])}, true))
		if sent := deliver(t, s, "hook", nil); len(sent) != 1 {
			t.Errorf("told was %+v, want it once", sent)
		}
	},

	"AFailureOfTheRowIsRemembered": func(t *testing.T, open Open) {
		s := newStore(t, open)
		for code, remembered := range map[string]bool{"render_broken": true, "asset_fetch_failed": false} {
			spec, done := askedFor(code)
			done = store.Rendered{Fingerprint: done.Fingerprint, Problem: &bindings.Problem{Code: code, Field: "variables.photo", Message: "it can't be shown"}}
			must(t, s.RecordMade(t.Context(), spec, done))
			m, ok, err := s.Made(t.Context(), done.Fingerprint)
			if ok != remembered || err != nil || m.Problem == nil || *m.Problem != *done.Problem {
				t.Errorf("%s: made is %+v, %t, %v", code, m, ok, err)
			}
		}
	},

	"AFailureLeavesARowThatWaitsToItsTurn": func(t *testing.T, open Open) {
		s := newStore(t, open)
		replan(t, s, wants("a", "1"))
		spec, done := askedFor("1")
		must(t, s.RecordMade(t.Context(), spec, store.Rendered{Fingerprint: done.Fingerprint, Problem: &bindings.Problem{Code: "x", Message: "y"}}))
		if diff := cmp.Diff([]string{"fp-card-1"}, draw(t, s)); diff != "" {
			t.Errorf("drawn (-want +got):\n%s", diff)
		}
	},

	"WhatFailedBeforeMayBeMadeByWhoAsks": func(t *testing.T, open Open) {
		s := newStore(t, open)
		spec, done := askedFor("1")
		must(t, s.RecordMade(t.Context(), spec, store.Rendered{Fingerprint: done.Fingerprint, Problem: &bindings.Problem{Code: "asset_fetch_failed", Message: "404"}}))
		must(t, s.RecordMade(t.Context(), spec, done))
		if m, ok, err := s.Made(t.Context(), done.Fingerprint); !ok || err != nil || m.Hash != done.Hash || m.Problem != nil {
			t.Errorf("made is %+v, %t, %v", m, ok, err)
		}
	},

	"WhatIsAskedForAgainIsKeptAnew": func(t *testing.T, open Open) {
		s := newStore(t, open)
		spec, done := askedFor("1")
		must(t, s.RecordMade(t.Context(), spec, done))
		sweep := got(s.BeginSweep(t.Context()))(t)
		if marked := got(sweep.Mark(t.Context(), []string{done.Hash}, start))(t); len(marked) != 1 {
			t.Fatalf("what no image shows is not marked: %q", marked)
		}
		if m, ok, err := s.Made(t.Context(), done.Fingerprint); !ok || err != nil || !m.Marked {
			t.Fatalf("made is %+v, %t, %v", m, ok, err)
		}
		if ok := got(s.KeepUsed(t.Context(), done.Fingerprint, done.Hash))(t); !ok {
			t.Error("it is not kept")
		}
		if condemned, _, err := s.Condemn(t.Context(), start.AddDate(1, 0, 0), ""); err != nil || len(condemned) != 0 {
			t.Errorf("condemned are %v, %v", condemned, err)
		}
		got(sweep.Mark(t.Context(), []string{done.Hash}, start))(t)
		if condemned, _, err := s.Condemn(t.Context(), start, ""); err != nil || len(condemned) != 1 {
			t.Fatalf("condemned are %v, %v", condemned, err)
		}
		if ok := got(s.KeepUsed(t.Context(), done.Fingerprint, done.Hash))(t); ok {
			t.Error("what is given up is kept")
		}
	},

	"ADocumentIsKeptWithItsRender": func(t *testing.T, open Open) {
		s := newStore(t, open)
		spec, done := askedFor("1")
		spec.Document = &bindings.Document{Source: "<p>Hi \u2028</p>", Assets: map[string]string{"assets/a.png": "d"}, Width: 3}
		spec.More = [][]string{{"a"}, {"b", "c"}}
		must(t, s.RecordMade(t.Context(), spec, done))
		if making := got(s.Remake(t.Context(), done.Hash))(t); !making {
			t.Fatal("it is not made again")
		}
		if diff := cmp.Diff(spec, claim(t, s, 1, 1)[0].Spec); diff != "" {
			t.Errorf("spec (-want +got):\n%s", diff)
		}
	},
}

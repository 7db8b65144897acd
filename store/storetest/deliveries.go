package storetest

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

var errDown = errors.New("the receiver is down")

// tell reads the row "a" showing text, and draws it.
func tell(tb testing.TB, s *store.Store, seq int64, text string) {
	tb.Helper()
	read(tb, s, reading{seq: seq, rows: map[string]string{"a": text}, promote: true})
	draw(tb, s)
}

var deliveries = map[string]func(*testing.T, Open){
	"PictureIsToldWithItsRow": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		tell(t, s, 1, "1")
		sent := deliver(t, s, "hook", nil)
		if len(sent) != 1 {
			t.Fatalf("told was %+v", sent)
		}
		d := sent[0]
		if d.Event != "render.completed" || d.Owner != owner || d.Key != "a" || d.Generation != 1 || d.Attempt != 1 || d.Sink != "hook" {
			t.Errorf("told was %+v", d)
		}
		if diff := cmp.Diff(map[string]any{"id": "a", "text": "1"}, d.Row); diff != "" {
			t.Errorf("row (-want +got):\n%s", diff)
		}
		o := d.Outputs[0]
		if o.Name != "card" || o.Hash != "hash of fp-card-1" || o.Format != "png" || o.Ext != "png" || o.Width != 4 || o.Height != 3 || o.URL != "" {
			t.Errorf("output is %+v", o)
		}
	},

	"RemovalNamesTheLastPictures": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		replan(t, s, wants("a", "1"), fails("b", "missing_variable"))
		draw(t, s)
		deliver(t, s, "hook", nil)
		replan(t, s, removes("a"), removes("b"))
		outputs := map[string][]sink.Output{}
		for _, d := range deliver(t, s, "hook", nil) {
			if d.Event == sink.ImageRemoved {
				outputs[d.Key] = d.Outputs
			}
		}
		if a := outputs["a"]; len(a) != 1 || a[0].Name != "card" || a[0].Hash != "hash of fp-card-1" || a[0].Ext != "png" {
			t.Errorf("the removal of a names %+v, want its picture", a)
		}
		if b, told := outputs["b"]; !told || len(b) != 0 {
			t.Errorf("the removal of b, told: %v, names %+v; it had no picture", told, b)
		}
	},

	"NumbersOfARowKeepTheirDigits": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		p := plan(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		p.Rows[0].Values = []byte(`{"price":1.00,"big":12345678901234567890}`)
		got(s.Commit(t.Context(), p))(t)
		draw(t, s)
		want := map[string]any{"price": json.Number("1.00"), "big": json.Number("12345678901234567890")}
		if diff := cmp.Diff(want, deliver(t, s, "hook", nil)[0].Row); diff != "" {
			t.Errorf("row (-want +got):\n%s", diff)
		}
	},

	"SinkHearsOnlyWhatItWants": func(t *testing.T, open Open) {
		s := newStore(t, open)
		s.SetSinks(map[string][]string{"cards": {"hook", "deaf"}}, map[string][]string{"hook": {"image.removed"}})
		tell(t, s, 1, "1")
		if sent := append(deliver(t, s, "hook", nil), deliver(t, s, "deaf", nil)...); len(sent) != 0 {
			t.Errorf("told was %+v", sent)
		}
	},

	"IDIsConstantOverTries": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		tell(t, s, 1, "1")
		turn := store.Turn{ID: 1, Sink: "hook"}
		var ids []string
		for attempt := 1; attempt <= 3; attempt++ {
			claims := got(s.ClaimDeliveries(t.Context(), turn, 10))(t)
			if len(claims) != 1 || claims[0].Attempt != attempt {
				t.Fatalf("try %d is %+v", attempt, claims)
			}
			ids = append(ids, claims[0].ID)
			must(t, s.FinishDeliveries(t.Context(), turn, []store.Delivered{{ID: claims[0].ID, Err: errDown}}, true))
		}
		if ids[0] != ids[1] || ids[1] != ids[2] {
			t.Errorf("the ids of one delivery are %q", ids)
		}
		// The id is a promise to receivers: it must not change with the program.
		if want := "dlv_pxyudud3ud4btcm7qhxkdsf2rdqairzz"; ids[0] != want {
			t.Errorf("the id is %q, want %q", ids[0], want)
		}
	},

	"FailedDeliveryWaitsForItsTime": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		tell(t, s, 1, "1")
		if sent := deliver(t, s, "hook", errDown); len(sent) != 1 { // an hour's wait
			t.Errorf("told was %+v, want one try", sent)
		}
		if c := got(s.Counters(t.Context()))(t); c.DeliveriesWaiting != 1 {
			t.Errorf("counters are %+v", c)
		}
	},

	"DeadLetterIsKept": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		tell(t, s, 1, "1")
		turn := store.Turn{ID: 1, Sink: "hook"}
		c := got(s.ClaimDeliveries(t.Context(), turn, 1))(t)[0]
		must(t, s.FinishDeliveries(t.Context(), turn, []store.Delivered{{ID: c.ID, Err: errDown, Dead: true}}, true))
		if c := got(s.Counters(t.Context()))(t); c.DeliveriesDead != 1 || c.DeliveriesWaiting != 0 {
			t.Errorf("counters are %+v", c)
		}
	},

	"NewerStateSupersedesWhatWasNotTried": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		tell(t, s, 1, "1")
		tell(t, s, 2, "2")
		tell(t, s, 3, "3")
		sent := deliver(t, s, "hook", nil)
		if len(sent) != 1 || sent[0].Generation != 3 || sent[0].Row["text"] != "3" {
			t.Errorf("told was %+v, want the newest state only", sent)
		}
	},

	"TriedDeliveryGoesBeforeTheNewerOne": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		tell(t, s, 1, "1")
		deliver(t, s, "hook", errDown)
		tell(t, s, 2, "2")
		turn := store.Turn{ID: 1, Sink: "hook"}
		first := got(s.ClaimDeliveries(t.Context(), turn, 10))(t)
		if len(first) != 1 || first[0].Generation != 1 || first[0].Attempt != 2 || first[0].Outputs[0].Hash != "hash of fp-card-1" {
			t.Fatalf("claimed was %+v, want the older one alone", first)
		}
		if more := got(s.ClaimDeliveries(t.Context(), store.Turn{ID: 2, Sink: "hook"}, 10))(t); len(more) != 0 {
			t.Errorf("while it is on its way %+v was claimed", more)
		}
		must(t, s.FinishDeliveries(t.Context(), turn, []store.Delivered{{ID: first[0].ID, Err: errDown}}, true))
		sent := deliver(t, s, "hook", nil)
		if len(sent) != 1 || sent[0].Generation != 2 {
			t.Errorf("then told was %+v, want the newer one only", sent)
		}
	},

	"UnchangedMeansSilence": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		tell(t, s, 1, "1")
		deliver(t, s, "hook", nil)
		tell(t, s, 2, "2")
		tell(t, s, 3, "1") // the sink knows that already
		if sent := deliver(t, s, "hook", nil); len(sent) != 0 {
			t.Errorf("told was %+v, want nothing", sent)
		}
	},

	"WhatMayHaveArrivedIsCorrected": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		tell(t, s, 1, "1")
		deliver(t, s, "hook", nil)
		tell(t, s, 2, "2")
		deliver(t, s, "hook", errDown) // or not: the answer may have been lost
		tell(t, s, 3, "1")
		sent := deliver(t, s, "hook", nil)
		if len(sent) == 0 || sent[len(sent)-1].Generation != 3 {
			t.Errorf("told was %+v, want the last state", sent)
		}
	},

	"SinksDoNotWaitForEachOther": func(t *testing.T, open Open) {
		s := newStore(t, open)
		events := []string{"render.completed"}
		s.SetSinks(map[string][]string{"cards": {"hook", "other"}}, map[string][]string{"hook": events, "other": events})
		tell(t, s, 1, "1")
		deliver(t, s, "hook", errDown)
		if sent := deliver(t, s, "other", nil); len(sent) != 1 {
			t.Errorf("told was %+v", sent)
		}
	},
}

package connectortest

import (
	"context"
	"errors"
	"testing"

	"github.com/pictifyd/pictifyd/connectors"
)

func readsEveryRow(t *testing.T, f *fixture) {
	rows := newRows(1234)
	f.source.Set(t, rows)
	r := f.mustPoll(t, nil)
	mustEqual(t, rows, valuesOf(r.Rows))
	if r.Batches < 2 {
		t.Errorf("%d rows came in %d batch, want several", len(rows), r.Batches)
	}
	if len(r.Faults) > 0 || r.Closing.Unchanged {
		t.Errorf("faults %v, closing %+v", r.Faults, r.Closing)
	}
}

func readsTheSameTwice(t *testing.T, f *fixture) {
	f.source.Set(t, newRows(700))
	first, second := f.mustPoll(t, nil), f.mustPoll(t, nil)
	mustEqual(t, first.Rows, second.Rows)
}

func keepsTypes(t *testing.T, f *fixture) {
	row := map[string]any{"id": "0007", "name": " spaced "}
	for name, value := range f.suite.Values {
		row[name] = value
	}
	f.source.Set(t, []map[string]any{row})
	mustEqual(t, []map[string]any{row}, valuesOf(f.mustPoll(t, nil).Rows))
}

func closesWithoutRows(t *testing.T, f *fixture) {
	f.source.Set(t, nil)
	if r := f.mustPoll(t, nil); len(r.Rows) != 0 || r.Closing.Unchanged {
		t.Errorf("got %d rows, closing %+v", len(r.Rows), r.Closing)
	}
}

func confirmsWhatTheCursorHas(t *testing.T, f *fixture) {
	f.source.Set(t, newRows(700))
	first := f.mustPoll(t, nil)
	cursor := first.Closing.Cursor
	for range 3 {
		next := f.mustPoll(t, cursor)
		if !next.Closing.Unchanged {
			mustEqual(t, first.Rows, next.Rows)
		}
		if next.Closing.Cursor != nil {
			cursor = next.Closing.Cursor
		}
	}
}

func seesAChangeAfterTheCursor(t *testing.T, f *fixture) {
	rows := newRows(3)
	f.source.Set(t, rows)
	cursor := f.mustPoll(t, nil).Closing.Cursor
	// The same number of bytes, at once: neither size nor time tell.
	rows[1] = map[string]any{"id": rows[1]["id"], "name": "Bob; \"no. 1\", ä\n"}
	f.source.Set(t, rows)
	r := f.mustPoll(t, cursor)
	if r.Closing.Unchanged {
		t.Fatal("the change was not seen")
	}
	for _, row := range r.Rows {
		if row.Values["id"] == rows[1]["id"] {
			mustEqual(t, rows[1], row.Values)
			return
		}
	}
	t.Errorf("the changed row is not among %d rows", len(r.Rows))
}

func readsUnderForeignCursor(t *testing.T, f *fixture) {
	rows := newRows(2)
	f.source.Set(t, rows)
	for _, cursor := range []string{"\x00\xff", "{}", "null", `{"binding":"another","state":{}}`} {
		mustEqual(t, rows, valuesOf(f.mustPoll(t, connectors.Cursor(cursor)).Rows))
	}
}

func closesNothingWhenBroken(t *testing.T, f *fixture) {
	if f.source.Break == nil {
		t.Skipf("a source of kind %s can't be broken", f.suite.Kind.Name)
	}
	rows := newRows(2)
	f.source.Set(t, rows)
	cursor := f.mustPoll(t, nil).Closing.Cursor
	f.source.Break(t)
	for _, from := range []connectors.Cursor{nil, cursor} {
		var r Recorder
		if err := f.poll(t, from, &r); err == nil {
			t.Error("Poll of a source that can't be read returned nil")
		}
		if r.Batches > 0 {
			t.Errorf("a source that can't be read gave %d batches, closing %+v", r.Batches, r.Closing)
		}
	}
	rows[0]["name"] = "back again"
	f.source.Set(t, rows)
	mustEqual(t, rows, valuesOf(f.mustPoll(t, cursor).Rows))
}

func closesNothingWhenCut(t *testing.T, f *fixture) {
	if f.source.Cut == nil {
		t.Skipf("a source of kind %s can't break off", f.suite.Kind.Name)
	}
	f.source.Cut(t, newRows(700))
	var r Recorder
	if err := f.poll(t, nil, &r); err == nil {
		t.Error("Poll of half a source returned nil")
	}
	if r.Closing != nil {
		t.Errorf("half a source was closed: %+v", r.Closing)
	}
}

func stopsWhenRefused(t *testing.T, f *fixture) {
	f.source.Set(t, newRows(2000))
	r := Recorder{Refuse: func(context.Context, connectors.Batch) error { return errRefused }}
	if err := f.poll(t, nil, &r); !errors.Is(err, errRefused) {
		t.Errorf("Poll returned %v, want the error of emit", err)
	}
}

func stopsWhenClosingRefused(t *testing.T, f *fixture) {
	f.source.Set(t, newRows(2))
	r := Recorder{Refuse: func(_ context.Context, b connectors.Batch) error {
		if b.Closes != nil {
			return errRefused
		}
		return nil
	}}
	if err := f.poll(t, nil, &r); !errors.Is(err, errRefused) {
		t.Errorf("Poll returned %v, want the error of emit", err)
	}
}

func endsWithContext(t *testing.T, f *fixture) {
	f.source.Set(t, newRows(2000))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	stop, stopNow := context.WithCancel(ctx)
	r := Recorder{Refuse: func(emitting context.Context, _ connectors.Batch) error {
		stopNow() // as when the daemon stops while the store is slow
		<-emitting.Done()
		return nil
	}}
	err := f.poller(t).Poll(stop, nil, r.Emit)
	f.check(t, &r)
	if err == nil || ctx.Err() != nil {
		t.Errorf("Poll returned %v (%v), want an error at once", err, ctx.Err())
	}
	if r.Closing != nil {
		t.Errorf("a reading that was stopped is closed: %+v", r.Closing)
	}
}

func readsNothingUnderEndedContext(t *testing.T, f *fixture) {
	f.source.Set(t, newRows(2))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var r Recorder
	if err := f.poller(t).Poll(ctx, nil, r.Emit); !errors.Is(err, context.Canceled) {
		t.Errorf("Poll returned %v, want %v", err, context.Canceled)
	}
	if r.Batches > 0 {
		t.Errorf("%d batches under a context that had ended", r.Batches)
	}
}

package bindings

import (
	"testing"

	"github.com/pictifyd/pictifyd/connectors"
)

// stream plans a batch of a stream, and commits it.
func (l *ledger) stream(tb testing.TB, bs []*Binding, o ReadingOptions, b connectors.Batch) Plan {
	tb.Helper()
	l.seq++
	o.Source, o.ID, o.Seq, o.Bindings, o.Now, o.Told, o.Streamed = "shop", "stream", l.seq, bs, clock, true, true
	if o.Promote == nil {
		o.Promote = map[string]bool{bs[0].Name(): true}
	}
	b.Closes = &connectors.Closing{}
	r := NewReading(o)
	s, err := r.Sift(b, l.known(r.Keys(b), bs))
	if err != nil {
		tb.Fatal(err)
	}
	p := r.Plan(s, nil)
	l.commit(p)
	return p
}

func gone(key string) connectors.Row {
	return connectors.Row{Key: []any{key}, Deleted: true}
}

func TestOfSeveralStatesInABatchOfAStreamTheLastCounts(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.stream(t, bs, ReadingOptions{}, connectors.Batch{Rows: []connectors.Row{product("a", "1"), product("b", "1")}})
	p := l.stream(t, bs, ReadingOptions{}, connectors.Batch{Rows: []connectors.Row{
		product("a", "2"), product("a", "3"), product("b", "2"), product("b", "1"), product("c", "1"), gone("c"), product("c", "2"),
	}})
	expect(t, "titles", l.titles(), map[string]string{"a": "3", "b": "1", "c": "2"})
	expectChanges(t, []Plan{p}, 2, 2) // b is as it was
	if n := len(p.Altered()[bs[0].Name()]); n != 1 {
		t.Errorf("%d images are altered, want that of a: c is new", n)
	}
}

func TestOfARowAndAFaultInABatchOfAStreamTheLaterCounts(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.stream(t, bs, ReadingOptions{}, connectors.Batch{Rows: []connectors.Row{product("a", "1"), product("b", "1"), product("c", "1")}})
	fault := func(key, at string, behind int) connectors.Fault {
		return connectors.Fault{Key: []any{key}, Position: at, Reason: BadRecord, Raw: []byte("x"), Behind: behind}
	}
	p := l.stream(t, bs, ReadingOptions{}, connectors.Batch{
		Rows:   []connectors.Row{product("a", "2"), product("b", "2"), product("c", "1")},
		Faults: []connectors.Fault{fault("a", "1", 0), fault("c", "2", 0), fault("b", "3", 2), fault("b", "4", 3)},
	})
	expect(t, "titles", l.titles(), map[string]string{"a": "2", "b": "1", "c": "1"})
	if len(p.Quarantined) != 1 || p.Quarantined[0].Key != "b" || p.Quarantined[0].Position != "4" {
		t.Errorf("kept out are %+v, want the last of b", p.Quarantined)
	}
	if len(p.Closes.Keys) < 3 {
		t.Errorf("the batch tells of %q", p.Closes.Keys)
	}
}

func TestMarksAndVersionsNoteRowsThatAreAsTheyWere(t *testing.T) {
	for _, o := range []ReadingOptions{{}, {Marks: true}, {Versions: true}} {
		l, bs := newLedger(), one(t)
		l.stream(t, bs, ReadingOptions{}, connectors.Batch{Rows: []connectors.Row{product("a", "1")}})
		p := l.stream(t, bs, o, connectors.Batch{Rows: []connectors.Row{product("a", "1"), gone("z")}})
		want := 0
		if o.Marks {
			want = 1
		}
		if o.Versions { // also the word that z is gone
			want = 2
		}
		if len(p.Rows) != want || len(p.Proposals) != 0 {
			t.Errorf("%+v: %d rows and %d proposals, want %d and none", o, len(p.Rows), len(p.Proposals), want)
		}
	}
}

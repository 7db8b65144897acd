package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/store"
)

// A streamed is a batch of a stream.
type streamed struct {
	rows   map[string]string // key to text
	same   []string          // keys that came as they are stored
	out    []bindings.Quarantined
	marks  connectors.SnapshotMark
	gap    string
	cursor string
	judge  func(string, bindings.Counts) bindings.Verdict
}

// stream commits b with the number seq.
func stream(tb testing.TB, s *store.Store, seq int64, b streamed) store.CommitResult {
	tb.Helper()
	p := plan(tb, s, reading{seq: seq, rows: b.rows, promote: true})
	p.Quarantined = b.out
	p.Closes = &bindings.Closing{
		Told: true, At: start.Add(time.Duration(seq) * time.Minute), Rows: len(b.rows), Keys: b.same, Judge: b.judge, Cursor: []byte(b.cursor),
		Stream: &bindings.StreamClosing{Seq: seq, Snapshot: b.marks, Gap: b.gap},
		Has:    func(key string) bool { _, ok := b.rows[key]; return ok },
	}
	if b.cursor == "" {
		p.Closes.Cursor = nil
	}
	return got(s.Commit(tb.Context(), p))(tb)
}

func missing(tb testing.TB, s *store.Store) (keys string) {
	tb.Helper()
	for _, r := range got(s.Rows(tb.Context(), source, "", 100))(tb) {
		if r.Missing {
			keys += r.Key
		}
	}
	return keys
}

func keptOut(tb testing.TB, s *store.Store) []bindings.KeptOut {
	tb.Helper()
	return got(s.KeptOutPage(tb.Context(), source, bindings.KeptOut{}, 20_000))(tb)
}

var (
	begins = connectors.SnapshotMark{Begins: true}
	ends   = connectors.SnapshotMark{Ends: true}
)

var streams = map[string]func(*testing.T, Open){
	"CursorOfAStreamIsCommittedWithItsRows": func(t *testing.T, open Open) {
		s := newStore(t, open)
		stream(t, s, 1, streamed{rows: map[string]string{"a": "1"}, cursor: "one"})
		stream(t, s, 2, streamed{rows: map[string]string{"a": "2"}}) // keeps the one before
		if p := got(s.StreamPlace(t.Context(), source))(t); string(p.Cursor) != "one" {
			t.Errorf("the place is %+v", p)
		}
		if p := got(s.StreamPlaces(t.Context(), []string{source, "other"}))(t); len(p) != 1 || string(p[source].Cursor) != "one" {
			t.Errorf("the places are %+v", p)
		}
	},

	"SnapshotFindsWhatIsGone": func(t *testing.T, open Open) {
		s := newStore(t, open)
		stream(t, s, 1, streamed{rows: map[string]string{"a": "1", "b": "1", "c": "1", "d": "1"}})
		stream(t, s, 2, streamed{rows: map[string]string{"a": "2"}, marks: begins, gap: "the slot is lost"})
		if p := got(s.StreamPlace(t.Context(), source))(t); !p.Snapshot || p.Gap != "the slot is lost" || p.Gaps != 1 || p.GapAt.IsZero() {
			t.Errorf("under way the place is %+v", p)
		}
		stream(t, s, 3, streamed{out: []bindings.Quarantined{{Key: "b", Reason: "bad_record"}}}) // it is there
		stream(t, s, 4, streamed{rows: map[string]string{"c": "2"}, marks: ends})
		if got := missing(t, s); got != "d" {
			t.Errorf("missing are %q, want d", got)
		}
		if p := got(s.StreamPlace(t.Context(), source))(t); p.Snapshot || p.Gap != "" || p.Gaps != 1 {
			t.Errorf("behind it the place is %+v", p)
		}
	},

	"SnapshotWithWhatHasNoKeySaysNothingOfOthers": func(t *testing.T, open Open) {
		s := newStore(t, open)
		stream(t, s, 1, streamed{rows: map[string]string{"a": "1", "b": "1"}, out: []bindings.Quarantined{{Position: "0", Reason: "bad_record", Raw: []byte("old")}}})
		stream(t, s, 2, streamed{rows: map[string]string{"a": "2"}, out: []bindings.Quarantined{{Position: "1", Reason: "bad_record"}}, marks: begins})
		stream(t, s, 3, streamed{marks: ends})
		if got := missing(t, s); got != "" {
			t.Errorf("missing are %q", got)
		}
		if out := keptOut(t, s); len(out) != 1 || out[0].Position != "1" {
			t.Errorf("kept out are %+v, want only what the snapshot met", out)
		}
	},

	"TruncationAsksTheGuard": func(t *testing.T, open Open) {
		s := newStore(t, open)
		stream(t, s, 1, streamed{rows: map[string]string{"a": "1", "b": "1"}})
		draw(t, s)
		r := stream(t, s, 2, streamed{marks: connectors.SnapshotMark{Begins: true, Ends: true}, judge: func(_ string, c bindings.Counts) bindings.Verdict {
			return bindings.Verdict{HoldRemoval: c.Gone == 2, Reason: "all"}
		}})
		if st := status(t, s); r.Held != 2 || st.HeldRemoval != 2 || st.HeldReason != "all" {
			t.Errorf("%+v, status %+v, want both removals held", r, st)
		}
		stream(t, s, 3, streamed{rows: map[string]string{"a": "2"}}) // comes back
		if got := missing(t, s); got != "b" {
			t.Errorf("missing are %q, want b", got)
		}
	},

	"WishForASnapshotIsOverWhenItBegins": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.WantSnapshot(t.Context(), source))
		stream(t, s, 1, streamed{rows: map[string]string{"a": "1"}})
		if p := got(s.StreamPlace(t.Context(), source))(t); !p.Resnapshot {
			t.Error("the wish is forgotten before a snapshot began")
		}
		stream(t, s, 2, streamed{marks: begins})
		if p := got(s.StreamPlace(t.Context(), source))(t); p.Resnapshot {
			t.Error("the wish is there still")
		}
	},

	"HoldIsNotedUntilItIsGivenBack": func(t *testing.T, open Open) {
		s := newStore(t, open)
		stream(t, s, 1, streamed{rows: map[string]string{"a": "1"}, cursor: "one"})
		one, two := store.StreamHold{Source: source, Digest: "1", Spec: "x"}, store.StreamHold{Source: source, Digest: "2", Spec: "y"}
		for _, h := range []store.StreamHold{one, two, one} {
			must(t, s.HoldStream(t.Context(), h))
		}
		must(t, s.DropHold(t.Context(), one))
		if all := got(s.StreamHolds(t.Context()))(t); len(all) != 1 || all[0] != two {
			t.Errorf("held are %+v", all)
		}
		if p := got(s.StreamPlace(t.Context(), source))(t); string(p.Cursor) != "one" {
			t.Error("the cursor went with the first hold")
		}
		must(t, s.DropHold(t.Context(), two))
		if p := got(s.StreamPlace(t.Context(), source))(t); p.Cursor != nil {
			t.Errorf("without holds the stream begins at %q", p.Cursor)
		}
	},

	"RowEndsItsPoisonAlsoAsItWas": func(t *testing.T, open Open) {
		s := newStore(t, open)
		stream(t, s, 1, streamed{rows: map[string]string{"a": "1", "b": "1"}})
		stream(t, s, 2, streamed{out: []bindings.Quarantined{{Key: "a", Position: "7", Reason: "bad_record", Raw: []byte("raw")}, {Key: "b", Position: "8", Reason: "bad_record"}, {Position: "9", Reason: "bad_record"}}})
		if out := keptOut(t, s); len(out) != 3 || out[0].Seq != 2 || string(out[0].Raw) != "raw" || out[0].At.IsZero() {
			t.Fatalf("kept out are %+v", out)
		}
		if some := got(s.KeepsUnkeyed(t.Context(), source))(t); some {
			t.Error("what can't be tried again is no row yet")
		}
		stream(t, s, 3, streamed{rows: map[string]string{"a": "1"}, same: []string{"a"}})
		stream(t, s, 4, streamed{rows: map[string]string{"b": "2"}})
		if out := keptOut(t, s); len(out) != 1 || out[0].Position != "9" {
			t.Errorf("kept out are %+v", out)
		}
		if n := got(s.DiscardKeptOut(t.Context(), source, []string{"8", "9"}))(t); n != 1 {
			t.Errorf("%d were discarded", n)
		}
	},

	"RetriedEndsWithItsRowAndNeverReplacesANewerOne": func(t *testing.T, open Open) {
		s := newStore(t, open)
		stream(t, s, 1, streamed{rows: map[string]string{"a": "1", "b": "1"}})
		stream(t, s, 2, streamed{out: []bindings.Quarantined{{Position: "1", Reason: "r", Raw: []byte("a")}, {Position: "2", Reason: "r", Raw: []byte("b")}, {Position: "3", Reason: "r", Raw: []byte("c")}}})
		stream(t, s, 3, streamed{rows: map[string]string{"b": "3"}})
		out := keptOut(t, s)
		out[2].Reason, out[2].Detail = "now", "why"
		r := got(s.Commit(t.Context(), bindings.Plan{
			Source: source, Reading: "again", Promote: promoteCards,
			Rows:      []bindings.RowChange{row("a", out[0].Seq, "2"), row("b", out[1].Seq, "2")},
			Proposals: []bindings.Proposal{wants("a", "2"), wants("b", "2")},
			Closes:    &bindings.Closing{Told: true, At: start, Stream: &bindings.StreamClosing{Seq: 4}},
			Retried:   &bindings.Retried{Mended: out[:2], Broken: out[2:]},
		}))(t)
		if r.Rows != 1 || r.Promoted != 1 {
			t.Errorf("%+v, want the row of a and no other", r)
		}
		known := got(s.Known(t.Context(), source, []string{"a", "b"}, nil))(t)
		if known["a"].Row.Digest != "row-2" || known["b"].Row.Digest != "row-3" {
			t.Errorf("a is %+v, b is %+v", known["a"].Row, known["b"].Row)
		}
		if out := keptOut(t, s); len(out) != 1 || out[0].Reason != "now" || out[0].Detail != "why" || out[0].Tries != 1 || out[0].TriedAt.IsZero() {
			t.Errorf("kept out are %+v", out)
		}
	},

	"OldestPoisonIsForgotten": func(t *testing.T, open Open) {
		s := newStore(t, open)
		stream(t, s, 1, streamed{rows: map[string]string{"a": "1"}, marks: begins})
		for seq := range int64(6) {
			var out []bindings.Quarantined
			for i := range 2000 {
				out = append(out, bindings.Quarantined{Key: fmt.Sprintf("%d-%d", seq, i), Position: fmt.Sprint(i), Reason: "bad_record"})
			}
			stream(t, s, 2+seq, streamed{out: out})
		}
		out := keptOut(t, s)
		if len(out) != 10_000 || out[0].Seq != 3 {
			t.Errorf("%d are kept out, the oldest of %d; want 10,000", len(out), out[0].Seq)
		}
		stream(t, s, 9, streamed{marks: ends}) // nobody knows which rows there were beside them
		if st := status(t, s); st.Complete {
			t.Error("a snapshot of which poison was forgotten is complete")
		}
	},
}

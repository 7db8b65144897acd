package storetest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

var readings = map[string]func(*testing.T, Open){
	"FirstReadingIsPromotedAtOnce": func(t *testing.T, open Open) {
		s := newStore(t, open)
		if first := got(s.FirstReadings(t.Context(), []string{"cards"}))(t); !first["cards"] {
			t.Fatal("a binding without a reading is not at its first one")
		}
		p := plan(t, s, reading{seq: 1, rows: map[string]string{"a": "1", "b": "2"}, promote: true})
		if r := got(s.Commit(t.Context(), p))(t); r.Rows != 2 || r.Promoted != 2 {
			t.Errorf("first batch gave %+v, want 2 rows and 2 promoted", r)
		}
		if drawn := draw(t, s); len(drawn) != 2 {
			t.Errorf("before the reading closed, %q were drawn, want 2 pictures", drawn)
		}
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1", "b": "2"}, promote: true})
		if first := got(s.FirstReadings(t.Context(), []string{"cards"}))(t); first["cards"] {
			t.Error("after a closed reading the next one is still the first")
		}
		if st := status(t, s); st.Live != 2 || st.Ready != 2 || !st.Complete || !st.ReadAt.Equal(start.Add(time.Minute)) {
			t.Errorf("status is %+v", st)
		}
	},

	"UnchangedReadingWritesNoRow": func(t *testing.T, open Open) {
		s := newStore(t, open)
		rows := map[string]string{"a": "1", "b": "2"}
		read(t, s, reading{seq: 1, rows: rows, promote: true})
		draw(t, s)
		if r := read(t, s, reading{seq: 2, rows: rows}); r != (store.CommitResult{}) {
			t.Errorf("the same rows again gave %+v", r)
		}
		if k := got(s.Known(t.Context(), source, []string{"a"}, nil))(t)["a"]; k.Row.Version != 1 {
			t.Errorf("the row has version %d, want the one of its last change", k.Row.Version)
		}
		if drawn := draw(t, s); len(drawn) != 0 {
			t.Errorf("the same rows drew %q", drawn)
		}
	},

	"ChangedRowChangesItsOneImage": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1", "b": "2"}, promote: true})
		draw(t, s)
		if r := read(t, s, reading{seq: 2, rows: map[string]string{"a": "1", "b": "3"}}); r.Rows != 1 || r.Promoted != 1 {
			t.Errorf("one change gave %+v", r)
		}
		if g := image(t, s, "b"); g.Hash != "hash of fp-card-2" || !g.Waiting {
			t.Errorf("while the new picture is made, %+v is served; want the old one", g)
		}
		if diff := cmp.Diff([]string{"fp-card-3"}, draw(t, s)); diff != "" {
			t.Errorf("drawn (-want +got):\n%s", diff)
		}
		if g := image(t, s, "b"); g.Hash != "hash of fp-card-3" || g.Waiting || g.Generation != 2 || g.Width != 4 {
			t.Errorf("the new picture is served as %+v", g)
		}
	},

	"DeadReadingIsReplacedByTheNext": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1", "b": "1"}, promote: true})
		draw(t, s)
		got(s.Commit(t.Context(), plan(t, s, reading{seq: 2, rows: map[string]string{"a": "2", "b": "2"}})))(t)
		if drawn := draw(t, s); len(drawn) != 0 {
			t.Fatalf("a reading that was not closed drew %q", drawn)
		}
		// b went back to what it was while nobody looked.
		if r := read(t, s, reading{seq: 3, rows: map[string]string{"a": "3", "b": "1"}}); r.Promoted != 1 {
			t.Errorf("the next reading gave %+v, want 1 promoted", r)
		}
		if diff := cmp.Diff([]string{"fp-card-3"}, draw(t, s)); diff != "" {
			t.Errorf("drawn (-want +got):\n%s", diff)
		}
		k := got(s.Known(t.Context(), source, []string{"a", "b"}, []string{"cards"}))(t)
		for key, known := range k {
			if known.Items["cards"].Proposed != "" {
				t.Errorf("%s has still the proposal %q", key, known.Items["cards"].Proposed)
			}
		}
	},

	"ProposalOfADeadReadingIsDroppedByACompleteOne": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		p := plan(t, s, reading{seq: 2, rows: map[string]string{"a": "1", "new": "1"}})
		got(s.Commit(t.Context(), p))(t)
		read(t, s, reading{seq: 3, rows: map[string]string{"a": "1"}})
		if k := got(s.Known(t.Context(), source, []string{"new"}, []string{"cards"}))(t)["new"]; len(k.Items) != 0 {
			t.Errorf("the item of a row that only the dead reading had is %+v", k.Items)
		}
	},

	"PartialReadingDeletesNothing": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1", "b": "1"}, promote: true})
		if r := read(t, s, reading{seq: 2, rows: map[string]string{"a": "2"}, partial: true}); r.Promoted != 1 {
			t.Errorf("the partial reading gave %+v, want its change promoted", r)
		}
		if n := got(s.Reap(t.Context(), source, start.Add(24*time.Hour), []string{"cards"}))(t); n != 0 {
			t.Errorf("%d rows were taken after a partial reading", n)
		}
		if st := status(t, s); st.Live != 2 || st.Complete {
			t.Errorf("status is %+v", st)
		}
	},

	"AbsentRowGoesAfterItsGrace": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1", "b": "1"}, promote: true})
		draw(t, s)
		deliver(t, s, "hook", nil)
		read(t, s, reading{seq: 2, rows: map[string]string{"a": "1"}})
		read(t, s, reading{seq: 3, rows: map[string]string{"a": "1"}})
		if n := got(s.Reap(t.Context(), source, start.Add(90*time.Second), []string{"cards"}))(t); n != 0 {
			t.Errorf("%d rows were taken within their grace", n)
		}
		if n := got(s.Reap(t.Context(), source, start.Add(2*time.Minute), []string{"cards"}))(t); n != 1 {
			t.Errorf("%d rows were taken after their grace, want 1", n)
		}
		if st := status(t, s); st.Live != 1 {
			t.Errorf("status is %+v", st)
		}
		sent := deliver(t, s, "hook", nil)
		if len(sent) != 1 || sent[0].Event != "image.removed" || sent[0].Key != "b" || sent[0].Generation != 2 || sent[0].Row["text"] != "1" {
			t.Errorf("told was %+v", sent)
		}
		if g := image(t, s, "b"); !g.Removed {
			t.Errorf("the image is %+v, want it removed", g)
		}
	},

	"RowThatReturnsWithinItsGraceStays": func(t *testing.T, open Open) {
		s := newStore(t, open)
		all := map[string]string{"a": "1", "b": "1"}
		read(t, s, reading{seq: 1, rows: all, promote: true})
		read(t, s, reading{seq: 2, rows: map[string]string{"a": "1"}})
		k := got(s.Known(t.Context(), source, []string{"b"}, nil))(t)
		if !k["b"].Row.Missing {
			t.Fatal("the absent row is not known as missing")
		}
		read(t, s, reading{seq: 3, rows: all})
		if n := got(s.Reap(t.Context(), source, start.Add(24*time.Hour), []string{"cards"}))(t); n != 0 {
			t.Errorf("%d rows were taken", n)
		}
	},

	"ReapKeepsTheItemsOfBindingsThatKeep": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1", "b": "1"}, promote: true})
		read(t, s, reading{seq: 2, rows: map[string]string{"a": "1"}})
		if n := got(s.Reap(t.Context(), source, start.Add(24*time.Hour), nil))(t); n != 1 {
			t.Fatalf("%d rows were taken, want 1", n)
		}
		if st := status(t, s); st.Live != 2 {
			t.Errorf("status is %+v, want both items", st)
		}
	},

	"DeletedRowRemovesItsImage": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		p := bindings.Plan{Source: source, Reading: "shop#2", Rows: []bindings.RowChange{{Key: "a", Version: 2, Gone: true}},
			Proposals: []bindings.Proposal{removes("a")}, Promote: map[string]bool{"cards": true}}
		if r := got(s.Commit(t.Context(), p))(t); r.Rows != 1 || r.Promoted != 1 {
			t.Errorf("the delete gave %+v", r)
		}
		k := got(s.Known(t.Context(), source, []string{"a"}, []string{"cards"}))(t)["a"]
		if k.Row != nil || !k.Items["cards"].Removed {
			t.Errorf("of the deleted row is known %+v", k)
		}
		if drawn := draw(t, s); len(drawn) != 0 {
			t.Errorf("pictures of the deleted row were drawn: %q", drawn)
		}
		read(t, s, reading{seq: 3, rows: map[string]string{"a": "1"}})
		if st := status(t, s); st.Live != 1 || st.Waiting != 1 {
			t.Errorf("after the row returned status is %+v", st)
		}
	},

	"OlderVersionNeverWins": func(t *testing.T, open Open) {
		s := newStore(t, open)
		n := 0
		rapid.Check(t, func(rt *rapid.T) {
			n++
			key := fmt.Sprintf("k%d", n)
			type state struct {
				Version int64
				Gone    bool
			}
			states := rapid.SliceOfNDistinct(rapid.Custom(func(rt *rapid.T) state {
				return state{rapid.Int64Range(1, 20).Draw(rt, "version"), rapid.Bool().Draw(rt, "gone")}
			}), 1, 6, func(s state) int64 { return s.Version }).Draw(rt, "states")
			newest := states[0]
			for _, st := range states {
				if st.Version > newest.Version {
					newest = st
				}
				change, proposal := row(key, st.Version, fmt.Sprint(st.Version)), wants(key, fmt.Sprint(st.Version))
				if st.Gone {
					change, proposal = bindings.RowChange{Key: key, Version: st.Version, Gone: true}, removes(key)
				}
				got(s.Commit(t.Context(), bindings.Plan{Source: source, Reading: "shop#1", Rows: []bindings.RowChange{change},
					Proposals: []bindings.Proposal{proposal}, Promote: map[string]bool{"cards": true}}))(t)
			}
			k := got(s.Known(t.Context(), source, []string{key}, []string{"cards"}))(t)[key]
			switch {
			case newest.Gone && k.Row != nil:
				rt.Fatalf("of %v version %d stands, want none", states, k.Row.Version)
			case newest.Gone && k.Items["cards"].Digest != "" && !k.Items["cards"].Removed:
				rt.Fatalf("of %v the item stands as %+v", states, k.Items["cards"])
			case !newest.Gone && (k.Row == nil || k.Row.Version != newest.Version):
				rt.Fatalf("of %v stands %+v", states, k.Row)
			case !newest.Gone && k.Items["cards"].Digest != fmt.Sprintf("card=%d;", newest.Version):
				rt.Fatalf("of %v the item wants %q", states, k.Items["cards"].Digest)
			}
		})
	},

	"BatchCommittedTwiceIsOnce": func(t *testing.T, open Open) {
		s := newStore(t, open)
		p := plan(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		got(s.Commit(t.Context(), p))(t)
		if r := got(s.Commit(t.Context(), p))(t); r.Promoted != 0 {
			t.Errorf("the same batch again gave %+v", r)
		}
		if drawn := draw(t, s); len(drawn) != 1 {
			t.Errorf("drawn %q, want one picture", drawn)
		}
	},

	"CursorIsOfTheLastClosedReading": func(t *testing.T, open Open) {
		s := newStore(t, open)
		turn := store.Turn{ID: 1, Source: source}
		from, name, seq, err := s.BeginPoll(t.Context(), turn)
		must(t, err)
		if from != nil || name != "shop#1" || seq != 1 {
			t.Errorf("the first reading is %q %q %d", from, name, seq)
		}
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		must(t, s.EndPoll(t.Context(), turn, nil))
		from, _, seq, err = s.BeginPoll(t.Context(), turn)
		must(t, err)
		if string(from) != "after 1" || seq != 2 {
			t.Errorf("the second reading starts at %q as %d", from, seq)
		}
		at := start.Add(time.Hour)
		got(s.Commit(t.Context(), bindings.Plan{Source: source, Reading: "shop#2", Closes: &bindings.Closing{Unchanged: true, At: at}}))(t)
		from, _, _, err = s.BeginPoll(t.Context(), turn)
		must(t, err)
		if st := status(t, s); string(from) != "after 1" || !st.ReadAt.Equal(at) || !st.Complete || st.Live != 1 {
			t.Errorf("after an unchanged reading the cursor is %q, status %+v", from, st)
		}
	},

	"SourceThatCannotBeReadIsShown": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		turn := store.Turn{ID: 1, Source: source}
		begin(t, s, turn)
		must(t, s.EndPoll(t.Context(), turn, fmt.Errorf("no route\x00 to host")))
		if st := status(t, s); st.Error == "" || st.ErrorAt.IsZero() {
			t.Errorf("status is %+v, want the error", st)
		}
		begin(t, s, turn)
		must(t, s.EndPoll(t.Context(), turn, nil))
		if st := status(t, s); st.Error != "" || !st.ErrorAt.IsZero() {
			t.Errorf("status is %+v, want no error", st)
		}
	},

	"QuarantineIsOfTheLastReading": func(t *testing.T, open Open) {
		s := newStore(t, open)
		bad := func(seq int64, positions ...string) {
			p := plan(t, s, reading{seq: seq, rows: map[string]string{"a": "1"}, promote: true})
			for _, at := range positions {
				p.Quarantined = append(p.Quarantined, bindings.Quarantined{Position: at, Reason: "null_key", Detail: "no id\x00"})
			}
			p.Closes = &bindings.Closing{Complete: true, At: start, Rows: 1, Has: func(string) bool { return true }}
			got(s.Commit(t.Context(), p))(t)
		}
		bad(1, "line 3", "line 4")
		bad(2, "line 4")
		q := got(s.Quarantine(t.Context(), source, 10))(t)
		if len(q) != 1 || q[0].Position != "line 4" || q[0].Reason != "null_key" {
			t.Errorf("quarantined are %+v", q)
		}
		if st := status(t, s); st.Quarantined != 1 {
			t.Errorf("status counts %d quarantined", st.Quarantined)
		}
	},

	"RowsComeInPagesWithTheirValues": func(t *testing.T, open Open) {
		s := newStore(t, open)
		want := map[string]string{}
		for i := range 25 {
			want[fmt.Sprintf("k%02d", i)] = fmt.Sprint(rand.IntN(1000))
		}
		read(t, s, reading{seq: 1, rows: want, promote: true})
		seen := map[string]string{}
		for after := ""; ; {
			rows := got(s.Rows(t.Context(), source, after, 10))(t)
			for _, r := range rows {
				var v struct{ Text string }
				must(t, json.Unmarshal(r.Values, &v))
				seen[r.Key] = v.Text
				after = r.Key
			}
			if len(rows) < 10 {
				break
			}
		}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("rows (-want +got):\n%s", diff)
		}
	},

	"ReplanIsPromotedWithoutTheGuard": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SetBinding(t.Context(), "cards", source, ""))
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1", "b": "1"}, promote: true})
		draw(t, s)
		changed := got(s.Replan(t.Context(), "cards", []bindings.Proposal{wants("a", "new"), wants("b", "1")}))(t)
		if changed != 1 {
			t.Errorf("%d items changed, want 1", changed)
		}
		must(t, s.SetBinding(t.Context(), "cards", source, "v2"))
		if d := got(s.BindingDigest(t.Context(), "cards"))(t); d != "v2" {
			t.Errorf("the binding was planned with %q", d)
		}
		if diff := cmp.Diff([]string{"fp-card-new"}, draw(t, s)); diff != "" {
			t.Errorf("drawn (-want +got):\n%s", diff)
		}
	},

	"BindingThatReturnsIsPlannedAgain": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SetBinding(t.Context(), "cards", source, "v1"))
		must(t, s.DropBindings(t.Context(), []string{"others"}))
		must(t, s.DropBindings(t.Context(), []string{"cards"}))
		if d := got(s.BindingDigest(t.Context(), "cards"))(t); d != "" {
			t.Errorf("a binding that was away counts as planned with %q", d)
		}
	},

	"BindingPlannedFromStoredRowsIsPastItsFirstReading": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SetBinding(t.Context(), "cards", source, "v1"))
		if first := got(s.FirstReadings(t.Context(), []string{"cards"}))(t); !first["cards"] {
			t.Error("a binding of a source that was never read is not at its first reading")
		}
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		must(t, s.SetBinding(t.Context(), "stories", source, "v1"))
		if first := got(s.FirstReadings(t.Context(), []string{"stories"}))(t); first["stories"] {
			t.Error("a binding that has the rows of a source is at its first reading")
		}
	},
}

// begin begins a poll.
func begin(tb testing.TB, s *store.Store, turn store.Turn) {
	tb.Helper()
	_, _, _, err := s.BeginPoll(tb.Context(), turn)
	must(tb, err)
}

// hear routes the binding to the sink "hook", which hears everything.
func hear(s *store.Store) {
	s.SetSinks(map[string][]string{"cards": {"hook"}}, map[string][]string{"hook": {"render.completed", "render.failed", "image.removed"}})
}

package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

// lastChange is what the last reading changed, as "change key: before > after".
func lastChange(tb testing.TB, s *store.Store) []string {
	tb.Helper()
	var said []string
	for _, r := range got(s.RowChanges(tb.Context(), source, 1000))(tb).Rows {
		said = append(said, fmt.Sprintf("%s %s: %s > %s", r.Change, r.Key, r.Before, r.After))
	}
	return said
}

var past = map[string]func(*testing.T, Open){
	"LastChangeIsKeptWithTheValuesBefore": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SetBinding(t.Context(), "cards", source, "v1"))
		if c := got(s.RowChanges(t.Context(), source, 10))(t); c.Reading != 0 || len(c.Rows) != 0 {
			t.Errorf("before any reading it is %+v", c)
		}
		read(t, s, reading{seq: 1, promote: true, rows: map[string]string{"a": "1", "b": "1", "c": "1"}})
		if first := lastChange(t, s); len(first) != 3 || first[0] != `added a:  > {"id":"a","text":"1"}` {
			t.Errorf("the first reading is %q", first)
		}
		read(t, s, reading{seq: 2, rows: map[string]string{"a": "1", "b": "2", "d": "1"}})
		want := []string{`changed b: {"id":"b","text":"1"} > {"id":"b","text":"2"}`, `removed c: {"id":"c","text":"1"} > `, `added d:  > {"id":"d","text":"1"}`}
		if last := lastChange(t, s); strings.Join(last, "\n") != strings.Join(want, "\n") {
			t.Errorf("the second is\n%s\nwant\n%s", strings.Join(last, "\n"), strings.Join(want, "\n"))
		}
		read(t, s, reading{seq: 3, rows: map[string]string{"a": "1", "b": "2", "d": "1"}})
		c := got(s.RowChanges(t.Context(), source, 2))(t)
		if c.Reading != 2 || c.EndedAt.IsZero() || c.Before.IsZero() || len(c.Rows) != 2 || c.More != 1 {
			t.Errorf("after a reading that changed nothing it is %+v", c)
		}
		all := got(s.PastReadings(t.Context(), source, 50))(t)
		if len(all) != 2 {
			t.Fatalf("the readings are %+v, want the two that changed something", all)
		}
		if r := all[0]; r.ID != 2 || r.Rows != 3 || r.Added != 1 || r.Changed != 1 || r.Removed != 1 || !r.Complete || r.EndedAt.IsZero() || r.Error != "" {
			t.Errorf("the newest is %+v", r)
		}
		if r := all[1]; r.Added != 3 || r.Changed+r.Removed != 0 {
			t.Errorf("the first is %+v", r)
		}
		read(t, s, reading{seq: 4, rows: map[string]string{"a": "1", "b": "2", "c": "1", "d": "1"}})
		if back := lastChange(t, s); len(back) != 1 || back[0] != `added c:  > {"id":"c","text":"1"}` {
			t.Errorf("a row that is back is %q", back)
		}
	},
	"ReadingOfManyChangesKeepsSomeAndCountsAll": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SetBinding(t.Context(), "cards", source, "v1"))
		rows := map[string]string{"large": strings.Repeat("x", 80<<10)}
		for i := range 230 {
			rows[fmt.Sprintf("k%03d", i)] = "1"
		}
		read(t, s, reading{seq: 1, promote: true, rows: rows})
		for key := range rows {
			rows[key] = "2"
		}
		p := plan(t, s, reading{seq: 2, rows: rows})
		half := p
		half.Rows, half.Proposals, p.Rows = p.Rows[:150], nil, p.Rows[150:]
		got(s.Commit(t.Context(), half))(t) // in two batches
		p.Closes = &bindings.Closing{Complete: true, At: start, Rows: len(rows), Has: func(string) bool { return true }}
		got(s.Commit(t.Context(), p))(t)
		c := got(s.RowChanges(t.Context(), source, 1000))(t)
		if len(c.Rows) < 190 || len(c.Rows) > 200 || c.More != 231-int64(len(c.Rows)) {
			t.Errorf("%d rows are kept, %d more", len(c.Rows), c.More)
		}
		for _, r := range c.Rows {
			if r.Key == "large" || r.Change != bindings.RowChanged || len(r.Before) == 0 || len(r.After) == 0 {
				t.Errorf("a row is %s %s, %d and %d bytes", r.Change, r.Key, len(r.Before), len(r.After))
			}
		}
		if r := got(s.PastReadings(t.Context(), source, 1))(t)[0]; r.Changed != 231 || r.Added != 0 || r.Rows != 231 {
			t.Errorf("the reading is %+v", r)
		}
	},
	"ReadingsAreRememberedUntilThereAreFifty": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SetBinding(t.Context(), "cards", source, "v1"))
		for i := range int64(60) {
			read(t, s, reading{seq: i + 1, promote: i == 0, rows: map[string]string{"a": fmt.Sprint(i)}})
		}
		all := got(s.PastReadings(t.Context(), source, 100))(t)
		if len(all) != 50 || all[0].ID != 60 || all[49].ID != 11 {
			t.Errorf("%d readings are remembered", len(all))
		}
	},
	"ReadingThatFailedOrWasHeldSaysWhy": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SetBinding(t.Context(), "cards", source, "v1"))
		read(t, s, reading{seq: 1, promote: true, rows: map[string]string{"a": "1", "b": "1"}})
		must(t, s.NotePoll(t.Context(), source, errors.New("503")))
		must(t, s.NotePoll(t.Context(), source, errors.New("503")))
		read(t, s, reading{seq: 2, partial: true, rows: map[string]string{"a": "1"}})
		read(t, s, reading{seq: 3, rows: map[string]string{"a": "2", "b": "2"}, judge: func(string, bindings.Counts) bindings.Verdict {
			return bindings.Verdict{HoldChanges: true, Reason: "too many"}
		}})
		all := got(s.PastReadings(t.Context(), source, 50))(t)
		if len(all) != 4 || all[2].Error != "503" || all[1].Complete || all[1].Error != "" {
			t.Fatalf("the readings are %+v", all)
		}
		if held := all[0].Held["cards"]; held != (bindings.PastHeld{Changes: 2, Reason: "too many"}) {
			t.Errorf("the guard held %+v", held)
		}
	},
	"ReadingThatDiesIsCutOff": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SetBinding(t.Context(), "cards", source, "v1"))
		got(s.Commit(t.Context(), plan(t, s, reading{seq: 1, promote: true, rows: map[string]string{"a": "1"}})))(t)
		if all := got(s.PastReadings(t.Context(), source, 50))(t); len(all) != 1 || !all[0].EndedAt.IsZero() || all[0].Added != 1 {
			t.Errorf("while it is under way it is %+v", all)
		}
		read(t, s, reading{seq: 2, rows: map[string]string{"a": "2"}})
		if all := got(s.PastReadings(t.Context(), source, 50))(t); len(all) != 2 || all[1].Error == "" || all[1].EndedAt.IsZero() || all[0].Changed != 1 {
			t.Errorf("after the next one they are %+v", all)
		}
	},
	"SentRowsAreNoReadings": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SetBinding(t.Context(), "cards", source, "v1"))
		arrive(t, s, bindings.Plan{Promote: promoteCards, Rows: []bindings.RowChange{row("a", 2, "2")}, Proposals: []bindings.Proposal{wants("a", "2")}})
		if all := got(s.PastReadings(t.Context(), source, 50))(t); len(all) != 0 {
			t.Errorf("the readings are %+v", all)
		}
	},
	"ErasedRowIsInNoChange": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.SetBinding(t.Context(), "cards", source, "v1"))
		read(t, s, reading{seq: 1, promote: true, rows: map[string]string{"a": "1", "b": "1"}})
		got(s.DeleteRow(t.Context(), source, "a", false))(t)
		if last := lastChange(t, s); len(last) != 1 || strings.Contains(last[0], `"id":"a"`) {
			t.Errorf("the change is %q", last)
		}
		must(t, s.ForgetSource(t.Context(), source))
		if all := got(s.PastReadings(t.Context(), source, 50))(t); len(all) != 0 || len(lastChange(t, s)) != 0 {
			t.Errorf("of a forgotten source there is %+v and %q", all, lastChange(t, s))
		}
	},
}

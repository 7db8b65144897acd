package storetest

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

var arrivals = map[string]func(*testing.T, Open){
	"ToldRowsLeaveTheLastReadingAsItIs": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1", "b": "1"}, promote: true})
		draw(t, s)
		before := status(t, s)
		if r := arrive(t, s, bindings.Plan{Promote: promoteCards, Rows: []bindings.RowChange{row("a", 2, "2")}, Proposals: []bindings.Proposal{wants("a", "2")}}); r.Promoted != 1 {
			t.Errorf("a told row gave %+v, want its picture wanted", r)
		}
		after := status(t, s)
		if after.Waiting != 1 || !after.ReadAt.Equal(before.ReadAt) || !after.Complete {
			t.Errorf("status is %+v, want the last reading as it was", after)
		}
	},

	"ToldRowsDoNotEndAReadingThatDied": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		must(t, s.WantPoll(t.Context(), source))
		got(s.Commit(t.Context(), plan(t, s, reading{seq: 2, rows: map[string]string{"a": "2"}})))(t)
		arrive(t, s, bindings.Plan{Promote: promoteCards, Rows: []bindings.RowChange{row("b", 3, "1")}, Proposals: []bindings.Proposal{wants("b", "1")}})
		from, _, _, err := s.BeginPoll(t.Context(), store.Turn{Source: source})
		must(t, err)
		if from != nil {
			t.Errorf("the next reading begins at %q, want the beginning", from)
		}
	},

	"ToldRowsAreReadOnceOnlyWhereNothingElseReads": func(t *testing.T, open Open) {
		s := newStore(t, open)
		arrival := bindings.Plan{Promote: promoteCards, Rows: []bindings.RowChange{row("a", 1, "1")}, Proposals: []bindings.Proposal{wants("a", "1")}}
		arrive(t, s, arrival)
		if first := got(s.FirstReadings(t.Context(), []string{"cards"}))(t); !first["cards"] {
			t.Error("after rows that were asked for, the first reading counts as done")
		}
		arrival.Closes = &bindings.Closing{Told: true, Settles: true, At: start}
		arrive(t, s, arrival)
		if first := got(s.FirstReadings(t.Context(), []string{"cards"}))(t); first["cards"] {
			t.Error("a source that is only told is still at its first reading")
		}
	},

	"ToldFaultsStayUntilTheirRowComes": func(t *testing.T, open Open) {
		s := newStore(t, open)
		arrive(t, s, bindings.Plan{Quarantined: []bindings.Quarantined{{Key: "a", Reason: "bad_record"}, {Position: "$[1]", Reason: "null_key"}}})
		arrive(t, s, bindings.Plan{Promote: promoteCards, Rows: []bindings.RowChange{row("b", 2, "1")}, Proposals: []bindings.Proposal{wants("b", "1")}})
		if n := len(got(s.Quarantine(t.Context(), source, 10))(t)); n != 2 {
			t.Errorf("%d rows are kept out, want 2", n)
		}
		arrive(t, s, bindings.Plan{Promote: promoteCards, Rows: []bindings.RowChange{row("a", 3, "1")}, Proposals: []bindings.Proposal{wants("a", "1")}})
		out := got(s.Quarantine(t.Context(), source, 10))(t)
		if len(out) != 1 || out[0].Reason != "null_key" {
			t.Errorf("kept out are %+v, want the one without a key", out)
		}
	},

	"NothingIsHeldOfRowsThatCameAnewOrAreGone": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1", "b": "1"}, promote: true})
		draw(t, s)
		many := bindings.Verdict{HoldChanges: true, Reason: "many"}
		if r := arrive(t, s, bindings.Plan{
			Rows: []bindings.RowChange{row("a", 2, "2"), row("b", 2, "2")}, Proposals: []bindings.Proposal{wants("a", "2"), wants("b", "2")},
			Closes: &bindings.Closing{Told: true, At: start, Judge: func(string, bindings.Counts) bindings.Verdict { return many }},
		}); r.Held != 2 || status(t, s).HeldChanges != 2 {
			t.Fatalf("%+v, status %+v, want both held", r, status(t, s))
		}
		arrive(t, s, bindings.Plan{Promote: promoteCards, Rows: []bindings.RowChange{row("a", 3, "3")}, Proposals: []bindings.Proposal{wants("a", "3")}})
		if st := status(t, s); st.HeldChanges != 1 || st.HeldReason != "many" || st.Waiting != 1 {
			t.Errorf("after one came anew, status is %+v, want the other one held", st)
		}
		got(s.DeleteRow(t.Context(), source, "b", false))(t)
		if st := status(t, s); st.HeldChanges != 0 || st.HeldReason != "" {
			t.Errorf("after the other one is gone, status is %+v, want nothing held", st)
		}
	},

	"ToldFaultsAreNotKeptForEver": func(t *testing.T, open Open) {
		s := newStore(t, open)
		for n := range 4 {
			var out []bindings.Quarantined
			for i := range 300 {
				out = append(out, bindings.Quarantined{Position: fmt.Sprintf("$[%d]", n*300+i), Reason: "null_key"})
			}
			arrive(t, s, bindings.Plan{Quarantined: out})
		}
		if n := len(got(s.Quarantine(t.Context(), source, 5000))(t)); n > 1000 {
			t.Errorf("%d rows are kept out, want no more than 1,000", n)
		}
	},
}

var promoteCards = map[string]bool{"cards": true}

// arrive commits p as rows that came outside of a reading.
func arrive(tb testing.TB, s *store.Store, p bindings.Plan) store.CommitResult {
	tb.Helper()
	var seq int64
	var err error
	p.Source = source
	p.Reading, seq, err = s.BeginReading(tb.Context(), source, 1)
	must(tb, err)
	if p.Closes == nil {
		p.Closes = &bindings.Closing{Told: true, At: start.Add(time.Duration(seq) * time.Minute)}
	}
	return got(s.Commit(tb.Context(), p))(tb)
}

var looks = map[string]func(*testing.T, Open){
	"ConfirmationMovesOnlyForward": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		must(t, s.Confirm(t.Context(), map[string]store.Confirmation{source: {At: start.Add(time.Hour), Times: 3}, "unknown": {At: start, Times: 1}}))
		must(t, s.Confirm(t.Context(), map[string]store.Confirmation{source: {At: start, Times: 1}}))
		if st := status(t, s); !st.ReadAt.Equal(start.Add(time.Hour)) || !st.Complete {
			t.Errorf("status is %+v, want a complete reading confirmed an hour later", st)
		}
	},

	"FailureOfALookIsKeptUntilItIsOver": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		must(t, s.NotePoll(t.Context(), source, errors.New("401 Unauthorized")))
		if st := status(t, s); st.Error != "401 Unauthorized" || st.ErrorAt.IsZero() {
			t.Errorf("status is %+v, want the error", st)
		}
		must(t, s.NotePoll(t.Context(), source, nil))
		if st := status(t, s); st.Error != "" || !st.ErrorAt.IsZero() {
			t.Errorf("status is %+v, want no error", st)
		}
	},

	"PositionIsThatOfTheLastClosedReading": func(t *testing.T, open Open) {
		s := newStore(t, open)
		if from := got(s.Position(t.Context(), source))(t); from != nil {
			t.Errorf("before any reading it is %q", from)
		}
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true})
		if from := got(s.Position(t.Context(), source))(t); string(from) != "after 1" {
			t.Errorf("it is %q, want that of the reading", from)
		}
		got(s.Commit(t.Context(), plan(t, s, reading{seq: 2, rows: map[string]string{"a": "2"}})))(t)
		if from := got(s.Position(t.Context(), source))(t); from != nil {
			t.Errorf("after a reading that died it is %q, want the beginning", from)
		}
	},
}

var numbering = map[string]func(*testing.T, Open){
	"ReadingsAreNewerThanRowsOfAnotherCount": func(t *testing.T, open Open) {
		s := newStore(t, open)
		must(t, s.OutnumberRows(t.Context(), source)) // of which nothing is known
		for _, sent := range []int64{7, 1 << 40, math.MaxInt64} {
			arrive(t, s, bindings.Plan{Promote: promoteCards, Rows: []bindings.RowChange{row("a", sent, "sent")}, Proposals: []bindings.Proposal{wants("a", "sent")}})
			_, before, err := s.BeginReading(t.Context(), source, 1)
			must(t, err)
			must(t, s.OutnumberRows(t.Context(), source))
			_, seq, err := s.BeginReading(t.Context(), source, 1)
			must(t, err)
			if newest := min(sent, math.MaxInt64-1<<40); seq <= newest || seq <= before {
				t.Errorf("the reading after a row of %d has the number %d, before it %d", sent, seq, before)
			}
		}
	},
}

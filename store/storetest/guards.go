package storetest

import (
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

// strict is a guard that lets n images change, and n go.
func strict(n int) func(string, bindings.Counts) bindings.Verdict {
	return func(_ string, c bindings.Counts) bindings.Verdict {
		if c.Rows == 0 && c.Live > 0 {
			return bindings.Verdict{HoldChanges: true, HoldRemoval: true, Reason: "no rows"}
		}
		v := bindings.Verdict{HoldChanges: c.Changed > n, HoldRemoval: c.Gone > n}
		if v.HoldChanges || v.HoldRemoval {
			v.Reason = "too many"
		}
		return v
	}
}

func three(text string) map[string]string { return map[string]string{"a": text, "b": text, "c": text} }

var guards = map[string]func(*testing.T, Open){
	"GuardHoldsChangesUntilAccepted": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: three("1"), promote: true})
		draw(t, s)
		if r := read(t, s, reading{seq: 2, rows: three("2"), judge: strict(2)}); r.Held != 3 || r.Promoted != 0 {
			t.Errorf("the reading gave %+v, want 3 held", r)
		}
		if drawn := draw(t, s); len(drawn) != 0 {
			t.Errorf("held changes drew %q", drawn)
		}
		if st := status(t, s); st.HeldChanges != 3 || st.HeldReason != "too many" || st.Ready != 3 {
			t.Errorf("status is %+v", st)
		}
		if n := got(s.AcceptGuard(t.Context(), "cards"))(t); n != 3 {
			t.Errorf("%d were promoted, want 3", n)
		}
		if st := status(t, s); st.HeldChanges != 0 || st.HeldReason != "" || st.Waiting != 3 {
			t.Errorf("after accept status is %+v", st)
		}
		if drawn := draw(t, s); len(drawn) != 1 {
			t.Errorf("drawn %q, want the one picture of all three", drawn)
		}
	},

	"GuardCountsLiveItemsThatChange": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: three("1"), promote: true})
		var counts bindings.Counts
		judge := func(_ string, c bindings.Counts) bindings.Verdict { counts = c; return bindings.Verdict{} }
		read(t, s, reading{seq: 2, rows: map[string]string{"a": "2", "b": "1", "d": "1", "e": "1"}, judge: judge})
		if want := (bindings.Counts{Live: 3, Changed: 1, Gone: 1, Rows: 4}); counts != want {
			t.Errorf("the guard was shown %+v, want %+v", counts, want)
		}
	},

	"HeldChangesGoOutWithTheirReason": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: three("1"), promote: true})
		draw(t, s)
		read(t, s, reading{seq: 2, rows: three("2"), judge: strict(2)})
		read(t, s, reading{seq: 3, rows: three("1"), judge: strict(2)}) // the source took it back
		if st := status(t, s); st.HeldChanges != 0 || st.HeldReason != "" || st.Ready != 3 {
			t.Errorf("status is %+v, want nothing held", st)
		}
	},

	"HeldRemovalKeepsTheRowsAndLetsChangesThrough": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: three("1"), promote: true})
		few := map[string]string{"a": "2"}
		if r := read(t, s, reading{seq: 2, rows: few, judge: strict(1)}); r.Promoted != 1 {
			t.Errorf("the reading gave %+v, want its change promoted", r)
		}
		later := start.Add(24 * time.Hour)
		if n := got(s.Reap(t.Context(), source, later, []string{"cards"}))(t); n != 0 {
			t.Errorf("%d held rows were taken", n)
		}
		if st := status(t, s); st.HeldRemoval != 2 || st.Live != 3 {
			t.Errorf("status is %+v", st)
		}
		got(s.AcceptGuard(t.Context(), "cards"))(t)
		read(t, s, reading{seq: 3, rows: few, judge: strict(1)})
		if n := got(s.Reap(t.Context(), source, later, []string{"cards"}))(t); n != 2 {
			t.Errorf("%d rows were taken after accept, want 2", n)
		}
		if st := status(t, s); st.HeldRemoval != 0 || st.Live != 1 {
			t.Errorf("status is %+v", st)
		}
	},

	"AcceptedRemovalIsACeiling": func(t *testing.T, open Open) {
		s := newStore(t, open)
		rows := three("1")
		rows["d"] = "1"
		read(t, s, reading{seq: 1, rows: rows, promote: true})
		read(t, s, reading{seq: 2, rows: map[string]string{"a": "1", "b": "1"}, judge: strict(1)})
		got(s.AcceptGuard(t.Context(), "cards"))(t)
		read(t, s, reading{seq: 3, rows: map[string]string{"a": "1"}, judge: strict(1)})
		if st := status(t, s); st.HeldRemoval != 3 {
			t.Errorf("more than was accepted is held as %d, want 3", st.HeldRemoval)
		}
	},

	"EmptiedSourceIsHeld": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: three("1"), promote: true})
		// Even a guard that lets everything through does not let this.
		read(t, s, reading{seq: 2, rows: nil})
		later := start.Add(24 * time.Hour)
		if n := got(s.Reap(t.Context(), source, later, []string{"cards"}))(t); n != 0 {
			t.Errorf("%d rows of an emptied source were taken", n)
		}
		if st := status(t, s); st.HeldRemoval != 3 || st.HeldReason == "" || st.Live != 3 {
			t.Errorf("status is %+v", st)
		}
		k := got(s.Known(t.Context(), source, []string{"a"}, nil))(t)
		if k["a"].Row.Missing {
			t.Error("a row of an emptied source is marked as missing")
		}
		read(t, s, reading{seq: 3, rows: three("1")})
		if st := status(t, s); st.HeldRemoval != 0 || st.HeldReason != "" {
			t.Errorf("after the rows returned status is %+v", st)
		}
	},

	"EmptiedSourceGoesWhenAccepted": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: three("1"), promote: true})
		read(t, s, reading{seq: 2, rows: nil, judge: strict(1)})
		got(s.AcceptGuard(t.Context(), "cards"))(t)
		if n := got(s.Reap(t.Context(), source, time.Now().Add(time.Minute), []string{"cards"}))(t); n != 3 {
			t.Errorf("%d rows were taken after accept, want 3", n)
		}
		if r := read(t, s, reading{seq: 3, rows: nil, judge: strict(1)}); r != (store.CommitResult{}) {
			t.Errorf("the next empty reading gave %+v", r)
		}
		if st := status(t, s); st.Live != 0 || st.HeldRemoval != 0 {
			t.Errorf("status is %+v", st)
		}
	},

	"PartialReadingIsGuardedToo": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: three("1"), promote: true})
		if r := read(t, s, reading{seq: 2, rows: three("2"), partial: true, judge: strict(2)}); r.Held != 3 || r.Promoted != 0 {
			t.Errorf("the reading gave %+v, want 3 held", r)
		}
	},
}

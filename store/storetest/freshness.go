package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

var freshness = map[string]func(*testing.T, Open){
	"TimesOfASourceFollowItsReadings": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1", "b": "1"}, promote: true, at: start})
		first := times(t, s)
		if !first.ConfirmedAt.Equal(start) || first.ChangedAt.IsZero() || !first.Complete || first.Error != "" {
			t.Errorf("after the first reading it is %+v", first)
		}
		read(t, s, reading{seq: 2, rows: map[string]string{"a": "1", "b": "1"}, at: start.Add(time.Minute)})
		if st := times(t, s); !st.ConfirmedAt.Equal(start.Add(time.Minute)) || st.ChangedAt != first.ChangedAt {
			t.Errorf("after a reading without a change it is %+v, the first was %+v", st, first)
		}
		close304(t, s, start.Add(2*time.Minute))
		if st := times(t, s); !st.ConfirmedAt.Equal(start.Add(2*time.Minute)) || st.ChangedAt != first.ChangedAt {
			t.Errorf("after a 304 it is %+v", st)
		}
		must(t, s.Confirm(t.Context(), map[string]time.Time{source: start.Add(3 * time.Minute)}))
		read(t, s, reading{seq: 4, rows: map[string]string{"a": "1", "b": "1"}, partial: true, at: start.Add(4 * time.Minute)})
		if st := times(t, s); !st.ConfirmedAt.Equal(start.Add(3*time.Minute)) || st.Complete {
			t.Errorf("a reading that was not complete confirmed it: %+v", st)
		}
		must(t, s.NotePoll(t.Context(), source, errors.New("503")))
		if st := times(t, s); st.Error != "503" {
			t.Errorf("after a failure it is %+v", st)
		}
		for _, rows := range []map[string]string{{"a": "2", "b": "1"}, {"a": "2"}} { // a change, and a row that is missing
			before := times(t, s).ChangedAt
			for time.Since(before) < 2*time.Millisecond { // the store counts in milliseconds
			}
			read(t, s, reading{seq: 5 + int64(2-len(rows)), rows: rows, promote: true, at: start.Add(5 * time.Minute)})
			if st := times(t, s); !st.ChangedAt.After(before) {
				t.Errorf("after the rows %v it is %+v", rows, st)
			}
		}
	},

	"TheOldestWantedPictureIsKnown": func(t *testing.T, open Open) {
		s := newStore(t, open)
		read(t, s, reading{seq: 1, rows: map[string]string{"a": "1", "b": "1"}, promote: true})
		if st := status(t, s); st.WantedSince.IsZero() || st.Waiting != 2 {
			t.Errorf("status is %+v, want the time since a picture is wanted", st)
		}
		want := got(s.Wanted(t.Context(), "cards", "a"))(t)
		if len(want) != 1 || want[0].Output == "" || want[0].Fingerprint == "" || want[0].Spec.Values == nil {
			t.Errorf("a waits for %+v", want)
		}
		draw(t, s)
		if st := status(t, s); !st.WantedSince.IsZero() {
			t.Errorf("status is %+v, want that nothing waits", st)
		}
		if want := got(s.Wanted(t.Context(), "cards", "a"))(t); len(want) != 0 {
			t.Errorf("a waits for %+v", want)
		}
	},
}

func times(tb testing.TB, s *store.Store) store.SourceTimes {
	tb.Helper()
	return got(s.SourceTimes(tb.Context()))(tb)[source]
}

// close304 ends a reading of which the source said that nothing changed.
func close304(tb testing.TB, s *store.Store, at time.Time) {
	tb.Helper()
	got(s.Commit(tb.Context(), bindings.Plan{Source: source, Reading: source + "#3", Closes: &bindings.Closing{Unchanged: true, At: at}}))(tb)
}

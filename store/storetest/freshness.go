package storetest

import (
	"errors"
	"testing"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

var freshness = map[string]func(*testing.T, Open){
	"TimesOfASourceFollowItsReadings": func(t *testing.T, open Open) {
		s := newStore(t, open)
		turn := func(read func(), failure error) store.SourceTimes {
			t.Helper()
			must(t, s.WantPoll(t.Context(), source))
			_, _, _, err := s.BeginPoll(t.Context(), store.Turn{Source: source})
			must(t, err)
			if st := times(t, s); st.BegunAt.IsZero() || st.BegunAt.Before(st.EndedAt) {
				t.Errorf("under way it is %+v", st)
			}
			read()
			must(t, s.EndPoll(t.Context(), store.Turn{Source: source}, failure))
			return times(t, s)
		}
		first := turn(func() { read(t, s, reading{seq: 1, rows: map[string]string{"a": "1"}, promote: true}) }, nil)
		if first.ConfirmedAt.IsZero() || first.ChangedAt.IsZero() || first.Unchanged != 0 || first.Failures != 0 || first.EndedAt.Before(first.BegunAt) || !first.Complete {
			t.Errorf("after the first reading it is %+v", first)
		}
		turn(func() { read(t, s, reading{seq: 2, rows: map[string]string{"a": "1"}}) }, nil)
		same := turn(func() { close304(t, s) }, nil)
		if same.Unchanged != 2 || same.ChangedAt != first.ChangedAt || same.ConfirmedAt.Before(first.ConfirmedAt) {
			t.Errorf("after two readings without a change it is %+v, the first was %+v", same, first)
		}
		partial := turn(func() { read(t, s, reading{seq: 4, rows: map[string]string{"a": "1"}, partial: true}) }, nil)
		if partial.ConfirmedAt != same.ConfirmedAt || partial.Complete {
			t.Errorf("a reading that was not complete confirmed it: %+v", partial)
		}
		turn(func() {}, errors.New("503"))
		if st := turn(func() {}, errors.New("503")); st.Failures != 2 || st.Error != "503" || st.ConfirmedAt != same.ConfirmedAt {
			t.Errorf("after two failures it is %+v", st)
		}
		if st := turn(func() { read(t, s, reading{seq: 7, rows: map[string]string{}}) }, nil); st.Failures != 0 || st.Error != "" {
			t.Errorf("after the failures it is %+v", st)
		}
		changed := turn(func() { read(t, s, reading{seq: 8, rows: map[string]string{"a": "2"}}) }, nil)
		if changed.Unchanged != 0 || changed.ChangedAt.Before(first.ChangedAt) {
			t.Errorf("after a change it is %+v", changed)
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
func close304(tb testing.TB, s *store.Store) {
	tb.Helper()
	got(s.Commit(tb.Context(), bindings.Plan{Source: source, Reading: source + "#3", Closes: &bindings.Closing{Unchanged: true, At: start}}))(tb)
}

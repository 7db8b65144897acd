package storetest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
)

func keysOf(rows []bindings.StoredRow) []string {
	keys := []string{}
	for _, r := range rows {
		keys = append(keys, r.Key)
	}
	return keys
}

var rowPlaces = map[string]func(*testing.T, Open){
	"RowsHavePlacesByKey": func(t *testing.T, open Open) {
		s := newStore(t, open)
		got(s.Commit(t.Context(), plan(t, s, reading{seq: 1, rows: map[string]string{"c": "1", "a": "1", "d": "1", "b": "1"}})))(t)
		got(s.Commit(t.Context(), bindings.Plan{Source: source, Reading: "shop#2", Rows: []bindings.RowChange{{Key: "b", Version: 2, Gone: true}}}))(t)
		if n := got(s.CountRows(t.Context(), source))(t); n != 3 { // what is gone has no place
			t.Errorf("%d rows are counted, want 3", n)
		}
		for _, c := range []struct {
			at, limit int
			want      []string
		}{{0, 10, []string{"a", "c", "d"}}, {1, 1, []string{"c"}}, {2, 5, []string{"d"}}, {3, 5, []string{}}} {
			if diff := cmp.Diff(c.want, keysOf(got(s.RowsAt(t.Context(), source, c.at, c.limit))(t))); diff != "" {
				t.Errorf("%d rows at %d (-want +got):\n%s", c.limit, c.at, diff)
			}
		}
		for key, want := range map[string]int{"a": 0, "c": 1, "d": 2, "z": 3} {
			if at := got(s.PlaceOfRow(t.Context(), source, key))(t); at != want {
				t.Errorf("the place of %s is %d, want %d", key, at, want)
			}
		}
		if n := got(s.CountRows(t.Context(), "another"))(t); n != 0 {
			t.Errorf("a source that was never read has %d rows", n)
		}
	},
}

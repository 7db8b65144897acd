package bindings

import (
	"testing"

	"github.com/pictifyd/pictifyd/connectors"
)

// state is a row whose source numbers its states.
func state(key, title string, version int64) connectors.Row {
	row := product(key, title)
	row.Version = version
	return row
}

// A state that is as the one before is the newest all the same: what lies between
// them, and comes late, changes nothing.
func TestLateStateBetweenTwoThatAreAlikeChangesNothing(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.read(t, bs, true, batchOf(state("a", "A", 5)))
	expectChanges(t, l.read(t, bs, false, batchOf(state("a", "A", 7))), 1, 0)
	expect(t, "version", l.rows["a"].Version, 7)
	expectChanges(t, l.read(t, bs, false, batchOf(state("a", "B", 6))), 0, 0)
	expect(t, "titles", l.titles(), map[string]string{"a": "A"})
	expectChanges(t, l.read(t, bs, false, batchOf(state("a", "A", 7))), 0, 0)
}

// Who numbers states may tell of a deletion before it tells of the row.
func TestDeletionOfAnUnknownRowIsKeptWhereStatesAreNumbered(t *testing.T) {
	l, bs := newLedger(), one(t)
	l.read(t, bs, true, batchOf(state("a", "A", 1)))
	numbered := connectors.Row{Key: []any{"b"}, Version: 9, Deleted: true}
	plans := l.read(t, bs, false, batchOf(numbered))
	expectChanges(t, plans, 1, 0)
	if c := plans[0].Rows[0]; !c.Gone || c.Version != 9 {
		t.Errorf("change is %+v, want the word that b is gone at 9", c)
	}
	expectChanges(t, l.read(t, bs, false, batchOf(connectors.Row{Key: []any{"b"}, Deleted: true})), 0, 0)
}

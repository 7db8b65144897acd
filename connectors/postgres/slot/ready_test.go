package slot

import (
	"testing"
)

func TestFirstStartMakesPublicationAndSlot(t *testing.T) {
	db := newDatabase(t)
	k := db.keeper(t, nil)
	db.Run("INSERT INTO rows VALUES (1, 'before')")
	r := mustPrepare(t, k, nil, 0)
	if !r.Fresh || r.Gap != "" || r.From == 0 || r.Identity == nil || r.Version < oldest {
		t.Errorf("got %+v", r)
	}
	db.Run("INSERT INTO rows VALUES (2, 'after')")
	if n := db.changes(r); n != 1 {
		t.Errorf("the slot tells of %d changes, not of 1", n)
	}
	again := mustPrepare(t, k, r.Identity, r.From)
	if again.Fresh || again.Gap != "" || again.From != r.From {
		t.Errorf("the second start: %+v", again)
	}
}

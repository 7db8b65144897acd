package slot

import (
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/pg"
)

func TestFirstStartMakesPublicationAndSlot(t *testing.T) {
	db := newDatabase(t)
	k := db.keeper(t, nil)
	db.Run("INSERT INTO rows VALUES (1, 'before')")
	r := mustPrepare(t, k, nil, 0)
	if !r.Fresh || r.Gap != "" || r.From == 0 || r.Identity == nil || r.Version < oldest || r.Table == 0 {
		t.Errorf("got %+v", r)
	}
	if all := db.Value("SELECT count(*) FROM pg_publication WHERE pubname = $1 AND NOT puballtables AND pubviaroot", r.Publication); all != "1" {
		t.Error("the publication is not of the one table")
	}
	db.Run("INSERT INTO rows VALUES (2, 'after')")
	if n := db.changes(r); n != 1 {
		t.Errorf("the slot tells of %d changes, not of 1", n)
	}
	again := mustPrepare(t, k, r.Identity, r.From)
	if again.Fresh || again.Gap != "" || again.From != r.From || string(again.Identity) != string(r.Identity) {
		t.Errorf("the second start: %+v", again)
	}
}

// restart is what tells one slot of a name from another.
func (db *database) restart(r Ready) string {
	return db.Value("SELECT restart_lsn FROM pg_replication_slots WHERE slot_name = $1", r.Slot)
}

// A start that ended between the making of the slot and the first commit.
func TestSlotThatNobodyReadIsTaken(t *testing.T) {
	db := newDatabase(t)
	k := db.keeper(t, nil)
	first := mustPrepare(t, k, nil, 0)
	made := db.restart(first)
	db.Run("INSERT INTO rows VALUES (1, 'a')")
	second := mustPrepare(t, k, nil, 0)
	if !second.Fresh || second.From != first.From || db.restart(second) != made {
		t.Errorf("it was made anew: %+v", second)
	}
	db.confirm(t, second) // its cursor is lost: the ledger is another one, or was emptied
	eventually(t, "the server counts what was told", func() bool {
		return db.Value("SELECT total_txns FROM pg_stat_replication_slots WHERE slot_name = $1", k.Slot()) != "0" // the server has some of its own
	})
	third := mustPrepare(t, k, nil, 0)
	if !third.Fresh || third.From <= second.From || db.restart(third) == made {
		t.Errorf("a slot that was read is taken: %+v", third)
	}
}

func TestPublicationThatIsNotAsItShouldBeIsMadeAnew(t *testing.T) {
	for _, change := range []string{
		"SET (publish = 'insert')", "SET (publish_via_partition_root = false)", "ADD TABLE other", "SET TABLE other", "SET TABLE rows (id)", "SET TABLE rows WHERE (id > 1)",
	} {
		t.Run(change, func(t *testing.T) {
			db := newDatabase(t)
			db.Run("CREATE TABLE other (id int PRIMARY KEY)")
			k := db.keeper(t, nil)
			r := mustPrepare(t, k, nil, 0)
			db.Run("ALTER PUBLICATION " + pg.Quote(r.Publication) + " " + change)
			r = mustPrepare(t, k, nil, 0)
			db.Run("INSERT INTO rows VALUES (1, 'a'); INSERT INTO other VALUES (1); UPDATE rows SET name = 'b'; DELETE FROM rows")
			if n := db.changes(r); n != 3 || !r.Fresh {
				t.Errorf("the slot tells of %d changes, not of 3", n)
			}
		})
	}
}

// P9, cured by Keeper.renew: a slot can't read what happened before its publication
// was made. Here a change comes while the publication waits.
func TestSlotReadsFromItsBeginning(t *testing.T) {
	db := newDatabase(t)
	k := db.keeper(t, nil)
	vacuum := db.Other()
	vacuum.Run("BEGIN")
	vacuum.Run("LOCK TABLE rows IN SHARE UPDATE EXCLUSIVE MODE")
	type result struct {
		r   Ready
		err error
	}
	done := make(chan result, 1)
	go func() {
		r, err := k.Prepare(t.Context(), nil, 0)
		done <- result{r, err}
	}()
	eventually(t, "the publication waits", func() bool {
		return db.Value("SELECT count(*) FROM pg_locks WHERE relation = 'rows'::regclass AND NOT granted") == "1"
	})
	db.Run("INSERT INTO rows VALUES (1, 'between')")
	vacuum.Run("COMMIT")
	got := <-done
	if got.err != nil {
		t.Fatal(got.err)
	}
	db.Run("INSERT INTO rows VALUES (2, 'after')")
	if n := db.changes(got.r); n != 1 {
		t.Errorf("the slot tells of %d changes, not of 1", n)
	}
}

// A slot is made once all transactions have ended that were open. Who waits is told
// for whom, and nothing is left behind.
func TestSlotThatWaitsSaysForWhom(t *testing.T) {
	db := newDatabase(t)
	k := db.keeper(t, nil)
	k.createLimit.statement, k.createLimit.lock = 200*time.Millisecond, 200*time.Millisecond
	open := db.Other()
	open.Run("BEGIN")
	open.Run("INSERT INTO rows VALUES (1, 'open')")
	_, err := k.Prepare(t.Context(), nil, 0)
	if err == nil || !strings.Contains(err.Error(), "waits for the transactions that are open; the oldest is of process ") {
		t.Errorf("got %v", err)
	}
	if db.Value("SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1", k.Slot()) != "0" {
		t.Error("half a slot is left")
	}
	open.Run("COMMIT")
	k.createLimit = createLimit
	if r := mustPrepare(t, k, nil, 0); !r.Fresh {
		t.Errorf("got %+v", r)
	}
}

func TestIdentityThatCanNotBeReadIsAnError(t *testing.T) {
	db := newDatabase(t)
	k := db.keeper(t, nil)
	if _, err := k.Prepare(t.Context(), []byte("{"), 1); err == nil {
		t.Error("it was read")
	}
}

package slot

import (
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// mustReleased releases, twice, and looks whether anything is left.
func mustReleased(tb testing.TB, db *database, k *Keeper) {
	tb.Helper()
	for range 2 {
		if err := k.Release(tb.Context()); err != nil {
			tb.Errorf("release: %v", err)
		}
	}
	if n := db.Value("SELECT (SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1) + (SELECT count(*) FROM pg_publication WHERE pubname = $1)", k.name); n != "0" {
		tb.Errorf("%s of slot and publication are left", n)
	}
}

func TestReleaseTakesOnlyWhatIsOurs(t *testing.T) {
	db := newDatabase(t)
	other := db.keeper(t, func(c *Config) { c.Instance = "u" })
	mustPrepare(t, other, nil, 0)
	db.Run("CREATE PUBLICATION users_" + db.mark() + " FOR TABLE rows")
	k := db.keeper(t, nil)
	mustReleased(t, db, k) // of nothing
	r := mustPrepare(t, k, nil, 0)
	read(t, k.Replication(), r)
	mustReleased(t, db, k)
	if n := db.Value("SELECT (SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1) + (SELECT count(*) FROM pg_publication WHERE pubname IN ($1, $2))", other.name, "users_"+db.mark()); n != "3" {
		t.Errorf("%s of 3 that are others' are left", n)
	}
	if db.Value("SELECT relreplident FROM pg_class WHERE oid = 'rows'::regclass") != "d" {
		t.Error("the table was changed")
	}
}

func TestReleaseWithoutATableOrItsDatabase(t *testing.T) {
	db := newDatabase(t)
	k := db.keeper(t, nil)
	mustPrepare(t, k, nil, 0)
	db.Run("DROP TABLE rows")
	mustReleased(t, db, k)
	nowhere := db.keeperAt(t, strings.Replace(db.DSN, "/postgres", "/nowhere_"+db.mark(), 1), nil)
	if err := nowhere.Release(t.Context()); err != nil {
		t.Errorf("a database that is gone: %v", err)
	}
}

func TestReleaseThatIsNotAllowedSaysHow(t *testing.T) {
	db := newDatabase(t)
	role := db.Role()
	db.Run("ALTER ROLE " + role + " REPLICATION; GRANT SELECT ON rows TO " + role)
	k := db.keeperAt(t, pgtest.Through(db.DSN, "", role), nil)
	db.Run("CREATE PUBLICATION " + pg.Quote(k.name) + " FOR TABLE rows WITH (publish_via_partition_root = true)")
	mustPrepare(t, k, nil, 0)
	if err := k.Release(t.Context()); err == nil || !strings.Contains(err.Error(), "DROP PUBLICATION "+pg.Quote(k.name)) {
		t.Errorf("got %v", err)
	}
	db.Run("DROP PUBLICATION " + pg.Quote(k.name))
	mustReleased(t, db, k)
}

func TestReleaseOfAServerThatDoesNotAnswerIsAnError(t *testing.T) {
	db := newDatabase(t)
	proxy := pgtest.NewProxy(t, db.DSN)
	k := db.keeperAt(t, pgtest.Through(db.DSN, proxy.Address, ""), nil)
	mustPrepare(t, k, nil, 0)
	proxy.Down()
	if err := k.Release(t.Context()); err == nil {
		t.Error("it was given back to nobody")
	}
	proxy.Up()
	mustReleased(t, db, k)
}

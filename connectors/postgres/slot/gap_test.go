package slot

import (
	"strings"
	"testing"

	"github.com/jackc/pglogrepl"

	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// mustGap expects that the next start says that something was lost, and that nothing
// was changed by saying so; then all begins anew.
func mustGap(tb testing.TB, db *database, k *Keeper, identity []byte, committed pglogrepl.LSN, want string) {
	tb.Helper()
	const all = "SELECT coalesce(string_agg(slot_name || confirmed_flush_lsn, ' '), '') || (SELECT coalesce(string_agg(pubname || oid, ' '), '') FROM pg_publication WHERE pubname = $1) FROM pg_replication_slots WHERE slot_name = $1"
	before := db.Value(all, k.Slot())
	r := mustPrepare(tb, k, identity, committed)
	if !strings.Contains(r.Gap, want) || r.Fresh || r.Identity != nil || r.From != 0 {
		tb.Fatalf("want a gap of %q, got %+v", want, r)
	}
	if after := db.Value(all, k.Slot()); after != before {
		tb.Errorf("what was %q is now %q", before, after)
	}
	renewed, err := k.Renew(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	if again := mustPrepare(tb, k, identity, committed); again.Gap != r.Gap {
		tb.Errorf("before anything was committed the gap is %q", again.Gap)
	}
	if !renewed.Fresh || renewed.Gap != "" {
		tb.Errorf("made anew: %+v", renewed)
	}
	db.Run("INSERT INTO rows SELECT 1000 + count(*), 'after' FROM rows")
	if n := db.changes(renewed); n != 1 {
		tb.Errorf("the slot that was made anew tells of %d changes, not of 1", n)
	}
	if r := mustPrepare(tb, k, renewed.Identity, renewed.From); r.Gap != "" || r.Fresh {
		tb.Errorf("the start after it: %+v", r)
	}
}

// P7, cured by Keeper.gap: a slot that is not what it was begins in silence at what
// it still has.
func TestWhatASlotLostIsAGap(t *testing.T) {
	for name, c := range map[string]struct {
		lose string // of the slot s, its publication p
		want string
	}{
		"the slot was dropped":                {"SELECT pg_drop_replication_slot('s')", "is gone"},
		"the slot was dropped and made anew":  {"SELECT pg_drop_replication_slot('s'); SELECT pg_create_logical_replication_slot('s', 'pgoutput')", "was made anew"},
		"the slot is of another plugin":       {"SELECT pg_drop_replication_slot('s'); SELECT pg_create_logical_replication_slot('s', 'test_decoding')", "another kind"},
		"the slot is a physical one":          {"SELECT pg_drop_replication_slot('s'); SELECT pg_create_physical_replication_slot('s')", "another kind"},
		"the slot was advanced":               {"SELECT pg_replication_slot_advance('s', pg_current_wal_lsn())", "advanced"},
		"the table was dropped and made anew": {"DROP TABLE rows; " + table, "dropped and made anew"},
		"another table took its name":         {"ALTER TABLE rows RENAME TO old; " + table, "another took its name"},
		"the publication was dropped":         {`DROP PUBLICATION "s"`, "somebody dropped it"},
		"the publication was made anew":       {`DROP PUBLICATION "s"; CREATE PUBLICATION "s" FOR TABLE rows`, "dropped and made anew"},
		"the table left the publication":      {`ALTER PUBLICATION "s" DROP TABLE rows`, "no longer the table"},
	} {
		t.Run(name, func(t *testing.T) {
			db := newDatabase(t)
			k := db.keeper(t, nil)
			r := mustPrepare(t, k, nil, 0)
			db.Run("INSERT INTO rows VALUES (1, 'a')")
			committed := db.confirm(t, r)
			if r := mustPrepare(t, k, r.Identity, committed); r.Gap != "" {
				t.Fatalf("a gap where nothing was lost: %s", r.Gap)
			}
			db.Run("INSERT INTO rows VALUES (2, 'lost')")
			for sql := range strings.SplitSeq(strings.NewReplacer("'s'", pg.Literal(k.Slot()), `"s"`, pg.Quote(k.Publication())).Replace(c.lose), "; ") {
				db.Run(sql)
			}
			mustGap(t, db, k, r.Identity, committed, c.want)
		})
	}
}

func TestOtherNamesAreAGap(t *testing.T) {
	db := newDatabase(t)
	k := db.keeper(t, nil)
	r := mustPrepare(t, k, nil, 0)
	name := "foreign_" + db.mark()
	db.Run("CREATE PUBLICATION " + name + " FOR TABLE rows")
	db.Run("SELECT pg_create_logical_replication_slot('" + name + "', 'pgoutput')")
	foreign := db.keeper(t, func(c *Config) { c.Slot, c.Publication = name, name })
	mustGap(t, db, foreign, r.Identity, r.From, "the slot is now "+name)
	if db.Value("SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1", r.Slot) != "0" {
		t.Error("the slot of the time before is still there")
	}
	named := db.keeper(t, func(c *Config) { c.Publication = name })
	r = mustPrepare(t, k, nil, 0)
	mustGap(t, db, named, r.Identity, r.From, "the publication is now "+name)
}

// P7, cured by Keeper.gap.
func TestSlotWhoseWALWasRemovedIsAGap(t *testing.T) {
	s := pgtest.NewServer(t, append(logical, "max_slot_wal_keep_size=1MB", "max_wal_size=32MB", "min_wal_size=32MB", "wal_keep_size=0")...)
	db := newOwn(t, s)
	k := db.keeper(t, nil)
	r := mustPrepare(t, k, nil, 0)
	committed := db.confirm(t, r)
	db.Run("INSERT INTO rows VALUES (1, 'lost')")
	eventually(t, "the slot is lost", func() bool {
		db.Value("SELECT pg_switch_wal()")
		db.Run("INSERT INTO rows SELECT n, repeat('x', 1000) FROM generate_series(2, 2000) AS n; DELETE FROM rows WHERE id > 1")
		db.Run("CHECKPOINT")
		return db.Value("SELECT wal_status FROM pg_replication_slots") == "lost"
	})
	if all, err := k.Check(t.Context()); err != nil || !has(all, Warning, "slot_lost") {
		t.Errorf("the check says %v, %v", all, err)
	}
	mustGap(t, db, k, r.Identity, committed, "is lost")
}

func has(all []Finding, level Level, slug string) bool {
	for _, f := range all {
		if f.Level == level && f.Slug == slug {
			return true
		}
	}
	return false
}

// P7, cured by Keeper.gap.
func TestOtherServerIsAGap(t *testing.T) {
	db, other := newDatabase(t), newOwn(t, pgtest.NewServer(t, logical...))
	k, there := db.keeper(t, nil), other.keeper(t, nil)
	r := mustPrepare(t, k, nil, 0)
	mustPrepare(t, there, nil, 0)
	mustGap(t, other, there, r.Identity, db.confirm(t, r), "the server is another one")
}

// P7, cured by Keeper.gap.
func TestOtherDatabaseIsAGap(t *testing.T) {
	db := newDatabase(t)
	k := db.keeper(t, nil)
	r := mustPrepare(t, k, nil, 0)
	name := "second_" + db.mark()
	db.Run("CREATE DATABASE " + name + " TEMPLATE template0")
	t.Cleanup(func() { db.Run("DROP DATABASE " + name + " WITH (FORCE)") })
	second := &database{Schema: pgtest.In(t, strings.Replace(pgtest.Server(t), "/postgres", "/"+name, 1))}
	second.Run(table)
	there := second.keeper(t, func(c *Config) { c.Instance = "u" })
	mustPrepare(t, there, nil, 0)
	mustGap(t, second, there, r.Identity, db.confirm(t, r), "the database "+name+" is another one")
}

// P7, cured by Keeper.gap.
func TestServerThatWasPutBackIsAGap(t *testing.T) {
	db := newDatabase(t)
	k := db.keeper(t, nil)
	r := mustPrepare(t, k, nil, 0)
	mustGap(t, db, k, r.Identity, r.From+1<<40, "put back to an earlier state")
}

func TestTimelines(t *testing.T) {
	history := "1\t0/3000110\tno recovery target specified\n\n2\t0/5000028\tbefore 2026-01-01\n"
	for timeline, want := range map[int32]string{1: "0/3000110 true", 2: "0/5000028 true", 3: "0/0 false", 0: "0/0 false"} {
		at, ok := leftAt(history, timeline)
		if got := at.String() + map[bool]string{true: " true", false: " false"}[ok]; got != want {
			t.Errorf("timeline %d: got %s, want %s", timeline, got, want)
		}
	}
}

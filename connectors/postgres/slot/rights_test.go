package slot

import (
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// mustBeAsked is the check of k, which shows in one go all that its user lacks.
func slugsOf(all []Finding, level Level) string {
	var slugs []string
	for _, f := range all {
		if f.Level == level {
			slugs = append(slugs, f.Slug)
		}
	}
	return strings.Join(slugs, " ")
}

func TestUserWithoutRightsIsToldTheSQLThatHelps(t *testing.T) {
	db := newDatabase(t)
	role := db.Role()
	db.Run("REVOKE USAGE ON SCHEMA " + db.Name + " FROM " + role)
	db.Run("ALTER TABLE rows ENABLE ROW LEVEL SECURITY; ALTER TABLE rows REPLICA IDENTITY NOTHING")
	k := db.keeperAt(t, pgtest.Through(db.DSN, "", role), nil)
	all, err := k.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := "no_replication permission_denied row_security no_replica_identity no_publication"
	if got := slugsOf(all, Error); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if _, err := k.Prepare(t.Context(), nil, 0); err == nil || strings.Count(err.Error(), "run: ") != 5 {
		t.Errorf("a start says: %v", err)
	}
	mend(t, db, k)
	r := mustPrepare(t, k, nil, 0)
	db.Run("INSERT INTO rows VALUES (1, 'a'); UPDATE rows SET name = 'b'")
	if n := db.changes(r); n != 2 {
		t.Errorf("the slot tells of %d changes, not of 2", n)
	}
	conn := read(t, k.Replication(), r)
	if conn.IsClosed() {
		t.Error("the stream is closed")
	}
	if err := k.beat(t.Context()); err != nil {
		t.Errorf("a heartbeat: %v", err)
	}
	if s := k.state(t.Context()); s.Err != nil || s.ActivePID == 0 {
		t.Errorf("its state: %+v", s)
	}
	mustReleased(t, db, k)
}

// A table's owner with the right to make publications needs no superuser.
func TestOwnerMakesItsOwnPublication(t *testing.T) {
	db := newDatabase(t)
	role := db.Role()
	db.Run("ALTER TABLE rows OWNER TO " + role + "; ALTER ROLE " + role + " REPLICATION")
	db.Run("GRANT CREATE ON DATABASE " + pg.Quote(db.Value("SELECT current_database()")) + " TO " + role)
	k := db.keeperAt(t, pgtest.Through(db.DSN, "", role), nil)
	mustPrepare(t, k, nil, 0)
	mustReleased(t, db, k)
}

func TestColumnsThatAreReadAreEnough(t *testing.T) {
	db := newDatabase(t)
	role := db.Role()
	db.Run("ALTER ROLE " + role + " REPLICATION; GRANT SELECT (id, name) ON rows TO " + role + "; ALTER TABLE rows ADD COLUMN secret text")
	for columns, want := range map[string]string{"": "permission_denied no_publication", "name": "no_publication"} {
		k := db.keeperAt(t, pgtest.Through(db.DSN, "", role), func(c *Config) { c.Columns = strings.Fields(columns) })
		all, err := k.Check(t.Context())
		if err != nil || slugsOf(all, Error) != want {
			t.Errorf("columns %q: want %s, got %v, %v", columns, want, all, err)
		}
	}
}

// Names of a configuration are of a person, who makes and drops what has them.
func TestWhatAConfigurationNamesIsOnlyLookedAt(t *testing.T) {
	db := newDatabase(t)
	name := "Foreign " + db.mark()
	slot := "foreign_" + db.mark()
	k := db.keeper(t, func(c *Config) { c.Slot, c.Publication = slot, name })
	count := func() string {
		return db.Value("SELECT (SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1) + (SELECT count(*) FROM pg_publication WHERE pubname = $2)", slot, name)
	}
	for _, do := range []func() error{
		func() error { _, err := k.Prepare(t.Context(), nil, 0); return err },
		func() error { _, err := k.Renew(t.Context()); return err },
	} {
		if err := do(); err == nil || !strings.Contains(err.Error(), "CREATE PUBLICATION") || !strings.Contains(err.Error(), "pg_create_logical_replication_slot") {
			t.Errorf("it says %v", err)
		}
	}
	if n := count(); n != "0" {
		t.Errorf("%s of them were made", n)
	}
	if got := strings.Join(mend(t, db, k), " "); got != "no_publication no_slot" {
		t.Errorf("missed: %s", got)
	}
	r := mustPrepare(t, k, nil, 0)
	db.Run("INSERT INTO rows VALUES (1, 'a')")
	if n := db.changes(r); n != 1 || !r.Fresh {
		t.Errorf("the slot tells of %d changes, %+v", n, r)
	}
	if err := k.Release(t.Context()); err != nil {
		t.Error(err)
	}
	if n := count(); n != "2" {
		t.Errorf("%s of 2 are left", n)
	}
}

func TestForeignPublicationsAreLookedThrough(t *testing.T) {
	for name, c := range map[string]struct {
		make string // the publication p
		want string // slugs of errors
	}{
		"of the table":               {"CREATE PUBLICATION p FOR TABLE rows", ""},
		"of its schema":              {"CREATE PUBLICATION p FOR TABLES IN SCHEMA CURRENT_SCHEMA", ""},
		"without deletes":            {"CREATE PUBLICATION p FOR TABLE rows WITH (publish = 'insert, update')", "publication_unfit"},
		"of some columns":            {"CREATE PUBLICATION p FOR TABLE rows (id)", "publication_unfit"},
		"of some rows":               {"CREATE PUBLICATION p FOR TABLE rows WHERE (id > 0)", "publication_unfit"},
		"of another table":           {"CREATE TABLE t (id int PRIMARY KEY); CREATE PUBLICATION p FOR TABLE t", "publication_unfit"},
		"of partitions as their own": {"DROP TABLE rows; CREATE TABLE rows (id int PRIMARY KEY, name text) PARTITION BY RANGE (id); CREATE TABLE low PARTITION OF rows DEFAULT; CREATE PUBLICATION p FOR TABLE rows", "publication_unfit"},
	} {
		t.Run(name, func(t *testing.T) {
			db := newDatabase(t)
			name, slot := "p_"+db.mark(), "foreign_"+db.mark()
			db.Run(strings.Replace(c.make, " p ", " "+name+" ", 1))
			db.Value("SELECT pg_create_logical_replication_slot($1, 'pgoutput')", slot)
			k := db.keeper(t, func(c *Config) { c.Slot, c.Publication = slot, name })
			if got := strings.Join(mend(t, db, k), " "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			mustPrepare(t, k, nil, 0)
		})
	}
}

func TestForeignSlotsAreLookedThrough(t *testing.T) {
	db := newDatabase(t)
	name, slot := "p_"+db.mark(), "foreign_"+db.mark()
	db.Run("CREATE PUBLICATION " + name + " FOR TABLE rows")
	k := db.keeper(t, func(c *Config) { c.Slot, c.Publication = slot, name })
	for _, make := range []string{"SELECT pg_create_physical_replication_slot($1)", "SELECT pg_create_logical_replication_slot($1, 'test_decoding')"} {
		db.Value(make, slot)
		if got := strings.Join(mend(t, db, k), " "); got != "slot_unfit" {
			t.Errorf("%s: got %q", make, got)
		}
		mustPrepare(t, k, nil, 0)
		db.Value("SELECT pg_drop_replication_slot($1)", slot)
	}
}

// A server as it is installed tells no changes; after the SQL that is printed, and a
// restart, it does.
func TestServersThatTellNoChangesSayHowTheyWould(t *testing.T) {
	s := pgtest.NewServer(t)
	first := newOwn(t, s)
	for _, sql := range []string{"ALTER SYSTEM SET max_replication_slots = 0", "ALTER SYSTEM SET max_wal_senders = 1"} {
		first.Run(sql)
	}
	restart := func() (*database, *Keeper) {
		s.Stop()
		s.Start()
		db := first.at(t, s.DSN)
		return db, db.keeper(t, nil)
	}
	db, k := restart()
	all, err := k.Check(t.Context())
	if err != nil || slugsOf(all, Warning) != "unlimited_wal" {
		t.Errorf("warnings: %v, %v", all, err)
	}
	if _, err = k.Prepare(t.Context(), nil, 0); err == nil || !strings.Contains(err.Error(), "then restart the server") {
		t.Errorf("a start says %v", err)
	}
	if got := strings.Join(mend(t, db, k), " "); got != "wal_level no_free_slot" {
		t.Errorf("errors: %s", got)
	}
	db, k = restart()
	r := mustPrepare(t, k, nil, 0)
	conn := read(t, k.Replication(), r)
	other := db.keeper(t, func(c *Config) { c.Source = "other" })
	if got := strings.Join(mend(t, db, other), " "); got != "no_free_sender" {
		t.Errorf("errors while the one sender is taken: %s", got)
	}
	if err := conn.Close(t.Context()); err != nil { // a server that stops waits for whoever it tells
		t.Error(err)
	}
	db, k = restart()
	read(t, k.Replication(), mustPrepare(t, k, r.Identity, r.From))
	other = db.keeper(t, func(c *Config) { c.Source = "other" })
	mustPrepare(t, other, nil, 0)
}

func TestPoolersAreNamedAsTheReason(t *testing.T) {
	db := newDatabase(t)
	k := db.keeper(t, nil)
	c := &check{keeper: k, facts: &facts{server: serverFacts{super: true, maxSenders: 10}, deaf: errNoReplication{}}}
	c.user()
	if slugsOf(c.all, Error) != "no_replication_connection" || !strings.Contains(c.all[0].Problem().Error(), "pooler") {
		t.Errorf("got %v", c.all)
	}
}

type errNoReplication struct{}

func (errNoReplication) Error() string { return "unsupported startup parameter: replication" }

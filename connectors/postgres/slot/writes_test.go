package slot

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pictifyd/pictifyd/internal/pg"
)

// mend runs, as a superuser, the SQL of all errors that a check finds, and says which.
func mend(tb testing.TB, db *database, k *Keeper) (slugs []string) {
	tb.Helper()
	all, err := k.Check(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	for _, f := range all {
		if f.Level != Error {
			continue
		}
		slugs = append(slugs, f.Slug)
		if f.SQL == "" {
			tb.Errorf("%s: there is no SQL to run", f.What)
		}
		for sql := range strings.SplitSeq(f.SQL, "; ") {
			if strings.HasPrefix(sql, "SELECT") { // makes what no transaction may have begun before
				db.Value(sql)
				continue
			}
			db.Run(sql)
		}
	}
	return slugs
}

// P9, cured by check.identities: PostgreSQL refuses the user's own UPDATE and DELETE
// of a table that is published and has no identity.
func TestUsersOwnWritesGoOn(t *testing.T) {
	for name, c := range map[string]struct {
		table string // in place of rows
		key   []string
		want  string // the slugs of what is refused at first
	}{
		"a primary key":                   {table: table},
		"no key":                          {"CREATE TABLE rows (id int, name text)", []string{"id"}, "no_replica_identity"},
		"a unique index":                  {"CREATE TABLE rows (id int NOT NULL UNIQUE, name text)", []string{"id"}, "no_replica_identity"},
		"a unique index as identity":      {"CREATE TABLE rows (id int NOT NULL UNIQUE, name text); ALTER TABLE rows REPLICA IDENTITY USING INDEX rows_id_key", []string{"id"}, ""},
		"a unique index of null":          {"CREATE TABLE rows (id int UNIQUE, name text)", []string{"id"}, "no_replica_identity"},
		"identity full":                   {table + "; ALTER TABLE rows REPLICA IDENTITY FULL", nil, ""},
		"identity nothing":                {table + "; ALTER TABLE rows REPLICA IDENTITY NOTHING", nil, "no_replica_identity"},
		"a deferrable primary key":        {"CREATE TABLE rows (id int PRIMARY KEY DEFERRABLE, name text)", nil, "no_replica_identity"},
		"another key than the identity":   {"CREATE TABLE rows (id int PRIMARY KEY, name text NOT NULL UNIQUE)", []string{"name"}, "no_replica_identity"},
		"an identity whose index is gone": {"CREATE TABLE rows (id int NOT NULL UNIQUE, name text); ALTER TABLE rows REPLICA IDENTITY USING INDEX rows_id_key; ALTER TABLE rows DROP CONSTRAINT rows_id_key", []string{"id"}, "no_replica_identity"},
		"a part of the primary key":       {"CREATE TABLE rows (id int, name text, PRIMARY KEY (id, name))", []string{"id"}, ""},
		"partitions":                      {"CREATE TABLE rows (id int PRIMARY KEY, name text) PARTITION BY RANGE (id); CREATE TABLE low PARTITION OF rows FOR VALUES FROM (0) TO (10); CREATE TABLE high PARTITION OF rows FOR VALUES FROM (10) TO (20)", nil, ""},
		"partitions without identity": {
			"CREATE TABLE rows (id int PRIMARY KEY, name text) PARTITION BY RANGE (id); CREATE TABLE low PARTITION OF rows FOR VALUES FROM (0) TO (10); CREATE TABLE high PARTITION OF rows FOR VALUES FROM (10) TO (20); ALTER TABLE high REPLICA IDENTITY NOTHING",
			nil, "no_replica_identity",
		},
		"partitions of partitions without identity": {
			"CREATE TABLE rows (id int, name text) PARTITION BY RANGE (id); CREATE TABLE low PARTITION OF rows FOR VALUES FROM (0) TO (10); CREATE TABLE high PARTITION OF rows FOR VALUES FROM (10) TO (20) PARTITION BY LIST (id); CREATE TABLE higher PARTITION OF high DEFAULT",
			[]string{"id"}, "no_replica_identity no_replica_identity",
		},
		"names that want quotes": {`CREATE TABLE rows (id int NOT NULL, name text); CREATE UNIQUE INDEX "rows ""by"" id" ON rows (id)`, []string{"id"}, "no_replica_identity"},
		"unlogged":               {"CREATE UNLOGGED TABLE rows (id int PRIMARY KEY, name text)", nil, "not_publishable"},
		"row security":           {table + "; ALTER TABLE rows ENABLE ROW LEVEL SECURITY", nil, ""}, // not of a superuser
	} {
		t.Run(name, func(t *testing.T) {
			db := newDatabase(t)
			db.Run("DROP TABLE rows; " + c.table)
			k := db.keeper(t, func(cfg *Config) { cfg.Key = c.key })
			_, refused := k.Prepare(t.Context(), nil, 0)
			write := func(when string) {
				db.Run("INSERT INTO rows VALUES (1, 'a'), (15, 'b')")
				db.Run("UPDATE rows SET name = name || '!'")
				db.Run("DELETE FROM rows")
			}
			write("before")
			if (refused != nil) != (c.want != "") {
				t.Errorf("it says %v", refused)
			}
			if got := strings.Join(mend(t, db, k), " "); got != c.want {
				t.Errorf("refused: %q, want %q", got, c.want)
			}
			if c.want != "" {
				if db.Value("SELECT count(*) FROM pg_publication WHERE pubname = $1", k.Publication()) != "0" || db.Value("SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1", k.Slot()) != "0" {
					t.Error("something was made though it was refused")
				}
			}
			r, err := k.Prepare(t.Context(), nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			before := db.changes(r)
			write("after")
			if n := db.changes(r) - before; n != 6 {
				t.Errorf("the slot tells of %d changes, not of 6", n)
			}
		})
	}
}

func TestWhatCanNotBePublishedIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		table, want string
	}{
		"a view":                {"CREATE VIEW rows AS SELECT 1 AS id", "is a view"},
		"a materialized view":   {"CREATE MATERIALIZED VIEW rows AS SELECT 1 AS id", "is a materialized view"},
		"inheritance":           {table + "; CREATE TABLE child () INHERITS (rows)", "inherit from it"},
		"a generated key":       {"CREATE TABLE rows (n int, id int GENERATED ALWAYS AS (n + 1) STORED PRIMARY KEY)", `the key column "id"`},
		"no primary key":        {"CREATE TABLE rows (id int)", "has no primary key"},
		"no table":              {"SELECT 1", "there is no table"},
		"an unlogged partition": {"CREATE TABLE rows (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE UNLOGGED TABLE low PARTITION OF rows FOR VALUES FROM (0) TO (10)", "is unlogged"},
	} {
		t.Run(name, func(t *testing.T) {
			db := newDatabase(t)
			db.Run("DROP TABLE rows; " + c.table)
			k := db.keeper(t, nil)
			_, err := k.Prepare(t.Context(), nil, 0)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want %q, got %v", c.want, err)
			}
			_, err = k.Renew(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("made anew: want %q, got %v", c.want, err)
			}
		})
	}
}

func TestGeneratedColumnsAreMentioned(t *testing.T) {
	db := newDatabase(t)
	db.Run("ALTER TABLE rows ADD COLUMN twice int GENERATED ALWAYS AS (id * 2) STORED")
	for level, columns := range map[Level][]string{Warning: nil, Error: {"twice"}} {
		k := db.keeper(t, func(c *Config) { c.Columns = columns })
		all, err := k.Check(t.Context())
		if err != nil || !has(all, level, "generated_column") {
			t.Errorf("columns %v: %v, %v", columns, all, err)
		}
	}
	k := db.keeper(t, func(c *Config) { c.Columns = []string{"name"} })
	if all, err := k.Check(t.Context()); err != nil || has(all, Warning, "generated_column") {
		t.Errorf("a column that is not read is mentioned: %v, %v", all, err)
	}
}

// What only later versions have can't be tried on this server.
func TestLaterVersionsPublishWhatTheyCompute(t *testing.T) {
	f := &facts{server: serverFacts{version: 180001}, table: &tableFacts{name: pg.Name{Schema: "s", Table: "t"}}}
	want := `CREATE PUBLICATION "p" FOR TABLE "s"."t" WITH (publish_via_partition_root = true, publish_generated_columns = stored)`
	if got := f.createPublication("p"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for kind, full := range map[string]bool{"s": true, "v": true} {
		c := &check{keeper: &Keeper{}, facts: f}
		f.table.columns = []columnFacts{{name: "g", generated: kind}}
		f.table.parts = []part{{identity: map[bool]string{true: "f", false: "d"}[full]}}
		c.generated()
		if refused := has(c.all, Error, "virtual_column"); refused != (kind == "v") {
			t.Errorf("a column %q in a full identity: %v", kind, c.all)
		}
	}
}

func ExampleFinding_Problem() {
	fmt.Println(Finding{What: "wal_level is replica", SQL: "ALTER SYSTEM SET wal_level = logical", Hint: "then restart the server"}.Problem())
	// Output: wal_level is replica (run: ALTER SYSTEM SET wal_level = logical; then restart the server)
}

package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/connectors/postgres"
	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/pgtest"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestPrimaryKeyIsTheKey(t *testing.T) {
	db := newDatabase(t)
	db.Run(`CREATE TABLE rows (name text, "No" int, shop text, extra int, PRIMARY KEY (shop, "No")); INSERT INTO rows VALUES ('Mug', 7, 'eu', 1)`)
	r := mustPoll(t, newPoller(t, db.config(func(c *postgres.Config) { c.Columns = []string{"name"} })), nil)
	want := []connectors.Row{{
		Key: []any{"eu", json.Number("7")}, Position: "rows shop=eu No=7",
		Values: map[string]any{"name": "Mug", "No": json.Number("7"), "shop": "eu"},
	}}
	if diff := cmp.Diff(want, r.Rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNamesAreReadAsInSQL(t *testing.T) {
	db := newDatabase(t)
	db.Run(`CREATE TABLE "A ""b"".c" (id int PRIMARY KEY); INSERT INTO "A ""b"".c" VALUES (1); CREATE TABLE rows (id int PRIMARY KEY); INSERT INTO rows VALUES (2)`)
	for name, want := range map[string]string{
		"rows": "2", "ROWS": "2", db.Name + ".Rows": "2", `"A ""b"".c"`: "1", strings.ToUpper(db.Name) + `."A ""b"".c"`: "1",
	} {
		r := mustPoll(t, newPoller(t, db.config(func(c *postgres.Config) { c.Table = name })), nil)
		if len(r.Rows) != 1 || r.Rows[0].Key[0] != json.Number(want) {
			t.Errorf("%s: %+v", name, r.Rows)
		}
	}
}

func TestOnlyRowsOfWhereAreRead(t *testing.T) {
	db := newDatabase(t)
	db.Run(`CREATE TABLE rows (id int PRIMARY KEY, active bool); INSERT INTO rows VALUES (1, true), (2, false)`)
	p := newPoller(t, db.config(func(c *postgres.Config) { c.Where = "active OR false -- only those" }))
	if r := mustPoll(t, p, nil); len(r.Rows) != 1 || !r.Closing.Complete {
		t.Errorf("%+v, closing %+v", r.Rows, r.Closing)
	}
}

// As many rows as do not fit into what is kept are read a second time.
func TestWhatIsAsItWasIsToldInOneWord(t *testing.T) {
	db := newDatabase(t)
	for name, rows := range map[string]int{"small": 10, "large": 30_000} {
		db.Run(fmt.Sprintf(`DROP TABLE IF EXISTS rows; CREATE TABLE rows (id int PRIMARY KEY, v text); INSERT INTO rows SELECT i, repeat('x', 500) FROM generate_series(1, %d) i`, rows))
		p := newPoller(t, db.config(nil))
		first := mustPoll(t, p, nil)
		if len(first.Rows) != rows {
			t.Fatalf("%s: %d rows", name, len(first.Rows))
		}
		cursor := first.Closing.Cursor
		db.Run("UPDATE rows SET v = v") // moves each row in the table
		if again := mustPoll(t, p, cursor); !again.Closing.Unchanged || again.Batches != 1 {
			t.Errorf("%s: closing %+v after %d batches", name, again.Closing, again.Batches)
		}
		for change, sql := range map[string]string{
			"a value": "UPDATE rows SET v = 'y' WHERE id = 7", "null": "UPDATE rows SET v = NULL WHERE id = 7", "empty": "UPDATE rows SET v = '' WHERE id = 7",
			"two values are swapped": "UPDATE rows SET v = CASE id WHEN 7 THEN 'a' ELSE 'b' END WHERE id IN (7, 8)", "again": "UPDATE rows SET v = CASE id WHEN 7 THEN 'b' ELSE 'a' END WHERE id IN (7, 8)",
			"a row": "INSERT INTO rows VALUES (-1, 'new')", "one less": "DELETE FROM rows WHERE id = -1", "a type": "ALTER TABLE rows ALTER v TYPE varchar(501)", "a column": "ALTER TABLE rows RENAME v TO w; ALTER TABLE rows RENAME w TO v; ALTER TABLE rows ADD w int",
		} {
			if db.Run(sql); change == "one less" || change == "a type" {
				continue // the order of changes is by chance
			}
			r := mustPoll(t, p, cursor)
			want := db.Value("SELECT count(*) FROM rows")
			if r.Closing.Unchanged || fmt.Sprint(len(r.Rows)) != want || !r.Closing.Complete {
				t.Errorf("%s, %s: %d rows of %s, closing %+v", name, change, len(r.Rows), want, r.Closing)
			}
			cursor = r.Closing.Cursor
			if again := mustPoll(t, newPoller(t, db.config(nil)), cursor); !again.Closing.Unchanged {
				t.Errorf("%s, after %s: the digest of a reading is not that of the next", name, change)
			}
		}
	}
}

func TestReadingIsOneMoment(t *testing.T) {
	db := newDatabase(t)
	db.Run(`CREATE TABLE rows (id int PRIMARY KEY, v int); INSERT INTO rows SELECT i, 0 FROM generate_series(1, 5000) i`)
	var r connectortest.Recorder
	err := newPoller(t, db.config(nil)).Poll(t.Context(), nil, func(ctx context.Context, b connectors.Batch) error {
		if r.Batches == 0 { // is not held up by the reading
			db.Run("UPDATE rows SET v = 1; DELETE FROM rows WHERE id > 4000; INSERT INTO rows VALUES (0, 1)")
		}
		return r.Emit(ctx, b)
	})
	if err != nil || len(r.Rows) != 5000 {
		t.Fatalf("%d rows, %v", len(r.Rows), err)
	}
	for _, row := range r.Rows {
		if row.Values["v"] != json.Number("0") {
			t.Fatalf("%s is of another moment", row.Position)
		}
	}
}

func TestReadingWritesNothing(t *testing.T) {
	db := newDatabase(t)
	db.Run(`CREATE TABLE rows (id int PRIMARY KEY); INSERT INTO rows VALUES (1); CREATE SEQUENCE counter;
CREATE FUNCTION sneak() RETURNS int LANGUAGE sql AS 'INSERT INTO rows VALUES (2) RETURNING id'`)
	for _, query := range []string{
		"SELECT nextval('counter') AS id", "SELECT sneak() AS id", "SELECT id FROM rows FOR UPDATE", "DELETE FROM rows RETURNING id",
		"WITH d AS (DELETE FROM rows RETURNING id) SELECT id FROM d", "SELECT 1 AS id; DELETE FROM rows", "SELECT 1 AS id; COMMIT; DELETE FROM rows; SELECT 1 AS id",
	} {
		p := newPoller(t, db.config(func(c *postgres.Config) { c.Table, c.Query, c.Key = "", query, []string{"id"} }))
		var r connectortest.Recorder
		if err := p.Poll(t.Context(), nil, r.Emit); err == nil || r.Batches > 0 {
			t.Errorf("%s: %v, %d batches", query, err, r.Batches)
		}
	}
	if got := db.Value("SELECT count(*) FROM rows"); got != "1" {
		t.Errorf("%s rows, want the one", got)
	}
}

// What a person has to mend is said with where and how.
func TestErrorsNameTheNextStep(t *testing.T) {
	db := newDatabase(t)
	db.Run(`CREATE TABLE rows (id int, name text); CREATE TABLE "Products" (id int PRIMARY KEY)`)
	user := db.Role()
	reader := pgtest.Through(db.DSN, "", user)
	for name, c := range map[string]struct {
		change func(c *postgres.Config)
		slug   string
		words  []string
	}{
		"no primary key":     {nil, postgres.NoPrimaryKey, []string{"rows has no primary key", "key: id"}},
		"another case":       {func(c *postgres.Config) { c.Table = "Products" }, pg.TableMissing, []string{"no table products", `."Products"`}},
		"no table":           {func(c *postgres.Config) { c.Table = "nowhere.rows" }, pg.TableMissing, []string{"nowhere.rows"}},
		"no key column":      {func(c *postgres.Config) { c.Key = []string{"sku"} }, pg.NoColumn, []string{"key", `"sku"`, `"id"`, `"name"`}},
		"no column":          {func(c *postgres.Config) { c.Key, c.Columns = []string{"id"}, []string{"Name"} }, pg.NoColumn, []string{"columns", `"Name"`, `"name"`}},
		"no column of where": {func(c *postgres.Config) { c.Key, c.Where = []string{"id"}, "price > 1" }, pg.NoColumn, []string{"price"}},
		"no SQL":             {func(c *postgres.Config) { c.Key, c.Where = []string{"id"}, "id >" }, pg.BadStatement, []string{"syntax error"}},
		"two of one name": {func(c *postgres.Config) { c.Table, c.Query, c.Key = "", "SELECT 1 AS id, 2 AS id", []string{"id"} }, postgres.SameName,
			[]string{`"id"`, "AS"}},
		"key not selected": {func(c *postgres.Config) { c.Table, c.Query, c.Key = "", "SELECT 1 AS id", []string{"sku"} }, pg.NoColumn, []string{`"sku"`}},
		"too slow": {func(c *postgres.Config) {
			c.Table, c.Query, c.Key, c.Timeout = "", "SELECT pg_sleep(5)::text AS id", []string{"id"}, config.Duration(50e6)
		}, "timeout", []string{"statement timeout", "raise timeout"}},
		"no permission": {func(c *postgres.Config) { c.Key, c.DSN = []string{"id"}, config.NewSecret(reader) }, pg.Denied, []string{"permission denied for table rows", "GRANT"}},
		"no database": {func(c *postgres.Config) {
			c.DSN = config.NewSecret(pgtest.With(db.DSN, "database", "nothing_here"))
		}, pg.Refused, []string{"nothing_here", "correct the database"}},
		"nobody there": {func(c *postgres.Config) { c.DSN = config.NewSecret("postgres://me:hunter2-password@127.0.0.1:1/db") }, pg.Unreachable, []string{"127.0.0.1:1", "see that the server runs"}},
		"no TLS": {func(c *postgres.Config) {
			c.DSN = config.NewSecret(pgtest.With(reader, "sslmode", "require"))
		}, pg.Refused, []string{"refused TLS", "sslmode"}},
	} {
		t.Run(name, func(t *testing.T) {
			var r connectortest.Recorder
			err := newPoller(t, db.config(c.change)).Poll(t.Context(), nil, r.Emit)
			var p *problem.Error
			if !errors.As(err, &p) || p.Kind() != c.slug || p.Hint == "" && p.Slug != pg.BadStatement || r.Batches > 0 {
				t.Fatalf("got %v of kind %s, want %s", err, problem.CodeOf(err), c.slug)
			}
			for _, w := range c.words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not mention %q", err, w)
				}
			}
			if strings.Contains(fmt.Sprintf("%+v", err), "hunter2") {
				t.Errorf("%q shows the password", err)
			}
		})
	}
}

func TestValidateRefusesWhatCannotWork(t *testing.T) {
	good := func(change func(c *postgres.Config)) *postgres.Config {
		cfg := postgres.Kind.Config().(*postgres.Config)
		cfg.DSN, cfg.Table = config.NewSecret("postgres://me:hunter2@db.example/shop"), "products"
		change(cfg)
		return cfg
	}
	if err := good(func(*postgres.Config) {}).Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(c *postgres.Config){
		"dsn: is missing":                func(c *postgres.Config) { c.DSN = config.Secret{} },
		"dsn: is no connection string":   func(c *postgres.Config) { c.DSN = config.NewSecret("postgres://me:hunter2@db:port/shop") },
		"dsn: is no connection":          func(c *postgres.Config) { c.DSN = config.NewSecret("mysql://me:hunter2@db/shop") },
		"table: a postgres source needs": func(c *postgres.Config) { c.Table = "" },
		"query: it reads the table":      func(c *postgres.Config) { c.Query = "SELECT 1" },
		"key: a query needs key columns": func(c *postgres.Config) { c.Table, c.Query = "", "SELECT 1" },
		"columns: are those of the query": func(c *postgres.Config) {
			c.Table, c.Query, c.Key, c.Columns = "", "SELECT 1", []string{"id"}, []string{"id"}
		},
		"where: is part of the query":    func(c *postgres.Config) { c.Table, c.Query, c.Key, c.Where = "", "SELECT 1", []string{"id"}, "true" },
		`table: "a.b.c" is not the name`: func(c *postgres.Config) { c.Table = "a.b.c" },
		`table: "a b" is not the name`:   func(c *postgres.Config) { c.Table = "a b" },
		"query: changes of a query":      func(c *postgres.Config) { c.Mode, c.Table, c.Query, c.Key = "cdc", "", "SELECT 1", []string{"id"} },
		"where: the server tells of":     func(c *postgres.Config) { c.Mode, c.Where = "cdc", "active" },
		"on_gap: \"\" is not one":        func(c *postgres.Config) { c.OnGap = "" },
		"on_schema_change: \"no\" is":    func(c *postgres.Config) { c.OnSchemaChange = "no" },
		`mode: "push" is not one`:        func(c *postgres.Config) { c.Mode = "push" },
		"every: must be at least 1s":     func(c *postgres.Config) { c.Every = 1 },
		"timeout: must be more than 0":   func(c *postgres.Config) { c.Timeout = 0 },
	} {
		err := good(change).Validate()
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestRowsAreFoundByTheirKeys(t *testing.T) {
	db := newDatabase(t)
	db.Run(`CREATE TABLE rows (id int, shop text, name text, active bool); INSERT INTO rows VALUES (1, 'eu', 'Mug', true), (2, 'eu', 'Cup', false), (3, 'eu', 'Pot', true), (3, 'eu', 'Pot', true)`)
	for name, change := range map[string]func(c *postgres.Config){
		"table": func(c *postgres.Config) { c.Key, c.Where = []string{"shop", "id"}, "active" },
		"query": func(c *postgres.Config) {
			c.Key, c.Table, c.Query = []string{"shop", "id"}, "", "SELECT * FROM rows WHERE active;"
		},
	} {
		cfg := db.config(change)
		finder, ok := newPoller(t, cfg).(connectors.Finder)
		if !ok || !connectors.Finds(cfg) {
			t.Fatalf("%s: finds nothing", name)
		}
		row, found, err := finder.Find(t.Context(), []string{"eu", "1"})
		want := connectors.Row{
			Key: []any{"eu", json.Number("1")}, Position: map[string]string{"table": "rows", "query": "query"}[name] + " shop=eu id=1",
			Values: map[string]any{"id": json.Number("1"), "shop": "eu", "name": "Mug", "active": true},
		}
		if diff := cmp.Diff(want, row); diff != "" || !found || err != nil {
			t.Errorf("%s: found %v, %v (-want +got):\n%s", name, found, err, diff)
		}
		for _, key := range [][]string{{"eu", "2"}, {"eu", "9"}, {"us", "1"}, {"eu", "x"}, {"eu", "99999999999999999999"}, {"a\x00b", "1"}, {"' OR true --", "1"}} {
			if _, found, err := finder.Find(t.Context(), key); found || err != nil {
				t.Errorf("%s: %q found %v, %v", name, key, found, err)
			}
		}
		if _, _, err := finder.Find(t.Context(), []string{"eu", "3"}); err == nil || !strings.Contains(err.Error(), "more than one row") {
			t.Errorf("%s: two rows of one key: %v", name, err)
		}
		db.Run("ALTER TABLE rows RENAME TO others")
		if _, found, err := finder.Find(t.Context(), []string{"eu", "1"}); found || err == nil {
			t.Errorf("%s: without the table found %v, %v", name, found, err)
		}
		db.Run("ALTER TABLE others RENAME TO rows")
	}
	if connectors.Finds(db.config(nil)) {
		t.Error("a source whose key columns are not known finds rows")
	}
}

// A connection that the server ended is found out before anything is asked of it,
// and a reading that is cut off closes nothing.
func TestConnectionThatIsCutIsMadeAnew(t *testing.T) {
	db := newDatabase(t)
	db.Run(`CREATE TABLE rows (id int PRIMARY KEY, v text); INSERT INTO rows SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i`)
	cfg := db.config(nil)
	cfg.DSN = config.NewSecret(pgtest.With(db.DSN, "application_name", db.Name))
	p := newPoller(t, cfg)
	cut := fmt.Sprintf("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = '%s'", db.Name)
	var r connectortest.Recorder
	err := p.Poll(t.Context(), nil, func(ctx context.Context, b connectors.Batch) error {
		if r.Batches == 0 && db.Value(cut) != "1" {
			t.Error("there was no connection to cut")
		}
		return r.Emit(ctx, b)
	})
	if err == nil || r.Closing != nil {
		t.Errorf("a reading that was cut off: %v, closing %+v", err, r.Closing)
	}
	if r := mustPoll(t, p, nil); len(r.Rows) != 20000 {
		t.Errorf("%d rows", len(r.Rows))
	}
}

// A server that says nothing any more, or a firewall that has forgotten the
// connection, ends a reading, wherever it is.
func TestSilenceEndsAReading(t *testing.T) {
	db := newDatabase(t)
	db.Run(`CREATE TABLE rows (id int PRIMARY KEY, v text); INSERT INTO rows SELECT i, repeat('x', 1000) FROM generate_series(1, 20000) i`)
	proxy := pgtest.NewProxy(t, db.DSN)
	p := newPoller(t, db.config(func(c *postgres.Config) {
		c.DSN, c.Key, c.Timeout = config.NewSecret(pgtest.Through(db.DSN, proxy.Address, "")), config.Strings{"id"}, config.Duration(4*time.Second)
	}))
	mustSay := func(what string, err error) {
		t.Helper()
		proxy.Up()
		proxy.Cut()
		if problem.CodeOf(err) != problem.Timeout || !strings.Contains(err.Error(), "did not answer in time") {
			t.Errorf("%s: %v", what, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // for a reading that never ends
	defer cancel()
	var r connectortest.Recorder
	mustSay("amid the rows", p.Poll(ctx, nil, func(ctx context.Context, b connectors.Batch) error {
		proxy.Hold()
		return r.Emit(ctx, b)
	}))
	mustPoll(t, p, nil)
	proxy.Hold()
	mustSay("at the beginning", p.Poll(ctx, nil, r.Emit))
	finder := p.(connectors.Finder)
	if _, found, err := finder.Find(ctx, []string{"7"}); err != nil || !found {
		t.Errorf("find: %v, %v", found, err)
	}
	proxy.Hold()
	_, _, err := finder.Find(ctx, []string{"7"})
	mustSay("a single row", err)
	if r.Closing != nil {
		t.Errorf("a reading was closed: %+v", r.Closing)
	}
	mustPoll(t, p, nil)
}

package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/pgtest"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/postgres"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// products is a table whose every write is counted.
const products = `CREATE TABLE products (sku text PRIMARY KEY, name text, image_url text, image_hash text);
CREATE TABLE writes (sku text);
CREATE FUNCTION count_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO writes VALUES (coalesce(new.sku, old.sku)); RETURN new; END $$;
CREATE TRIGGER counts AFTER INSERT OR UPDATE ON products FOR EACH ROW EXECUTE FUNCTION count_write();`

func newConfig(dsn string, change func(c *postgres.Config)) *postgres.Config {
	c := postgres.Kind.Config().(*postgres.Config)
	c.DSN, c.Table = config.NewSecret(dsn), "products"
	c.Key = map[string]string{"sku": "key"}
	c.Set = map[string]string{"image_url": "url", "image_hash": "hash"}
	if change != nil {
		change(c)
	}
	return c
}

func mustSink(tb testing.TB, c *postgres.Config) sink.Batcher {
	tb.Helper()
	if err := c.Validate(); err != nil {
		tb.Fatalf("validate: %v", err)
	}
	s, err := postgres.Kind.New(c, sink.Env{Name: "shop"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.(interface{ Close() error }).Close(); err != nil {
			tb.Error(err)
		}
	})
	return s.(sink.Batcher)
}

func writes(db *pgtest.Schema) string { return db.Value("SELECT count(*) FROM writes") }

func TestPostgresConforms(t *testing.T) {
	for name, change := range map[string]func(c *postgres.Config){
		"update":         nil,
		"insert":         func(c *postgres.Config) { c.Insert = true },
		"delete":         func(c *postgres.Config) { c.Insert, c.OnRemove = true, "delete" },
		"guarded":        func(c *postgres.Config) { c.GenerationColumn = "generation" },
		"guarded insert": func(c *postgres.Config) { c.Insert, c.GenerationColumn = true, "generation" },
	} {
		t.Run(name, func(t *testing.T) {
			sinktest.Run(t, func(tb testing.TB) sinktest.Subject {
				db := pgtest.New(tb)
				db.Run(products + "ALTER TABLE products ADD generation bigint")
				c := newConfig(db.DSN, change)
				if !c.Insert {
					for _, key := range []string{"a", "b", "../../x", "/etc/passwd", "a/b", "..", ".", "ключ", "a b&c=<d>", "%2e%2e", "a\nb", `a\b`} {
						db.Run("INSERT INTO products VALUES (" + pg.Literal(key) + ")")
					}
					db.Run("INSERT INTO products SELECT 'key-' || i FROM generate_series(0, 29) i; DELETE FROM writes")
				}
				proxy := pgtest.NewProxy(tb, db.DSN)
				c.DSN = config.NewSecret(pgtest.Through(db.DSN, proxy.Address, ""))
				return sinktest.Subject{
					Sink: mustSink(tb, c),
					Holds: func(key string) string {
						if plain, err := url.PathUnescape(key); err == nil { // keys of deliveries are as in addresses
							key = plain
						}
						return db.Value("SELECT image_hash FROM products WHERE sku = $1", key)
					},
					Effects: func(key string) int {
						var n int
						_, _ = fmt.Sscan(db.Value("SELECT count(*) FROM writes WHERE sku = $1", key), &n)
						return n
					},
					Break: func(f sinktest.Fault) (func(), bool) {
						switch f {
						case sinktest.Down:
							proxy.Down()
							return proxy.Up, true
						case sinktest.Hung:
							proxy.Hold()
							return func() { proxy.Up(); proxy.Cut() }, true
						}
						db.Run("ALTER TABLE products ADD CONSTRAINT never CHECK (image_url IS NULL)")
						return func() {}, true
					},
				}
			})
		})
	}
}

// outcomes are the kinds of errors, permanent ones with a mark.
func outcomes(all []sink.Outcome) []string {
	kinds := make([]string, len(all))
	for i, o := range all {
		var p *problem.Error
		switch {
		case o.Err == nil:
			continue
		case errors.As(o.Err, &p):
			kinds[i] = p.Kind()
		default:
			kinds[i] = o.Err.Error()
		}
		if retry.IsPermanent(o.Err) {
			kinds[i] += "!"
		}
	}
	return kinds
}

func deliveries(n int, generation int64) []sink.Delivery {
	ds := make([]sink.Delivery, n)
	for i := range ds {
		ds[i] = sinktest.Completed(fmt.Sprintf("sku-%d", i), generation)
	}
	return ds
}

const tenThousand = "INSERT INTO products SELECT 'sku-' || i FROM generate_series(0, 9999) i; DELETE FROM writes"

// deliverAll is what the daemon does with many.
func deliverAll(tb testing.TB, s sink.Batcher, ds []sink.Delivery) []sink.Outcome {
	tb.Helper()
	most, _ := s.Batch()
	var all []sink.Outcome
	for len(ds) > 0 {
		n := min(most, len(ds))
		all = append(all, s.DeliverAll(tb.Context(), ds[:n])...)
		ds = ds[n:]
	}
	return all
}

func TestOneBadRowOfTenThousandIsRefusedAlone(t *testing.T) {
	db := pgtest.New(t)
	db.Run(products + tenThousand)
	for name, c := range map[string]struct{ sql, undo string }{
		"a constraint": {"ALTER TABLE products ADD CONSTRAINT c CHECK (sku <> 'sku-4711' OR image_url IS NULL)", "ALTER TABLE products DROP CONSTRAINT c"},
		"a trigger": {`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.sku = 'sku-4711' THEN RAISE 'not this one'; END IF; RETURN new; END $$;
CREATE TRIGGER refuses BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION refuse()`, "DROP TRIGGER refuses ON products"},
		"a constraint that is looked at in the end": {`CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.sku = 'sku-4711' THEN RAISE unique_violation; END IF; RETURN new; END $$;
CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON products DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()`, "DROP TRIGGER late ON products"},
	} {
		db.Run("UPDATE products SET image_url = NULL, image_hash = NULL; DELETE FROM writes; " + c.sql)
		s := mustSink(t, newConfig(db.DSN, nil))
		for i, kind := range outcomes(deliverAll(t, s, deliveries(10_000, 1))) {
			if want := map[bool]string{true: postgres.RowRefused + "!"}[i == 4711]; kind != want {
				t.Fatalf("%s: row %d ended with %q, want %q", name, i, kind, want)
			}
		}
		if got := db.Value("SELECT count(*) FROM products WHERE image_hash = 'hash-1'"); got != "9999" || writes(db) != "9999" {
			t.Errorf("%s: %s rows are as told, after %s writes", name, got, writes(db))
		}
		db.Run(c.undo)
	}
}

func TestEachRowEndsAsItDeserves(t *testing.T) {
	db := pgtest.New(t)
	db.Run(products + `CREATE TABLE twins (sku text, no int, image_url varchar(60)); INSERT INTO twins VALUES ('a', 1), ('b', 2), ('b', 2), ('c', 3), ('d', 4)`)
	s := mustSink(t, newConfig(db.DSN, func(c *postgres.Config) {
		c.Table, c.Set = "twins", map[string]string{"image_url": "row.url"}
		c.Key = map[string]string{"sku": "keys[0]", "no": "row.no"}
	}))
	of := func(key string, no, url any) sink.Delivery {
		d := sinktest.Completed(key, 1)
		d.Row = map[string]any{"no": no, "url": url}
		return d
	}
	gone := of("gone", "9", "x")
	gone.Event = sink.ImageRemoved
	got := s.DeliverAll(t.Context(), []sink.Delivery{
		of("a", "1", "fine"), of("b", "2", "several"), of("gone", "9", "nobody"), of("c", "three", "no number"), of("c", "99999999999", "too large"),
		of("c", "3", strings.Repeat("x", 61)), of("c", nil, "no key"), of("d", "4", "a\x00b"), of("d", "4", "\xff"), gone, of("d", "4", "fine"),
	})
	want := []string{"", "target_ambiguous!", "target_missing!", "row_refused!", "row_refused!", "row_refused!", "row_refused!", "row_refused!", "row_refused!", "", ""}
	for i, kind := range outcomes(got) {
		if kind != want[i] {
			t.Errorf("delivery %d ended with %q, want %q: %v", i, kind, want[i], got[i].Err)
		}
	}
	if now := db.Value("SELECT string_agg(sku || coalesce(image_url, '-'), ' ' ORDER BY sku) FROM twins"); now != "afine b- b- c- dfine" {
		t.Errorf("the table has %s", now)
	}
	if got[0].Ref != "twins no=1 sku=a" || !strings.Contains(got[2].Err.Error(), "no row is twins no=9 sku=gone") {
		t.Errorf("receipt %q, error %v", got[0].Ref, got[2].Err)
	}
}

func TestWhatIsAsToldIsNotWritten(t *testing.T) {
	db := pgtest.New(t)
	db.Run(products)
	for _, insert := range []bool{false, true} {
		db.Run("DELETE FROM products; INSERT INTO products SELECT 'sku-' || i FROM generate_series(0, 99) i; DELETE FROM writes")
		s := mustSink(t, newConfig(db.DSN, func(c *postgres.Config) { c.Insert = insert }))
		for range 3 {
			if got := strings.Join(outcomes(s.DeliverAll(t.Context(), deliveries(100, 1))), ""); got != "" {
				t.Fatal(got)
			}
		}
		if writes(db) != "100" {
			t.Errorf("insert %v: %s writes, want 100", insert, writes(db))
		}
	}
}

// Values are compared and written as their columns have them.
func TestColumnsOfEveryTypeAreWrittenOnce(t *testing.T) {
	db := pgtest.New(t)
	db.Run(`SET timezone = 'UTC'; CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE DOMAIN address AS varchar(100) CHECK (value LIKE 'https://%'); CREATE DOMAIN price AS numeric(6,2)`)
	at := "2026-03-01T12:00:00Z"
	for typ, c := range map[string]struct{ source, want string }{
		"text": {"url", "https://img.example/images/hash-1.png"}, "varchar(60)": {"hash", "hash-1"}, "char(10)": {"hash", "hash-1"}, "address": {"url", "https://img.example/images/hash-1.png"},
		"int": {"width", "1200"}, "bigint": {"row.big", "9223372036854775807"}, "numeric": {"row.exact", "12345678901234567890.10"}, "numeric(6,2)": {"row.long", "1.01"}, "price": {"row.long", "1.01"},
		"double precision": {"row.long", "1.005"}, "real": {"row.long", "1.005"}, "boolean": {"width > height", "true"}, "mood": {`"glad"`, "glad"},
		"timestamptz": {"time", "2026-03-01 12:00:00+00"}, "timestamptz(0)": {`"2026-03-01T12:00:00.6Z"`, "2026-03-01 12:00:01+00"}, "date": {"time", "2026-03-01"}, "timestamp": {`"` + at + `"`, "2026-03-01 12:00:00"},
		"json": {"row.object", `{"a":[1.50,null]}`}, "jsonb": {"row.object", `{"a": [1.50, null]}`}, "xml": {`"<a/>"`, "<a/>"}, "uuid": {`"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"`, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
		"bytea": {`"\\x00ff"`, `\x00ff`}, "text[]": {`'{"a b",NULL}'`, `{"a b",NULL}`}, "int4range": {`"[1,4]"`, "[1,5)"}, "inet": {`"10.0.0.1"`, "10.0.0.1/32"}, "point": {`"(1,2)"`, "(1,2)"}, "json[]": {`'{"{}"}'`, `{"{}"}`},
		"interval": {`"P1D"`, "1 day"}, "bit(3)": {`"101"`, "101"},
	} {
		db.Run("DROP TABLE IF EXISTS rows; CREATE TABLE rows (id text PRIMARY KEY, v " + typ + "); INSERT INTO rows VALUES ('a')")
		s := mustSink(t, newConfig(pgtest.With(db.DSN, "timezone", "UTC"), func(cfg *postgres.Config) {
			cfg.Table, cfg.Key, cfg.Set = "rows", map[string]string{"id": "key"}, map[string]string{"v": c.source}
		}))
		d := sinktest.Completed("a", 1)
		d.Row = map[string]any{"big": "9223372036854775807", "exact": "12345678901234567890.10", "long": "1.005", "object": map[string]any{"a": []any{jsonNumber("1.50"), nil}}}
		if _, err := s.Deliver(t.Context(), d); err != nil {
			t.Errorf("%s: %v", typ, err)
			continue
		}
		if got := db.Value("SELECT v::text FROM rows"); got != c.want {
			t.Errorf("%s holds %q, want %q", typ, got, c.want)
		}
		first := db.Value("SELECT xmin FROM rows")
		if _, err := s.Deliver(t.Context(), d); err != nil || db.Value("SELECT xmin FROM rows") != first {
			t.Errorf("%s: the same again is written again, %v", typ, err)
		}
	}
}

func TestOutputThatFailedKeepsItsColumn(t *testing.T) {
	db := pgtest.New(t)
	db.Run(products + "INSERT INTO products VALUES ('a', '', 'card', 'story'), ('b', '', '', '')")
	s := mustSink(t, newConfig(db.DSN, func(c *postgres.Config) {
		c.Set = map[string]string{"image_url": "outputs.card.url", "image_hash": "outputs.story.hash"}
	}))
	d := sinktest.Completed("a", 2)
	d.Outputs = append(d.Outputs, sink.Output{Name: "story", Code: "asset_fetch_failed", Error: "404"})
	whole := sinktest.Completed("b", 2)
	whole.Outputs = append(whole.Outputs, whole.Outputs[0])
	whole.Outputs[1].Name = "story"
	if got := outcomes(s.DeliverAll(t.Context(), []sink.Delivery{d, whole})); got[0]+got[1] != "" {
		t.Fatal(got)
	}
	if got := db.Value("SELECT string_agg(image_url || ' ' || image_hash, ', ' ORDER BY sku) FROM products"); got != "https://img.example/images/hash-2.png story, https://img.example/images/hash-2.png hash-2" {
		t.Errorf("the table has %s", got)
	}
}

func TestVariantAndItsClickAreColumns(t *testing.T) {
	db := pgtest.New(t)
	db.Run(products + "INSERT INTO products VALUES ('a', '', '', ''), ('b', '', '', '')")
	s := mustSink(t, newConfig(db.DSN, func(c *postgres.Config) {
		c.Set = map[string]string{"image_url": "click_url", "image_hash": `variant ?? "none"`}
	}))
	d, plain := sinktest.Completed("a", 2), sinktest.Completed("b", 2)
	d.Variant, d.ClickURL = "loud", "https://img.example/s/spring/u-1/click?sig=s"
	if got := outcomes(s.DeliverAll(t.Context(), []sink.Delivery{d, plain})); got[0]+got[1] != "" {
		t.Fatal(got)
	}
	if got := db.Value("SELECT string_agg(coalesce(image_url, 'null') || ' ' || image_hash, ', ' ORDER BY sku) FROM products"); got != "https://img.example/s/spring/u-1/click?sig=s loud, null none" {
		t.Errorf("the table has %s", got)
	}
}

func TestRemoval(t *testing.T) {
	for name, c := range map[string]struct {
		insert         bool
		onRemove, want string
	}{
		"update":            {false, "", "a- bh"},
		"clear":             {false, "clear", "a- bh"},
		"keep":              {false, "keep", "ah bh"},
		"insert":            {true, "", "a- bh"},
		"insert and delete": {true, "delete", "bh"},
	} {
		t.Run(name, func(t *testing.T) {
			db := pgtest.New(t)
			db.Run(products + "INSERT INTO products VALUES ('a', '', 'u', 'h'), ('b', '', 'u', 'h')")
			s := mustSink(t, newConfig(db.DSN, func(cfg *postgres.Config) { cfg.Insert, cfg.OnRemove = c.insert, c.onRemove }))
			gone := func(key string) sink.Delivery {
				d := sinktest.Completed(key, 2)
				d.Event = sink.ImageRemoved
				return d
			}
			if got := outcomes(s.DeliverAll(t.Context(), []sink.Delivery{gone("a"), gone("never there"), gone("a")})); strings.Join(got, "") != "" {
				t.Fatal(got)
			}
			if got := db.Value("SELECT string_agg(sku || coalesce(image_hash, '-'), ' ' ORDER BY sku) FROM products"); got != c.want {
				t.Errorf("the table has %q, want %q", got, c.want)
			}
		})
	}
}

func TestOlderGenerationNeverOverwrites(t *testing.T) {
	for _, insert := range []bool{false, true} {
		t.Run(fmt.Sprint(insert), func(t *testing.T) {
			db := pgtest.New(t)
			db.Run(products + "ALTER TABLE products ADD generation int; INSERT INTO products VALUES ('a', '', 'by hand', '')")
			s := mustSink(t, newConfig(db.DSN, func(c *postgres.Config) { c.Insert, c.GenerationColumn = insert, "generation" }))
			for _, step := range []struct {
				generation int64
				removes    bool
				want       string
			}{{5, false, "hash-5 5"}, {4, false, "hash-5 5"}, {3, true, "hash-5 5"}, {6, true, "- 6"}, {5, false, "- 6"}, {7, false, "hash-7 7"}} {
				d := sinktest.Completed("a", step.generation)
				if step.removes {
					d.Event = sink.ImageRemoved
				}
				if _, err := s.Deliver(t.Context(), d); err != nil {
					t.Fatal(err)
				}
				if got := db.Value("SELECT coalesce(image_hash, '-') || ' ' || generation FROM products"); got != step.want {
					t.Errorf("after generation %d the table has %q, want %q", step.generation, got, step.want)
				}
			}
		})
	}
}

func TestTwoStatesOfOneRowInABatchEndInTheLast(t *testing.T) {
	db := pgtest.New(t)
	db.Run(products + "INSERT INTO products VALUES ('a'), ('b')")
	s := mustSink(t, newConfig(db.DSN, func(c *postgres.Config) { c.Key = map[string]string{"sku": "lower(key)"} }))
	got := s.DeliverAll(t.Context(), []sink.Delivery{sinktest.Completed("a", 1), sinktest.Completed("b", 1), sinktest.Completed("A", 2)})
	if kinds := strings.Join(outcomes(got), ""); kinds != "" || db.Value("SELECT image_hash FROM products WHERE sku = 'a'") != "hash-2" {
		t.Errorf("%v, the row has %s", kinds, db.Value("SELECT image_hash FROM products WHERE sku = 'a'"))
	}
}

func TestProbe(t *testing.T) {
	db := pgtest.New(t)
	user, group := db.Role(), "group_"+db.Name
	db.Run(products + `CREATE TABLE twins (sku text, image_url text, image_hash text); CREATE INDEX ON twins (sku); CREATE UNIQUE INDEX ON twins (sku) WHERE image_url IS NULL;
CREATE TABLE pairs (shop text, sku text, image_url text NOT NULL, image_hash text GENERATED ALWAYS AS ('x') STORED, PRIMARY KEY (shop, sku));
CREATE VIEW seen AS SELECT * FROM products; CREATE MATERIALIZED VIEW kept AS SELECT * FROM products;
CREATE ROLE ` + group + `; GRANT SELECT (sku, image_url, image_hash), UPDATE (image_url, image_hash) ON products TO ` + group)
	t.Cleanup(func() { db.Run("DROP OWNED BY " + group + "; DROP ROLE " + group) })
	guest := config.NewSecret(pgtest.Through(db.DSN, "", user))
	for name, c := range map[string]struct {
		change func(c *postgres.Config)
		words  []string
	}{
		"fine":   {nil, nil},
		"a view": {func(c *postgres.Config) { c.Table = "seen" }, nil},
		"insert": {func(c *postgres.Config) { c.Insert, c.OnRemove = true, "delete" }, nil},
		"part of the key": {func(c *postgres.Config) {
			c.Table, c.OnRemove, c.Set = "pairs", "keep", map[string]string{"image_url": "url"}
		}, []string{"key: no unique index", "sku", "CREATE UNIQUE INDEX"}},
		"the whole key": {func(c *postgres.Config) {
			c.Table, c.OnRemove, c.Set, c.Key = "pairs", "keep", map[string]string{"image_url": "url"}, map[string]string{"sku": "keys[1]", "shop": "keys[0]"}
		}, nil},
		"not null": {func(c *postgres.Config) {
			c.Table, c.Set, c.Key = "pairs", map[string]string{"image_url": "url"}, map[string]string{"sku": "keys[1]", "shop": "keys[0]"}
		}, []string{"set.image_url", "may not be null", "on_remove: keep"}},
		"generated": {func(c *postgres.Config) {
			c.Table, c.Set, c.Key = "pairs", map[string]string{"image_hash": "hash"}, map[string]string{"sku": "keys[1]", "shop": "keys[0]"}
		}, []string{"set.image_hash", "generated"}},
		"no unique index": {func(c *postgres.Config) { c.Table = "twins" }, []string{"key: no unique index", "twins"}},
		"insert by more": {func(c *postgres.Config) {
			c.Insert, c.Key, c.Set = true, map[string]string{"sku": "key", "name": "key"}, map[string]string{"image_url": "url"}
		}, []string{"key: no unique index"}},
		"no table":      {func(c *postgres.Config) { c.Table = "product" }, []string{"no table product"}},
		"no column":     {func(c *postgres.Config) { c.Set = map[string]string{"Image_URL": "url"} }, []string{"set.Image_URL", `no column "Image_URL"`, `"image_url"`}},
		"no generation": {func(c *postgres.Config) { c.GenerationColumn = "gen" }, []string{"generation_column", `"gen"`}},
		"materialized":  {func(c *postgres.Config) { c.Table = "kept" }, []string{"materialized view"}},
		"no right":      {func(c *postgres.Config) { c.DSN = guest }, []string{"set.image_url", "may not update", `GRANT UPDATE ("image_url")`, `GRANT SELECT ("sku")`}},
		"nobody there":  {func(c *postgres.Config) { c.DSN = config.NewSecret("postgres://me:hunter2-password@127.0.0.1:1/db") }, []string{"127.0.0.1:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := mustSink(t, newConfig(db.DSN, c.change)).(sink.Prober).Probe(t.Context())
			if (err == nil) != (c.words == nil) {
				t.Fatalf("probe = %v", err)
			}
			for _, w := range c.words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not mention %q", err, w)
				}
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q shows the password", err)
			}
		})
	}
	db.Run("GRANT " + group + " TO " + user)
	s := mustSink(t, newConfig("", func(c *postgres.Config) { c.DSN = guest }))
	if err := s.(sink.Prober).Probe(t.Context()); err != nil {
		t.Errorf("with the rights of a group: %v", err)
	}
	db.Run("INSERT INTO products VALUES ('sku-0'); GRANT INSERT ON writes TO " + group)
	if kinds := outcomes(s.DeliverAll(t.Context(), deliveries(1, 1))); kinds[0] != "" {
		t.Errorf("with rights on these columns alone: %q", kinds)
	}
}

func TestContextThatEndedWritesNothing(t *testing.T) {
	db := pgtest.New(t)
	db.Run(products + "INSERT INTO products VALUES ('sku-0'); DELETE FROM writes")
	s := mustSink(t, newConfig(db.DSN, nil))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if o := s.DeliverAll(ctx, deliveries(1, 1)); !errors.Is(o[0].Err, context.Canceled) || writes(db) != "0" {
		t.Errorf("%v, %s writes", o[0].Err, writes(db))
	}
}

func TestHostileValuesAreWrittenOrRefused(t *testing.T) {
	for typ, change := range map[string]func(c *postgres.Config){
		"text":  nil,
		"jsonb": nil,
		"check": nil,
		"key": func(c *postgres.Config) {
			c.Insert, c.Key, c.Set = true, map[string]string{"k": "row.v"}, map[string]string{"v": "hash"}
		},
	} {
		t.Run(typ, func(t *testing.T) {
			db := pgtest.New(t)
			column := map[string]string{"key": "text", "text": "text", "jsonb": "jsonb", "check": "text CHECK (length(v) < 100)"}[typ]
			db.Run("CREATE TABLE rows (k text PRIMARY KEY, v " + column + "); INSERT INTO rows VALUES ('a')")
			sinktest.Hostile(t, mustSink(t, newConfig(db.DSN, func(c *postgres.Config) {
				c.Table, c.Key, c.Set = "rows", map[string]string{"k": "key"}, map[string]string{"v": "row.v"}
				if typ == "jsonb" {
					c.Set["v"] = "row.v == \"plain\" ? [1] : row.v"
				}
				if change != nil {
					change(c)
				}
			})))
		})
	}
}

package daemon

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"image"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pictifyd/pictifyd/internal/pgtest"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

func TestTableGetsAColumnOfPicturesAndOneAnewForOneRow(t *testing.T) {
	s := newStory(t, "postgres-writeback")
	shop := pgtest.New(t)
	shop.Run(s.read("schema.sql"))
	t.Setenv("SHOP_DSN", shop.DSN)
	s.write("pictifyd.yaml", strings.Replace(s.read("pictifyd.yaml"), "every: 5s", "every: 1s", 1))
	s.run(Options{})
	eventually(t, "an address in every row", func() bool {
		return shop.Value("SELECT count(DISTINCT image_url) FROM products") == "12"
	})
	before := shop.Value("SELECT image_url FROM products WHERE sku = 'CH-107'")
	others := "SELECT string_agg(sku || image_url || updated_at, ' ' ORDER BY sku) FROM products WHERE sku NOT IN ('CH-107', 'LA-209')"
	rest := shop.Value(others)
	data := fetch(t, before)
	if size, kind, err := image.DecodeConfig(bytes.NewReader(data)); err != nil || kind != "png" || size.Width != 800 || size.Height != 420 {
		t.Errorf("the tag is %s of %dx%d, %v", kind, size.Width, size.Height, err)
	}
	if folder := os.Getenv("PICTIFYD_TEST_SHOTS"); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, "price-tag.png"), data, 0o600); err != nil {
			t.Error(err)
		}
	}
	shop.Run("UPDATE products SET price = 299 WHERE sku = 'CH-107'; UPDATE products SET active = false WHERE sku = 'LA-209'")
	eventually(t, "another address for the row that changed", func() bool {
		now := shop.Value("SELECT image_url FROM products WHERE sku = 'CH-107'")
		return now != before && bytes.HasPrefix(fetch(t, now), []byte("\x89PNG"))
	})
	eventually(t, "none for the product that is not sold any more", func() bool {
		return shop.Value("SELECT image_url IS NULL FROM products WHERE sku = 'LA-209'") == "t"
	})
	if now := shop.Value(others); now != rest {
		t.Errorf("other rows were touched: %s, were %s", now, rest)
	}
}

// countedTable is a table of n products whose writes are counted, and which touches
// a column that is read and not shown.
func countedTable(t *testing.T, n int) *pgtest.Schema {
	t.Helper()
	shop := pgtest.New(t)
	shop.Run(`CREATE TABLE products (sku text PRIMARY KEY, name text, image_url text, updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE writes (sku text);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO writes VALUES (NEW.sku); NEW.updated_at := clock_timestamp(); RETURN NEW; END $$;
CREATE TRIGGER touched BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION touch();
INSERT INTO products SELECT 'SKU-' || i, 'Mug ' || i FROM generate_series(1, ` + strconv.Itoa(n) + `) i`)
	return shop
}

func writeBackYAML(shop *pgtest.Schema) string {
	return fmt.Sprintf(`
sources: { shop: { kind: postgres, dsn: %[1]q, table: products, every: 1s } }
sinks: { back: { kind: postgres, dsn: %[1]q, table: products, key: { sku: key }, set: { image_url: url } } }
bindings: [{ name: cards, source: shop, template: card, map: { title: name }, sinks: [back], public: true }]
`, shop.DSN)
}

// polls is how often the source was read, and with how many of them unchanged.
func polls(t *testing.T, address string) (all, unchanged int) {
	t.Helper()
	for _, m := range regexp.MustCompile(`(?m)^pictifyd_poll_total\{result="(\w+)",source="shop"\} (\d+)`).FindAllStringSubmatch(string(fetch(t, address+"/metrics")), -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			t.Fatal(err)
		}
		if all += n; m[1] == "unchanged" {
			unchanged = n
		}
	}
	return all, unchanged
}

// What is written back into the table that is read is seen as a change of its rows,
// and makes nothing: one round, and rest.
func TestWriteBackIntoTheTableThatIsReadComesToRest(t *testing.T) {
	const rows = 40
	shop := countedTable(t, rows)
	s := newSite(t, writeBackYAML(shop))
	var drawn atomic.Int64
	address, _ := s.run(Options{Renderer: &rendertest.Null{DoneFunc: func(context.Context, render.Request, error) { drawn.Add(1) }}})
	rests := func(after string, writes, pictures int) {
		t.Helper()
		_, before := polls(t, address)
		eventually(t, "four readings that find nothing new after "+after, func() bool {
			_, now := polls(t, address)
			return now >= before+4
		})
		if got := shop.Value("SELECT count(*) FROM writes"); got != strconv.Itoa(writes) {
			t.Errorf("after %s the table was written %s times, want %d", after, got, writes)
		}
		if got := int(drawn.Load()); got != pictures {
			t.Errorf("after %s %d pictures were drawn, want %d", after, got, pictures)
		}
		tries := regexp.MustCompile(`pictifyd_delivery_attempts_total\{[^}]*sink="back"[^}]*\} (\d+)`).FindStringSubmatch(string(fetch(t, address+"/metrics")))
		if tries == nil || tries[1] != strconv.Itoa(pictures) {
			t.Errorf("after %s there were %v tries of deliveries, want %d", after, tries, pictures)
		}
	}
	eventually(t, "an address in every row", func() bool {
		return shop.Value("SELECT count(DISTINCT image_url) FROM products") == strconv.Itoa(rows)
	})
	rests("the first round", rows, rows)
	before := shop.Value("SELECT image_url FROM products WHERE sku = 'SKU-7'")
	shop.Run("UPDATE products SET name = 'Cup' WHERE sku = 'SKU-7'")
	eventually(t, "another address for the row that changed", func() bool {
		return shop.Value("SELECT image_url FROM products WHERE sku = 'SKU-7'") != before
	})
	rests("a change of one row", rows+2, rows+1) // the shop's own write, and ours
}

func TestWriteBackSurvivesAKillAfterItsCommit(t *testing.T) {
	const rows = 5
	shop := countedTable(t, rows)
	s := newSite(t, writeBackYAML(shop))
	// Each start listens on another port, and addresses must not change with it.
	s.write("pictifyd.yaml", strings.Replace(s.read("pictifyd.yaml"), `listen: "127.0.0.1:0"`, `listen: "127.0.0.1:0", public_url: "https://img.shop.example"`, 1))
	p := s.start(childCrash + "=delivery.answered:1")
	p.mustDie("delivery.answered")
	if got := shop.Value("SELECT count(*) FROM writes"); got == "0" {
		t.Fatal("nothing was written before the end")
	}
	p = s.start()
	eventually(t, "an address in every row", func() bool {
		return shop.Value("SELECT count(DISTINCT image_url) FROM products") == strconv.Itoa(rows)
	})
	eventually(t, "five deliveries that ended well", func() bool {
		done := regexp.MustCompile(`pictifyd_delivery_attempts_total\{result="ok",sink="back"\} (\d+)`).FindStringSubmatch(string(fetch(t, p.url+"/metrics")))
		return done != nil && done[1] == strconv.Itoa(rows)
	})
	if code := p.terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if got := shop.Value("SELECT count(*) FROM writes"); got != strconv.Itoa(rows) {
		t.Errorf("the table was written %s times, want %d: each row once", got, rows)
	}
}

// check --online says of a table what would go wrong, before anything does.
func TestOnlineCheckLooksAtTables(t *testing.T) {
	shop := countedTable(t, 3)
	shop.Run("CREATE TABLE logs (sku text, image_url text)")
	s := newSite(t, writeBackYAML(shop))
	path := filepath.Join(s.dir, "pictifyd.yaml")
	report, err := CheckOnline(t.Context(), path)
	if err != nil || !strings.Contains(report, "source shop: its first 3 rows read") || !strings.Contains(report, "sink back: is there") {
		t.Errorf("%v\n%s", err, report)
	}
	good := s.read("pictifyd.yaml")
	for name, c := range map[string]struct{ from, to, want string }{
		"no table":        {"table: products, every", "table: product, every", "there is no table product"},
		"no primary key":  {"table: products, every", "table: logs, every", "no primary key"},
		"no unique index": {"table: products, key", "table: logs, key", "no unique index"},
		"an echo":         {"{ title: name }", "{ title: name + image_url }", `"image_url", which the sink "back" writes back`},
		"no column":       {"image_url: url", "picture: url", `no column "picture"`},
	} {
		s.write("pictifyd.yaml", strings.Replace(good, c.from, c.to, 1))
		if _, err := CheckOnline(t.Context(), path); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	u, err := url.Parse(shop.DSN)
	if err != nil {
		t.Fatal(err)
	}
	u.Host = "127.0.0.1:1"
	u.User = url.UserPassword("me", "hunter2-password")
	s.write("pictifyd.yaml", strings.ReplaceAll(good, shop.DSN, u.String()))
	if _, err := CheckOnline(t.Context(), path); err == nil || strings.Contains(err.Error(), "hunter2") || strings.Count(err.Error(), "can't be reached") != 2 {
		t.Errorf("without a server: %v", err)
	}
}

// A row of a table is asked for by its key when its picture is.
func TestRowOfATableIsAskedForWhenItIsLookedAt(t *testing.T) {
	shop := countedTable(t, 2)
	s := newSite(t, fmt.Sprintf(`
sources: { shop: { kind: postgres, dsn: %q, table: products, key: sku, where: "name <> 'hidden'", every: 1h } }
bindings: [{ name: now, source: shop, template: card, map: { title: name }, public: true, live: { ttl: 1s, timeout: 5s, missing_ttl: 1s } }]
`, shop.DSN))
	address, _ := s.run(Options{Renderer: &rendertest.Null{}})
	picture := func(sku string) string {
		status, data := look(t, address+"/b/now/"+sku+".png")
		return fmt.Sprintf("%d %x", status, sha256.Sum256(data))
	}
	eventually(t, "the first picture", func() bool { return strings.HasPrefix(picture("SKU-1"), "200") })
	before := picture("SKU-1")
	if missing := picture("SKU-9"); !strings.HasPrefix(missing, "404") {
		t.Errorf("a row that there is not is %s", missing)
	}
	shop.Run("UPDATE products SET name = 'Cup' WHERE sku = 'SKU-1'; INSERT INTO products VALUES ('SKU-9', 'Pot'), ('SKU-8', 'hidden')")
	eventually(t, "the new name, and the new row", func() bool {
		now := picture("SKU-1")
		return now != before && strings.HasPrefix(now, "200") && strings.HasPrefix(picture("SKU-9"), "200")
	})
	if hidden := picture("SKU-8"); !strings.HasPrefix(hidden, "404") {
		t.Errorf("a row that where leaves out is %s", hidden)
	}
}

package daemon

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

// What is written back into the table that is streamed is told of as a change of its
// rows, and makes nothing: one round, and rest. That all was heard is known by a row
// that is changed behind it.
func TestWriteBackIntoTheTableThatIsStreamedComesToRest(t *testing.T) {
	t.Parallel()
	const rows = 40
	r := &replicated{dsn: newDatabase(t), null: &rendertest.Null{}}
	r.process.tb = t
	r.db = openDatabase(t, r.dsn)
	t.Cleanup(func() { dropSlots(t, r.db) })
	r.run(`CREATE TABLE products (sku text PRIMARY KEY, name text, image_url text, updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE writes (sku text);
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO writes VALUES (NEW.sku); NEW.updated_at := clock_timestamp(); RETURN NEW; END $$;
CREATE TRIGGER touched BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION touch();
INSERT INTO products SELECT 'SKU-' || i, 'Mug ' || i FROM generate_series(1, ` + strconv.Itoa(rows) + `) i`)
	r.site = newSite(t, fmt.Sprintf(`
sources: { shop: { kind: postgres, dsn: %[1]q, table: products, mode: cdc } }
sinks: { back: { kind: postgres, dsn: %[1]q, table: products, key: { sku: key }, set: { image_url: url } } }
bindings: [{ name: cards, source: shop, template: card, map: { title: name }, sinks: [back], public: true }]
`, r.dsn))
	value := func(query string) (v string) {
		t.Helper()
		if err := r.db.QueryRow(query).Scan(&v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	d, _ := r.begin()
	eventually(t, "an address in every row", func() bool {
		return value("SELECT count(DISTINCT image_url) FROM products") == strconv.Itoa(rows)
	})
	rests := func(after string, writes, pictures int) {
		t.Helper()
		at := value("SELECT pg_current_wal_insert_lsn()")
		eventually(t, "all is heard after "+after, func() bool {
			return value(fmt.Sprintf(`SELECT confirmed_flush_lsn >= '%s' FROM pg_replication_slots WHERE database = current_database()`, at)) == "true"
		})
		eventually(t, "nothing is owed", func() bool { return r.owes("back") == 0 && r.ready("cards") == rows })
		if got := value("SELECT count(*) FROM writes"); got != strconv.Itoa(writes) {
			t.Errorf("after %s the table was written %s times, want %d", after, got, writes)
		}
		if got := r.null.Count(); got != pictures {
			t.Errorf("after %s %d pictures were drawn, want %d", after, got, pictures)
		}
	}
	rests("the first round", rows, rows)
	before := value("SELECT image_url FROM products WHERE sku = 'SKU-7'")
	r.run("UPDATE products SET name = 'Cup' WHERE sku = 'SKU-7'")
	eventually(t, "another address for the row that changed", func() bool {
		return value("SELECT image_url FROM products WHERE sku = 'SKU-7'") != before
	})
	rests("a change of one row", rows+2, rows+1) // the shop's own write, and ours
	if held, err := d.store.StreamPlace(t.Context(), "shop"); err != nil || held.Gaps != 0 {
		t.Errorf("the place is %+v, %v", held, err)
	}
}

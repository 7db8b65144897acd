package daemon

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

// A replicated is a table whose changes are streamed into a binding "cards".
type replicated struct {
	*site
	process
	db   *sql.DB
	dsn  string
	null *rendertest.Null
}

// newReplicated makes a table of n products, and the site of a daemon that is not
// started yet. more is added to the source, binding to the binding.
func newReplicated(tb testing.TB, n int, more, binding string) *replicated {
	tb.Helper()
	r := &replicated{dsn: newDatabase(tb), null: &rendertest.Null{}}
	r.process.tb = tb
	r.db = openDatabase(tb, r.dsn)
	tb.Cleanup(func() { dropSlots(tb, r.db) })
	r.run(`CREATE TABLE products (sku text PRIMARY KEY, name text NOT NULL, stock int NOT NULL DEFAULT 0, url text)`)
	r.run(fmt.Sprintf(`INSERT INTO products SELECT 'K' || lpad(i::text, 7, '0'), 'Mug ' || i FROM generate_series(1, %d) i`, n))
	r.site = newSite(tb, fmt.Sprintf(`
sources: { products: { kind: postgres, dsn: %q, table: products, mode: cdc%s } }
bindings: [ { name: cards, source: products, template: card, map: { title: name }, public: true, on_delete: remove, delete_grace: 0s%s } ]
`, r.dsn, more, binding))
	return r
}

func openDatabase(tb testing.TB, dsn string) *sql.DB {
	tb.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { db.Close() })
	return db
}

// dropSlots drops the slots of a database, which could not be dropped with them.
func dropSlots(tb testing.TB, db *sql.DB) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for {
		var active, left int
		err := db.QueryRowContext(ctx, `SELECT count(active_pid), count(*) FROM pg_replication_slots
			WHERE database = current_database() AND (active_pid IS NULL OR pg_terminate_backend(active_pid))`).Scan(&active, &left)
		switch {
		case err != nil:
			tb.Error(err)
			return
		case left == 0:
			return
		}
		if _, err := db.ExecContext(ctx, `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots
			WHERE database = current_database() AND NOT active`); err != nil && ctx.Err() != nil {
			tb.Error(err)
			return
		}
		if active > 0 {
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func (r *replicated) run(statements string) {
	r.process.tb.Helper()
	if _, err := r.db.Exec(statements); err != nil {
		r.process.tb.Fatal(err)
	}
}

// begin runs the daemon in this process, until the test ends or stop is called.
func (r *replicated) begin() (d *Daemon, stop func()) {
	tb := r.site.tb
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	url, ended := r.site.begin(ctx, Options{Log: quiet(tb), Renderer: r.null, started: func(running *Daemon) { d = running }})
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			tb.Errorf("the daemon ended: %v", err)
		}
	}
	tb.Cleanup(stop)
	r.url = url
	return d, stop
}

// shows waits until the image of a row shows name, as the null renderer draws it.
func (r *replicated) shows(key, name string) {
	r.site.tb.Helper()
	eventually(r.site.tb, fmt.Sprintf("%s shows %q", key, name), func() bool { return shown(r.null, r.url, "cards", key) == name })
}

func TestChangesOfATableBecomeImages(t *testing.T) {
	t.Parallel()
	r := newReplicated(t, 50, "", "")
	_, stop := r.begin()
	r.shows("K0000050", "Mug 50")
	eventually(t, "all is drawn", func() bool { return r.ready("cards") == 50 })
	drawn := r.null.Count()
	r.run(`UPDATE products SET name = 'Cup 7' WHERE sku = 'K0000007'; UPDATE products SET stock = stock + 1; DELETE FROM products WHERE sku = 'K0000008';
		INSERT INTO products (sku, name) VALUES ('K0000099', 'Bowl'); UPDATE products SET sku = 'K0000100' WHERE sku = 'K0000009'`)
	r.shows("K0000007", "Cup 7")
	r.shows("K0000099", "Bowl")
	r.shows("K0000100", "Mug 9")
	eventually(t, "deleted rows are gone", func() bool {
		return r.picture("/b/cards/K0000008.png") == "" && r.picture("/b/cards/K0000009.png") == ""
	})
	if n := r.null.Count() - drawn; n != 2 {
		t.Errorf("%d pictures were drawn for two that are new", n)
	}
	stop()
	r.run(`UPDATE products SET name = 'Jug' WHERE sku = 'K0000007'; DELETE FROM products WHERE sku = 'K0000099'`)
	r.begin()
	r.shows("K0000007", "Jug")
	eventually(t, "what was deleted meanwhile is gone", func() bool { return r.picture("/b/cards/K0000099.png") == "" })
	if n := r.null.Count() - drawn; n != 3 {
		t.Errorf("%d pictures were drawn for three that are new", n)
	}
}

// The slot goes with the last binding that reads its rows.
func TestSlotGoesWithItsLastBinding(t *testing.T) {
	t.Parallel()
	r := newReplicated(t, 3, "", "")
	_, stop := r.begin()
	r.shows("K0000003", "Mug 3")
	slots := func() (n int) {
		if err := r.db.QueryRow(`SELECT (SELECT count(*) FROM pg_replication_slots WHERE database = current_database()) + (SELECT count(*) FROM pg_publication)`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := slots(); n != 2 {
		t.Fatalf("there are %d slots and publications, want one of each", n)
	}
	stop()
	r.write("pictifyd.yaml", chromeFor("")+"\nserver: { listen: \"127.0.0.1:0\" }\ntemplates: templates\n")
	r.begin()
	eventually(t, "slot and publication are gone", func() bool { return slots() == 0 })
}

package postgres_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/pgtest"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink/postgres"
)

// A lock of somebody else holds up its own row, for half a second.
func TestLockOfSomebodyElseHoldsUpNoOtherRow(t *testing.T) {
	db := pgtest.New(t)
	db.Run(products + tenThousand)
	s := mustSink(t, newConfig(db.DSN, nil))
	other := db.Other()
	other.Run("BEGIN")
	other.Run("UPDATE products SET name = 'mine' WHERE sku IN ('sku-7', 'sku-300')")
	began := time.Now()
	got := outcomes(s.DeliverAll(t.Context(), deliveries(500, 1)))
	took := time.Since(began)
	for i, kind := range got {
		if want := map[bool]string{true: pg.RowLocked}[i == 7 || i == 300]; kind != want {
			t.Fatalf("row %d ended with %q, want %q", i, kind, want)
		}
	}
	if took < 400*time.Millisecond || took > 25*time.Second {
		t.Errorf("it took %v", took)
	}
	other.Run("COMMIT")
	if kinds := strings.Join(outcomes(s.DeliverAll(t.Context(), deliveries(500, 1))), ""); kinds != "" || writes(db) != "502" {
		t.Errorf("after the lock: %q, %s writes", kinds, writes(db))
	}
}

// Nothing but the rows is locked: others read, write other rows and add columns
// that they wait for no longer than a transaction of ours.
func TestConcurrentWritersOfTheSameRowsBothEnd(t *testing.T) {
	db := pgtest.New(t)
	db.Run(products + tenThousand)
	s := mustSink(t, newConfig(db.DSN, nil))
	other := db.Other()
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 20 {
			other.Run(fmt.Sprintf("UPDATE products SET name = 'n%d' WHERE sku IN (SELECT 'sku-' || i FROM generate_series(499, 0, -1) i)", i))
		}
	})
	for generation := range int64(20) {
		for i, o := range s.DeliverAll(t.Context(), deliveries(500, generation+1)) {
			if o.Err != nil && retry.IsPermanent(o.Err) {
				t.Fatalf("row %d: %v", i, o.Err)
			}
		}
	}
	wg.Wait()
	s.DeliverAll(t.Context(), deliveries(500, 21))
	if got := db.Value("SELECT count(*) FROM products WHERE name = 'n19' AND image_hash = 'hash-21'"); got != "500" {
		t.Errorf("%s rows have both states, want 500", got)
	}
}

func TestConnectionCutInTheMiddleWritesOnceInTheEnd(t *testing.T) {
	db := pgtest.New(t)
	db.Run(products + tenThousand)
	proxy := pgtest.NewProxy(t, db.DSN)
	s := mustSink(t, newConfig(pgtest.Through(db.DSN, proxy.Address, ""), func(c *postgres.Config) { c.Timeout = config.Duration(5 * time.Second) }))
	if kinds := strings.Join(outcomes(s.DeliverAll(t.Context(), deliveries(10, 1))), ""); kinds != "" {
		t.Fatal(kinds)
	}
	// The server commits, and nobody hears of it.
	proxy.Hold()
	for i, kind := range outcomes(s.DeliverAll(t.Context(), deliveries(500, 2))) {
		if kind != "timeout" {
			t.Fatalf("row %d ended with %q", i, kind)
		}
	}
	proxy.Cut()
	for i, kind := range outcomes(s.DeliverAll(t.Context(), deliveries(500, 2))) {
		if kind == "" || strings.HasSuffix(kind, "!") {
			t.Fatalf("through a proxy that holds all back, row %d ended with %q", i, kind)
		}
	}
	proxy.Up()
	proxy.Cut()
	for range 2 {
		if kinds := strings.Join(outcomes(s.DeliverAll(t.Context(), deliveries(500, 2))), ""); kinds != "" {
			t.Fatal(kinds)
		}
	}
	if writes(db) != "510" {
		t.Errorf("%s writes, want 10 and 500", writes(db))
	}
}

func TestServerThatIsRestartedIsWrittenToAgain(t *testing.T) {
	server := pgtest.NewServer(t)
	db := pgtest.In(t, server.DSN)
	db.Run(products + "INSERT INTO products SELECT 'sku-' || i FROM generate_series(0, 99) i; DELETE FROM writes")
	s := mustSink(t, newConfig(db.DSN, nil))
	for generation, stop := range map[int64]func(){1: server.Stop, 2: server.Kill} {
		for i, o := range s.DeliverAll(t.Context(), deliveries(100, generation)) {
			if o.Err != nil {
				t.Fatalf("row %d: %v", i, o.Err)
			}
		}
		stop()
		for i, o := range s.DeliverAll(t.Context(), deliveries(100, generation+2)) {
			if o.Err == nil || retry.IsPermanent(o.Err) || problem.CodeOf(o.Err) == problem.Internal {
				t.Fatalf("without a server row %d ended with %v", i, o.Err)
			}
		}
		server.Start()
		var kinds string
		for range 2 { // what is left of the connection may be found out by the first
			if kinds = strings.Join(outcomes(s.DeliverAll(t.Context(), deliveries(100, generation+2))), ""); kinds == "" {
				break
			}
		}
		db = pgtest.Again(t, db)
		if n := db.Value("SELECT count(*) FROM products WHERE image_hash = $1", fmt.Sprintf("hash-%d", generation+2)); kinds != "" || n != "100" {
			t.Errorf("after the restart %q, %s rows", kinds, n)
		}
	}
}

// What a person mends is waited for, and works at once when it is mended.
func TestTableInTroubleIsWaitedFor(t *testing.T) {
	db := pgtest.New(t)
	user := db.Role()
	db.Run(products + "INSERT INTO products VALUES ('sku-0'), ('sku-1'); GRANT SELECT, UPDATE ON products TO " + user + "; GRANT INSERT ON writes TO " + user)
	s := mustSink(t, newConfig(pgtest.Through(db.DSN, "", user), nil))
	generation := int64(0)
	works := func() string {
		generation++
		return outcomes(s.DeliverAll(t.Context(), deliveries(2, generation)))[1]
	}
	if kind := works(); kind != "" {
		t.Fatal(kind)
	}
	for name, c := range map[string]struct{ break_, mend, want string }{
		"table gone":     {"ALTER TABLE products RENAME TO others", "ALTER TABLE others RENAME TO products", pg.TableMissing},
		"column gone":    {"ALTER TABLE products RENAME image_url TO picture", "ALTER TABLE products RENAME picture TO image_url", pg.NoColumn},
		"right revoked":  {"REVOKE UPDATE ON products FROM " + user, "GRANT UPDATE ON products TO " + user, pg.Denied},
		"schema revoked": {"REVOKE USAGE ON SCHEMA " + db.Name + " FROM " + user, "GRANT USAGE ON SCHEMA " + db.Name + " TO " + user, pg.TableMissing},
		"trigger broken": {"ALTER TABLE writes RENAME TO w", "ALTER TABLE w RENAME TO writes", pg.TableMissing},
	} {
		db.Run(c.break_)
		if kind := works(); kind != c.want {
			t.Errorf("%s: %q, want %q", name, kind, c.want)
		}
		db.Run(c.mend)
		if kind := works(); kind != "" {
			t.Errorf("%s, mended: %q", name, kind)
		}
	}
	// Dropped and made again with other types, between two deliveries.
	db.Run("DROP TABLE products; CREATE TABLE products (sku varchar(20) PRIMARY KEY, image_url varchar(200), image_hash bytea); INSERT INTO products VALUES ('sku-0'), ('sku-1'); GRANT SELECT, UPDATE ON products TO " + user)
	if kind := works(); kind != "" {
		t.Errorf("made again with other types: %q", kind)
	}
}

func TestTriggerThatSwallowsTheChangeIsNoSuccess(t *testing.T) {
	db := pgtest.New(t)
	db.Run(products + `INSERT INTO products VALUES ('sku-0'); CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER swallows BEFORE UPDATE ON products FOR EACH ROW EXECUTE FUNCTION swallow()`)
	got := outcomes(mustSink(t, newConfig(db.DSN, nil)).DeliverAll(t.Context(), deliveries(1, 1)))
	if got[0] != postgres.RowChanging {
		t.Errorf("ended with %q, want %s", got[0], postgres.RowChanging)
	}
}

package postgres_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/postgres"
	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/pgtest"
)

const someRows = `CREATE TABLE rows (id text PRIMARY KEY, v bigint, big text); ALTER TABLE rows ALTER big SET STORAGE EXTERNAL;
INSERT INTO rows SELECT 'k' || i, i, repeat('x', 3000) FROM generate_series(0, 499) i`

// postgres.run.committed is the cure of pitfall P4: what is told and not yet
// committed is told again to the next process.
func TestNothingIsConfirmedBeforeItIsCommitted(t *testing.T) {
	db := newDatabase(t)
	db.Run(someRows)
	s := newStreamed(t, db, nil)
	s.start()
	s.streaming()
	s.caughtUp()
	s.refuse(func(b connectors.Batch) error {
		if len(b.Rows) > 0 {
			return errKilled
		}
		return nil
	})
	db.Run("UPDATE rows SET v = -1 WHERE id = 'k1'")
	if err := s.failed(); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	s.refuse(nil)
	s.start()
	s.caughtUp()
	s.equal()
}

func TestConnectionsThatAreCut(t *testing.T) {
	seed := seedOf(t)
	random := rand.New(rand.NewPCG(seed, 0))
	db := newDatabase(t)
	db.Run(someRows)
	proxy := pgtest.NewProxy(t, db.DSN)
	s := newWhole(t, db, func(c *postgres.Config) { c.DSN = config.NewSecret(pgtest.Through(db.DSN, proxy.Address, "")) })
	s.small = true
	s.start()
	w := &writer{Rand: random, keys: 600}
	for round := range 40 {
		db.Run(w.transaction())
		s.again("a batch", func() bool { return round%4 > 0 || s.count() > round/4 })
		if round%4 == 0 {
			proxy.Cut()
		}
	}
	at := db.Value("SELECT pg_current_wal_insert_lsn()")
	s.again("the end", func() bool { return s.reached(at) })
	s.equal()
}

// A way that is open and on which nothing comes is given up.
func TestBlackHoleIsLeft(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("waits until the silence is too long")
	}
	db := newDatabase(t)
	db.Run(someRows)
	proxy := pgtest.NewProxy(t, db.DSN)
	s := newWhole(t, db, func(c *postgres.Config) { c.DSN = config.NewSecret(pgtest.Through(db.DSN, proxy.Address, "")) })
	s.start()
	s.streaming()
	proxy.Hold()
	db.Run("UPDATE rows SET v = -1 WHERE id = 'k1'")
	begun := time.Now()
	err := s.failed()
	if err == nil || time.Since(begun) > 25*time.Second {
		t.Errorf("after %v: %v", time.Since(begun), err)
	}
	proxy.Up()
	s.start()
	s.caughtUp()
	s.equal()
}

func TestServerThatIsRestarted(t *testing.T) {
	own := pgtest.NewServer(t, "wal_level=logical")
	db := &database{pgtest.In(t, own.DSN)}
	db.Run(someRows)
	s := newWhole(t, db, nil)
	s.start()
	s.streaming()
	for n, end := range []func(){own.Stop, own.Kill} {
		db.Run(fmt.Sprintf("UPDATE rows SET v = -1 WHERE id = 'k%d'", n))
		end()
		if err := s.failed(); err == nil || connectors.IsHalt(err) {
			t.Errorf("a server that is gone: %v", err)
		}
		own.Start()
		db = &database{pgtest.Again(t, db.Schema)}
		s.db = db
		db.Run(fmt.Sprintf("UPDATE rows SET v = -2 WHERE id = 'k1%d'", n))
		s.start()
		at := db.Value("SELECT pg_current_wal_insert_lsn()")
		s.again("the end", func() bool { return s.reached(at) })
		s.equal()
	}
	s.stop()
	if s.begun != 1 || len(s.gaps) > 0 {
		t.Errorf("%d snapshots, gaps %q; want one and none", s.begun, s.gaps)
	}
}

// A slot that is gone is a gap: all is read again, and what was deleted is found.
func TestGapIsClosedByASnapshot(t *testing.T) {
	db := newDatabase(t)
	db.Run(someRows)
	s := newWhole(t, db, nil)
	s.start()
	s.streaming()
	s.stop()
	db.Value("SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name LIKE $1 AND active", "%"+db.Name[:20]+"%")
	if db.Value("SELECT pg_drop_replication_slot(slot_name)::text FROM pg_replication_slots WHERE slot_name LIKE $1", "%"+db.Name[:20]+"%"); db.Value("SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE $1", "%"+db.Name[:20]+"%") != "0" {
		t.Fatal("the slot is there still")
	}
	db.Run("DELETE FROM rows WHERE id = 'k7'; UPDATE rows SET v = -1 WHERE id = 'k8'")
	s.cfg.OnGap = connectors.OnGapHalt
	s.start()
	if err := s.failed(); !connectors.IsHalt(err) || !strings.Contains(err.Error(), "lost") {
		t.Errorf("got %v, want a halt", err)
	}
	s.cfg.OnGap = connectors.OnGapResnapshot
	s.start()
	s.until("another snapshot", func() bool { return s.begun > 1 })
	s.streaming()
	s.caughtUp()
	s.equal()
	s.stop()
	if len(s.gaps) != 1 {
		t.Errorf("gaps %q, want one", s.gaps)
	}
}

package postgres_test

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/connectors/postgres/replication"
	"github.com/pictifyd/pictifyd/connectors/postgres/slot"
	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// A handKeeper is the least of a keeper, so that a test decides what there is.
type handKeeper struct {
	tb   testing.TB
	db   *pgtest.Schema
	dsn  string
	name string
	beat time.Duration
}

func newKeeper(tb testing.TB, db *database) *handKeeper {
	tb.Helper()
	k := &handKeeper{tb: tb, db: db.Other(), dsn: db.DSN, name: db.Name, beat: 200 * time.Millisecond}
	tb.Cleanup(func() {
		if err := k.Release(context.Background()); err != nil {
			tb.Error(err)
		}
	})
	return k
}

func (k *handKeeper) Prepare(_ context.Context, identity []byte, committed replication.LSN) (slot.Ready, error) {
	r := slot.Ready{Slot: k.name, Publication: k.name, Identity: []byte("mine"), From: committed}
	oid, err := strconv.ParseUint(k.db.Value("SELECT coalesce(to_regclass('rows')::oid, 0)"), 10, 32)
	if err != nil {
		return r, err
	}
	r.Table = uint32(oid)
	k.free()
	if k.db.Value("SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1", k.name) == "1" {
		return r, nil
	}
	if identity != nil {
		r.Gap = "the slot is gone"
		return r, nil
	}
	return k.Renew(context.Background())
}

// free ends whoever reads the slot.
func (k *handKeeper) free() {
	k.db.Value("SELECT pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots WHERE slot_name = $1 AND active", k.name)
}

func (k *handKeeper) Renew(context.Context) (slot.Ready, error) {
	k.drop()
	k.db.Run("CREATE PUBLICATION " + k.name + " FOR TABLE rows WITH (publish_via_partition_root = true)")
	from, err := replication.ParseLSN(k.db.Value("SELECT lsn FROM pg_create_logical_replication_slot($1, 'pgoutput')", k.name))
	oid, _ := strconv.ParseUint(k.db.Value("SELECT to_regclass('rows')::oid"), 10, 32)
	return slot.Ready{Slot: k.name, Publication: k.name, Identity: []byte("mine"), From: from, Fresh: true, Table: uint32(oid)}, err
}

func (k *handKeeper) drop() {
	k.free()
	k.db.Value("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1", k.name)
	k.db.Run("DROP PUBLICATION IF EXISTS " + k.name)
}

func (k *handKeeper) Replication() *pgconn.Config {
	cfg, invalid := pg.Parse(k.dsn)
	if invalid != nil {
		k.tb.Fatal(invalid)
	}
	return cfg
}

func (k *handKeeper) Heartbeat(ctx context.Context) error {
	tick := time.NewTicker(k.beat)
	defer tick.Stop()
	for {
		k.db.Value("SELECT pg_logical_emit_message(true, $1, $2)", k.name, time.Now().Format(time.RFC3339Nano))
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (k *handKeeper) Beat(prefix string, content []byte) (time.Time, bool) {
	sent, err := time.Parse(time.RFC3339Nano, string(content))
	return sent, err == nil && prefix == k.name
}

func (k *handKeeper) Watch(ctx context.Context, _ time.Duration, _ func(slot.State)) error {
	<-ctx.Done()
	return nil
}

func (k *handKeeper) Release(context.Context) error {
	k.drop()
	return nil
}

func (k *handKeeper) Close() error { return nil }

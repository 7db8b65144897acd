package postgres_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/postgres"
	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// A kept source is one as the daemon has it, with the slot that it makes itself.
type kept struct {
	*ledger
	db     *database
	cfg    *postgres.Config
	source connectors.Streamer

	cancel context.CancelFunc
	done   chan error
}

func newKept(tb testing.TB, db *database, change func(c *postgres.Config)) *kept {
	tb.Helper()
	cfg := db.config(func(c *postgres.Config) {
		c.Mode, c.Heartbeat = "cdc", config.Duration(200*time.Millisecond)
		if change != nil {
			change(c)
		}
	})
	parts := strings.Split(db.Name, "_")
	made, err := postgres.Kind.New(cfg, connectors.Env{Name: strings.Join(parts[len(parts)-2:], "_"), Instance: "t"})
	if err != nil {
		tb.Fatal(err)
	}
	k := &kept{ledger: newLedger(tb), db: db, cfg: cfg, source: made.(connectors.Streamer)}
	tb.Cleanup(func() {
		k.stop()
		if err := k.source.Release(context.Background()); err != nil {
			tb.Errorf("release: %v", err)
		}
		if err := k.source.(interface{ Close() error }).Close(); err != nil {
			tb.Error(err)
		}
	})
	return k
}

func (k *kept) start(resnapshot bool) {
	k.tb.Helper()
	var ctx context.Context
	ctx, k.cancel = context.WithCancel(context.Background())
	k.done = make(chan error, 1)
	cursor := k.cursor
	go func() {
		k.done <- k.source.Stream(ctx, cursor, connectors.Stream{Emit: k.Emit, Report: k.Report, Resnapshot: resnapshot})
	}()
}

// persist starts until a stream stays, as the daemon does.
func (k *kept) persist() {
	k.tb.Helper()
	var ctx context.Context
	ctx, k.cancel = context.WithCancel(context.Background())
	k.done = make(chan error, 1)
	go func() {
		for {
			k.mu.Lock()
			cursor := k.cursor
			k.mu.Unlock()
			err := k.source.Stream(ctx, cursor, connectors.Stream{Emit: k.Emit, Report: k.Report})
			if ctx.Err() != nil || connectors.IsHalt(err) {
				k.done <- err
				return
			}
			<-time.After(50 * time.Millisecond)
		}
	}()
}

func (k *kept) stop() {
	if k.cancel == nil {
		return
	}
	k.cancel()
	if err := <-k.done; err != nil {
		k.tb.Errorf("a stream that was stopped returned %v", err)
	}
	k.cancel = nil
}

// unread stops the stream, and waits until the server knows that nobody reads the slot.
func (k *kept) unread() {
	k.tb.Helper()
	k.stop()
	for k.db.Value("SELECT count(*) FROM pg_replication_slots WHERE active AND slot_name LIKE '%' || $1", k.name()) != "0" {
		<-time.After(10 * time.Millisecond)
	}
}

// broken waits until the stream ends by itself.
func (k *kept) broken() error {
	k.tb.Helper()
	select {
	case err := <-k.done:
		k.cancel()
		k.cancel = nil
		return err
	case <-time.After(60 * time.Second):
		k.tb.Fatal("the stream goes on")
		return nil
	}
}

func (k *kept) same(db *database) {
	k.tb.Helper()
	cfg := *k.cfg
	cfg.Mode, cfg.DSN = "poll", config.NewSecret(db.DSN)
	want := map[string]connectors.Row{}
	for _, row := range mustPoll(k.tb, newPoller(k.tb, &cfg), nil).Rows {
		want[keyText(row.Key)] = row
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if diff := cmp.Diff(want, k.rows); diff != "" {
		k.tb.Errorf("the table and what was streamed (-table +streamed):\n%.4000s", diff)
	}
}

const keptTable = "CREATE TABLE rows (id int PRIMARY KEY, name text); INSERT INTO rows SELECT n, 'n' || n FROM generate_series(1, 1000) AS n"

// unseen is what happens while nobody sees it: each kind of change.
const unseen = "INSERT INTO rows VALUES (0, 'new'); UPDATE rows SET name = 'changed' WHERE id = 7; DELETE FROM rows WHERE id > 990; UPDATE rows SET id = -8 WHERE id = 8"

// P7, cured by slot.Keeper's gap: what happened while the slot was away is found by
// reading all rows again, also what is gone.
func TestGapIsClosedByReadingAllRowsAgain(t *testing.T) {
	for name, lose := range map[string]string{
		"dropped":               "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1",
		"dropped and made anew": "SELECT pg_create_logical_replication_slot(slot_name, 'pgoutput') FROM (SELECT slot_name, pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1 OFFSET 0) AS s",
		"advanced by somebody":  "SELECT pg_replication_slot_advance($1::text, pg_current_wal_lsn())",
	} {
		t.Run(name, func(t *testing.T) {
			db := newDatabase(t)
			db.Run(keptTable)
			k := newKept(t, db, nil)
			k.start(false)
			k.streaming()
			k.unread()
			slot := db.Value("SELECT max(slot_name) FROM pg_replication_slots WHERE slot_name LIKE '%' || $1", k.name())
			db.Run(unseen)
			db.Value(lose, slot)
			k.start(false)
			k.until("a second snapshot", func() bool { return k.begun == 2 && k.ended == 2 })
			k.same(db)
			if len(k.gaps) != 1 || !strings.Contains(k.gaps[0], slot) {
				t.Errorf("gaps: %q", k.gaps)
			}
			k.stop()
			k.start(false)
			k.until("a state", func() bool { return k.state.Phase == connectors.PhaseStreaming })
			k.stop()
			if k.begun != 2 {
				t.Errorf("%d snapshots were begun, not 2", k.begun)
			}
		})
	}
}

func TestGapWaitsForAPersonWhereThatIsWanted(t *testing.T) {
	db := newDatabase(t)
	db.Run(keptTable)
	k := newKept(t, db, func(c *postgres.Config) { c.OnGap = connectors.OnGapHalt })
	k.start(false)
	k.streaming()
	k.unread()
	db.Run(unseen)
	db.Value("SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots WHERE slot_name LIKE '%' || $1", k.name())
	before := k.batches
	for range 2 {
		k.start(false)
		if err := k.broken(); !connectors.IsHalt(err) || !strings.Contains(err.Error(), "is gone") {
			t.Errorf("it ended with %v", err)
		}
	}
	if db.Value("SELECT count(*) FROM pg_replication_slots WHERE slot_name LIKE '%' || $1", k.name()) != "0" || k.batches != before {
		t.Error("something was made or committed before a person decided")
	}
	k.start(true)
	k.until("a second snapshot", func() bool { return k.begun == 2 && k.ended == 2 })
	k.same(db)
}

func (k *kept) name() string {
	parts := strings.Split(k.db.Name, "_")
	return strings.Join(parts[len(parts)-2:], "_")
}

// P7: the primary is gone, its standby has no slot before 17, and the last that the
// primary did never came to the standby.
func TestPromotedStandbyIsReadAgainWholly(t *testing.T) {
	settings := []string{"wal_level=logical"}
	primary := pgtest.NewServer(t, settings...)
	db := &database{pgtest.In(t, primary.DSN)}
	db.Run(keptTable)
	standby := primary.Standby()
	dsn := pgtest.With(strings.Replace(db.DSN, primary.Address(), primary.Address()+","+standby.Address(), 1), "target_session_attrs", "read-write")
	k := newKept(t, db, func(c *postgres.Config) { c.DSN = config.NewSecret(dsn) })
	k.start(false)
	k.streaming()
	db.Run("UPDATE rows SET name = 'streamed' WHERE id = 5")
	k.until("the change", func() bool { return k.rows[keyText([]any{json.Number("5")})].Values["name"] == "streamed" })

	there := &database{pgtest.Again(t, &pgtest.Schema{Name: db.Name, DSN: pgtest.With(standby.DSN, "search_path", db.Name)})}
	at := db.Value("SELECT pg_current_wal_lsn()")
	for there.Value("SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn", at) != "t" {
		<-time.After(10 * time.Millisecond)
	}
	primary.Kill()
	if err := k.broken(); err == nil || connectors.IsHalt(err) {
		t.Errorf("the stream ended with %v", err)
	}
	standby.Promote()
	there.Run(unseen)
	k.persist()
	k.until("a second snapshot", func() bool { return k.begun == 2 && k.ended == 2 })
	k.same(there)
	if len(k.gaps) != 1 || !strings.Contains(k.gaps[0], "promoted") {
		t.Errorf("gaps: %q", k.gaps)
	}
	there.Run("UPDATE rows SET name = 'after' WHERE id = 6")
	k.until("the change", func() bool { return k.rows[keyText([]any{json.Number("6")})].Values["name"] == "after" })
}

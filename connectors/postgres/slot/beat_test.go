package slot

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// A reader confirms the end of each transaction that it was told of, and nothing else.
type reader struct {
	conn *pgconn.PgConn
	k    *Keeper

	mu    sync.Mutex
	beats []time.Time
}

// run reads until the connection or ctx ends.
func (r *reader) run(ctx context.Context) error {
	for {
		msg, err := r.conn.ReceiveMessage(ctx)
		if err != nil {
			return err
		}
		data, ok := msg.(*pgproto3.CopyData)
		if !ok || data.Data[0] != pglogrepl.XLogDataByteID {
			continue
		}
		wal, err := pglogrepl.ParseXLogData(data.Data[1:])
		if err != nil {
			return err
		}
		message, err := pglogrepl.Parse(wal.WALData)
		if err != nil {
			return err
		}
		switch m := message.(type) {
		case *pglogrepl.LogicalDecodingMessage:
			if sent, ok := r.k.Beat(m.Prefix, m.Content); ok {
				r.mu.Lock()
				r.beats = append(r.beats, sent)
				r.mu.Unlock()
			}
		case *pglogrepl.CommitMessage:
			at := m.TransactionEndLSN
			if err := pglogrepl.SendStandbyStatusUpdate(ctx, r.conn, pglogrepl.StandbyStatusUpdate{WALWritePosition: at, WALFlushPosition: at, WALApplyPosition: at}); err != nil {
				return err
			}
		}
	}
}

func (r *reader) seen() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.beats)
}

// P6, cured by Keeper.beat: the table is quiet, others write all the time, and of
// what they write nothing is told. Only the end of a transaction of which something
// is told moves the slot on.
func TestHeartbeatLetsTheServerForgetWhatOthersWrote(t *testing.T) {
	s := pgtest.NewServer(t, logical...)
	db := newOwn(t, s)
	db.Run("CREATE TABLE busy (n int)")
	k := db.keeper(t, func(c *Config) { c.Heartbeat = 50 * time.Millisecond })
	ready := mustPrepare(t, k, nil, 0)
	r := &reader{conn: read(t, k.Replication(), ready), k: k}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := r.run(ctx); ctx.Err() == nil {
			t.Errorf("the stream ended: %v", err)
		}
	})
	wg.Go(func() {
		if err := k.Heartbeat(ctx); err != nil {
			t.Errorf("the heartbeat ended: %v", err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })

	began := db.Value("SELECT pg_current_wal_lsn()")
	eventually(t, "the server may forget", func() bool {
		db.Run("INSERT INTO busy SELECT generate_series(1, 1000)")
		db.Run("CHECKPOINT") // which the server needs to have seen all transactions end
		return db.Value("SELECT restart_lsn > $1::pg_lsn AND confirmed_flush_lsn > $1::pg_lsn FROM pg_replication_slots", began) == "t"
	})
	eventually(t, "heartbeats come back", func() bool { return r.seen() > 2 })
	r.mu.Lock()
	for i, sent := range r.beats {
		if i > 0 && !sent.After(r.beats[i-1]) || time.Since(sent) > time.Minute {
			t.Errorf("heartbeats of %v", r.beats)
		}
	}
	r.mu.Unlock()

	// A standby that has to confirm each commit may be gone while the table is fine.
	db.Run("SET synchronous_commit = local")
	for _, sql := range []string{"ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()"} {
		db.Run(sql)
	}
	eventually(t, "the server waits for a standby", func() bool { return db.Value("SHOW synchronous_standby_names") == "nobody" })
	before := r.seen()
	eventually(t, "heartbeats come back without a standby", func() bool { return r.seen() > before+2 })
}

func TestBeatsOfOthersAreNotOurs(t *testing.T) {
	k := New(Config{Server: &pgconn.Config{RuntimeParams: map[string]string{}}, Source: "shop", Instance: "ab"})
	now := time.Now().UTC()
	for prefix, want := range map[string]bool{beatPrefix + "pictifyd_ab_shop": true, beatPrefix + "pictifyd_cd_shop": false, "pictifyd:hw": false, "": false} {
		if sent, ok := k.Beat(prefix, []byte(now.Format(time.RFC3339Nano))); ok != want || ok && !sent.Equal(now) {
			t.Errorf("%q: %v, %v", prefix, sent, ok)
		}
	}
	if _, ok := k.Beat(beatPrefix+"pictifyd_ab_shop", []byte("soon")); ok {
		t.Error("a text is a time")
	}
}

func TestHeartbeatThatCanNotBeWrittenIsAnError(t *testing.T) {
	db := newDatabase(t)
	proxy := pgtest.NewProxy(t, db.DSN)
	k := db.keeperAt(t, pgtest.Through(db.DSN, proxy.Address, ""), func(c *Config) { c.Heartbeat = 10 * time.Millisecond })
	ended := make(chan error, 1)
	go func() { ended <- k.Heartbeat(t.Context()) }()
	proxy.Down()
	if err := <-ended; err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("it ended with %v", err)
	}
}

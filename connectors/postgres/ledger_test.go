package postgres_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/postgres"
	"github.com/pictifyd/pictifyd/connectors/postgres/replication"
)

// A ledger commits what a stream emits as the daemon does: rows and cursor together,
// or neither.
type ledger struct {
	tb testing.TB

	mu       sync.Mutex
	rows     map[string]connectors.Row
	told     map[string]bool // since the snapshot began; nil where none is under way
	cursor   connectors.Cursor
	faults   []connectors.Fault
	gaps     []string
	begun    int // snapshots
	ended    int
	batches  int
	emitted  int // rows
	largest  int // batch
	state    connectors.StreamState
	warnings []string
	changed  chan struct{} // is closed at the next commit or report

	// before, if set, may refuse a batch, and after it may say that the process dies
	// although it is committed.
	before, after func(b connectors.Batch) error
	// take, if set, is in place of keeping the rows.
	take func(b connectors.Batch) error
}

func newLedger(tb testing.TB) *ledger {
	tb.Helper()
	return &ledger{tb: tb, rows: map[string]connectors.Row{}, changed: make(chan struct{})}
}

func keyText(key []any) string { return fmt.Sprintf("%q", key) }

// Emit is a connectors.Emit.
func (l *ledger) Emit(ctx context.Context, b connectors.Batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	before := l.before
	l.mu.Unlock()
	if before != nil {
		if err := before(b); err != nil {
			return err
		}
	}
	if l.take != nil {
		err := l.take(b)
		b.Rows = nil
		l.commit(b)
		return err
	}
	l.commit(b)
	if l.after != nil {
		return l.after(b)
	}
	return nil
}

func (l *ledger) commit(b connectors.Batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := b.Closes
	if c == nil || c.Cursor == nil {
		l.tb.Error("a batch of a stream that does not close")
		return
	}
	l.batches++
	l.largest = max(l.largest, len(b.Rows))
	if c.Snapshot.Begins {
		l.told = map[string]bool{}
		l.begun++
	}
	for _, row := range b.Rows {
		key := keyText(row.Key)
		l.emitted++
		if row.Deleted {
			delete(l.rows, key)
			continue
		}
		l.rows[key] = row
		if l.told != nil {
			l.told[key] = true
		}
	}
	for _, f := range b.Faults {
		if l.told != nil && f.Key != nil {
			l.told[keyText(f.Key)] = true
		}
	}
	if c.Snapshot.Ends {
		for key := range l.rows {
			if !l.told[key] {
				delete(l.rows, key)
			}
		}
		l.told = nil
		l.ended++
	}
	l.faults = append(l.faults, b.Faults...)
	if c.Gap != "" {
		l.gaps = append(l.gaps, c.Gap)
	}
	l.cursor = append(connectors.Cursor(nil), c.Cursor...)
	l.change()
}

func (l *ledger) change() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// Report is that of a connectors.Stream.
func (l *ledger) Report(s connectors.StreamState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = s
	if s.Warning != nil {
		l.warnings = append(l.warnings, s.Warning.Error())
	}
	l.change()
}

// until waits until ok is true of the ledger.
func (l *ledger) until(what string, ok func() bool) {
	l.tb.Helper()
	limit := time.After(60 * time.Second)
	for {
		l.mu.Lock()
		reached, changed := ok(), l.changed
		l.mu.Unlock()
		if reached {
			return
		}
		select {
		case <-changed:
		case <-limit:
			l.mu.Lock()
			defer l.mu.Unlock()
			l.tb.Fatalf("%s was not reached: %d rows, %d batches, %d of %d snapshots ended, state %+v, cursor %s", what, len(l.rows), l.batches, l.ended, l.begun, l.state, l.cursor)
		}
	}
}

// streaming waits until the snapshot is over.
func (l *ledger) streaming() {
	l.tb.Helper()
	l.until("the end of the snapshot", func() bool { return l.ended > 0 && l.ended == l.begun })
}

// A streamed source is one that is streamed into a ledger.
type streamed struct {
	*ledger
	db     *database
	keeper *handKeeper
	cfg    *postgres.Config

	small  bool // sizes
	cancel context.CancelFunc
	done   <-chan error
}

func newStreamed(tb testing.TB, db *database, change func(c *postgres.Config)) *streamed {
	tb.Helper()
	cfg := db.config(func(c *postgres.Config) {
		c.Mode = "cdc"
		if change != nil {
			change(c)
		}
	})
	s := &streamed{ledger: newLedger(tb), db: db, keeper: newKeeper(tb, db), cfg: cfg}
	tb.Cleanup(s.stop)
	return s
}

// newWhole is a streamed source with a keeper of its own, as it is for users.
func newWhole(tb testing.TB, db *database, change func(c *postgres.Config)) *streamed {
	tb.Helper()
	cfg := db.config(func(c *postgres.Config) {
		c.Mode, c.Heartbeat = "cdc", config.Duration(time.Second)
		if change != nil {
			change(c)
		}
	})
	s := &streamed{ledger: newLedger(tb), db: db, cfg: cfg}
	tb.Cleanup(func() {
		s.stop()
		source, err := postgres.NewStreamer(s.cfg, connectors.Env{Name: s.db.Name, Instance: "t"}, nil, false)
		if err != nil {
			tb.Fatal(err)
		}
		if err := source.Release(context.Background()); err != nil {
			tb.Error(err)
		}
		_ = source.(interface{ Close() error }).Close()
	})
	return s
}

// start streams behind the cursor of the ledger.
func (s *streamed) start() { s.run(false) }

func (s *streamed) run(resnapshot bool) {
	s.tb.Helper()
	var k postgres.Keeper
	if s.keeper != nil {
		k = s.keeper
	}
	source, err := postgres.NewStreamer(s.cfg, connectors.Env{Name: s.db.Name, Instance: "t"}, k, s.small)
	if err != nil {
		s.tb.Fatal(err)
	}
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	done := make(chan error, 1) // is closed behind its one error, so that a test that fails with it is not waited for
	s.done = done
	cursor := s.cursor
	go func() {
		err := source.Stream(ctx, cursor, connectors.Stream{Emit: s.Emit, Report: s.Report, Resnapshot: resnapshot})
		_ = source.(interface{ Close() error }).Close()
		done <- err
		close(done)
	}()
}

// stop ends the stream.
func (s *streamed) stop() {
	if s.cancel == nil {
		return
	}
	s.cancel()
	if err := <-s.done; err != nil {
		s.tb.Errorf("a stream that was stopped returned %v", err)
	}
	s.cancel = nil
}

// again starts the stream whenever it ends, until ok is true.
func (s *streamed) again(what string, ok func() bool) {
	s.tb.Helper()
	for until := time.Now().Add(90 * time.Second); !ok(); {
		if time.Now().After(until) {
			s.tb.Fatalf("%s was not reached", what)
		}
		select {
		case err := <-s.done:
			if connectors.IsHalt(err) {
				s.tb.Fatalf("halted: %v", err)
			}
			s.cancel()
			time.Sleep(50 * time.Millisecond) // the daemon rests too
			s.start()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// failed waits until the stream ends by itself.
func (s *streamed) failed() error {
	s.tb.Helper()
	select {
	case err := <-s.done:
		s.cancel()
		s.cancel = nil
		return err
	case <-time.After(60 * time.Second):
		s.tb.Fatal("the stream goes on")
		return nil
	}
}

var errKilled = errors.New("killed")

// caughtUp waits until all that was committed in the database so far is committed here.
func (s *streamed) caughtUp() {
	s.tb.Helper()
	at := s.db.Value("SELECT pg_current_wal_insert_lsn()")
	s.until("the end of the log", func() bool {
		var c struct {
			State struct{ LSN string }
		}
		if json.Unmarshal(s.cursor, &c) != nil || c.State.LSN == "" {
			return false
		}
		return !lsnBefore(c.State.LSN, at)
	})
}

// lsnBefore reports whether a is a place before b.
func lsnBefore(a, b string) bool {
	left, _ := replication.ParseLSN(a) // they are of servers
	right, _ := replication.ParseLSN(b)
	return left < right
}

// values are what a poll of the same table reads.
func (s *streamed) values() map[string]connectors.Row {
	s.tb.Helper()
	cfg := *s.cfg
	cfg.Mode = "poll"
	rows := map[string]connectors.Row{}
	for _, row := range mustPoll(s.tb, newPoller(s.tb, &cfg), nil).Rows {
		rows[keyText(row.Key)] = row
	}
	return rows
}

// equal fails unless the ledger has the rows of the table.
func (s *streamed) equal() {
	s.tb.Helper()
	want := s.values()
	s.mu.Lock()
	defer s.mu.Unlock()
	if diff := cmp.Diff(want, s.rows); diff != "" {
		s.tb.Errorf("the table and what was streamed (-table +streamed):\n%.4000s", diff)
	}
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.batches
}

// reached reports whether all before a place of the log is committed here, and no
// snapshot is under way.
func (l *ledger) reached(at string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	var c struct{ State place }
	return json.Unmarshal(l.cursor, &c) == nil && c.State.LSN != "" && !lsnBefore(c.State.LSN, at) && l.told == nil
}

// refuse has every batch judged from now on.
func (l *ledger) refuse(before func(b connectors.Batch) error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.before = before
}

// warned is all that a person was warned of.
func (l *ledger) warned() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.warnings, "\n")
}

package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/postgres/replication"
	"github.com/pictifyd/pictifyd/connectors/postgres/slot"
	"github.com/pictifyd/pictifyd/connectors/stream"
	"github.com/pictifyd/pictifyd/internal/cures"
	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	partBytes = 2 << 20 // where a large transaction is cut
)

// A run is one call of Stream.
type run struct {
	f         *follower
	s         connectors.Stream
	conn      *replication.Conn
	slot      string
	oid       uint32 // of the table
	token     string // names the messages of this run
	collector *stream.Collector
	window    window
	table     *table
	stale     bool // rows were read under another table
	shape     *shape

	generations chan *generation
	generation  *generation   // that is under way; nil where none is
	suspect     chan struct{} // the table may be another one now
	changed     chan struct{} // the catalog says that it is

	pos  position // behind all that was taken
	tx   transaction
	part part

	mu    sync.Mutex
	state connectors.StreamState
	warn  map[string]error
	known string // the digest of the table
}

// A transaction is the one that the stream is telling of.
type transaction struct {
	xid    uint32
	commit replication.LSN
	skip   bool            // all of it is committed
	upTo   replication.LSN // what of it is committed
	last   replication.LSN // the record that was taken last
	chunk  string          // whose message it is
	beat   bool            // it is a heartbeat
}

// Stream implements connectors.Streamer.
func (f *follower) Stream(ctx context.Context, from connectors.Cursor, s connectors.Stream) error {
	emit := s.Emit
	var emitting error // is not the server's
	s.Emit = func(ctx context.Context, b connectors.Batch) error {
		emitting = emit(ctx, b)
		return emitting
	}
	err := f.stream(ctx, from, s)
	switch {
	case ctx.Err() != nil:
		return nil
	case emitting != nil && errors.Is(err, emitting):
		return err
	}
	return f.judged(err)
}

// judged makes what no time mends a matter for a person.
func (f *follower) judged(err error) error {
	switch {
	case err == nil:
		return errors.New("the stream ended")
	case connectors.IsHalt(err):
		return err
	}
	err = fmt.Errorf("stream table %s: %w", f.table, f.asks.Explain(context.Background(), err))
	var wrong *problem.Error
	if errors.As(err, &wrong) && wrong.Code == problem.Invalid || pg.BlameOf(err) == pg.Setup {
		return connectors.Halt(err)
	}
	return err
}

func (f *follower) stream(ctx context.Context, from connectors.Cursor, s connectors.Stream) error {
	r := &run{f: f, s: s, token: rand.Text(), generations: make(chan *generation, 1), suspect: make(chan struct{}, 1), changed: make(chan struct{}, 1), warn: map[string]error{}}
	r.report(func(state *connectors.StreamState) { state.Phase = connectors.PhaseConnecting })
	r.pos = f.open(from)
	ready, gap, err := r.prepare(ctx)
	if err != nil {
		return err
	}
	r.slot, r.oid = ready.Slot, ready.Table
	r.pos.Identity, r.pos.LSN = ready.Identity, lsn(ready.From)
	t, err := r.ask(ctx)
	if err != nil {
		return err
	}
	r.setTable(t)
	cfg := f.keeper.Replication()
	r.conn, err = replication.Start(ctx, cfg, replication.Options{Slot: ready.Slot, Publication: ready.Publication, From: ready.From})
	if err != nil {
		return err
	}
	defer r.conn.Close()
	r.collector = stream.NewCollector(s.Emit, stream.Options{CommittedFunc: r.committed})
	anew := ready.Fresh || gap != "" || s.Resnapshot || r.pos.Backfill.Started.IsZero()
	if r.pos.Schema != "" && !anew && r.pos.Schema != r.table.digest() {
		if anew = true; !r.table.sameColumns(r.pos.Schema) {
			err = r.judge([]string{"while nobody listened"})
		}
	}
	if err != nil {
		return err
	}
	return r.all(ctx, anew, gap)
}

// prepare has the slot made ready. Where what it kept is lost it is made anew, or a
// person decides.
func (r *run) prepare(ctx context.Context) (ready slot.Ready, gap string, err error) {
	ready, err = r.f.keeper.Prepare(ctx, r.pos.Identity, replication.LSN(r.pos.LSN))
	if err != nil || ready.Gap == "" {
		return ready, "", err
	}
	if r.f.cfg.OnGap == connectors.OnGapHalt && !r.s.Resnapshot {
		return ready, "", connectors.Halt(problem.New(problem.Upstream, "changes of %s were lost: %s", r.f.table, ready.Gap).WithSlug(Gap).
			WithHint("ask for a new snapshot of the source, which finds what was missed, or set on_gap: resnapshot"))
	}
	gap = ready.Gap
	ready, err = r.f.keeper.Renew(ctx)
	return ready, gap, err
}

// Gap is the slug of changes that were lost.
const Gap = "gap"

// all runs what belongs to a stream until one part of it ends.
func (r *run) all(ctx context.Context, anew bool, gap string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return r.collector.Run(ctx) })
	group.Go(func() error { return r.fill(ctx) })
	group.Go(func() error { return r.f.keeper.Heartbeat(ctx) })
	group.Go(func() error { return r.f.keeper.Watch(ctx, r.f.watch, r.watched) })
	group.Go(func() error { return r.watchTable(ctx) })
	group.Go(func() error {
		if anew {
			if err := r.begin(ctx, gap); err != nil {
				return err
			}
		} else if r.resume(ctx); r.generation == nil {
			r.report(func(state *connectors.StreamState) { state.Phase = connectors.PhaseStreaming })
		}
		return r.follow(ctx)
	})
	return group.Wait()
}

// committed lets the server forget what is committed here.
func (r *run) committed(cursor connectors.Cursor) {
	var p position
	if r.f.binding.Open(cursor, &p) {
		r.conn.Confirm(replication.LSN(p.LSN))
	}
}

// begin begins a backfill from the first row on, in a batch of its own.
func (r *run) begin(ctx context.Context, gap string) error {
	r.window.begin()
	r.setTable(r.table)
	r.pos.Schema = r.table.digest()
	r.stale = false
	r.pos.Backfill = backfill{Generation: r.pos.Backfill.Generation + 1, Started: time.Now().UTC().Truncate(time.Second)}
	if err := r.add(ctx, stream.Part{Closes: connectors.Closing{Snapshot: connectors.SnapshotMark{Begins: true}, Gap: gap}}); err != nil {
		return err
	}
	r.start(ctx)
	return nil
}

// resume goes on with a backfill that is not done.
func (r *run) resume(ctx context.Context) {
	if r.pos.Backfill.Done {
		return
	}
	r.window.begin()
	r.start(ctx)
}

func (r *run) start(ctx context.Context) {
	if r.generation != nil {
		r.generation.cancel()
	}
	g := &generation{number: r.pos.Backfill.Generation, after: r.pos.Backfill.After, table: r.table, room: make(chan struct{}, chunksAhead)}
	g.ctx, g.cancel = context.WithCancel(ctx)
	r.generation = g
	select { // one that was never begun
	case <-r.generations:
	default:
	}
	r.generations <- g
	r.report(func(state *connectors.StreamState) {
		state.Phase, state.Rows, state.OfRows = connectors.PhaseSnapshot, r.pos.Backfill.Rows, r.table.about
	})
}

// add has a part committed, with the position behind it.
func (r *run) add(ctx context.Context, p stream.Part) error {
	cursor, err := r.f.seal(&r.pos)
	if err != nil {
		return err
	}
	p.Closes.Cursor = cursor
	return r.collector.Add(ctx, p)
}

// report tells how the stream fares.
func (r *run) report(change func(*connectors.StreamState)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(&r.state)
	r.state.Warning = nil
	for _, of := range []string{"row", "slot", "table"} {
		if r.warn[of] != nil && r.state.Warning == nil {
			r.state.Warning = r.warn[of]
		}
	}
	if r.s.Report != nil {
		r.s.Report(r.state)
	}
}

func (r *run) watched(s slot.State) {
	if s.Err != nil {
		return
	}
	r.report(func(state *connectors.StreamState) {
		r.warn["slot"] = s.Warning
		state.Retained = s.Retained
		state.Lag = map[string]int64{"wal": s.Unconfirmed}
	})
}

// follow takes what the stream tells until it ends.
func (r *run) follow(ctx context.Context) error {
	for {
		if r.part.closed && (!r.conn.Waiting() || r.part.whole.large(r.f.sizes.part)) {
			if err := r.flush(ctx, r.part.whole); err != nil {
				return err
			}
		}
		e, err := r.conn.Next(ctx)
		if err != nil {
			return err
		}
		if err := r.take(ctx, e); err != nil {
			return err
		}
	}
}

func (r *run) take(ctx context.Context, e replication.Event) error {
	switch e.Kind {
	case replication.Begin:
		r.tx = transaction{xid: e.XID, commit: e.Commit, skip: e.Commit < replication.LSN(r.pos.LSN)}
		if in := r.pos.Inside; in != nil && replication.LSN(in.Commit) == e.Commit {
			r.tx.upTo = replication.LSN(in.UpTo)
		}
		r.window.told(e.XID)
	case replication.Insert, replication.Update, replication.Delete:
		if e.Relation.ID == r.table.oid {
			return r.change(ctx, e)
		}
	case replication.Truncate:
		if slices.Contains(e.Others, r.table.oid) && !r.taken(e.LSN) {
			return r.truncated(ctx, e.LSN)
		}
	case replication.Message:
		if e.Prefix == chunkPrefix+r.slot {
			r.tx.chunk = string(e.Content)
		} else if sent, ok := r.f.keeper.Beat(e.Prefix, e.Content); ok {
			r.tx.beat = true
			r.report(func(state *connectors.StreamState) { state.HeardAt = sent })
		}
	case replication.Commit:
		return r.commit(ctx, e)
	}
	return nil
}

// taken reports whether what is told of is committed already.
func (r *run) taken(at replication.LSN) bool { return r.tx.skip || at <= r.tx.upTo }

// commit ends a transaction: behind it the server may forget it.
func (r *run) commit(ctx context.Context, e replication.Event) error {
	if r.tx.skip {
		return nil
	}
	r.pos.LSN, r.pos.Inside = lsn(e.End), nil
	if !cures.CommitThenConfirm {
		r.conn.Confirm(e.End)
	}
	r.part.whole = r.part.extent
	r.part.closed = r.part.closed || r.part.len() > 0 || r.tx.beat
	select {
	case <-r.changed:
		if err := r.lookAgain(ctx); err != nil {
			return err
		}
	default:
	}
	if r.tx.chunk == "" && !r.stale {
		return nil
	}
	if err := r.flush(ctx, r.part.extent); err != nil {
		return err
	}
	if r.stale { // also for what flush found
		return r.begin(ctx, "")
	}
	if c := r.window.take(r.tx.chunk); c != nil {
		return r.place(ctx, c)
	}
	return nil
}

// truncated takes that the table was emptied.
func (r *run) truncated(ctx context.Context, at replication.LSN) error {
	if err := r.cut(ctx); err != nil {
		return err
	}
	r.pos.Inside = &inside{Commit: lsn(r.tx.commit), UpTo: lsn(at)}
	r.pos.Backfill.After, r.pos.Backfill.Done = nil, true // one that was under way has nothing left to read, also after a restart
	both := connectors.SnapshotMark{Begins: true, Ends: true}
	if err := r.add(ctx, stream.Part{Closes: connectors.Closing{Complete: true, Snapshot: both}}); err != nil {
		return err
	}
	if err := r.lookAgain(ctx); err != nil { // its files are others
		return err
	}
	return r.begin(ctx, "")
}

// place has the rows of a chunk committed, but for those that are known better.
func (r *run) place(ctx context.Context, c *chunk) error {
	var p part
	var cells [][]byte
	n := c.page.len()
	for i := range n {
		cells = c.page.cells(i, cells)
		if !c.stale[i] {
			p.element(c.walk, cells[:len(c.walk.columns)])
		}
		r.pos.Backfill.Rows++
		if p.large(r.f.sizes.part) && i < n-1 {
			r.pos.Backfill.After = c.keyAt(i)
			if err := r.add(ctx, p.streamed()); err != nil {
				return err
			}
			p = part{}
		}
	}
	last := p.streamed()
	if n > 0 {
		r.pos.Backfill.After = c.lastKey()
	}
	if c.last {
		r.pos.Backfill.After, r.pos.Backfill.Done = nil, true
		last.Closes.Complete, last.Closes.Snapshot.Ends = true, true
		r.window.end()
		r.generation.cancel()
		r.generation = nil
	}
	if err := r.add(ctx, last); err != nil {
		return err
	}
	<-c.g.room
	r.report(func(state *connectors.StreamState) {
		state.Rows = r.pos.Backfill.Rows
		if c.last {
			state.Phase = connectors.PhaseStreaming
		}
	})
	return nil
}

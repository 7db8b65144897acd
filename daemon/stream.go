package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/store"
)

const (
	// streamBeat is how often something is heard of a stream when all is well.
	streamBeat = 30 * time.Second

	// streamNumbers is how many batches are numbered in one commit.
	streamNumbers = 1000

	// streamSettled is how long a stream must have gone well that its next break is
	// the first again.
	streamSettled = time.Minute
)

// streamRests are between the tries at a stream that broke.
var streamRests = retry.Backoff{Base: 500 * time.Millisecond, Max: 15 * time.Second}

// A stream is a source that is held: it tells of its changes as they happen.
type stream struct {
	source connectors.Streamer
	waker  *waker        // nil where it has rows of its own
	kick   chan struct{} // rings when something about it was decided anew
	guard  minute        // what it changed lately

	// Under the gate of its feed.
	next, end int64 // numbers for batches that are not given out
	unkeyed   bool  // something is kept out that may be a row yet, nobody knows which

	mu     sync.Mutex
	state  connectors.StreamState
	since  time.Time // it is in that phase
	halted error     // waits for a person
	warned time.Time // the log heard of the warning that lasts; zero: there is none
	again  func()    // begins again what runs; nil: nothing runs
}

func newStream(source connectors.Streamer) *stream {
	return &stream{source: source, kick: make(chan struct{}, 1), guard: newMinute(), state: connectors.StreamState{Phase: connectors.PhaseConnecting}, since: time.Now()}
}

// ring has the stream look again at what was decided about it. It never blocks.
func (s *stream) ring() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// restart begins the stream again behind its newest cursor.
func (s *stream) restart() {
	s.mu.Lock()
	again := s.again
	s.mu.Unlock()
	if again != nil {
		again()
	}
	s.ring()
}

func (s *stream) runs(again func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.again = again
}

// renumber has the next batch be numbered behind whatever came meanwhile. Only
// whoever is inside the feed's gate may call it; s may be nil.
func (s *stream) renumber() {
	if s != nil {
		s.next, s.end = 0, 0
	}
}

// report takes what the source says of itself, and reports whether the log should hear
// of its warning: when one begins, and while it lasts at intervals, whatever figures are in it.
func (s *stream) report(state connectors.StreamState) (warn bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state.Phase != s.state.Phase {
		s.since = time.Now()
	}
	s.state, s.halted = state, nil
	switch {
	case state.Warning == nil && state.Phase != connectors.PhaseConnecting:
		s.warned = time.Time{}
	case state.Warning != nil && time.Since(s.warned) >= faultInterval:
		s.warned, warn = time.Now(), true
	}
	return warn
}

// halt notes that only a person can say how to go on.
func (s *stream) halt(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Phase, s.halted, s.since = connectors.PhaseHalted, err, time.Now()
}

// now is how the stream fares, since when it is in that phase, and what halts it.
func (s *stream) now() (state connectors.StreamState, since time.Time, halted error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state, s.since, s.halted
}

// bound reports whether anything reads the rows of a source.
func (r *roster) bound(source string) bool {
	for _, b := range r.bindings {
		if b.Source == source || slices.Contains(b.LookupSources(), source) {
			return true
		}
	}
	for _, f := range r.feeds {
		if slices.Contains(f.reads, source) {
			return true
		}
	}
	if f := r.feeds[source]; f != nil && f.stream != nil && f.stream.waker != nil {
		other := r.feeds[f.stream.waker.source]
		return other != nil && other.stream == nil && r.bound(other.name)
	}
	return false
}

// hold keeps the stream of f going until ctx ends: it begins again behind the
// cursor that was committed last whenever it broke. A source whose rows nothing
// reads is not held, and gives back what is kept for it.
func (d *Daemon) hold(ctx context.Context, f *feed) {
	for tries := 0; ctx.Err() == nil && !f.ended(); {
		if !d.roster().bound(f.name) {
			d.pauseStream(ctx, f, 0)
			continue
		}
		began := time.Now()
		err := d.streamOnce(ctx, f)
		if ctx.Err() != nil || f.ended() {
			return
		}
		if time.Since(began) > streamSettled {
			tries = 0
		}
		tries++
		f.latest.end(time.Now(), err)
		d.faults.note(d.log, "source", f.name, err)
		d.faults.note(d.log, "poll", f.name, d.notePoll(ctx, f, err))
		d.setPolled(f.name, err)
		switch wait, asked := retry.Wait(err); {
		case err == nil: // it was asked to begin again
			tries = 0
		case connectors.IsHalt(err):
			f.stream.halt(err)
			d.pauseStream(ctx, f, 0)
		case asked:
			d.pauseStream(ctx, f, wait)
		default:
			d.pauseStream(ctx, f, streamRests.Next(tries))
		}
	}
}

// pauseStream waits until something about f was decided anew, or so long; 0 is for as long
// as that takes.
func (d *Daemon) pauseStream(ctx context.Context, f *feed, wait time.Duration) {
	var over <-chan time.Time
	if wait > 0 {
		over = time.After(wait)
	}
	select {
	case <-ctx.Done():
	case <-f.gone:
	case <-f.stream.kick:
	case <-over:
	}
}

// streamOnce runs the stream of f until it breaks, or is to begin again: then the
// error is nil.
func (d *Daemon) streamOnce(ctx context.Context, f *feed) error {
	if err := d.noteHold(ctx, f); err != nil {
		return err
	}
	place, err := d.store.StreamPlace(ctx, f.name)
	if err != nil {
		return err
	}
	if err := d.lookUnkeyed(ctx, f); err != nil {
		return err
	}
	life, stop := f.living(ctx)
	defer stop()
	life, again := context.WithCancel(life)
	defer again()
	f.stream.runs(again)
	defer f.stream.runs(nil)
	h := &held{daemon: d, feed: f, snapshot: place.Snapshot}
	f.latest.begin(time.Now())
	err = f.stream.source.Stream(life, place.Cursor, connectors.Stream{Emit: h.emit, Report: h.report, Resnapshot: place.Resnapshot})
	if life.Err() != nil {
		return nil
	}
	if err == nil {
		err = fmt.Errorf("the stream of source %q ended by itself", f.name)
	}
	return err
}

// A held is one run of a stream, from its beginning until it breaks.
type held struct {
	daemon   *Daemon
	feed     *feed
	snapshot bool // one is under way; only under the gate
	well     bool // something was heard of it; only in report
}

// report is the Report of the stream.
func (h *held) report(state connectors.StreamState) {
	d, f := h.daemon, h.feed
	if f.stream.report(state) {
		d.log.Warn("the stream goes on, and wants to be looked after", slog.String("source", f.name), slog.Any("err", state.Warning))
	}
	if state.HeardAt.IsZero() {
		return
	}
	f.latest.confirm(state.HeardAt)
	d.confirmed.note(f.name, state.HeardAt)
	if state.Phase == connectors.PhaseStreaming { // for --once: it has told what there was
		d.setPolled(f.name, nil)
	}
	if !h.well {
		h.well = true
		f.latest.end(time.Now(), nil)
		d.faults.note(d.log, "source", f.name, nil)
	}
}

// emit is the Emit of the stream: a batch is a reading of its own, which says
// nothing about rows that it does not have.
func (h *held) emit(ctx context.Context, b connectors.Batch) error {
	d, f := h.daemon, h.feed
	if len(b.Wakes) > 0 && f.stream.waker != nil {
		if err := d.wake(ctx, f.stream.waker, &b); err != nil {
			return err
		}
	}
	if err := f.gate.enter(ctx); err != nil {
		return err
	}
	defer f.gate.leave()
	if f.ended() {
		return errFeedEnded
	}
	if err := d.compile(ctx, f); err != nil {
		return err
	}
	if b.Closes == nil {
		b.Closes = &connectors.Closing{}
	}
	if b.Closes.Gap != "" {
		d.log.Warn("changes of the source may have been missed", slog.String("source", f.name), slog.String("why", b.Closes.Gap))
	}
	h.snapshot = h.snapshot || b.Closes.Snapshot.Begins
	seq, err := d.number(ctx, f)
	if err != nil {
		return err
	}
	state, _, _ := f.stream.now()
	r, err := d.reading(ctx, f, bindings.ReadingOptions{
		ID: fmt.Sprintf("%s#%d", f.name, seq), Seq: seq, Told: true, Streamed: true, Marks: h.snapshot,
		Settles:  state.Phase == connectors.PhaseStreaming && !h.snapshot,
		Versions: f.stream.unkeyed,
	})
	if err != nil {
		return err
	}
	r.admitFunc = func(ctx context.Context, p *bindings.Plan) error { return d.admit(ctx, f, p) }
	plan, _, err := r.commit(ctx, b)
	if err != nil {
		return err
	}
	if b.Closes.Snapshot.Ends || slices.ContainsFunc(f.bindings, func(b *bindings.Binding) bool { return !plan.Promote[b.Name()] }) {
		d.faults.note(d.log, "guard", f.name, d.logHeld(ctx, f, r.bindings))
	}
	f.stream.unkeyed = f.stream.unkeyed || slices.ContainsFunc(plan.Quarantined, func(q bindings.Quarantined) bool { return q.Key == "" && q.Raw != nil })
	d.crash("stream.committed")
	if b.Closes.Snapshot.Ends {
		h.snapshot = false
		if err := d.lookUnkeyedInside(ctx, f); err != nil {
			return err
		}
		d.log.Info("all rows of the source were read", slog.String("source", f.name))
	}
	if !h.snapshot {
		d.setPolled(f.name, nil)
	}
	return nil
}

// number is the number of the next batch of f. The caller is inside the gate.
func (d *Daemon) number(ctx context.Context, f *feed) (int64, error) {
	s := f.stream
	if s.next == s.end {
		_, first, err := d.store.BeginReading(ctx, f.name, streamNumbers)
		if err != nil {
			return 0, err
		}
		s.next, s.end = first-streamNumbers+1, first+1
	}
	s.next++
	return s.next - 1, nil
}

// noteHold notes durably that something will be kept for f at its server, before it is.
func (d *Daemon) noteHold(ctx context.Context, f *feed) error {
	h, err := d.holdOf(f)
	if err != nil || h.Digest == "" {
		return err
	}
	gate := d.holding.of(f.name)
	if err := gate.enter(ctx); err != nil {
		return err
	}
	defer gate.leave()
	return d.store.HoldStream(ctx, h)
}

// holdOf is what the server of f keeps for it, with the configuration that can give
// it back; empty where it keeps nothing.
func (d *Daemon) holdOf(f *feed) (store.StreamHold, error) {
	digest := f.heldAs()
	if digest == "" {
		return store.StreamHold{}, nil
	}
	sealed, err := d.vault.seal(holdPlace(f.name), string(f.spec))
	return store.StreamHold{Source: f.name, Digest: digest, Spec: sealed}, err
}

// heldAs stands for what a server keeps for f.
func (f *feed) heldAs() string {
	h, ok := f.config.(connectors.Holding)
	if f.stream == nil || !ok {
		return ""
	}
	what := h.Holds()
	if what == "" {
		return ""
	}
	return contentDigest([]byte(f.config.Base().Kind + "\x00" + what))
}

func holdPlace(source string) string { return "hold/" + source }

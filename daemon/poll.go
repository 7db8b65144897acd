package daemon

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/store"
)

// A feed is one source with the bindings that hang on it.
type feed struct {
	name   string
	key    []string // columns
	every  time.Duration
	poller connectors.Poller

	// mu keeps a reading and a change of the bindings apart: a reading is
	// planned with one set of bindings from its first row to its last.
	mu       sync.Mutex
	bindings []*bindings.Binding
}

// poll is the work of one poll turn: one reading of one source.
func (d *Daemon) poll(ctx context.Context, t store.Turn) error {
	f, ok := d.feeds[t.Source]
	if !ok { // no longer configured
		return d.store.EndPoll(ctx, t, nil)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	from, id, seq, err := d.store.BeginPoll(ctx, t)
	if err != nil {
		return err
	}
	r, err := d.reading(ctx, f, id, seq)
	if err != nil {
		return err
	}
	err = f.poller.Poll(ctx, from, r.emit)
	if ctx.Err() != nil {
		return ctx.Err() // the turn is put back at the next start
	}
	d.faults.note(d.log, "source", f.name, err)
	d.metrics.polled(f.name, err)
	if endErr := d.store.EndPoll(ctx, t, err); endErr != nil {
		return endErr
	}
	d.setPolled(f.name, err)
	return nil
}

// A reading carries the batches of one reading from the source to the store.
type reading struct {
	store    *store.Store
	plan     *bindings.Reading
	source   string
	bindings []string
}

func (d *Daemon) reading(ctx context.Context, f *feed, id string, seq int64) (*reading, error) {
	names := make([]string, len(f.bindings))
	for i, b := range f.bindings {
		names[i] = b.Name()
	}
	first, err := d.store.FirstReadings(ctx, names)
	if err != nil {
		return nil, err
	}
	return &reading{
		store: d.store, source: f.name, bindings: names,
		plan: bindings.NewReading(bindings.ReadingOptions{
			Source: f.name, ID: id, Seq: seq, Bindings: f.bindings, Promote: first, Now: time.Now(),
		}),
	}, nil
}

// emit is the connectors.Emit of the reading.
func (r *reading) emit(ctx context.Context, b connectors.Batch) error {
	known, err := r.store.Known(ctx, r.source, r.plan.Keys(b), r.bindings)
	if err != nil {
		return err
	}
	plan, err := r.plan.Plan(b, known)
	if err != nil {
		return err
	}
	_, err = r.store.Commit(ctx, plan)
	return err
}

// watch asks for a poll of f at the start, at every interval, and whenever the
// source hints at a change.
func (d *Daemon) watch(ctx context.Context, f *feed) {
	want := func() {
		if err := d.store.WantPoll(ctx, f.name); err != nil && ctx.Err() == nil {
			d.log.Error("ask for a poll", slog.String("source", f.name), slog.Any("err", err))
		}
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	if w, ok := f.poller.(connectors.Waker); ok {
		wg.Go(func() {
			if err := w.Wake(ctx, want); err != nil && ctx.Err() == nil {
				d.log.Warn("no hints of changes from this source, it is polled only", slog.String("source", f.name), slog.Any("err", err))
			}
		})
	}
	want()
	tick := time.NewTicker(f.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			want()
		}
	}
}

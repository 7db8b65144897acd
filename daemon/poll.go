package daemon

import (
	"context"
	"fmt"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/store"
)

// poll is the work of one poll turn: the reading of a source that somebody asked
// for, and that a death only puts off.
func (d *Daemon) poll(ctx context.Context, t store.Turn) error {
	f, err := d.enterFeed(ctx, t.Source)
	if err != nil {
		return err
	}
	if f == nil { // no longer configured
		if err := d.store.FailRunsOf(ctx, t.Source, fmt.Sprintf("there is no source %q any more", t.Source)); err != nil {
			return err
		}
		return d.store.EndPoll(ctx, t, nil)
	}
	defer f.gate.leave()
	if f.passive { // it was not when somebody asked for the turn
		if err := d.store.FailRunsOf(ctx, t.Source, fmt.Sprintf("the source %q is never read any more: its rows are sent", t.Source)); err != nil {
			return err
		}
		return d.store.EndPoll(ctx, t, nil)
	}
	// A turn that was left by the process before may come ahead of the binding.
	unread := d.readyToRead(ctx, f)
	if unread != nil && !isUnread(unread) {
		return unread
	}
	runs, id, seq, err := d.store.BeginRuns(ctx, t)
	if err != nil {
		return err
	}
	if unread != nil {
		if err := d.unreadRuns(ctx, runs, unread); err != nil {
			return err
		}
		d.setPolled(f.name, unread)
		return d.store.EndPoll(ctx, t, unread)
	}
	if len(runs) > 0 {
		return d.readRuns(ctx, t, f, runs, bindings.ReadingOptions{ID: id, Seq: seq})
	}
	from, id, seq, err := d.store.BeginPoll(ctx, t)
	if err != nil {
		return err
	}
	r, err := d.reading(ctx, f, bindings.ReadingOptions{ID: id, Seq: seq})
	if err != nil {
		return err
	}
	v := &visit{daemon: d, feed: f, reading: r}
	err = v.pay(ctx, from)
	switch {
	case ctx.Err() != nil:
		return ctx.Err() // the turn is put back at the next start
	case f.ended():
		return d.store.EndPoll(ctx, t, nil)
	}
	return d.endPoll(ctx, t, f, err)
}

// endPoll ends a turn whose reading ended with err, and notes that.
func (d *Daemon) endPoll(ctx context.Context, t store.Turn, f *feed, err error) error {
	if endErr := d.store.EndPoll(ctx, t, err); endErr != nil {
		return endErr
	}
	message := textOf(err)
	f.noted = &message
	f.read(err)
	d.setPolled(f.name, err)
	return nil
}

// enterFeed is the feed of a source, inside its gate, or nil when there is none.
func (d *Daemon) enterFeed(ctx context.Context, source string) (*feed, error) {
	for {
		f := d.roster().feeds[source]
		if f == nil {
			return nil, nil
		}
		if err := f.gate.enter(ctx); err != nil {
			return nil, err
		}
		if !f.ended() {
			return f, nil
		}
		f.gate.leave() // another one has its name by now
	}
}

// A reading carries the batches of one reading from the source to the store.
type reading struct {
	store     *store.Store
	metrics   *readingMetrics
	plan      *bindings.Reading
	options   bindings.ReadingOptions
	source    string
	bindings  []string
	judged    bool     // the guard had its say
	whole     bool     // it had every row, or the source says that nothing changed
	unchanged bool     // the source says so
	settles   bool     // the stored rows are planned as the bindings are
	settled   bool     // and were looked through
	messages  []string // that its batch came in
	closed    bindings.Closing
}

// emit is the connectors.Emit of the reading.
func (r *reading) emit(ctx context.Context, b connectors.Batch) error {
	_, _, err := r.commit(ctx, b)
	return err
}

// commit plans one batch and has it durable.
func (r *reading) commit(ctx context.Context, b connectors.Batch) (plan bindings.Plan, result store.CommitResult, err error) {
	if err := r.settle(ctx, b); err != nil {
		return plan, result, err
	}
	known, err := r.store.Known(ctx, r.source, r.plan.Keys(b), r.bindings)
	if err != nil {
		return plan, result, err
	}
	sifted, err := r.plan.Sift(b, known)
	if err != nil {
		return plan, result, err
	}
	joined, err := join(ctx, r.store, sifted.Needs)
	if err != nil {
		return plan, result, err
	}
	plan = r.plan.Plan(sifted, joined)
	plan.Messages = r.messages
	if plan.Closes != nil {
		r.closed = *plan.Closes
	}
	result, err = r.store.Commit(ctx, plan)
	if err == nil {
		r.metrics.committed(r, plan, result)
	}
	if err == nil && plan.Closes != nil {
		r.unchanged = plan.Closes.Unchanged
		r.whole = plan.Closes.Complete || r.unchanged
	}
	r.judged = r.judged || err == nil && plan.Closes != nil && !plan.Closes.Unchanged
	return plan, result, err
}

// settle looks through the stored rows once, before the first row of a reading:
// most rows are as they were, and then need no look each.
func (r *reading) settle(ctx context.Context, b connectors.Batch) error {
	if !r.settles || r.settled || len(b.Rows) == 0 {
		return nil
	}
	settled, err := r.store.Settled(ctx, r.source, r.bindings)
	if err == nil {
		r.plan.Settle(settled)
		r.settled = true
	}
	return err
}

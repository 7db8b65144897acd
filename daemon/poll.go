package daemon

import (
	"context"
	"fmt"

	"github.com/pictifyd/pictifyd/bindings"
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
	if f.stream != nil { // it is read as it tells, and as a whole where somebody asked for that
		if err := d.store.FailRunsOf(ctx, t.Source, fmt.Sprintf("the source %q is a stream: it has no runs", t.Source)); err != nil {
			return err
		}
		return d.store.EndPoll(ctx, t, nil)
	}
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

package daemon

import (
	"context"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
)

const (
	looks        = 8                // readings that sources begin by themselves, at a time
	confirmEvery = 10 * time.Second // between notes of what was found to be as it was
)

// look reads f as its interval or a hint wants it. It takes no turn: should the
// process die, the next one looks at its start. A source that has not changed
// costs a question and no commit. It returns an error only where the store fails;
// what is wrong with the source is noted.
func (d *Daemon) look(ctx context.Context, f *feed) error {
	select {
	case d.looking <- struct{}{}:
		defer func() { <-d.looking }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := f.gate.enter(ctx); err != nil {
		return err
	}
	defer f.gate.leave()
	if f.ended() {
		return nil
	}
	if err := d.readyToRead(ctx, f); isUnread(err) {
		d.setPolled(f.name, err)
		return d.notePoll(ctx, f, err)
	} else if err != nil {
		return err
	}
	from, err := d.store.Position(ctx, f.name)
	if err != nil {
		return err
	}
	v := &visit{daemon: d, feed: f}
	err = v.pay(ctx, from)
	if ctx.Err() != nil || f.ended() {
		return ctx.Err()
	}
	if err := d.notePoll(ctx, f, err); err != nil {
		return err
	}
	f.read(err)
	d.setPolled(f.name, err)
	return nil
}

// readyToRead has f ready to be read. A source that reads rows of another one which
// nobody has read is not; the error is one for isUnread.
func (d *Daemon) readyToRead(ctx context.Context, f *feed) error {
	if err := d.compile(ctx, f); err != nil {
		return err
	}
	if err := d.rejoin(ctx, f); err != nil {
		return err
	}
	return d.unread(ctx, f.reads)
}

// notePoll has the store know how the newest poll ended, unless it does.
func (d *Daemon) notePoll(ctx context.Context, f *feed, failure error) error {
	message := textOf(failure)
	if f.noted != nil && *f.noted == message {
		return nil
	}
	err := d.store.NotePoll(ctx, f.name, failure)
	if err == nil {
		f.noted = &message
	}
	return err
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A visit is one poll of a source. Its reading begins with the first batch that
// has something to say.
type visit struct {
	daemon  *Daemon
	feed    *feed
	reading *reading // nil until it began
}

// pay polls the source from there, and notes how that ended. The caller is inside
// the feed's gate.
func (v *visit) pay(ctx context.Context, from connectors.Cursor) error {
	d, f := v.daemon, v.feed
	began := time.Now()
	f.latest.begin(began)
	life, stop := f.living(ctx)
	f.live.turned()
	err := f.poller.Poll(life, from, v.emit)
	f.live.turned()
	stop()
	f.latest.end(time.Now(), err)
	if ctx.Err() != nil || f.ended() {
		return err
	}
	d.faults.note(d.log, "source", f.name, err)
	d.metrics.polled(f.name, v.result(err), began)
	if err == nil && (v.reading == nil || v.reading.whole) {
		f.live.read(began)
	}
	if v.reading == nil {
		return err
	}
	f.confirmable = f.confirmable || err == nil
	if v.reading.judged {
		d.faults.note(d.log, "guard", f.name, d.logHeld(ctx, f, v.reading.bindings))
	}
	return err
}

// emit is the connectors.Emit of the visit.
func (v *visit) emit(ctx context.Context, b connectors.Batch) error {
	if v.reading == nil {
		if v.confirms(b) {
			now := time.Now()
			v.feed.latest.confirm(now)
			v.daemon.confirmed.note(v.feed.name, now)
			return nil
		}
		id, seq, err := v.daemon.store.BeginLook(ctx, v.feed.name)
		if err != nil {
			return err
		}
		if v.reading, err = v.daemon.reading(ctx, v.feed, bindings.ReadingOptions{ID: id, Seq: seq}); err != nil {
			return err
		}
	}
	return v.reading.emit(ctx, b)
}

// confirms reports whether b says no more than that the source is as it was when
// it was read with these bindings.
func (v *visit) confirms(b connectors.Batch) bool {
	return v.feed.confirmable && b.Closes != nil && b.Closes.Unchanged && b.Closes.Cursor == nil && len(b.Rows)+len(b.Faults) == 0
}

// result is how the visit ended, in the words of the metrics.
func (v *visit) result(err error) string {
	switch {
	case err != nil:
		return result(err)
	case v.reading == nil || v.reading.unchanged:
		return "unchanged"
	case !v.reading.whole:
		return "incomplete"
	}
	return "ok"
}

// keepConfirmations writes down from time to time which sources were found to be
// as they were, until ctx ends.
func (d *Daemon) keepConfirmations(ctx context.Context) {
	tick := time.NewTicker(confirmEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		seen := d.confirmed.take()
		if len(seen) == 0 {
			continue
		}
		d.faults.note(d.log, "store", "confirmations", d.store.Confirm(ctx, seen))
	}
}

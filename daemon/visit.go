package daemon

import (
	"context"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
)

// A visit is one poll of a source. Its reading begins with the first batch that
// has something to say.
type visit struct {
	daemon  *Daemon
	feed    *feed
	reading *reading // nil until it began

	at time.Time // of the runs that it is for; zero of none
}

// pay polls the source from there, and notes how that ended. The caller is inside
// the feed's gate.
func (v *visit) pay(ctx context.Context, from connectors.Cursor) error {
	d, f := v.daemon, v.feed
	began := time.Now()
	f.latest.begin(began)
	life, stop := f.living(ctx)
	f.live.turned()
	err := v.poll(reads(life, f.name, began), from)
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
	case !v.reading.whole && v.reading.closed.Reason != connectors.OfChanges:
		return "incomplete"
	}
	return "ok"
}

// poll reads the source of a visit, for a moment if its address names any.
func (v *visit) poll(ctx context.Context, from connectors.Cursor) error {
	timed, ok := v.feed.poller.(connectors.Timed)
	if !ok {
		return v.feed.poller.Poll(ctx, from, v.emit)
	}
	at := v.at
	if at.IsZero() {
		at = v.feed.momentOf(time.Now())
	}
	return timed.PollAt(ctx, at, from, func(ctx context.Context, b connectors.Batch) error {
		if b.Closes != nil {
			c := *b.Closes
			if c.Complete {
				c.Complete, c.Reason = false, connectors.OfOneTime
			}
			if !v.at.IsZero() { // it speaks of what the address named for the runs
				c.Cursor = nil
			}
			b.Closes = &c
		}
		return v.emit(ctx, b)
	})
}

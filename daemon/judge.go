package daemon

import (
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// retrySchedule is the waits after each failed try, as Standard Webhooks
// recommends; after the last one the delivery is a dead letter.
var retrySchedule = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// retriesTake is how long the tries of a delivery go on.
var retriesTake = func() (all time.Duration) {
	for _, wait := range retrySchedule {
		all += wait
	}
	return all
}()

// judge says how a delivery goes on after a try that ended with err.
func (d *Daemon) judge(c store.DeliveryClaim, err error) store.Delivered {
	if isHeldBack(err) { // by us: neither the row nor the sink is at fault
		wait, _ := retry.Wait(err)
		return store.Delivered{ID: c.ID, Err: err, Retry: wait, OfRow: true}
	}
	d.metrics.delivered(sinkLabel(c.Sink), err)
	if err == nil && c.Spent == 0 { // what a person has told again was late for another reason
		d.metrics.stage(stageDelivered, c.CreatedAt)
	}
	done := store.Delivered{ID: c.ID, Err: err}
	switch {
	case err == nil:
	case retry.IsPermanent(err) || c.Attempt-c.Spent > len(retrySchedule):
		done.Dead, done.OfRow = true, retry.IsPermanent(err)
		done.Gone = sink.IsGone(err) && c.Owner.Job() == ""
		d.log.Error("delivery given up", slog.String("sink", c.Sink), slog.String("delivery", c.ID), slog.Int("attempt", c.Attempt), slog.Any("err", err))
	default:
		done.Retry = waitAfter(c.Attempt - c.Spent)
		if asked, ok := retry.Wait(err); ok {
			done.Retry, done.Asked = asked, asked
		}
	}
	if c.Owner.Job() == "" && !done.OfRow {
		d.faults.note(d.log, "sink", c.Sink, err)
	}
	return done
}

// waitAfter is the wait after the n-th failed try, a tenth longer or shorter by
// chance so that many deliveries that failed together do not return together.
func waitAfter(n int) time.Duration {
	wait := retrySchedule[min(max(n, 1), len(retrySchedule))-1]
	return time.Duration(float64(wait) * (0.9 + 0.2*rand.Float64()))
}

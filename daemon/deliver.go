package daemon

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/webhook"
	"github.com/pictifyd/pictifyd/store"
)

const (
	deliverySize   = 50          // deliveries that one turn claims at most
	deliveryFlight = 8           // of them at once
	deliveryLimit  = time.Minute // for one try
	recordLimit    = 5 * time.Second
)

// retrySchedule is the waits after each failed try, as Standard Webhooks
// recommends; after the last one the delivery is a dead letter.
var retrySchedule = []time.Duration{
	5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour,
	10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
}

// deliver is the work of one delivery turn on one sink.
func (d *Daemon) deliver(ctx context.Context, t store.Turn) error {
	claims, err := d.store.ClaimDeliveries(ctx, t, deliverySize)
	if err != nil {
		return err
	}
	if len(claims) > 0 {
		d.crash("delivery.claimed")
	}
	var went tally
	var flights errgroup.Group
	flights.SetLimit(deliveryFlight)
	for _, c := range claims {
		flights.Go(func() error { return d.deliverOne(ctx, t, c, &went) })
	}
	if err := flights.Wait(); err != nil {
		return err
	}
	if err := d.restRows(ctx, t.Sink, &went); err != nil {
		return err
	}
	return d.store.FinishDeliveries(ctx, t, nil, true)
}

// deliverOne makes one try and records how the delivery goes on.
func (d *Daemon) deliverOne(ctx context.Context, t store.Turn, c store.DeliveryClaim, went *tally) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	to, delivery, err := d.address(ctx, c)
	began := time.Now()
	var receipt sink.Receipt
	switch {
	case err == nil:
		receipt, err = try(ctx, to, delivery)
	case machineFault(err):
		return err
	}
	took := time.Since(began)
	if err != nil && ctx.Err() != nil { // cut off by the end of grace: not the receiver's fault
		return ctx.Err()
	}
	d.crash("delivery.answered")
	// What was answered is recorded, also when grace ended with the answer.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordLimit)
	defer cancel()
	done := d.judge(c, err)
	done.At, done.Took, done.Receipt = began, took, receipt
	went.note(done)
	return d.store.FinishDeliveries(ctx, t, []store.Delivered{done}, false)
}

func try(ctx context.Context, to sink.Sink, delivery sink.Delivery) (sink.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, deliveryLimit)
	defer cancel()
	return to.Deliver(ctx, delivery)
}

// judge says how a delivery goes on after a try that ended with err.
func (d *Daemon) judge(c store.DeliveryClaim, err error) store.Delivered {
	d.metrics.delivered(sinkLabel(c.Sink), err)
	if err == nil {
		d.metrics.stage(stageDelivered, c.CreatedAt)
	}
	done := store.Delivered{ID: c.ID, Err: err}
	switch {
	case err == nil:
	case retry.IsPermanent(err) || c.Attempt > len(retrySchedule):
		done.Dead = true
		d.log.Error("delivery given up", slog.String("sink", c.Sink), slog.String("delivery", c.ID), slog.Int("attempt", c.Attempt), slog.Any("err", err))
	default:
		done.Retry = waitAfter(c.Attempt)
		if asked, ok := retry.Wait(err); ok {
			done.Retry = asked
		}
	}
	if c.Owner.Job() == "" {
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

// address finds the sink of a claim and writes the delivery for it.
func (d *Daemon) address(ctx context.Context, c store.DeliveryClaim) (to sink.Sink, delivery sink.Delivery, err error) {
	delivery = sink.Delivery{
		ID: c.ID, Event: c.Event, Time: c.CreatedAt, Binding: c.Owner.Binding(), Key: c.Key,
		Generation: c.Generation, Row: c.Row, Outputs: c.Outputs, Attempt: c.Attempt,
	}
	for i, o := range delivery.Outputs {
		if o.Hash != "" {
			delivery.Outputs[i].URL = d.urls.Image(o.Hash, o.Ext)
		}
	}
	if !sink.OfRow(c.Event) {
		delivery.Key, delivery.Row = "", nil
	}
	if id, ok := store.SubscriptionOf(c.Sink); ok {
		return d.subscribed(ctx, id, c, delivery)
	}
	if store.IsRowsSink(c.Sink) {
		return d.rowHook(ctx, c, delivery)
	}
	if c.Event == sink.RunCompleted {
		return d.runHook(ctx, c, delivery)
	}
	if id := c.Owner.Job(); id != "" {
		return d.jobHook(ctx, id, delivery)
	}
	if sink.OfBinding(c.Event) {
		if delivery.Data, err = wholeData(c); err != nil {
			return nil, delivery, err
		}
	}
	to, ok := d.roster().sinks[c.Sink]
	if !ok {
		return nil, delivery, problem.New(problem.NotFound, "sink %q is no longer configured", c.Sink)
	}
	return to, delivery, nil
}

// jobHook is the webhook that the caller of a batch asked for.
func (d *Daemon) jobHook(ctx context.Context, id string, delivery sink.Delivery) (sink.Sink, sink.Delivery, error) {
	job, err := d.store.Job(ctx, id)
	if err != nil {
		return nil, delivery, err
	}
	if !job.Status.Ended() { // it tells of its next end instead
		return nil, delivery, retry.Permanent(problem.New(problem.Conflict, "job %s is being retried, and this was of its end before", id).WithSlug("job_retried"))
	}
	delivery.Data, err = d.completion(ctx, job)
	if err != nil {
		return nil, delivery, err
	}
	secret, err := d.hookSecret(ctx)
	if err != nil {
		return nil, delivery, err
	}
	return webhook.New(job.WebhookURL, []string{secret}, d.guarded), delivery, nil
}

func isSubscription(name string) bool {
	_, ok := store.SubscriptionOf(name)
	return ok
}

// sinkLabel keeps ids of jobs and subscriptions out of the metrics.
func sinkLabel(name string) string {
	switch {
	case strings.HasPrefix(name, "job:"):
		return "batch"
	case store.IsRowsSink(name):
		return "batch_rows"
	case isSubscription(name):
		return "subscriptions"
	}
	return name
}

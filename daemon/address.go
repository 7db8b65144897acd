package daemon

import (
	"context"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/webhook"
	"github.com/pictifyd/pictifyd/store"
)

// address finds the sink of a claim and writes the delivery for it.
func (d *Daemon) address(ctx context.Context, c store.DeliveryClaim) (sink.Sink, sink.Delivery, error) {
	delivery := sink.Delivery{
		ID: c.ID, Event: c.Event, Time: c.CreatedAt, Binding: c.Owner.Binding(), Key: c.Key,
		Generation: c.Generation, Row: c.Row, Outputs: c.Outputs, Attempt: c.Attempt,
		Variant: c.Assigned.Variant, ClickURL: d.clickURL(c.Assigned),
	}
	delivery.Outputs = d.addressed(delivery.Binding, delivery.Key, delivery.Outputs)
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
		data, err := wholeData(c)
		if err != nil {
			return nil, delivery, err
		}
		delivery.Data = data
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
	secrets, err := d.hookSecrets(ctx)
	if err != nil {
		return nil, delivery, err
	}
	return webhook.New(job.WebhookURL, secrets, d.guarded), delivery, nil
}

// sinkLabel keeps ids of jobs and subscriptions out of the metrics.
func sinkLabel(name string) string {
	switch {
	case strings.HasPrefix(name, "job:"):
		return "batch"
	case store.IsRowsSink(name):
		return "batch_rows"
	}
	if _, ok := store.SubscriptionOf(name); ok {
		return "subscriptions"
	}
	return name
}

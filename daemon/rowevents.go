package daemon

import (
	"context"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/webhook"
	"github.com/pictifyd/pictifyd/store"
)

// rowHook is the webhook of a batch whose caller wants to hear of each row.
func (d *Daemon) rowHook(ctx context.Context, c store.DeliveryClaim, delivery sink.Delivery) (sink.Sink, sink.Delivery, error) {
	job, err := d.store.Job(ctx, c.Owner.Job())
	if err != nil {
		return nil, delivery, err
	}
	r := batch.Result{Index: c.Index, Key: c.Key, Done: true, Error: c.Fault, Assigned: c.Assigned, ClickURL: delivery.ClickURL}
	for _, o := range c.Outputs {
		r.Pictures = append(r.Pictures, batch.Picture{Output: o.Name, Hash: o.Hash, Ext: o.Ext, Format: o.Format, Width: o.Width, Height: o.Height})
	}
	if delivery.Data, err = batch.RowEventData(job, r, c.CreatedAt, d.urls.Image); err != nil {
		return nil, delivery, retry.Permanent(err)
	}
	secrets, err := d.hookSecrets(ctx)
	if err != nil {
		return nil, delivery, err
	}
	return webhook.New(job.WebhookURL, secrets, d.guarded), delivery, nil
}

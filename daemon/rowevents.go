package daemon

import (
	"context"
	"log/slog"
	"sync"
	"time"

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
	r := batch.Result{Index: c.Index, Key: c.Key, Done: true, Error: c.Fault}
	for _, o := range c.Outputs {
		r.Pictures = append(r.Pictures, batch.Picture{Output: o.Name, Hash: o.Hash, Ext: o.Ext, Format: o.Format, Width: o.Width, Height: o.Height})
	}
	if delivery.Data, err = batch.RowEventData(job, r, c.CreatedAt, d.urls.Image); err != nil {
		return nil, delivery, retry.Permanent(err)
	}
	secret, err := d.hookSecret(ctx)
	if err != nil {
		return nil, delivery, err
	}
	return webhook.New(job.WebhookURL, []string{secret}, d.guarded), delivery, nil
}

// A tally is how the deliveries of one turn went.
type tally struct {
	mu      sync.Mutex
	arrived int
	failed  int
	wait    time.Duration // the longest until one is tried again
	dead    bool          // one was given up
}

func (t *tally) note(done store.Delivered) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if done.Err == nil {
		t.arrived++
		return
	}
	t.failed++
	t.wait = max(t.wait, done.Retry)
	t.dead = t.dead || done.Dead
}

// restRows keeps the many events of a job's rows from trying, one by one, an
// address where nobody answers: when none of a turn arrived, all of them wait as
// long as the ones that were tried; when one was given up, all are.
func (d *Daemon) restRows(ctx context.Context, name string, t *tally) error {
	switch {
	case !store.IsRowsSink(name) || t.failed == 0 || t.arrived > 0:
		return nil
	case !t.dead:
		return d.store.RestDeliveries(ctx, name, t.wait)
	}
	dropped, err := d.store.GiveUpRowEvents(ctx, name)
	if dropped > 0 {
		d.log.Error("events about rows given up: nobody takes them", slog.String("sink", name), slog.Int64("events", dropped))
	}
	return err
}

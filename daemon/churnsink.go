package daemon

import (
	"context"
	"io"
	"time"

	"github.com/pictifyd/pictifyd/sink"
)

// A watchedSink is a sink that writes back to a source, under the eyes of churn.
type watchedSink struct {
	sink.Sink
	name  string
	churn *churn
}

// watch is to with its rows watched for circles.
func (c *churn) watch(name string, to sink.Sink) sink.Sink {
	w := &watchedSink{to, name, c}
	if b, ok := to.(sink.Batcher); ok {
		return &watchedBatcher{w, b}
	}
	return w
}

// Deliver implements sink.Sink.
func (w *watchedSink) Deliver(ctx context.Context, d sink.Delivery) (sink.Receipt, error) {
	if err := w.churn.before(w.name, d); err != nil {
		return sink.Receipt{}, err
	}
	receipt, err := w.Sink.Deliver(ctx, d)
	if err == nil {
		w.churn.arrived(w.name, d)
	}
	return receipt, err
}

// Probe implements sink.Prober where the sink does.
func (w *watchedSink) Probe(ctx context.Context) error {
	if p, ok := w.Sink.(sink.Prober); ok {
		return p.Probe(ctx)
	}
	return nil
}

// Counts implements sink.Counter where the sink does.
func (w *watchedSink) Counts() map[string]int64 {
	if c, ok := w.Sink.(sink.Counter); ok {
		return c.Counts()
	}
	return nil
}

// Limit implements sink.Limiter where the sink does.
func (w *watchedSink) Limit() time.Duration {
	if l, ok := w.Sink.(sink.Limiter); ok {
		return l.Limit()
	}
	return 0
}

// Close implements io.Closer where the sink does.
func (w *watchedSink) Close() error {
	if c, ok := w.Sink.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// A watchedBatcher is a watchedSink that is told of many rows at once.
type watchedBatcher struct {
	*watchedSink
	of sink.Batcher
}

var _ sink.Batcher = (*watchedBatcher)(nil)

// Batch implements sink.Batcher.
func (w *watchedBatcher) Batch() (int, time.Duration) { return w.of.Batch() }

// DeliverAll implements sink.Batcher.
func (w *watchedBatcher) DeliverAll(ctx context.Context, ds []sink.Delivery) []sink.Outcome {
	ended := make([]sink.Outcome, len(ds))
	var let []sink.Delivery
	var at []int
	for i, d := range ds {
		if ended[i].Err = w.churn.before(w.name, d); ended[i].Err == nil {
			let, at = append(let, d), append(at, i)
		}
	}
	if len(let) == 0 {
		return ended
	}
	for j, o := range forEach(w.of.DeliverAll(ctx, let), len(let)) {
		if ended[at[j]] = o; o.Err == nil {
			w.churn.arrived(w.name, let[j])
		}
	}
	return ended
}

package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/sink"
)

// churnHold is for how long a delivery is held back at least; shorter in tests.
var churnHold = 30 * time.Second

// holdBack is how long a row's source takes to show a change of it for sure.
func (d *Daemon) holdBack(binding string) time.Duration {
	hold := churnHold
	now := d.roster()
	if f := now.feeds[now.binding(binding).Source]; f != nil && !f.passive {
		hold = max(hold, 2*f.every)
	}
	return hold
}

// writtenBy are the columns of a binding's source that a sink writes.
func (d *Daemon) writtenBy(to, binding string) []string {
	now := d.roster()
	source := now.binding(binding).Source
	if back, ok := now.sinkConfigs[to].(sink.WriteBack); ok && now.feeds[source] != nil {
		return back.WritesBack(source, now.feeds[source].config)
	}
	return nil
}

// circles are those that were found, until their bindings are paused.
type circles struct {
	stop *errand

	mu    sync.Mutex
	found []circle
}

// circled hears of a row that goes in a circle. It is called in a delivery, and
// waits for nothing.
func (d *Daemon) circled(c circle) {
	d.circles.mu.Lock()
	defer d.circles.mu.Unlock()
	d.circles.found = append(d.circles.found, c)
	d.circles.stop.ask()
}

// stopCircles pauses the bindings whose rows go in circles.
func (d *Daemon) stopCircles(ctx context.Context) error {
	d.circles.mu.Lock()
	found := d.circles.found
	d.circles.found = nil
	d.circles.mu.Unlock()
	var failures []error
	for _, c := range found {
		if err := d.stopCircle(ctx, c); err != nil {
			failures = append(failures, err)
			d.circled(c)
		}
	}
	return errors.Join(failures...)
}

// stopCircle pauses a binding, until a person resumes it. Where none of the columns
// that changed is on the picture, it was drawn anew for another reason.
func (d *Daemon) stopCircle(ctx context.Context, c circle) error {
	now := d.roster()
	cfg := now.binding(c.binding)
	if cfg.Name == "" || now.paused[c.binding] {
		return nil
	}
	epoch, err := d.store.Epoch(ctx)
	if err != nil {
		return err
	}
	columns := c.columns
	if b, err := d.compileOne(ctx, cfg, epoch); err == nil {
		read, all := b.Columns()
		columns = slices.DeleteFunc(slices.Clone(columns), func(name string) bool { return !all && !slices.Contains(read, name) })
	}
	if len(columns) == 0 {
		return nil
	}
	d.metrics.circles.WithLabelValues(c.binding).Inc()
	d.log.Error("binding paused: what its sink writes back changes the row that it shows", slog.String("binding", c.binding), slog.String("key", c.key),
		slog.String("sink", c.sink), slog.String("columns", strings.Join(columns, ", ")))
	return d.pause(ctx, c.binding, true, c.reason(columns))
}

// reason is why the binding is paused, for people.
func (c circle) reason(columns []string) string {
	return fmt.Sprintf("each time the sink %q writes to row %q, %s changes there, and the picture with it: %d times, and not while nothing was written. "+
		"Have what changes %s leave it alone when only the sink's column changes, or do not show it; then resume the binding",
		c.sink, bindings.KeyText(c.key), connectors.Quoted(columns), c.rounds+1, connectors.Quoted(columns))
}

func newCircleMetric() *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "pictifyd_churn_tripped_total", Help: "Times that a binding was paused because what its sink wrote back changed the row that it shows.",
	}, []string{"binding"})
}

package daemon

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

var (
	_ api.Valve      = (*Daemon)(nil)
	_ api.Deliveries = (*store.Store)(nil)
)

// addFlows adds to sinks how they fare.
func (d *Daemon) addFlows(ctx context.Context, sinks []api.Connection) error {
	states, err := d.store.SinkStates(ctx)
	if err != nil {
		return err
	}
	left, err := d.store.Backlogs(ctx)
	if err != nil {
		return err
	}
	known := map[string]store.SinkState{}
	for _, state := range states {
		known[state.Sink] = state
	}
	for i, one := range sinks {
		state := known[one.Name]
		sinks[i].Flow = &api.Flow{
			State: state.Is(), Reason: state.Reason, FailingSince: state.FailingSince, Failures: state.Failures, RestingUntil: state.RestUntil,
			DisabledAt: state.DisabledAt, ArrivedAt: state.ArrivedAt, Left: left[one.Name],
		}
	}
	return nil
}

// PauseSink stops a sink, or lets it go on.
func (d *Daemon) PauseSink(ctx context.Context, name string, paused bool) error {
	act, did := d.store.ResumeSink, "sink resumed"
	if paused {
		act, did = d.store.PauseSink, "sink paused"
	}
	if err := act(ctx, name); err != nil {
		return err
	}
	d.log.Info(did, slog.String("sink", name))
	return nil
}

// A lettersCollector asks the store for the dead letters whenever Prometheus asks.
type lettersCollector struct{ daemon *Daemon }

var lettersDesc = prometheus.NewDesc("pictifyd_dead_letters", "Deliveries that were given up and wait for a person, by sink; batch and batch_rows are the webhooks of jobs, subscriptions all of those.", []string{"sink"}, nil)

// Describe implements prometheus.Collector.
func (c lettersCollector) Describe(out chan<- *prometheus.Desc) { out <- lettersDesc }

// Collect implements prometheus.Collector.
func (c lettersCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), recordLimit)
	defer cancel()
	left, err := c.daemon.store.Backlogs(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(lettersDesc, err)
		return
	}
	for name := range c.daemon.roster().sinks {
		if _, some := left[name]; !some {
			left[name] = sink.Backlog{}
		}
	}
	for _, name := range sortedKeys(left) {
		out <- prometheus.MustNewConstMetric(lettersDesc, prometheus.GaugeValue, float64(left[name].Dead), name)
	}
}

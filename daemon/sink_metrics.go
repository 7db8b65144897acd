package daemon

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pictifyd/pictifyd/store"
)

// A sinkCollector gives the figures of sinks whenever Prometheus asks.
type sinkCollector struct{ daemon *Daemon }

var (
	sinkWords = []string{store.SinkWell, store.SinkFailing, store.SinkResting, store.SinkPaused, store.SinkDisabled, store.SinkAbsent}

	deliveryStates = prometheus.NewDesc("pictifyd_deliveries",
		"Deliveries since the beginning, by sink (batch and batch_rows: the webhooks of batches; subscriptions: all of them) and what became of them: planned = delivered + waiting + dead + superseded.",
		[]string{"sink", "state"}, nil)
	sinkState = prometheus.NewDesc("pictifyd_sink_state", "1 for the state that a sink is in.", []string{"sink", "state"}, nil)
)

// Describe implements prometheus.Collector.
func (c sinkCollector) Describe(out chan<- *prometheus.Desc) {
	out <- deliveryStates
	out <- sinkState
}

// Collect implements prometheus.Collector.
func (c sinkCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), freshnessLimit)
	defer cancel()
	counts, err := c.daemon.store.DeliveryCounts(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(deliveryStates, err)
		return
	}
	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value, labels...)
	}
	left := map[string]int64{}
	for _, n := range counts {
		left[n.Sink] = n.Waiting
		for state, value := range map[string]int64{"planned": n.Planned, "delivered": n.Delivered, "waiting": n.Waiting, "dead": n.Dead, "superseded": n.Superseded} {
			gauge(deliveryStates, float64(value), n.Sink, state)
		}
	}
	states, err := c.daemon.store.SinkStates(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(sinkState, err)
		return
	}
	is := map[string]string{}
	for name := range c.daemon.roster().sinks {
		is[name] = store.SinkWell
	}
	for _, s := range states {
		if _, configured := is[s.Sink]; configured || s.Is() == store.SinkAbsent && left[s.Sink] > 0 {
			is[s.Sink] = s.Is()
		}
	}
	for name := range is {
		for _, word := range sinkWords {
			value := 0.0
			if word == is[name] {
				value = 1
			}
			gauge(sinkState, value, name, word)
		}
	}
}

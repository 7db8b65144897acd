package daemon

import (
	"context"
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pictifyd/pictifyd/connectors"
)

// A streamCollector gives the figures of streams whenever Prometheus asks.
type streamCollector struct{ daemon *Daemon }

// lagParts is how many parts of a source have a figure of their own; those behind
// them are one.
const lagParts = 100

var (
	streamPhases = []connectors.Phase{connectors.PhaseConnecting, connectors.PhaseSnapshot, connectors.PhaseStreaming, connectors.PhaseHalted}

	streamPhase    = prometheus.NewDesc("pictifyd_stream_phase", "1 for the phase that a stream is in: alert on halted.", []string{"source", "phase"}, nil)
	streamLag      = prometheus.NewDesc("pictifyd_stream_lag", "How much a stream has still to tell, by part: records of a partition, or bytes of WAL.", []string{"source", "part"}, nil)
	streamRetained = prometheus.NewDesc("pictifyd_stream_retained_bytes", "Bytes that the server of a stream keeps only for this reader: alert before its disk is full.", sourceLabel, nil)
	streamRows     = prometheus.NewDesc("pictifyd_stream_snapshot_rows", "Rows of the snapshot under way that were read, and how many there are about.", []string{"source", "what"}, nil)
	streamGaps     = prometheus.NewDesc("pictifyd_stream_gaps_total", "How often changes of a stream may have been missed.", sourceLabel, nil)
	keptOutRows    = prometheus.NewDesc("pictifyd_quarantined_rows", "Rows of a source that are kept out.", sourceLabel, nil)
)

// Describe implements prometheus.Collector.
func (c streamCollector) Describe(out chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{streamPhase, streamLag, streamRetained, streamRows, streamGaps, keptOutRows} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (c streamCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), freshnessLimit)
	defer cancel()
	d := c.daemon
	gauge := func(desc *prometheus.Desc, value int64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(value), labels...)
	}
	times, err := d.store.SourceTimes(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(keptOutRows, err)
		return
	}
	for name := range d.roster().feeds {
		gauge(keptOutRows, times[name].Quarantined, name)
	}
	states, err := d.StreamStates(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(streamPhase, err)
		return
	}
	for name, s := range states {
		for _, phase := range streamPhases {
			is := int64(0)
			if string(phase) == s.Phase {
				is = 1
			}
			gauge(streamPhase, is, name, string(phase))
		}
		for part, lag := range boundedLag(s.Lag) {
			gauge(streamLag, lag, name, part)
		}
		gauge(streamRetained, s.Retained, name)
		if s.Phase == string(connectors.PhaseSnapshot) {
			gauge(streamRows, s.Rows, name, "done")
			gauge(streamRows, s.OfRows, name, "of")
		}
		out <- prometheus.MustNewConstMetric(streamGaps, prometheus.CounterValue, float64(s.Gaps), name)
	}
}

// boundedLag is lag by part, of no more than lagParts; the others are in "more".
func boundedLag(lag map[string]int64) map[string]int64 {
	if len(lag) <= lagParts {
		return lag
	}
	parts := sortedKeys(lag)
	slices.SortStableFunc(parts, func(a, b string) int { return len(a) - len(b) }) // 2 before 10
	bounded := make(map[string]int64, lagParts+1)
	for i, part := range parts {
		if i < lagParts {
			bounded[part] = lag[part]
		} else {
			bounded["more"] += lag[part]
		}
	}
	return bounded
}

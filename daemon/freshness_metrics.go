package daemon

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/store"
)

// The stages of a row's way, each measured from the one before: their sum is how
// old a picture can be.
const (
	stageAccepted  = "accepted"  // from the beginning of the reading to its commit
	stageRendered  = "rendered"  // from then to its picture
	stageDelivered = "delivered" // from the row's last picture until the sink was told
)

// readingMetrics are the figures of rows on their way.
type readingMetrics struct {
	polls     *prometheus.CounterVec
	polling   *prometheus.HistogramVec
	rows      [3]*prometheus.CounterVec // seen, changed, unchanged
	freshness *prometheus.HistogramVec
}

func newReadingMetrics() *readingMetrics {
	rows := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "pictifyd_rows_" + name + "_total", Help: help}, sourceLabel)
	}
	m := &readingMetrics{
		polls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pictifyd_poll_total", Help: "Readings of a source, by how they ended: ok, unchanged, incomplete, retry, failed.",
		}, []string{"source", "result"}),
		polling: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "pictifyd_poll_duration_seconds", Help: "Time of one reading of a source.",
			Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300},
		}, sourceLabel),
		rows: [3]*prometheus.CounterVec{
			rows("seen", "Rows that a source gave."), rows("changed", "Rows of them that were written."), rows("unchanged", "Rows of them that were as before."),
		},
		freshness: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "pictifyd_freshness_seconds", Help: "Time of a row's way, by stage, each from the one before: accepted, rendered, delivered.",
			Buckets: []float64{.05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200},
		}, []string{"stage"}),
	}
	for _, stage := range []string{stageAccepted, stageRendered, stageDelivered} {
		m.freshness.WithLabelValues(stage)
	}
	return m
}

func (m *readingMetrics) register(registry *prometheus.Registry) {
	registry.MustRegister(m.polls, m.polling, m.rows[0], m.rows[1], m.rows[2], m.freshness)
}

// polled counts a reading that ended so.
func (m *readingMetrics) polled(source, result string, began time.Time) {
	m.polls.WithLabelValues(source, result).Inc()
	m.polling.WithLabelValues(source).Observe(time.Since(began).Seconds())
}

// committed counts the rows of a batch.
func (m *readingMetrics) committed(r *reading, plan bindings.Plan, done store.CommitResult) {
	m.rows[0].WithLabelValues(r.source).Add(float64(plan.Seen))
	m.rows[1].WithLabelValues(r.source).Add(float64(done.Rows))
	m.rows[2].WithLabelValues(r.source).Add(float64(max(plan.Seen-done.Rows, 0)))
	if done.Rows > 0 {
		m.stage(stageAccepted, r.options.Now)
	}
}

// stage notes that a stage ended that began at a time.
func (m *readingMetrics) stage(stage string, began time.Time) {
	if !began.IsZero() {
		m.freshness.WithLabelValues(stage).Observe(max(time.Since(began).Seconds(), 0))
	}
}

func result(err error) string {
	switch {
	case err == nil:
		return "ok"
	case retry.IsPermanent(err):
		return "failed"
	}
	return "retry"
}

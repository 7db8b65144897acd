package daemon

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// hookMetrics are the figures of sources that are sent their rows.
type hookMetrics struct {
	calls, rows, drifts *prometheus.CounterVec
}

func newHookMetrics() hookMetrics {
	return hookMetrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pictifyd_hook_calls_total",
			Help: "Calls to sources, by how they ended: accepted, duplicate, refused (not from its sender), invalid, busy, failed. Without a source: to none.",
		}, []string{"source", "result"}),
		rows: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pictifyd_hook_rows_total", Help: "Rows that sources were sent, by whether they were taken or quarantined.",
		}, []string{"source", "result"}),
		drifts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pictifyd_schema_drift_rows_total", Help: "Rows that lacked a column which rows had before and a binding reads, or had a new one.",
		}, []string{"source"}),
	}
}

// called counts one call.
func (m *metrics) called(source string, taken api.HookTaken, err error) {
	m.hooks.calls.WithLabelValues(source, endOfCall(taken, err)).Inc()
	if err == nil && !taken.Duplicate {
		m.hooks.rows.WithLabelValues(source, "taken").Add(float64(taken.Rows))
		m.hooks.rows.WithLabelValues(source, "quarantined").Add(float64(len(taken.Quarantined)))
	}
}

func endOfCall(taken api.HookTaken, err error) string {
	if err == nil {
		if taken.Duplicate {
			return "duplicate"
		}
		return "accepted"
	}
	switch problem.CodeOf(err) {
	case problem.Unauthorized:
		return "refused"
	case problem.Invalid, problem.TooLarge, problem.Unsupported, problem.NotFound:
		return "invalid"
	case problem.Overloaded:
		return "busy"
	case problem.Conflict, problem.Forbidden, problem.Internal, problem.Surroundings, problem.Timeout, problem.Upstream:
	}
	return "failed"
}

package daemon

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pictifyd/pictifyd/experiment"
)

// exhibitMetrics are the figures of the public doors of experiments.
type exhibitMetrics struct {
	fetches  *prometheus.CounterVec
	failures *prometheus.CounterVec
	events   *prometheus.CounterVec
}

func newExhibitMetrics() exhibitMetrics {
	return exhibitMetrics{
		fetches: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pictifyd_experiment_fetches_total", Help: "Images of experiments that were asked for, by whether the request counts.",
		}, []string{"result"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pictifyd_experiment_failures_total", Help: "Images of experiments for which a fallback stood, by variant.",
		}, []string{"experiment", "variant"}),
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pictifyd_experiment_events_total", Help: "Events that were taken, by kind and what became of them.",
		}, []string{"event", "result"}),
	}
}

func (m exhibitMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.fetches, m.failures, m.events}
}

// fetched counts an image that was shown.
func (m exhibitMetrics) fetched(c choice) {
	result := "counted"
	switch {
	case c.suspect:
		result = "suspect"
	case !c.counted:
		result = "uncounted"
	}
	m.fetches.WithLabelValues(result).Inc()
}

// took counts an event that was taken.
func (m exhibitMetrics) took(kind string, t experiment.Taken) {
	result := "counted"
	switch {
	case t.Duplicate:
		result = "duplicate"
	case t.Unassigned:
		result = "unassigned"
	case t.Suspect != "":
		result = "suspect"
	}
	m.events.WithLabelValues(kind, result).Inc()
}

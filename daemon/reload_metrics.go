package daemon

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// configMetrics are the figures of the configuration and its reloads.
type configMetrics struct {
	reloads  *prometheus.CounterVec
	good     prometheus.Gauge
	loadedAt prometheus.Gauge
}

func newConfigMetrics() configMetrics {
	return configMetrics{
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pictifyd_config_reload_total", Help: "Readings of the configuration while running, by how they ended.",
		}, []string{"result"}),
		good: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "pictifyd_config_last_reload_successful", Help: "1 where the configuration in the file is the one that runs, 0 where it was refused.",
		}),
		loadedAt: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "pictifyd_config_loaded_timestamp_seconds", Help: "When the configuration that runs was read.",
		}),
	}
}

// loaded notes that the configuration that was read at that time runs.
func (m *metrics) loaded(at time.Time) {
	m.config.good.Set(1)
	m.config.loadedAt.Set(float64(at.Unix()))
}

// began notes which configuration a daemon begins with: the one in the file, or,
// where instead, the one that ran before it.
func (m *metrics) began(instead bool, at time.Time) {
	m.loaded(at)
	if instead {
		m.config.reloads.WithLabelValues("refused").Inc()
		m.config.good.Set(0)
	}
}

// reloaded notes how a reload ended.
func (m *metrics) reloaded(err error, at time.Time) {
	if err != nil {
		m.config.reloads.WithLabelValues("refused").Inc()
		m.config.good.Set(0)
		return
	}
	m.config.reloads.WithLabelValues("ok").Inc()
	m.loaded(at)
}

package daemon

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/pictifyd/pictifyd/sink"
)

var writeRacesDesc = prometheus.NewDesc("pictifyd_sheet_write_races_total",
	"Cells of a sheet that were written for a row that had moved, and put right, since the sink was opened.", []string{"sink"}, nil)

// sinkCounts shows what sinks count themselves.
type sinkCounts struct{ daemon *Daemon }

// Describe implements prometheus.Collector.
func (c sinkCounts) Describe(to chan<- *prometheus.Desc) { to <- writeRacesDesc }

// Collect implements prometheus.Collector.
func (c sinkCounts) Collect(to chan<- prometheus.Metric) {
	now := c.daemon.roster()
	if now == nil {
		return
	}
	for name, s := range now.sinks {
		counter, ok := s.(sink.Counter)
		if !ok {
			continue
		}
		if n, counts := counter.Counts()[sink.WriteRaces]; counts {
			to <- prometheus.MustNewConstMetric(writeRacesDesc, prometheus.CounterValue, float64(n), name)
		}
	}
}

package daemon

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

// A copilotCollector gives the figures of the copilot's runs whenever Prometheus
// asks.
type copilotCollector struct{ daemon *Daemon }

var (
	copilotRunsKept = prometheus.NewDesc("pictifyd_copilot_runs", "Runs of the copilot that are kept (copilot.keep), by status and model.", []string{"status", "model"}, nil)
	copilotTokens   = prometheus.NewDesc("pictifyd_copilot_tokens", "Tokens, in and out, of the runs that are kept.", []string{"model"}, nil)
	copilotCost     = prometheus.NewDesc("pictifyd_copilot_cost", "What the runs that are kept cost, by the price of their model in the configuration.", []string{"model"}, nil)
)

// Describe implements prometheus.Collector.
func (c copilotCollector) Describe(out chan<- *prometheus.Desc) {
	out <- copilotRunsKept
	out <- copilotTokens
	out <- copilotCost
}

// Collect implements prometheus.Collector.
func (c copilotCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), freshnessLimit)
	defer cancel()
	counts, err := c.daemon.store.CopilotRuns().Counts(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(copilotRunsKept, err)
		return
	}
	tokens, cost := map[string]float64{}, map[string]float64{}
	for _, n := range counts {
		out <- prometheus.MustNewConstMetric(copilotRunsKept, prometheus.GaugeValue, float64(n.Runs), n.Status, n.Model)
		tokens[n.Model] += float64(n.Tokens)
		cost[n.Model] += n.Cost
	}
	for model, sum := range tokens {
		out <- prometheus.MustNewConstMetric(copilotTokens, prometheus.GaugeValue, sum, model)
		out <- prometheus.MustNewConstMetric(copilotCost, prometheus.GaugeValue, cost[model], model)
	}
}

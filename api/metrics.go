package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Counters are the figures that the store has. They never carry the key of a row.
type Counters struct {
	Rows, Missing, Quarantined                                                int64
	ItemsReady, ItemsWaiting, ItemsFailed, ItemsRemoved                       int64
	RendersWaiting, RendersClaimed, RendersDone, RendersFailed                int64
	DeliveriesWaiting, DeliveriesClaimed, DeliveriesDelivered, DeliveriesDead int64
	JobsOpen                                                                  int64
}

// A figure names one or more counters, told apart by their state.
type figure struct {
	desc   *prometheus.Desc
	states []state
}

type state struct {
	name  string // "" for a figure without states
	value func(Counters) int64
}

var figures = []figure{
	{gauge("rows", "Rows that are kept of all sources, by state.", "state"), []state{
		{"known", func(c Counters) int64 { return c.Rows }},
		{"missing", func(c Counters) int64 { return c.Missing }},
		{"quarantined", func(c Counters) int64 { return c.Quarantined }},
	}},
	{gauge("items", "Rows that have images or shall have them, by state.", "state"), []state{
		{"ready", func(c Counters) int64 { return c.ItemsReady }},
		{"waiting", func(c Counters) int64 { return c.ItemsWaiting }},
		{"failed", func(c Counters) int64 { return c.ItemsFailed }},
		{"removed", func(c Counters) int64 { return c.ItemsRemoved }},
	}},
	{gauge("renders", "Renders in the store, one per picture whoever wants it, by state.", "state"), []state{
		{"waiting", func(c Counters) int64 { return c.RendersWaiting }},
		{"claimed", func(c Counters) int64 { return c.RendersClaimed }},
		{"done", func(c Counters) int64 { return c.RendersDone }},
		{"failed", func(c Counters) int64 { return c.RendersFailed }},
	}},
	{gauge("jobs_open", "Batches that have not ended."), []state{{"", func(c Counters) int64 { return c.JobsOpen }}}},
}

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("pictifyd_"+name, help, labels, nil)
}

const countersLimit = 5 * time.Second

// A countersCollector asks the store whenever Prometheus asks.
type countersCollector struct {
	look func(ctx context.Context) (Counters, error)
}

// Describe implements prometheus.Collector.
func (c countersCollector) Describe(out chan<- *prometheus.Desc) {
	for _, f := range figures {
		out <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (c countersCollector) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), countersLimit)
	defer cancel()
	now, err := c.look(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(figures[0].desc, err)
		return
	}
	for _, f := range figures {
		for _, st := range f.states {
			var labels []string
			if st.name != "" {
				labels = []string{st.name}
			}
			out <- prometheus.MustNewConstMetric(f.desc, prometheus.GaugeValue, float64(st.value(now)), labels...)
		}
	}
}

// httpMetrics are the figures of the API itself.
type httpMetrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	handler  http.Handler
}

func newHTTPMetrics(registry *prometheus.Registry, look func(context.Context) (Counters, error)) (*httpMetrics, error) {
	if registry == nil {
		registry = prometheus.NewRegistry()
	}
	m := &httpMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pictifyd_http_requests_total", Help: "Requests answered, by route and status.",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "pictifyd_http_request_seconds", Help: "Time from a request's header to the end of its answer.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 5, 30},
		}, []string{"route"}),
		handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}),
	}
	all := []prometheus.Collector{m.requests, m.seconds}
	if look != nil {
		all = append(all, countersCollector{look})
	}
	for _, c := range all {
		if err := registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// answered counts a request. Its label is the route's pattern, never a path: a
// path may hold the key of a row.
func (m *httpMetrics) answered(route string, status int, took time.Duration) {
	if status == 0 {
		status = http.StatusOK
	}
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(route).Observe(took.Seconds())
}

func (s *Server) serveMetrics(w http.ResponseWriter, r *http.Request) error {
	s.metrics.handler.ServeHTTP(w, r)
	return nil
}

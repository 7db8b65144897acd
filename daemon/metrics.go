package daemon

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/pictifyd/pictifyd/render/chrome"
)

// metrics are the figures that only passing work can give; those of the store
// are read from it when somebody asks.
type metrics struct {
	*readingMetrics

	pace       pace
	registry   *prometheus.Registry
	finds      *prometheus.CounterVec
	finding    *prometheus.HistogramVec
	pictures   *prometheus.CounterVec
	drawing    *prometheus.HistogramVec
	deliveries *prometheus.CounterVec
	kept       *prometheus.GaugeVec
	files      *prometheus.GaugeVec
	freed      prometheus.Counter
	sweptAt    prometheus.Gauge
	circles    *prometheus.CounterVec
	config     configMetrics
	hooks      hookMetrics
	exhibit    exhibitMetrics
	blobs      blobMetrics
}

func newMetrics() *metrics {
	m := &metrics{
		readingMetrics: newReadingMetrics(),
		pace:           pace{since: time.Now()},
		registry:       prometheus.NewRegistry(),
		finds: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pictifyd_finds_total", Help: "Rows that a source was asked for one by one, by what it said.",
		}, []string{"source", "result"}),
		finding: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "pictifyd_find_seconds", Help: "Time of a source's answer about one row.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"source"}),
		pictures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pictifyd_renders_total", Help: "Pictures made, by format and how it ended.",
		}, []string{"format", "result"}),
		drawing: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "pictifyd_render_seconds", Help: "Time of one picture in the engine.",
			Buckets: []float64{.01, .02, .03, .05, .075, .1, .15, .2, .3, .5, 1, 2, 5, 10, 30},
		}, []string{"format"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "pictifyd_delivery_attempts_total", Help: "Tries of deliveries, by how they ended.",
		}, []string{"sink", "result"}),
		kept: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "pictifyd_kept_bytes", Help: "Bytes of images and their files at the last sweep, by whether anything shows them.",
		}, []string{"state"}),
		files: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "pictifyd_kept_files", Help: "Files of images at the last sweep, by whether anything shows them.",
		}, []string{"state"}),
		freed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "pictifyd_freed_bytes_total", Help: "Bytes removed since the start, because nothing showed them any more or they were deleted.",
		}),
		sweptAt: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "pictifyd_sweep_timestamp_seconds", Help: "When the bytes were last looked through; 0 before the first time.",
		}),
		circles: newCircleMetric(),
		config:  newConfigMetrics(),
		hooks:   newHookMetrics(),
		exhibit: newExhibitMetrics(),
		blobs:   newBlobMetrics(),
	}
	m.readingMetrics.register(m.registry)
	m.registry.MustRegister(m.exhibit.collectors()...)
	m.registry.MustRegister(m.blobs.collectors()...)
	m.registry.MustRegister(m.config.reloads, m.config.good, m.config.loadedAt, m.hooks.calls, m.hooks.rows, m.hooks.drifts, m.finds, m.finding, m.pictures, m.drawing, m.deliveries, m.kept, m.files, m.freed, m.sweptAt, m.circles,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// lanes adds the figures of a pool's lanes.
func (m *metrics) lanes(pool *chrome.Pool) {
	pages := func(lane string, count func(chrome.LaneStatus) int) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "pictifyd_render_pages", Help: "Pages of templates, by the lane that they are drawn in.", ConstLabels: prometheus.Labels{"lane": lane},
		}, func() float64 { return float64(count(pool.Lanes())) })
	}
	m.registry.MustRegister(
		pages("staged", func(s chrome.LaneStatus) int { return s.Agreed }),
		pages("plain", func(s chrome.LaneStatus) int { return s.Refused }))
}

// swept shows what the last sweep saw.
func (m *metrics) swept(seen swept, at time.Time) {
	m.kept.WithLabelValues("shown").Set(float64(seen.bytes - seen.markedBytes))
	m.kept.WithLabelValues("superseded").Set(float64(seen.markedBytes))
	m.files.WithLabelValues("shown").Set(float64(seen.files - seen.marked))
	m.files.WithLabelValues("superseded").Set(float64(seen.marked))
	m.sweptAt.Set(float64(at.Unix()))
}

// found counts what a source said of one row.
func (m *metrics) found(source string, found bool, err error, took time.Duration) {
	result := "missing"
	switch {
	case err != nil:
		result = "failed"
	case found:
		result = "found"
	}
	m.finds.WithLabelValues(source, result).Inc()
	m.finding.WithLabelValues(source).Observe(took.Seconds())
}

func (m *metrics) rendered(format string, took time.Duration, err error) {
	m.pictures.WithLabelValues(format, result(err)).Inc()
	if err == nil {
		m.drawing.WithLabelValues(format).Observe(took.Seconds())
		m.pace.note(time.Now(), took)
	}
}

func (m *metrics) delivered(sink string, err error) {
	m.deliveries.WithLabelValues(sink, result(err)).Inc()
}

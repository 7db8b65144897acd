package tracing

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// counts are how many spans ended, and what became of them. What ended and was neither sent nor lost
// waits, or was dropped because too many did.
type counts struct{ ended, sent, lost atomic.Int64 }

// OnStart implements sdktrace.SpanProcessor.
func (c *counts) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd implements sdktrace.SpanProcessor.
func (c *counts) OnEnd(s sdktrace.ReadOnlySpan) {
	if s.SpanContext().IsSampled() {
		c.ended.Add(1)
	}
}

// Shutdown implements sdktrace.SpanProcessor.
func (c *counts) Shutdown(context.Context) error { return nil }

// ForceFlush implements sdktrace.SpanProcessor.
func (c *counts) ForceFlush(context.Context) error { return nil }

// A counted exporter counts what it sent.
type counted struct {
	sdktrace.SpanExporter
	counts   *counts
	hide     *strings.Replacer // of what a refusal may say back
	sentFunc func(err error)
}

// ExportSpans implements sdktrace.SpanExporter.
func (c *counted) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := c.SpanExporter.ExportSpans(ctx, spans)
	if err == nil {
		c.counts.sent.Add(int64(len(spans)))
	} else {
		c.counts.lost.Add(int64(len(spans)))
		err = errors.New(c.hide.Replace(err.Error()))
	}
	if c.sentFunc != nil {
		c.sentFunc(err)
	}
	return err
}

var spansDesc = prometheus.NewDesc("pictifyd_spans_total", "Spans of traces, by what became of them: those that ended and were neither sent nor lost wait, or were dropped.", []string{"state"}, nil)

// Describe implements prometheus.Collector.
func (t *Tracer) Describe(out chan<- *prometheus.Desc) { out <- spansDesc }

// Collect implements prometheus.Collector.
func (t *Tracer) Collect(out chan<- prometheus.Metric) {
	if t == nil {
		return
	}
	for state, n := range map[string]*atomic.Int64{"ended": &t.counts.ended, "sent": &t.counts.sent, "lost": &t.counts.lost} {
		out <- prometheus.MustNewConstMetric(spansDesc, prometheus.CounterValue, float64(n.Load()), state)
	}
}

package tracing

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	// queueSize is how many spans wait to be sent, at most; more are dropped, and counted.
	queueSize = 8192
	// sendEvery is how long a span waits for others.
	sendEvery = 2 * time.Second
)

// A Tracer makes spans and sends them. All methods of a nil one do nothing.
type Tracer struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
	ratio    sdktrace.Sampler
	details  bool
	counts   *counts
}

// About is what the collector is told of this process.
type About struct {
	Version  string
	Instance string // tells the processes of a ledger apart
	// SentFunc is called with how each request to the collector ended, nil for well. It must not block.
	SentFunc func(err error)
}

// Open makes a tracer. Without an address there is none, which is no error. The collector need not be there.
func Open(ctx context.Context, cfg Config, about About) (*Tracer, error) {
	if cfg.URL == "" {
		return nil, nil
	}
	tlsConfig, err := cfg.TLS.Client()
	if err != nil {
		return nil, err
	}
	options := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(cfg.URL), otlptracehttp.WithCompression(otlptracehttp.GzipCompression)}
	if tlsConfig != nil {
		options = append(options, otlptracehttp.WithTLSClientConfig(tlsConfig))
	}
	headers := map[string]string{}
	for name, value := range cfg.Headers {
		headers[name] = value.Reveal()
	}
	options = append(options, otlptracehttp.WithHeaders(headers))
	exporter, err := otlptracehttp.New(ctx, options...)
	if err != nil {
		return nil, fmt.Errorf("open the way to the collector: %w", err)
	}
	host, _ := os.Hostname()
	self, err := resource.New(ctx, resource.WithFromEnv(), resource.WithAttributes( // the later ones hold
		attribute.String("service.name", cfg.Service), attribute.String("service.version", about.Version),
		attribute.String("service.instance.id", about.Instance), attribute.String("host.name", host)))
	if err != nil && !errors.Is(err, resource.ErrPartialResource) {
		return nil, fmt.Errorf("say who sends traces: %w", err)
	}
	// What goes wrong is said by SentFunc, with its place.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
	t := &Tracer{ratio: sdktrace.TraceIDRatioBased(float64(cfg.Sample)), details: cfg.Details, counts: new(counts)}
	t.provider = sdktrace.NewTracerProvider(
		sdktrace.WithSpanProcessor(t.counts),
		sdktrace.WithBatcher(&counted{SpanExporter: exporter, counts: t.counts, hide: hiding(headers), sentFunc: about.SentFunc},
			sdktrace.WithMaxQueueSize(queueSize), sdktrace.WithBatchTimeout(sendEvery)),
		sdktrace.WithIDGenerator(idGenerator{}), sdktrace.WithSampler(sdktrace.ParentBased(t.ratio)), sdktrace.WithResource(self))
	t.tracer = t.provider.Tracer("github.com/pictifyd/pictifyd", trace.WithInstrumentationVersion(about.Version))
	return t, nil
}

// Close sends what waits, as long as ctx lets it.
func (t *Tracer) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.provider.Shutdown(ctx)
}

// Follows reports whether w is one of those that are traced: in every process it is, or is not.
func (t *Tracer) Follows(w Way) bool {
	if t == nil {
		return false
	}
	id, _ := w.ids()
	return t.ratio.ShouldSample(sdktrace.SamplingParameters{TraceID: id}).Decision == sdktrace.RecordAndSample
}

// On is ctx in which spans begin as parts of w.
func (t *Tracer) On(ctx context.Context, w Way) context.Context {
	if t == nil {
		return ctx
	}
	id, first := w.ids()
	of := trace.SpanContextConfig{TraceID: id, SpanID: first, Remote: true}
	if t.Follows(w) {
		of.TraceFlags = trace.FlagsSampled
	}
	return trace.ContextWithSpanContext(ctx, trace.NewSpanContext(of))
}

// A Span is something that takes time. All methods of a nil one do nothing.
type Span struct {
	tracer *Tracer
	span   trace.Span
}

// Begin begins a part of what ctx is a part of, or a trace of its own.
func (t *Tracer) Begin(ctx context.Context, kind Kind, name string, about ...Attribute) (context.Context, *Span) {
	if t == nil {
		return ctx, nil
	}
	ctx, span := t.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithAttributes(about...))
	return ctx, &Span{t, span}
}

// End ends the span, as failed where err is one.
func (s *Span) End(err error, about ...Attribute) {
	if s == nil {
		return
	}
	s.span.SetAttributes(about...)
	s.tracer.judge(s.span, err)
	s.span.End()
}

// Past adds a part that is over: it took from began to ended.
func (t *Tracer) Past(ctx context.Context, kind Kind, name string, began, ended time.Time, err error, about ...Attribute) {
	if t == nil {
		return
	}
	_, span := t.tracer.Start(ctx, name, trace.WithSpanKind(kind), trace.WithTimestamp(began), trace.WithAttributes(about...))
	t.judge(span, err)
	span.End(trace.WithTimestamp(ended))
}

// Row begins the trace of w: name is what changed the row, which took from began to ended. What ctx is a part of
// is linked to it.
func (t *Tracer) Row(ctx context.Context, w Way, name string, began, ended time.Time, about ...Attribute) {
	if !t.Follows(w) {
		return
	}
	options := []trace.SpanStartOption{trace.WithNewRoot(), trace.WithTimestamp(began), trace.WithAttributes(about...), trace.WithAttributes(t.row(w)...)}
	if by := trace.SpanContextFromContext(ctx); by.IsValid() {
		options = append(options, trace.WithLinks(trace.Link{SpanContext: by}))
	}
	_, span := t.tracer.Start(context.WithValue(ctx, wayKey{}, w), name, options...)
	span.End(trace.WithTimestamp(ended))
}

// row says which row it is.
func (t *Tracer) row(w Way) []Attribute {
	all := []Attribute{attribute.String("pictifyd.owner", w.Owner), attribute.Int64("pictifyd.generation", w.Generation)}
	if t.details {
		all = append(all, attribute.String("pictifyd.key", w.Key))
	}
	return all
}

func (t *Tracer) judge(span trace.Span, err error) {
	if err == nil || !span.IsRecording() {
		return
	}
	kind := string(problem.CodeOf(err))
	if p := (*problem.Error)(nil); errors.As(err, &p) {
		kind = p.Kind()
	}
	span.SetAttributes(attribute.String("error.type", kind))
	text := kind
	if t.details {
		text = err.Error()
	}
	span.SetStatus(codes.Error, text)
}

// Served is the part that answers a request, within its caller's trace where it came with one that
// the caller has recorded, and otherwise as the share of requests goes.
func (t *Tracer) Served(r *http.Request) (*http.Request, *Span) {
	if t == nil {
		return r, nil
	}
	ctx := w3c.Extract(r.Context(), propagation.HeaderCarrier(r.Header))
	ctx, span := t.Begin(ctx, Server, r.Method, attribute.String("http.request.method", r.Method))
	return r.WithContext(ctx), span
}

// Answered ends the part that answered a request. Its name is the pattern of the route, as "GET /jobs/{id}": a path may
// hold the key of a row.
func (s *Span) Answered(route string, status int) {
	if s == nil {
		return
	}
	if status == 0 {
		status = http.StatusOK
	}
	_, path, _ := strings.Cut(route, " ")
	s.span.SetName(route)
	s.span.SetAttributes(attribute.String("http.route", path), attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		s.span.SetStatus(codes.Error, http.StatusText(status))
	}
	s.span.End()
}

// Note adds what is known of the part that ctx is in.
func Note(ctx context.Context, about ...Attribute) {
	trace.SpanFromContext(ctx).SetAttributes(about...)
}

var w3c propagation.TraceContext

// Inject has whoever gets a request with these headers go on with the trace of ctx, as
// W3C Trace Context says (traceparent). Where ctx is in none nothing is set.
func Inject(ctx context.Context, h http.Header) { w3c.Inject(ctx, propagation.HeaderCarrier(h)) }

// NewInstance is a name for this process among those of a ledger.
func NewInstance() string { return strings.ToLower(rand.Text()[:12]) }

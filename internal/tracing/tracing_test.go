package tracing_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/tracing"
	"github.com/pictifyd/pictifyd/internal/tracingtest"
	"github.com/pictifyd/pictifyd/internal/trust"
)

func open(tb testing.TB, cfg tracing.Config, sent func(error)) *tracing.Tracer {
	tb.Helper()
	t, err := tracing.Open(context.Background(), cfg, tracing.About{Version: "v1", Instance: tracing.NewInstance(), SentFunc: sent})
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

func to(url string) tracing.Config {
	cfg := tracing.Default()
	cfg.URL = url
	return cfg
}

func mustClose(tb testing.TB, t *tracing.Tracer) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := t.Close(ctx); err != nil {
		tb.Fatal(err)
	}
}

// Two processes that know nothing of each other add to the trace of a row.
func TestARowsWayIsOneTrace(t *testing.T) {
	c := tracingtest.Start(t)
	way := tracing.Way{Owner: "binding/cards", Key: "a@mail.example", Generation: 7}
	began := time.Now().Add(-time.Second).Truncate(time.Microsecond)
	one, two := open(t, to(c.URL), nil), open(t, to(c.URL), nil)
	one.Row(t.Context(), way, "plan", began, began.Add(time.Second), tracing.Text("pictifyd.source", "shop"))
	two.Past(two.On(t.Context(), way), tracing.Inside, "draw", began.Add(2*time.Second), began.Add(3*time.Second), nil)
	ctx, part := two.Begin(two.On(t.Context(), way), tracing.Client, "deliver hook")
	headers := http.Header{}
	tracing.Inject(ctx, headers)
	part.End(problem.New(problem.Upstream, "503 from a@mail.example").WithSlug("delivery_failed"), tracing.Number("http.response.status_code", 503))
	mustClose(t, one)
	mustClose(t, two)

	spans := map[string]tracingtest.Span{}
	for _, s := range c.Spans() {
		if s.TraceID != way.TraceID() {
			t.Errorf("%s is in trace %s, want %s", s.Name, s.TraceID, way.TraceID())
		}
		spans[s.Name] = s
	}
	first, draw, tell := spans["plan"], spans["draw"], spans["deliver hook"]
	if first.Parent != "" || !first.Began.Equal(began) || first.Ended.Sub(first.Began) != time.Second || first.Attributes["pictifyd.source"] != "shop" {
		t.Errorf("it begins with %+v", first)
	}
	if draw.Parent != first.SpanID || tell.Parent != first.SpanID || draw.Instance == first.Instance || draw.Instance != tell.Instance {
		t.Errorf("%+v and %+v are not parts of it by another process", draw, tell)
	}
	if !tell.Failed || tell.Attributes["error.type"] != "delivery_failed" || tell.Attributes["http.response.status_code"] != "503" {
		t.Errorf("the failure is %+v", tell)
	}
	if want := "00-" + way.TraceID() + "-" + tell.SpanID + "-01"; headers.Get("traceparent") != want {
		t.Errorf("the receiver is told %q, want %q", headers.Get("traceparent"), want)
	}
	if text := c.Text(); strings.Contains(text, "mail.example") {
		t.Errorf("the key of the row is in %s", text)
	}
}

func TestDetailsAreGivenWhereSomebodyWantsThem(t *testing.T) {
	c := tracingtest.Start(t)
	cfg := to(c.URL)
	cfg.Details = true
	tracer := open(t, cfg, nil)
	way := tracing.Way{Owner: "binding/cards", Key: "a", Generation: 1}
	tracer.Row(t.Context(), way, "plan", time.Now(), time.Now())
	tracer.Past(tracer.On(t.Context(), way), tracing.Inside, "draw", time.Now(), time.Now(), errors.New("it is torn"))
	mustClose(t, tracer)
	spans := c.Spans()
	if len(spans) != 2 || spans[0].Attributes["pictifyd.key"] != "a" || spans[1].Status != "it is torn" {
		t.Errorf("the spans are %+v", spans)
	}
}

// A row is followed by all processes or by none, and as many are as was asked for.
func TestAShareOfRowsIsFollowed(t *testing.T) {
	cfg := to("http://127.0.0.1:9/v1/traces")
	cfg.Sample = 0.1
	one, two := open(t, cfg, nil), open(t, cfg, nil)
	followed := 0
	for i := range 10_000 {
		way := tracing.Way{Owner: "job/j1", Index: int64(i), Key: fmt.Sprint(i), Generation: 1}
		if one.Follows(way) != two.Follows(way) {
			t.Fatalf("only one of two processes follows %+v", way)
		}
		if one.Follows(way) {
			followed++
		}
	}
	if followed < 850 || followed > 1150 {
		t.Errorf("%d of 10000 rows are followed, want a tenth", followed)
	}
}

// One that is not followed is said to be so to whoever is told of it.
func TestARowThatIsNotFollowedSendsNothing(t *testing.T) {
	c := tracingtest.Start(t)
	cfg := to(c.URL)
	cfg.Sample = 0
	tracer := open(t, cfg, nil)
	way := tracing.Way{Owner: "binding/cards", Key: "a", Generation: 1}
	tracer.Row(t.Context(), way, "plan", time.Now(), time.Now())
	ctx, part := tracer.Begin(tracer.On(t.Context(), way), tracing.Client, "deliver")
	headers := http.Header{}
	tracing.Inject(ctx, headers)
	part.End(nil)
	mustClose(t, tracer)
	if spans := c.Spans(); len(spans) != 0 || !strings.HasSuffix(headers.Get("traceparent"), "-00") {
		t.Errorf("sent are %+v, and the receiver is told %q", spans, headers.Get("traceparent"))
	}
}

func TestARequestIsInItsCallersTrace(t *testing.T) {
	c := tracingtest.Start(t)
	tracer := open(t, to(c.URL), nil)
	r := httptest.NewRequest(http.MethodPost, "/jobs/secret-key", nil)
	r.Header.Set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	r, part := tracer.Served(r)
	tracer.Row(r.Context(), tracing.Way{Owner: "job/j1", Key: "a", Generation: 1}, "plan", time.Now(), time.Now())
	part.Answered("POST /jobs/{id}", http.StatusServiceUnavailable)
	mustClose(t, tracer)
	spans := map[string]tracingtest.Span{}
	for _, s := range c.Spans() {
		spans[s.Name] = s
	}
	s := spans["POST /jobs/{id}"]
	if s.TraceID != "0af7651916cd43dd8448eb211c80319c" || s.Parent != "b7ad6b7169203331" || !s.Failed ||
		s.Attributes["http.route"] != "/jobs/{id}" || s.Attributes["http.response.status_code"] != "503" {
		t.Errorf("the request is %+v", s)
	}
	if row := spans["plan"]; row.TraceID == s.TraceID || len(row.Links) != 1 || row.Links[0] != s.TraceID {
		t.Errorf("the row that it changed is %+v, want a trace of its own with a link", row)
	}
	if strings.Contains(c.Text(), "secret-key") {
		t.Error("the path of the request is in its span")
	}
}

// A collector that refuses, or is not there, holds nobody up, and is said.
func TestACollectorThatIsAwayIsSaid(t *testing.T) {
	var failures atomic.Int64
	tracer := open(t, to("http://127.0.0.1:9/v1/traces"), func(err error) {
		if err != nil {
			failures.Add(1)
		}
	})
	for range 20_000 { // more than wait
		tracer.Past(t.Context(), tracing.Inside, "draw", time.Now(), time.Now(), nil)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_ = tracer.Close(ctx)
	if failures.Load() == 0 {
		t.Error("nobody was told that the collector is away")
	}
}

// A collector's refusal may say what it was sent; the log is no place for it.
func TestARefusalShowsNoSecret(t *testing.T) {
	echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, fmt.Sprint("not you: ", r.Header, strings.Fields(r.Header.Get("Authorization"))[1]), http.StatusBadRequest)
	}))
	defer echo.Close()
	cfg := to(echo.URL)
	cfg.Headers = secret("Authorization", "Bearer hunter2")
	said := make(chan error, 10)
	tracer := open(t, cfg, func(err error) { said <- err })
	tracer.Past(t.Context(), tracing.Inside, "draw", time.Now(), time.Now(), nil)
	_ = tracer.Close(t.Context())
	err := <-said
	if err == nil || !strings.Contains(err.Error(), "not you") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("it is said that %v", err)
	}
}

func TestNoTracerDoesNothing(t *testing.T) {
	tracer, err := tracing.Open(t.Context(), tracing.Default(), tracing.About{})
	if tracer != nil || err != nil {
		t.Fatalf("without an address there is %v, %v", tracer, err)
	}
	way := tracing.Way{Owner: "binding/cards", Key: "a", Generation: 1}
	tracer.Row(t.Context(), way, "plan", time.Now(), time.Now())
	ctx, part := tracer.Begin(tracer.On(t.Context(), way), tracing.Client, "deliver")
	headers := http.Header{}
	tracing.Inject(ctx, headers)
	part.End(errors.New("failed"))
	_, served := tracer.Served(httptest.NewRequest(http.MethodGet, "/jobs", nil))
	served.Answered("GET /jobs", http.StatusOK)
	if tracer.Follows(way) || len(headers) != 0 || tracer.Close(t.Context()) != nil {
		t.Errorf("it follows rows, or tells receivers of them: %v", headers)
	}
}

func TestConfigSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct {
		change func(c *tracing.Config)
		want   string
	}{
		"no address":        {func(c *tracing.Config) { c.URL = "127.0.0.1:4318" }, "url"},
		"another protocol":  {func(c *tracing.Config) { c.URL = "grpc://127.0.0.1:4317" }, "url"},
		"a password":        {func(c *tracing.Config) { c.URL = "https://me:pw-7@collector.example/v1/traces" }, "url"},
		"a query":           {func(c *tracing.Config) { c.URL = "https://collector.example/v1/traces?key=pw-7" }, "url"},
		"headers to nobody": {func(c *tracing.Config) { c.URL = ""; c.Headers = secret("Authorization", "Bearer a") }, "headers"},
		"no header":         {func(c *tracing.Config) { c.Headers = secret("a b", "c") }, "headers.a b"},
		"a broken value":    {func(c *tracing.Config) { c.Headers = secret("X-Key", "a\nb") }, "headers.X-Key"},
		"one of ours":       {func(c *tracing.Config) { c.Headers = secret("Content-Type", "a") }, "headers.Content-Type"},
		"TLS over HTTP":     {func(c *tracing.Config) { c.URL = "http://collector.example/v1/traces"; c.TLS = &trust.TLS{} }, "tls"},
		"no certificate":    {func(c *tracing.Config) { c.TLS = &trust.TLS{CA: config.NewSecret("pw-7")} }, "tls.ca"},
		"no name":           {func(c *tracing.Config) { c.Service = "" }, "service"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := to("https://collector.example/v1/traces")
			c.change(&cfg)
			list := problem.All(cfg.Validate())
			if len(list) != 1 || list[0].Path != c.want || strings.Contains(list.Error(), "pw-7") {
				t.Errorf("the problems are %v, want one at %s", list, c.want)
			}
		})
	}
	good := to("https://collector.example/v1/traces")
	good.Headers = secret("Authorization", "Bearer a")
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
}

func secret(name, value string) map[string]config.Secret {
	return map[string]config.Secret{name: config.NewSecret(value)}
}

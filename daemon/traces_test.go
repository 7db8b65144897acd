package daemon

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pictifyd/pictifyd/internal/tracingtest"
)

// A followed site sends its traces to a collector, and its sink notes the traceparent of each request.
type followedSite struct {
	*site
	collector *tracingtest.Collector

	mu      sync.Mutex
	parents []string
}

func newFollowedSite(t *testing.T, more string) *followedSite {
	t.Helper()
	f := &followedSite{collector: tracingtest.Start(t)}
	hear := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.parents = append(f.parents, r.Header.Get("traceparent"))
	}))
	t.Cleanup(hear.Close)
	f.site = newSite(t, strings.ReplaceAll(catalogWithHook, "RECEIVER", hear.URL)+fmt.Sprintf("traces: { url: %q }\n", f.collector.URL)+more)
	return f
}

// heard are the values of traceparent that the sink was sent.
func (f *followedSite) heard() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.parents)
}

// of are the spans of a trace by their names.
func (f *followedSite) of(trace string) map[string]tracingtest.Span {
	spans := map[string]tracingtest.Span{}
	for _, s := range f.collector.Spans() {
		if s.TraceID == trace {
			spans[s.Name] = s
		}
	}
	return spans
}

// traceOf is the id of the trace of the newest generation of a row, as explain says it.
func (p *process) traceOf(key string) string {
	p.tb.Helper()
	var answer struct {
		Row struct {
			TraceID string `json:"traceId"`
		} `json:"row"`
	}
	p.get("/bindings/cards/rows/"+key, &answer)
	return answer.Row.TraceID
}

var stepsOfARow = []string{"plan", "prepare", "draw", "record", "deliver hook"}

// all reports whether the collector has all parts of a trace.
func (f *followedSite) all(trace string) bool {
	spans := f.of(trace)
	for _, name := range stepsOfARow {
		if spans[name].SpanID == "" {
			return false
		}
	}
	return true
}

func (f *followedSite) mustBeOneWay(t *testing.T, trace string) map[string]tracingtest.Span {
	t.Helper()
	eventually(t, "the collector has the whole way", func() bool { return f.all(trace) })
	spans := f.of(trace)
	first := spans["plan"]
	for i, name := range stepsOfARow[1:] {
		s, before := spans[name], spans[stepsOfARow[i]]
		if s.Parent != first.SpanID || s.Failed || s.Ended.Before(s.Began) || s.Began.Before(before.Began) {
			t.Errorf("%s is %+v, after %+v", name, s, before)
		}
	}
	if first.Parent != "" || first.Attributes["pictifyd.owner"] != "binding/cards" || first.Attributes["pictifyd.source"] != "catalog" {
		t.Errorf("it begins with %+v", first)
	}
	return spans
}

// A row that changed is one trace from its source to its sink; the next change is another.
func TestTheWayOfARowIsOneTrace(t *testing.T) {
	f := newFollowedSite(t, "")
	f.write("rows.csv", csvRows(2, "one"))
	p := f.start()
	eventually(t, "two are told", func() bool { return len(f.heard()) == 2 })
	first := p.traceOf("SKU-001")
	spans := f.mustBeOneWay(t, first)
	if s := spans["deliver hook"]; s.Attributes["http.response.status_code"] != "200" || s.Attributes["pictifyd.event"] != "render.completed" || s.Attributes["pictifyd.attempt"] != "1" {
		t.Errorf("the delivery is %+v", s)
	}
	if want := "00-" + first + "-" + spans["deliver hook"].SpanID + "-01"; !slices.Contains(f.heard(), want) {
		t.Errorf("the sink was told %q, want %q among them", f.heard(), want)
	}
	f.write("rows.csv", strings.Replace(csvRows(2, "one"), "one 1", "two 1", 1))
	eventually(t, "the change is told", func() bool { return len(f.heard()) == 3 })
	second := p.traceOf("SKU-001")
	f.mustBeOneWay(t, second)
	if first == second {
		t.Error("two changes are one trace")
	}
	if text := f.collector.Text(); strings.Contains(text, "SKU-001") || strings.Contains(text, "two 1") {
		t.Error("what the row says is in its trace")
	}
	if text := p.text("/metrics"); !strings.Contains(text, `pictifyd_spans_total{state="sent"}`) {
		t.Error("the spans are not counted")
	}
}

// The process dies between two steps. The next one goes on with the trace: what is known
// of it is nowhere but in what the row is.
func TestTheWayOfARowGoesOnAfterADeath(t *testing.T) {
	f := newFollowedSite(t, "")
	f.write("rows.csv", csvRows(1, "one"))
	p := f.start(childNull + "=1h/1")
	eventually(t, "the row is planned", func() bool { return p.traceOf("SKU-000") != "" })
	trace := p.traceOf("SKU-000")
	eventually(t, "the collector knows it", func() bool { return f.of(trace)["plan"].SpanID != "" })
	p.kill()
	if spans := f.of(trace); spans["draw"].SpanID != "" {
		t.Fatalf("it was drawn already: %+v", spans)
	}
	f.start()
	spans := f.mustBeOneWay(t, trace)
	if spans["plan"].Instance == spans["draw"].Instance || spans["draw"].Instance != spans["deliver hook"].Instance {
		t.Errorf("the parts are by %+v", spans)
	}
}

// Three processes have a part each in the way of one row.
func TestTheWayOfARowIsOneTraceThroughManyProcesses(t *testing.T) {
	t.Parallel()
	f := newFollowedSite(t, "")
	dsn := newDatabase(t)
	f.write("pictifyd.yaml", strings.Replace(f.config(), "{ listen:", `{ public_url: "http://127.0.0.1", listen:`, 1)+fmt.Sprintf("\nstore: { url: %q, seal_key: a-key-that-seals-what-callers-give }\n", dsn))
	f.write("rows.csv", csvRows(1, "one"))
	var all []*process
	for _, role := range []string{"connect,api", "render", "deliver"} {
		p := f.start(childRoles + "=" + role)
		all = append(all, p)
		eventually(t, role+" is ready", func() bool { return p.status("/readyz") == http.StatusOK })
	}
	trace := ""
	eventually(t, "the row is planned", func() bool { trace = all[0].traceOf("SKU-000"); return trace != "" })
	spans := f.mustBeOneWay(t, trace)
	by := []string{spans["plan"].Instance, spans["draw"].Instance, spans["deliver hook"].Instance}
	if slices.Sort(by); len(slices.Compact(by)) != 3 {
		t.Errorf("the parts are by %v, want three processes", by)
	}
}

// A collector that is away, or refuses, holds up no row, and is said.
func TestACollectorThatRefusesHoldsUpNothing(t *testing.T) {
	f := newFollowedSite(t, "")
	f.collector.Refuse(true)
	f.write("rows.csv", csvRows(20, "one"))
	p := f.start()
	eventually(t, "all are told", func() bool { return len(f.heard()) == 20 })
	f.collector.Refuse(false)
	f.write("rows.csv", strings.Replace(csvRows(20, "one"), "one 1", "two 1", 1))
	eventually(t, "the change is told", func() bool { return len(f.heard()) >= 21 })
	f.mustBeOneWay(t, p.traceOf("SKU-001"))
}

// A batch is found by the trace of whoever sent it, and each of its rows by the batch.
func TestABatchIsFoundFromItsCallersTrace(t *testing.T) {
	f := newFollowedSite(t, "")
	f.write("rows.csv", "sku,name\n")
	p := f.start()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.url+"/templates/card/batch-render", strings.NewReader(`{"variables":[{"title":"one"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusAccepted {
		t.Fatalf("answered with %d", res.StatusCode)
	}
	job := p.onlyJob()
	eventually(t, "the request is in its caller's trace", func() bool {
		s := f.of("0af7651916cd43dd8448eb211c80319c")["POST /templates/{id}/batch-render"]
		return s.Parent == "b7ad6b7169203331" && s.Attributes["pictifyd.job"] == job
	})
	eventually(t, "its row is drawn", func() bool {
		return slices.ContainsFunc(f.collector.Spans(), func(s tracingtest.Span) bool {
			return s.Attributes["pictifyd.owner"] == "job/"+job && f.of(s.TraceID)["record"].SpanID != ""
		})
	})
}

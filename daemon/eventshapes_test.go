package daemon

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/jsonschema-go/jsonschema"

	"github.com/pictifyd/pictifyd/sink"
)

// An eventLog is a receiver that holds every body against what the daemon's own
// document says of its event.
type eventLog struct {
	server *httptest.Server

	mu     sync.Mutex
	shapes map[string]*jsonschema.Resolved // by event
	bodies map[string][]string             // by event
	wrong  []string
}

func newEventLog(tb testing.TB) *eventLog {
	l := &eventLog{bodies: map[string][]string{}}
	l.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.mu.Lock()
		defer l.mu.Unlock()
		body, err := io.ReadAll(r.Body)
		var of struct{ Event string }
		var value any
		if err == nil {
			err = json.Unmarshal(body, &of)
		}
		if err == nil {
			err = json.Unmarshal(body, &value)
		}
		if err == nil && l.shapes[of.Event] == nil {
			w.WriteHeader(http.StatusServiceUnavailable) // the document is not read yet
			return
		}
		if err == nil {
			err = l.shapes[of.Event].Validate(value)
		}
		if err != nil {
			l.wrong = append(l.wrong, err.Error()+": "+string(body))
		}
		l.bodies[of.Event] = append(l.bodies[of.Event], string(body))
	}))
	tb.Cleanup(l.server.Close)
	return l
}

// reads has l judge by the document of a daemon. Its objects are closed: a field
// that is sent and not described is a lie as well.
func (l *eventLog) reads(tb testing.TB, p *process) {
	tb.Helper()
	status, text := p.ask("GET", "/openapi.json", "")
	var d struct {
		Webhooks map[string]struct {
			Post struct {
				RequestBody struct {
					Content map[string]struct{ Schema *jsonschema.Schema }
				}
			}
		}
		Components struct{ Schemas map[string]*jsonschema.Schema }
	}
	if err := json.Unmarshal([]byte(strings.ReplaceAll(text, "#/components/schemas/", "#/$defs/")), &d); err != nil {
		tb.Fatalf("the document: %d, %v", status, err)
	}
	for _, one := range d.Components.Schemas {
		shut(one)
	}
	shapes := map[string]*jsonschema.Resolved{}
	for event, hook := range d.Webhooks {
		schema := hook.Post.RequestBody.Content["application/json"].Schema
		shut(schema)
		schema.Defs = map[string]*jsonschema.Schema{}
		for name, one := range d.Components.Schemas {
			schema.Defs[name] = one.CloneSchemas()
		}
		ready, err := schema.Resolve(nil)
		if err != nil {
			tb.Fatalf("the shape of %s: %v", event, err)
		}
		shapes[event] = ready
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.shapes = shapes
}

// shut lets an object have no field that is not described.
func shut(s *jsonschema.Schema) {
	if s.Properties != nil && s.AdditionalProperties == nil {
		s.AdditionalProperties = &jsonschema.Schema{Not: &jsonschema.Schema{}}
	}
	for _, p := range s.Properties {
		shut(p)
	}
	for _, one := range append(slices.Clone(s.AnyOf), s.Items) {
		if one != nil {
			shut(one)
		}
	}
}

// all are the bodies of an event.
func (l *eventLog) all(event string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.bodies[event])
}

// heard are the events that came, and what was wrong with them.
func (l *eventLog) heard() (events, wrong []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for event := range l.bodies {
		events = append(events, event)
	}
	slices.Sort(events)
	return events, l.wrong
}

// has waits until a body of an event has come in which all of some texts stand.
func (l *eventLog) has(tb testing.TB, event string, texts ...string) {
	tb.Helper()
	eventually(tb, event, func() bool {
		return slices.ContainsFunc(l.all(event), func(body string) bool {
			return !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(body, text) })
		})
	})
}

// Every event reaches a subscription and a sink that asks for it, as the document says.
func TestEventsAreAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	subscribed, sunk := newEventLog(t), newEventLog(t)
	shop := newShop(t, `[{"id":1,"title":"A","price":1},{"id":2,"title":"B","price":2}]`)
	s := newSite(t, strings.NewReplacer("SHOP", shop.server.URL, "SUNK", sunk.server.URL).Replace(`
sources: { shop: { kind: http, url: "SHOP", key: id, every: 1s } }
sinks:
  hook: { kind: webhook, url: "SUNK", include_row: true, events: [render.completed, render.failed, image.removed, run.completed, binding.updated, binding.failed, binding.guard_tripped] }
bindings:
  - { name: cards, source: shop, template: card, outputs: [ { format: png } ], sinks: [hook], on_delete: remove, delete_grace: 1ms, guard: { floor: 1, max_deleted: 100% } }
`))
	p := s.start()
	both := []*eventLog{subscribed, sunk}
	for _, l := range both {
		l.reads(t, p)
	}
	if status, text := p.ask("POST", "/webhook-subscriptions", `{"targetUrl":"`+subscribed.server.URL+`","events":["`+strings.Join(sink.Events(), `","`)+`"]}`); status != 201 {
		t.Fatalf("subscribe: %d %s", status, text)
	}
	p.mustShow("cards", 2)
	shop.set(`[{"id":1,"title":"A","price":1},{"id":2,"title":"B","price":2},{"id":3,"title":"C","price":3},{"id":4,"price":4}]`)
	for _, l := range both {
		l.has(t, sink.RenderCompleted, `"key":"3"`)
		l.has(t, sink.RenderFailed, `"key":"4"`)
		l.has(t, sink.BindingUpdated, `"failed":1`)
	}
	shop.set(`[{"id":1,"title":"A","price":1},{"id":2,"title":"B","price":2}]`)
	for _, l := range both {
		l.has(t, sink.ImageRemoved, `"key":"3"`)
	}
	p.askRun("cards", "")
	for _, l := range both {
		l.has(t, sink.RunCompleted, `"binding":"cards"`, `"cause":"run"`)
	}
	shop.set(`[{"id":1,"title":"AA","price":1},{"id":2,"title":"BB","price":2}]`)
	for _, l := range both {
		l.has(t, sink.BindingGuardTripped, `"heldChanges":2`)
	}
	shop.set(`no JSON`)
	for _, l := range both {
		l.has(t, sink.BindingFailed, `"reason":"source"`)
	}
	for _, rows := range [][]map[string]any{{{}}, {{"title": "D", "price": 4}, {}}} {
		if _, err := p.postBatch(rows, ""); err != nil {
			t.Fatal(err)
		}
	}
	subscribed.has(t, sink.BatchFailed, `"status":"failed"`)
	subscribed.has(t, sink.BatchCompleted, `"status":"partial"`)
	subscribed.has(t, sink.RenderCompleted, `"source":"batch"`)
	for _, l := range both {
		if _, wrong := l.heard(); len(wrong) > 0 {
			t.Errorf("not as described: %s", strings.Join(wrong, "\n"))
		}
	}
	want := slices.DeleteFunc(slices.Sorted(slices.Values(sink.Events())), sink.OfExperiment) // which have a test of their own
	if events, _ := subscribed.heard(); !cmp.Equal(want, events) {
		t.Errorf("the subscription heard %q", events)
	}
}

// A test event has the fields of a real one.
func TestTestEventsAreAsTheDocumentSays(t *testing.T) {
	t.Parallel()
	l := newEventLog(t)
	p := newSite(t, "").start()
	l.reads(t, p)
	_, text := p.ask("POST", "/webhook-subscriptions", `{"targetUrl":"`+l.server.URL+`","event":"render.completed"}`)
	var v struct{ Subscription shownSubscription }
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	for _, event := range sink.Events() {
		if status, text := p.ask("POST", "/webhook-subscriptions/"+v.Subscription.ID+"/test", `{"event":"`+event+`"}`); status != 200 || !strings.Contains(text, `"ok":true`) {
			t.Errorf("%s: %d %s", event, status, text)
		}
	}
	events, wrong := l.heard()
	if want := slices.Sorted(slices.Values(sink.Events())); !cmp.Equal(want, events) || len(wrong) > 0 {
		t.Errorf("sent were %q, and not as described %s", events, strings.Join(wrong, "\n"))
	}
}

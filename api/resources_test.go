package api

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// A shelf is the resources of a world. It keeps what it was asked for.
type shelf struct {
	connections []Connection
	saved       []ResourceChange
	calls       []string
	inTheWay    error
	tested      SinkTest
	testedOf    SinkTestOf
	seen        *sink.Seen
}

func newShelf() *shelf {
	return &shelf{connections: []Connection{
		{
			Kind: kindSource, Name: "shop", Type: "http", Origin: OfCallers, UsedBy: []string{"cards", "other"}, Revision: 4,
			Spec: json.RawMessage(`{"kind":"http","url":"https://shop.example/","bearer":"***"}`), Rows: 3, ReadAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Complete: true,
		},
		{Kind: kindSource, Name: "crm", Type: "file", Origin: OfFile, UsedBy: []string{"private"}},
		{Kind: kindSink, Name: "hook", Type: "webhook", Origin: OfCallers, Revision: 1, Spec: json.RawMessage(`{"kind":"webhook"}`), Flow: &Flow{State: "disabled", Reason: "410 gone", Left: sink.Backlog{Waiting: 3, Dead: 2}}},
	}}
}

func (s *shelf) Connections(_ context.Context, kind string) ([]Connection, error) {
	return slices.DeleteFunc(slices.Clone(s.connections), func(c Connection) bool { return c.Kind != kind }), nil
}

func (s *shelf) Save(_ context.Context, changes []ResourceChange) ([]string, error) {
	var names []string
	for _, c := range changes {
		var body struct{ Name, Template string }
		if err := json.Unmarshal(c.Body, &body); err != nil {
			return nil, problem.New(problem.Invalid, "%w", err)
		}
		if c.TemplateFunc != nil {
			if err := c.TemplateFunc(body.Template); err != nil {
				return nil, err
			}
		}
		if c.Name == "" {
			c.Name = body.Name
		}
		names = append(names, c.Name)
	}
	if s.inTheWay != nil {
		return nil, s.inTheWay
	}
	s.saved = append(s.saved, changes...)
	return names, nil
}

func (s *shelf) Delete(_ context.Context, kind, name string, removeImages bool) error {
	if removeImages {
		name += " with its images"
	}
	s.calls = append(s.calls, "delete "+kind+" "+name)
	return s.inTheWay
}

func (s *shelf) Pause(_ context.Context, binding string, paused bool) error {
	s.calls = append(s.calls, map[bool]string{true: "pause ", false: "resume "}[paused]+binding)
	return nil
}

func (s *shelf) TestSink(_ context.Context, _ string, of SinkTestOf) (SinkTest, error) {
	s.testedOf = of
	return s.tested, nil
}

func (s *shelf) Preview(_ context.Context, binding string, of PreviewOf) (Preview, error) {
	return Preview{
		Key: of.Key, Row: json.RawMessage(`{"a":1}`), Values: map[string]any{"recipient_name": binding}, Changed: true,
		Wants: []bindings.Want{{Output: "card", Fingerprint: "f1", Spec: bindings.Spec{Size: "default", Encoding: bindings.Encoding{Format: "png"}}}},
	}, nil
}

func (s *shelf) RowOf(_ context.Context, _, key string, seen *sink.Seen) (RowHistory, error) {
	s.seen = seen
	if key != "SKU-1" && key != "a%2Fb" {
		return RowHistory{}, problem.New(problem.NotFound, "no row %q", key).WithSlug("row_not_found")
	}
	return RowHistory{
		Row: &bindings.StoredRow{Key: key, Version: 7, Values: []byte(`{"sku":"SKU-1"}`)}, State: "ready", Generation: 2,
		Images:     []bindings.Image{{Output: "card", Hash: "abc", Ext: "png", Format: "png", Width: 2, Height: 1, Generation: 2}},
		Deliveries: []sink.Record{{ID: "dlv_1", Sink: "hook", State: "delivered", Attempts: 1, Receipt: &sink.Receipt{Status: 200}}},
	}, nil
}

func (c call) as(method string) call {
	c.method = method
	return c
}

func TestConnectionsAreShownWithoutTheOperatorsOwn(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	list := mustAnswer[struct{ Sources []map[string]any }](t, get("/sources").to(t, s), 200)
	if len(list.Sources) != 2 {
		t.Fatalf("%d sources, want 2", len(list.Sources))
	}
	mine, file := list.Sources[0], list.Sources[1]
	if mine["origin"] != "api" || mine["readOnly"] != false || mine["revision"] != 4.0 || mine["config"].(map[string]any)["bearer"] != "***" {
		t.Errorf("a caller's source is %v", mine)
	}
	if file["origin"] != "file" || file["readOnly"] != true || file["config"] != nil {
		t.Errorf("a source of the file is %v, want it read-only and without its configuration", file)
	}
	if out := get("/sources/shop").to(t, s); out.Header().Get("ETag") != `"4"` {
		t.Errorf("ETag %s, want the revision", out.Header().Get("ETag"))
	}
	d := mustProblem(t, get("/sinks/hok").to(t, s), 404, "sink_not_found")
	if d.Hint != `did you mean "hook"?` {
		t.Errorf("hint %q", d.Hint)
	}
}

func TestScopesOfResources(t *testing.T) {
	w := newWorld()
	s := mustServer(t, locked(
		Key{Key: config.NewSecret("reader-of-bindings-key"), Scopes: []Scope{BindingsRead}},
		Key{Key: config.NewSecret("writer-of-bindings-key"), Scopes: []Scope{BindingsWrite}},
		Key{Key: config.NewSecret("writer-of-connections"), Scopes: []Scope{ConnectionsWrite}},
		Key{Key: config.NewSecret("writer-of-both-of-them"), Scopes: []Scope{BindingsWrite, ConnectionsWrite}},
	), w)
	const seed = `{"templateId":"tpl_certificate","dataSource":{"type":"http","url":"https://shop.example/"}}`
	for _, c := range []struct {
		call   call
		key    string
		status int
	}{
		{get("/sources"), "writer-of-bindings-key", 403},
		{get("/sources"), "writer-of-connections", 200},
		{post("/sources", `{"name":"a"}`), "writer-of-bindings-key", 403},
		{post("/sources", `{"name":"shop"}`), "writer-of-connections", 201},
		{post("/sinks/hook/test", ""), "writer-of-bindings-key", 403},
		{post("/bindings", `{"name":"a","template":"tpl_certificate"}`), "writer-of-connections", 403},
		{post("/bindings", `{"name":"a","template":"tpl_certificate"}`), "reader-of-bindings-key", 403},
		{post("/bindings/cards/pause", ""), "reader-of-bindings-key", 403},
		{post("/bindings/cards/preview", ""), "reader-of-bindings-key", 200},
		{post("/bindings", seed), "writer-of-bindings-key", 403}, // it makes a source as well
	} {
		if out := c.call.bearer(c.key).to(t, s); out.Code != c.status {
			t.Errorf("%s %s with %s: status %d, want %d: %s", c.call.method, c.call.path, c.key, out.Code, c.status, out.Body)
		}
	}
	if n := len(w.shelf.saved); n != 1 {
		t.Errorf("%d resources were saved, want the 1 that was allowed", n)
	}
}

func TestKeyForSomeTemplatesBindsNoOthers(t *testing.T) {
	w := newWorld()
	w.configured[0].Template = "theirs"
	w.shelf.inTheWay = &InUseError{kindSource, "shop", []string{"cards", "private", "x"}}
	s := mustServer(t, locked(Key{Key: config.NewSecret(fullKey), Templates: []string{testTemplate}}), w)
	mustProblem(t, post("/bindings", `{"name":"a","template":"theirs"}`).bearer(fullKey).to(t, s), 422, "template_not_found")
	for _, c := range []call{
		post("/bindings/cards", `{}`).as("PUT"), post("/bindings/cards", "").as("DELETE"), post("/bindings/cards/pause", ""),
		post("/bindings/cards/preview", ""), get("/bindings/cards/rows/SKU-1"),
	} {
		mustProblem(t, c.bearer(fullKey).to(t, s), 404, "binding_not_found")
	}
	d := mustProblem(t, post("/sources/shop", "").as("DELETE").bearer(fullKey).to(t, s), 409, "in_use")
	if want := `the source "shop" is used by private, 2 more`; d.Detail != want {
		t.Errorf("detail %q, want %q: it names what the key may see", d.Detail, want)
	}
}

func TestReplacementCarriesItsRevision(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	mustAnswer[any](t, post("/sources/shop", `{"kind":"http"}`).as("PUT").with("If-Match", `"4"`).to(t, s), 200)
	got := w.shelf.saved[0]
	if got.Name != "shop" || !got.Replace || got.IfRevision != 4 || string(got.Body) != `{"kind":"http"}` {
		t.Errorf("saved %+v", got)
	}
	mustProblem(t, post("/sources/shop", `{}`).as("PUT").with("If-Match", "x").to(t, s), 400, "bad_if_match")
	mustProblem(t, post("/sources", strings.Repeat(" ", replayBody+1)).to(t, s), 413, "too_large")
}

func TestDeletedBindingKeepsOrRemovesItsImages(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	for _, query := range []string{"", "?images=keep", "?images=remove"} {
		if out := post("/bindings/cards"+query, "").as("DELETE").to(t, s); out.Code != 204 {
			t.Errorf("%s: status %d: %s", query, out.Code, out.Body)
		}
	}
	want := []string{"delete binding cards", "delete binding cards", "delete binding cards with its images"}
	if diff := cmp.Diff(want, w.shelf.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	mustProblem(t, post("/bindings/cards?images=burn", "").as("DELETE").to(t, s), 422, "invalid")
}

func TestSinkTestSaysWhatCame(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	type result struct {
		OK                bool
		Code, Error, Hint string
	}
	if got := mustAnswer[result](t, post("/sinks/hook/test", "").to(t, s), 200); !got.OK {
		t.Errorf("got %+v", got)
	}
	w.shelf.tested.Err = problem.New(problem.Upstream, "500 from https://x.example").WithSlug("webhook_delivery_failed").WithHint("look there")
	if diff := cmp.Diff(result{false, "webhook_delivery_failed", "500 from https://x.example", "look there"}, mustAnswer[result](t, post("/sinks/hook/test", "").to(t, s), 200)); diff != "" {
		t.Errorf("a failure (-want +got):\n%s", diff)
	}
	w.shelf.tested.Err = errors.New("open /etc/secret: no")
	if got := mustAnswer[result](t, post("/sinks/hook/test", "").to(t, s), 200); strings.Contains(got.Error, "/etc") || got.OK {
		t.Errorf("a fault of ours is shown: %+v", got)
	}
}

func TestSinkTestShowsWhatWasSentAndWhatCameBack(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	w.shelf.tested = SinkTest{
		Event: "render.completed", Delivery: "dlv_test_1", Took: 1500 * time.Millisecond,
		Receipt: sink.Receipt{
			Status: 202, Header: map[string]string{"Content-Type": "text/plain"}, Body: "thanks",
			Sent: &sink.Sent{Method: "POST", URL: "https://x.example/hook", Header: map[string]string{"Webhook-Id": "dlv_test_1"}, Body: "{}"},
		},
	}
	want := sinkTestView{
		Sink: "hook", OK: true, Event: "render.completed", DeliveryID: "dlv_test_1", DurationMs: 1500,
		Request: &sinkRequest{Method: "POST", URL: "https://x.example/hook", Headers: map[string]string{"Webhook-Id": "dlv_test_1"}, Body: "{}"},
		Answer:  &sinkAnswer{Status: 202, Headers: map[string]string{"Content-Type": "text/plain"}, Body: "thanks"},
	}
	if diff := cmp.Diff(want, mustAnswer[sinkTestView](t, post("/sinks/hook/test", `{"binding":"cards","key":"a.b"}`).to(t, s), 200)); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(SinkTestOf{Binding: "cards", Key: "a%2Eb"}, w.shelf.testedOf); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	w.shelf.tested = SinkTest{Event: "render.completed"}
	want = sinkTestView{Sink: "hook", OK: true, Probed: true, Event: "render.completed"}
	if diff := cmp.Diff(want, mustAnswer[sinkTestView](t, post("/sinks/hook/test", "").to(t, s), 200)); diff != "" {
		t.Errorf("a probe (-want +got):\n%s", diff)
	}
}

func TestSinkTestOfNoRowIsRefused(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	for body, status := range map[string]int{
		`{"key":"a"}`: 422, `{"binding":"cards"}`: 422, `{"binding":"cards","key":",,"}`: 422, `{"binding":"none","key":"a"}`: 404, `{"rows":1}`: 400, `[]`: 400,
	} {
		if got := post("/sinks/hook/test", body).to(t, s); got.Code != status {
			t.Errorf("%s: %d %s, want %d", body, got.Code, got.Body, status)
		}
	}
}

func TestPreviewOfARow(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	got := mustAnswer[struct{ Preview map[string]any }](t, post("/bindings/cards/preview", `{"key":"SKU-1"}`).to(t, s), 200).Preview
	want := map[string]any{
		"key": "SKU-1", "name": "SKU-1", "row": map[string]any{"a": 1.0}, "values": map[string]any{"recipient_name": "cards"}, "drawn": true, "changed": true,
		"outputs": []any{map[string]any{"output": "card", "fingerprint": "f1", "size": "default", "format": "png"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("preview (-want +got):\n%s", diff)
	}
	mustProblem(t, post("/bindings/cards/preview", `{"kye":"SKU-1"}`).to(t, s), 400, "malformed_body")
	mustProblem(t, post("/bindings/cards/preview", `{"key":"a","row":{}}`).to(t, s), 422, "invalid")
}

func TestRowHasItsImagesAndDeliveries(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	got := mustAnswer[struct{ Row historyView }](t, get("/bindings/cards/rows/a%2fb").to(t, s), 200).Row
	if got.Key != "a%2Fb" || got.Version != 7 || len(got.Images) != 1 || !strings.HasSuffix(got.Images[0].URL, "/images/abc.png") || got.Deliveries[0].Sink != "hook" {
		t.Errorf("row %+v", got)
	}
	mustProblem(t, get("/bindings/cards/rows/none").to(t, s), 404, "row_not_found")
}

func TestSeedsBindingsAreToldAsSourceAndBinding(t *testing.T) {
	for name, c := range map[string]struct{ body, source, binding string }{
		"its API": {
			`{"name":"Price cards","templateId":"tpl_certificate","dataSource":{"type":"http","url":"https://shop.example/p","method":"GET","headers":{"X-A":"b"},
				"credentials":{"type":"bearer_token","value":"secret://shop"}},"mapping":{"price":"variants[0].price","title":"$.title","label":"{{ price * 0.9 | currency }}"},
				"defaults":{"title":"Untitled"},"refreshPolicy":{"type":"ttl","ttlSeconds":300,"onError":"serve_stale"},"outputConfig":{"format":"png","quality":90}}`,
			`{"name":"price-cards","kind":"http","url":"https://shop.example/p","method":"GET","headers":{"X-A":"b"},"bearer":"secret://shop","one":"current","every":"300s"}`,
			`{"name":"price-cards","source":"price-cards","template":"tpl_certificate","public":true,"outputs":[{"format":"png"}],
				"map":{"price":"variants[0].price","title":"(title) ?? \"Untitled\"","label":"price * 0.9 | currency"}}`,
		},
		"January": {
			`{"name":"w","templateUid":"tpl_certificate","dataUrl":"https://api.example/w","dataMapping":{"temp":"$.main.temp"},"headers":{"X-Key":"k"},"schedule":"*/5 * * * *","format":"jpeg"}`,
			`{"name":"w","kind":"http","url":"https://api.example/w","headers":{"X-Key":"k"},"one":"current","every":"5m"}`,
			`{"name":"w","source":"w","template":"tpl_certificate","public":true,"outputs":[{"format":"jpeg"}],"map":{"temp":"main.temp"}}`,
		},
		"its pages": {
			`{"name":"p","templateId":"tpl_certificate","type":"http","url":"https://api.example/p","timeout_ms":3000,"cache_ttl_seconds":60,"mapping":{"price":"$.variants[0].price","n":"$['unit name']"}}`,
			`{"name":"p","kind":"http","url":"https://api.example/p","timeout":"3000ms","one":"current","every":"60s"}`,
			`{"name":"p","source":"p","template":"tpl_certificate","public":true,"map":{"price":"variants[0].price","n":"$env[\"unit name\"]"}}`,
		},
		"many rows": {
			`{"name":"r","templateId":"tpl_certificate","dataSource":{"url":"https://api.example/p","rows":"$.items[*]","credentials":{"type":"basic_auth","value":"me:pw"}},
				"key":"sku","filter":"{{ stock > 0 }}","defaults":{"n":3},"mapping":{"p":"a.b[1]"},"onDelete":"remove","sinks":["hook"],"refreshPolicy":{"type":"manual"},"outputConfig":{"format":"webp","quality":80}}`,
			`{"name":"r","kind":"http","url":"https://api.example/p","rows":"$.items","key":["sku"],"headers":{"Authorization":"Basic bWU6cHc="},"every":"8760h"}`,
			`{"name":"r","source":"r","template":"tpl_certificate","public":true,"where":"stock > 0","onDelete":"remove","sinks":["hook"],"outputs":[{"format":"webp","quality":80}],
				"map":{"p":"a.b[1]","n":"($env[\"n\"]) ?? 3"}}`,
		},
		"on demand": {
			`{"name":"p","templateId":"tpl_certificate","type":"http","url":"https://api.example/p/${product_id}","headers":{"X-P":"${product_id}"},"timeout_ms":3000,"cache_ttl_seconds":60,"mapping":{"price":"$.price"}}`,
			`{"name":"p","kind":"http","url":"https://api.example/p/{{ product_id }}","headers":{"X-P":"{{ product_id }}"},"key":["product_id"]}`,
			`{"name":"p","source":"p","template":"tpl_certificate","public":true,"map":{"price":"price"},"live":{"ttl":"60s","timeout":"3000ms","onError":"serve_stale"}}`,
		},
		"on demand by a key of two columns": {
			`{"name":"p","templateId":"tpl_certificate","dataSource":{"url":"https://api.example/{{ shop }}/${ sku }"},"key":["sku","shop"],
				"refreshPolicy":{"type":"manual","onError":"serve_default","maxStaleSeconds":90}}`,
			`{"name":"p","kind":"http","url":"https://api.example/{{ shop }}/{{ sku }}","key":["sku","shop"]}`,
			`{"name":"p","source":"p","template":"tpl_certificate","public":true,"placeholder":"tpl_certificate","live":{"ttl":"8760h","maxStale":"90s","onError":"serve_default"}}`,
		},
		"on demand by {{ key }}": {
			`{"name":"p","templateId":"tpl_certificate","dataSource":{"url":"https://api.example/{{ key }}"},"key":"sku"}`,
			`{"name":"p","kind":"http","url":"https://api.example/{{ key }}","key":["sku"]}`,
			`{"name":"p","source":"p","template":"tpl_certificate","public":true,"live":{"onError":"serve_stale"}}`,
		},
		"rows that are sent along": {
			`{"name":"p","templateId":"tpl_certificate","dataSource":{"type":"static","data":[{"id":1,"n":7.50}]},"key":"id"}`,
			`{"name":"p","kind":"static","key":["id"],"rows":[{"id":1,"n":7.50}]}`,
			`{"name":"p","source":"p","template":"tpl_certificate","public":true}`,
		},
		"one row that is sent along": {
			`{"name":"p","templateId":"tpl_certificate","dataSource":{"type":"static","data":{"title":"Mug"}}}`,
			`{"name":"p","kind":"static","one":"current","rows":[{"title":"Mug"}]}`,
			`{"name":"p","source":"p","template":"tpl_certificate","public":true}`,
		},
		"a webhook": {
			`{"name":"My hook","templateId":"tpl_certificate","dataSource":{"type":"webhook","secret":"long enough"},"refreshPolicy":{"type":"webhook"}}`,
			`{"name":"my-hook","kind":"webhook","path":"my-hook","one":"current","secret":"long enough"}`,
			`{"name":"my-hook","source":"my-hook","template":"tpl_certificate","public":true}`,
		},
		"a webhook with rows": {
			`{"name":"h","templateId":"tpl_certificate","dataSource":{"type":"webhook","rows":"$.records[*]","credentials":{"type":"basic_auth","value":"crm:a long:password"}},"key":"id"}`,
			`{"name":"h","kind":"webhook","path":"h","key":["id"],"rows":"$.records","verify":{"basic":{"user":"crm","password":"a long:password"}}}`,
			`{"name":"h","source":"h","template":"tpl_certificate","public":true}`,
		},
		"a schedule": {
			`{"name":"s","templateId":"tpl_certificate","dataSource":{"url":"https://api.example/p"},"refreshPolicy":{"type":"cron","schedule":"0 6 1 * *","timezone":"Europe/Berlin","jitterSeconds":15}}`,
			`{"name":"s","kind":"http","url":"https://api.example/p","one":"current","cron":"0 6 1 * *","timezone":"Europe/Berlin","jitter":"15s"}`,
			`{"name":"s","source":"s","template":"tpl_certificate","public":true}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			s := mustServer(t, open(), w)
			_ = post("/bindings", c.body).to(t, s) // the world has no such binding to show
			if len(w.shelf.saved) != 2 || w.shelf.saved[0].Kind != kindSource || w.shelf.saved[1].Kind != kindBinding {
				t.Fatalf("saved %+v, want a source and a binding", w.shelf.saved)
			}
			for i, want := range []string{c.source, c.binding} {
				var wanted, got any
				if err := errors.Join(json.Unmarshal([]byte(want), &wanted), json.Unmarshal(w.shelf.saved[i].Body, &got)); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(wanted, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", w.shelf.saved[i].Kind, diff)
				}
			}
			if made := w.shelf.saved[0].MadeFor; made == "" || w.shelf.saved[1].MadeFor != "" {
				t.Errorf("the source is made for %q", made)
			}
		})
	}
}

func TestSeedsBindingsThatCannotBeToldSaySo(t *testing.T) {
	const source = `"dataSource":{"type":"http","url":"https://shop.example/"}`
	for body, want := range map[string]map[string]string{ // field: code
		`{"templateId":"t","dataSource":{"type":"sheet"}}`:                                                            {"dataSource.type": "not_supported"},
		`{"templateId":"t","dataSource":{"type":"webhook","url":"https://x.example/"}}`:                               {"dataSource.secret": "invalid", "dataSource.url": "invalid"},
		`{"templateId":"t","dataSource":{"type":"webhook","secret":"long enough"},"refreshPolicy":{"type":"ttl"}}`:    {"refreshPolicy.type": "not_supported"},
		`{"templateId":"t","dataSource":{"type":"static"}}`:                                                           {"dataSource.data": "invalid"},
		`{"templateId":"t","dataSource":{"type":"static","data":[{"id":1}]}}`:                                         {"key": "invalid"},
		`{"templateId":"t","url":"https://x.example/${product.id}"}`:                                                  {"url": "invalid"},
		`{"templateId":"t","url":"https://x.example/${a}","headers":{"B":"${b}"}}`:                                    {"headers.B": "invalid"},
		`{"templateId":"t","dataSource":{"url":"https://x.example/${a}"},"key":"b"}`:                                  {"dataSource.url": "invalid"},
		`{"templateId":"t","url":"https://x.example/${a}","schedule":"0 6 1 * *","refreshPolicy":{"type":"webhook"}}`: {"schedule": "not_supported", "refreshPolicy.type": "not_supported"},
		`{"templateId":"t","dataUrl":"https://x.example/","headers":{"A":"Bearer ${env.KEY}"}}`:                       {"headers.A": "invalid"},
		`{` + source + `}`: {"templateId": "invalid"},
		`{"templateId":"t",` + source + `,"refreshPolicy":{"type":"webhook","onError":"serve_default"}}`: {"refreshPolicy.onError": "not_supported", "refreshPolicy.type": "not_supported"},
		`{"templateId":"t",` + source + `,"refreshPolicy":{"type":"cron"}}`:                              {"refreshPolicy.schedule": "invalid"},
		`{"templateId":"t",` + source + `,"mapping":{"a":"$","b":"$..x","c":"[0].a","d":"items[*].a"}}`:  {"mapping.a": "invalid", "mapping.b": "invalid", "mapping.c": "invalid", "mapping.d": "invalid"},
		`{"templateId":"t",` + source + `,"defaults":{"a":[1]}}`:                                         {"defaults.a": "invalid"},
		`{"templateId":"t",` + source + `,"maping":{}}`:                                                  {"": "unknown_key"},
		`{"templateId":"t","dataSource":{"url":"https://x.example","rows":"$.a"}}`:                       {"key": "invalid"},
		`{"templateId":"t","dataSource":{"url":"https://x.example","credentials":{"type":"magic"}}}`:     {"dataSource.credentials.type": "invalid"},
		`{"templateId":"t","dataSource":{"url":"https://x.example","credentials":{"type":"basic_auth","value":"secret://a"}}}`: {
			"dataSource.credentials.value": "not_supported"},
	} {
		w := newWorld()
		out := post("/bindings", body).to(t, mustServer(t, open(), w))
		d := mustAnswer[document](t, out, 422)
		got := map[string]string{}
		for _, e := range d.Errors {
			got[e.Field] = e.Code
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: problems %v, want %v", body, got, want)
		}
		if len(w.shelf.saved) > 0 {
			t.Errorf("%s: something was saved", body)
		}
	}
}

func TestSlugOfAName(t *testing.T) {
	for name, want := range map[string]string{
		"Price cards": "price-cards", "  Ünïcode! 7 ": "n-code-7", "---": "", strings.Repeat("ab ", 40): strings.TrimSuffix(strings.Repeat("ab-", 21), "-"),
	} {
		if got := slug(name); got != want {
			t.Errorf("slug(%q) = %q, want %q", name, got, want)
		}
	}
}

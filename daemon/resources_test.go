package daemon

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/sink"
)

// A shop serves rows that a test changes, and remembers how it was asked.
type shop struct {
	server *httptest.Server

	mu     sync.Mutex
	body   string
	asked  int
	bearer string
}

func newShop(t *testing.T, body string) *shop {
	t.Helper()
	s := &shop{body: body}
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.asked++
		s.bearer = r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, s.body)
	}))
	t.Cleanup(s.server.Close)
	return s
}

func (s *shop) set(body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.body = body
}

func (s *shop) lastBearer() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bearer
}

// ask makes a request with a JSON body and returns the status and the answer.
func (p *process) ask(method, path, body string, header ...string) (int, string) {
	p.tb.Helper()
	req, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
	if err != nil {
		p.tb.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error() // it may have been killed
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(text)
}

func (p *process) mustSend(status int, method, path, body string) string {
	p.tb.Helper()
	got, text := p.ask(method, path, body)
	if got != status {
		p.tb.Fatalf("%s %s: status %d, want %d: %s", method, path, got, status, text)
	}
	return text
}

// picture is what an image shows, or "" while there is none.
func (p *process) picture(path string) string {
	p.tb.Helper()
	res, err := http.Get(p.url + path)
	if err != nil {
		p.tb.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return ""
	}
	return string(text)
}

// connect makes the source shop, the sink hook and the binding cards over the API.
func (p *process) connect(s *shop, hook string) {
	p.tb.Helper()
	p.mustSend(201, "POST", "/sources", fmt.Sprintf(`{"name":"shop","kind":"http","url":%q,"key":"sku","every":"1s","bearer":"hunter2-hunter2"}`, s.server.URL))
	p.mustSend(201, "POST", "/sinks", fmt.Sprintf(`{"name":"hook","kind":"webhook","url":%q}`, hook))
	p.mustSend(201, "POST", "/bindings", `{"name":"cards","source":"shop","template":"card","map":{"title":"name"},"sinks":["hook"],"public":true,"deleteGrace":"0s"}`)
}

const oneMug = `[{"sku":"A","name":"Mug","price":1}]`

func TestResourcesOfTheAPIWorkAtOnceAndAfterARestart(t *testing.T) {
	t.Parallel()
	s, shop := newSite(t, ""), newShop(t, oneMug)
	p := s.start()
	p.connect(shop, s.receiver.server.URL)
	eventually(t, "the first image", func() bool { return p.picture("/b/cards/A.png") != "" })
	first := p.picture("/b/cards/A.png")
	eventually(t, "the first delivery", func() bool { return len(s.receiver.all("render.completed")) == 1 })
	if got := shop.lastBearer(); got != "Bearer hunter2-hunter2" {
		t.Errorf("the source was asked with %q", got)
	}
	p.terminate()

	shop.set(`[{"sku":"A","name":"Cup","price":1}]`)
	p = s.start()
	eventually(t, "the image of the change", func() bool { now := p.picture("/b/cards/A.png"); return now != "" && now != first })
	eventually(t, "the second delivery", func() bool { return len(s.receiver.all("render.completed")) == 2 })
	if got := shop.lastBearer(); got != "Bearer hunter2-hunter2" {
		t.Errorf("after a restart the source was asked with %q", got)
	}

	// Secrets are nowhere to be read.
	for _, path := range []string{"/sources", "/sources/shop", "/bindings/cards", "/sinks/hook"} {
		if text := p.mustSend(200, "GET", path, ""); strings.Contains(text, "hunter2") {
			t.Errorf("%s shows the secret: %s", path, text)
		}
	}
	for _, file := range []string{"pictifyd.db", "pictifyd.db-wal"} {
		if data, _ := os.ReadFile(filepath.Join(s.dir, "data", file)); bytes.Contains(data, []byte("hunter2")) {
			t.Errorf("%s holds the secret as it is", file)
		}
	}
	if strings.Contains(p.log.String(), "hunter2") {
		t.Errorf("the log holds the secret:\n%s", p.log.String())
	}
}

// Killed between the commit of a resource and its effect, it takes effect at the
// next start; and a delete as well.
func TestResourceSurvivesKillAfterItsCommit(t *testing.T) {
	t.Parallel()
	s, shop := newSite(t, ""), newShop(t, oneMug)
	p := s.start(childCrash + "=resource.committed:3")
	p.mustSend(201, "POST", "/sources", fmt.Sprintf(`{"name":"shop","kind":"http","url":%q,"key":"sku","every":"1s"}`, shop.server.URL))
	p.mustSend(201, "POST", "/sinks", fmt.Sprintf(`{"name":"hook","kind":"webhook","url":%q}`, s.receiver.server.URL))
	p.ask("POST", "/bindings", `{"name":"cards","source":"shop","template":"card","map":{"title":"name"},"sinks":["hook"],"public":true}`)
	p.mustDie("resource.committed")

	p = s.start(childCrash + "=images.removed:1")
	eventually(t, "the image and its delivery", func() bool {
		return p.picture("/b/cards/A.png") != "" && len(s.receiver.all("render.completed")) == 1
	})
	p.ask("DELETE", "/bindings/cards?images=remove", "")
	p.mustDie("images.removed")

	// The delete was never answered: the binding is there, and whole again.
	p = s.start(childCrash + "=resource.deleted:1")
	eventually(t, "the image is back", func() bool { return p.picture("/b/cards/A.png") != "" })
	p.ask("DELETE", "/bindings/cards", "")
	p.mustDie("resource.deleted")

	p = s.start()
	p.mustSend(404, "GET", "/bindings/cards", "")
	p.mustSend(204, "DELETE", "/sources/shop", "")
	p.mustSend(204, "DELETE", "/sinks/hook", "")
}

func TestChangedSourceIsReadAtItsNewAddress(t *testing.T) {
	t.Parallel()
	s, before, after := newSite(t, ""), newShop(t, oneMug), newShop(t, `[{"sku":"A","name":"Jug","price":2}]`)
	p := s.start()
	p.connect(before, s.receiver.server.URL)
	eventually(t, "the first image", func() bool { return p.picture("/b/cards/A.png") != "" })
	first := p.picture("/b/cards/A.png")

	// The secret that is kept goes nowhere else, and the change does nothing.
	if text := p.mustSend(422, "PUT", "/sources/shop", fmt.Sprintf(`{"kind":"http","url":%q,"key":"sku","bearer":"***"}`, after.server.URL)); !strings.Contains(text, "bad_secret") {
		t.Errorf("a kept secret for another address: %s", text)
	}
	p.mustSend(200, "PUT", "/sources/shop", fmt.Sprintf(`{"kind":"http","url":%q,"key":"sku","every":"2s","bearer":"***"}`, before.server.URL))
	p.mustSend(200, "PUT", "/sources/shop", fmt.Sprintf(`{"kind":"http","url":%q,"key":"sku","every":"1s","bearer":"another-secret"}`, after.server.URL))
	eventually(t, "the image of the other address", func() bool { now := p.picture("/b/cards/A.png"); return now != "" && now != first })
	if got := after.lastBearer(); got != "Bearer another-secret" {
		t.Errorf("asked with %q", got)
	}
	if got := before.lastBearer(); got != "Bearer hunter2-hunter2" {
		t.Errorf("the one before was asked with %q", got)
	}
	if status, text := p.ask("PUT", "/sources/shop", fmt.Sprintf(`{"kind":"http","url":%q,"key":"sku"}`, after.server.URL), "If-Match", `"1"`); status != 409 || !strings.Contains(text, "revision_moved") {
		t.Errorf("an old revision: %d %s", status, text)
	}
}

func TestChangedBindingIsPlannedFromStoredRows(t *testing.T) {
	t.Parallel()
	s, shop := newSite(t, ""), newShop(t, oneMug)
	p := s.start()
	p.connect(shop, s.receiver.server.URL)
	eventually(t, "the first image", func() bool { return p.picture("/b/cards/A.png") != "" })
	first := p.picture("/b/cards/A.png")
	p.mustSend(200, "PUT", "/bindings/cards", `{"source":"shop","template":"card","map":{"title":"name + \"!\""},"public":true,"sinks":["hook"]}`)
	eventually(t, "the other image", func() bool { now := p.picture("/b/cards/A.png"); return now != "" && now != first })

	// Nothing of what does not compile is kept.
	for body, want := range map[string]string{
		`{"source":"shop","template":"none"}`:                                 "there is no template",
		`{"source":"shop","template":"card","map":{"title":"name +"}}`:        `"field":"map.title"`,
		`{"source":"shop","template":"card","map":{"titel":"name"}}`:          "did you mean \\\"title\\\"",
		`{"source":"shop","template":"card","deletegrace":"1m"}`:              "did you mean \\\"deleteGrace\\\"",
		`{"source":"shop","template":"card","onDelete":"burn"}`:               `"field":"onDelete"`,
		"{\"source\":\"shop\",\n \"template\":\"card\", \"sinks\":[\"hok\"]}": `"line":2`,
		`{"source":"shpo","template":"card"}`:                                 "did you mean \\\"shop\\\"",
		`{"name":"other","source":"shop","template":"card"}`:                  "can't be renamed",
		`[]`:                                 "not an object",
		`{"source":"shop","template":"card"`: "ends before",
	} {
		if text := p.mustSend(422, "PUT", "/bindings/cards", body); !strings.Contains(text, want) {
			t.Errorf("%s: %s, want %s in it", body, text, want)
		}
	}
	var v struct {
		Binding struct {
			Revision int
			Config   struct{ Map map[string]string }
		}
	}
	p.get("/bindings/cards", &v)
	if v.Binding.Revision != 2 || v.Binding.Config.Map["title"] != `name + "!"` {
		t.Errorf("the binding is %+v, want it as the one good change left it", v)
	}
}

func TestPausedBindingStaysAsItIsUntilItIsResumed(t *testing.T) {
	t.Parallel()
	s := newSite(t, `
sources: { catalog: { kind: file, path: rows.csv, key: sku } }
bindings:
  - { name: cards, source: catalog, template: card, map: { title: name }, public: true }
  - { name: others, source: catalog, template: card, map: { title: name }, public: true }
`)
	s.write("rows.csv", csvRows(1, "one"))
	p := s.start()
	generation := func(binding string) int {
		var v struct{ Row struct{ Generation int } }
		p.get("/bindings/"+binding+"/rows/SKU-000", &v)
		return v.Row.Generation
	}
	eventually(t, "the image", func() bool { return p.picture("/b/cards/SKU-000.png") != "" })
	first := p.picture("/b/cards/SKU-000.png")
	if text := p.mustSend(200, "POST", "/bindings/cards/pause", ""); !strings.Contains(text, `"state":"paused"`) || !strings.Contains(text, `"status":"paused"`) {
		t.Errorf("paused: %s", text)
	}
	p.terminate()

	// It stays paused over a restart, also one of the file.
	s.write("rows.csv", csvRows(1, "two"))
	p = s.start()
	eventually(t, "the change is planned for another binding", func() bool { return generation("others") == 2 })
	if now := generation("cards"); now != 1 {
		t.Errorf("the paused binding is at generation %d, want 1", now)
	}
	p.mustSend(200, "POST", "/bindings/cards/resume", "")
	eventually(t, "the image of the change", func() bool { now := p.picture("/b/cards/SKU-000.png"); return now != "" && now != first })
}

func TestWhatTheFileDefinesIsReadOnly(t *testing.T) {
	t.Parallel()
	s := newSite(t, `
sources: { catalog: { kind: file, path: rows.csv, key: sku } }
sinks: { out: { kind: webhook, url: "RECEIVER/?token=hunter2" } }
bindings: [ { name: cards, source: catalog, template: card, map: { title: name } } ]
`)
	s.write("rows.csv", csvRows(1, "one"))
	p := s.start()
	for _, c := range [][2]string{
		{"POST /sources", `{"name":"catalog","kind":"http","url":"http://127.0.0.1/","key":"a"}`},
		{"PUT /sources/catalog", `{"kind":"http","url":"http://127.0.0.1/","key":"a"}`},
		{"DELETE /sources/catalog", ""},
		{"PUT /sinks/out", `{"kind":"webhook","url":"http://127.0.0.1/"}`},
		{"DELETE /sinks/out", ""},
		{"POST /bindings", `{"name":"cards","source":"catalog","template":"card"}`},
		{"PUT /bindings/cards", `{"source":"catalog","template":"card"}`},
		{"DELETE /bindings/cards", ""},
	} {
		method, path, _ := strings.Cut(c[0], " ")
		if text := p.mustSend(409, method, path, c[1]); !strings.Contains(text, "defined in pictifyd.yaml") {
			t.Errorf("%s: %s", c[0], text)
		}
	}
	if text := p.mustSend(200, "GET", "/sinks", ""); strings.Contains(text, "hunter2") {
		t.Errorf("the operator's sink is shown: %s", text)
	}
	// A caller's binding may read the operator's source.
	p.mustSend(201, "POST", "/bindings", `{"name":"mine","source":"catalog","template":"card","map":{"title":"name"},"public":true}`)
	eventually(t, "its image", func() bool { return p.picture("/b/mine/SKU-000.png") != "" })
}

func TestDeletesSayWhoIsInTheWay(t *testing.T) {
	t.Parallel()
	s, shop := newSite(t, ""), newShop(t, oneMug)
	p := s.start()
	p.connect(shop, s.receiver.server.URL)
	eventually(t, "the delivery", func() bool { return len(s.receiver.all("render.completed")) == 1 })
	for _, path := range []string{"/sources/shop", "/sinks/hook"} {
		if text := p.mustSend(409, "DELETE", path, ""); !strings.Contains(text, "is used by cards") {
			t.Errorf("%s: %s", path, text)
		}
	}
	p.mustSend(409, "POST", "/sources", fmt.Sprintf(`{"name":"shop","kind":"http","url":%q,"key":"sku"}`, shop.server.URL))
	if text := p.mustSend(404, "PUT", "/sources/shp", fmt.Sprintf(`{"kind":"http","url":%q,"key":"sku"}`, shop.server.URL)); !strings.Contains(text, `did you mean \"shop\"`) {
		t.Errorf("a name that is not there: %s", text)
	}
	p.mustSend(204, "DELETE", "/bindings/cards?images=remove", "")
	eventually(t, "the sink hears that the image is gone", func() bool { return len(s.receiver.all("image.removed")) == 1 })
	p.mustSend(404, "GET", "/b/cards/A.png", "")
	p.mustSend(204, "DELETE", "/sources/shop", "")
	p.mustSend(204, "DELETE", "/sinks/hook", "")
	// A new one of the name begins with nothing.
	p.mustSend(201, "POST", "/sources", fmt.Sprintf(`{"name":"shop","kind":"http","url":%q,"key":"sku","every":"1h"}`, newShop(t, "[").server.URL))
	if text := p.mustSend(200, "GET", "/sources/shop", ""); !strings.Contains(text, `"rows":0`) {
		t.Errorf("a new source of the name: %s", text)
	}
}

func TestPreviewAndRowTellWhatBecomesOfARow(t *testing.T) {
	t.Parallel()
	s, shop := newSite(t, ""), newShop(t, oneMug)
	p := s.start()
	p.connect(shop, s.receiver.server.URL)
	eventually(t, "the delivery", func() bool { return len(s.receiver.all("render.completed")) == 1 })
	type preview struct {
		Key            string
		Values         map[string]any
		Drawn, Changed bool
		Problem        *struct{ Code, Field string }
		Outputs        []struct{ Fingerprint string }
	}
	of := func(body string) preview {
		var v struct{ Preview preview }
		if err := json.Unmarshal([]byte(p.mustSend(200, "POST", "/bindings/cards/preview", body)), &v); err != nil {
			t.Fatal(err)
		}
		return v.Preview
	}
	stored := of(`{"key":"A"}`)
	if stored.Key != "A" || stored.Values["title"] != "Mug" || !stored.Drawn || stored.Changed || len(stored.Outputs) != 1 {
		t.Errorf("a stored row: %+v", stored)
	}
	if first := of(``); first.Key != "A" {
		t.Errorf("without a key: %+v, want the first row", first)
	}
	given := of(`{"row":{"name":"Cup","price":2}}`)
	if given.Values["title"] != "Cup" || !given.Changed || given.Outputs[0].Fingerprint == stored.Outputs[0].Fingerprint {
		t.Errorf("a given row: %+v", given)
	}
	if same := of(`{"row":{"name":"Mug","price":1}}`); same.Outputs[0].Fingerprint != stored.Outputs[0].Fingerprint {
		t.Errorf("the same row given: %+v, want the fingerprint of the stored one", same)
	}
	if bad := of(`{"row":{"name":"Cup","price":"much"}}`); bad.Drawn || bad.Problem == nil || !strings.Contains(bad.Problem.Field, "price") {
		t.Errorf("a row at fault: %+v", bad)
	}
	p.mustSend(404, "POST", "/bindings/cards/preview", `{"key":"none"}`)

	var row struct {
		Row struct {
			State      string
			Values     map[string]any
			Images     []struct{ URL string }
			Deliveries []struct{ Sink, State, Event string }
		}
	}
	eventually(t, "the delivery is in the row's history", func() bool {
		p.get("/bindings/cards/rows/A", &row)
		return len(row.Row.Deliveries) == 1 && row.Row.Deliveries[0].State == "delivered"
	})
	if r := row.Row; r.State != "ready" || r.Values["name"] != "Mug" || len(r.Images) != 1 || r.Deliveries[0].Sink != "hook" {
		t.Errorf("the row is %+v", r)
	}
	if res, err := http.Get(row.Row.Images[0].URL); err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("the image's address: %v, %v", res, err)
	}
	p.mustSend(404, "GET", "/bindings/cards/rows/none", "")
}

func TestSinkTestSendsOneEvent(t *testing.T) {
	t.Parallel()
	s := newSite(t, `sinks: { out: { kind: file, path: "out/{{ key }}.{{ ext }}" } }`)
	p := s.start()
	p.mustSend(201, "POST", "/sinks", fmt.Sprintf(`{"name":"hook","kind":"webhook","url":%q}`, s.receiver.server.URL))
	if text := p.mustSend(200, "POST", "/sinks/hook/test", ""); !strings.Contains(text, `"ok":true`) {
		t.Errorf("hook: %s", text)
	}
	hooks := s.receiver.all("render.completed")
	if len(hooks) != 1 || !strings.HasPrefix(hooks[0].ID, "dlv_test_") {
		t.Errorf("arrived: %+v, want one test event", hooks)
	}
	s.receiver.mu.Lock()
	s.receiver.refuse = 1
	s.receiver.mu.Unlock()
	if text := p.mustSend(200, "POST", "/sinks/hook/test", ""); !strings.Contains(text, `"ok":false`) || !strings.Contains(text, "500 from") {
		t.Errorf("a receiver that is ill: %s", text)
	}
	if text := p.mustSend(200, "POST", "/sinks/out/test", ""); !strings.Contains(text, `"ok":true`) {
		t.Errorf("out: %s", text)
	}
	if left, err := os.ReadDir(filepath.Join(s.dir, "out")); err != nil || len(left) != 0 {
		t.Errorf("the test left %v, %v", left, err)
	}
	p.mustSend(404, "POST", "/sinks/none/test", "")
}

func TestSeedsBindingHasOneImageAtItsRenderURL(t *testing.T) {
	t.Parallel()
	s, shop := newSite(t, ""), newShop(t, `{"title":"Mug","variants":[{"price":14.90}]}`)
	p := s.start()
	text := p.mustSend(201, "POST", "/bindings", fmt.Sprintf(`{"name":"Price cards","templateId":"card",
		"dataSource":{"type":"http","url":%q,"credentials":{"type":"bearer_token","value":"pk_hidden_value"}},
		"mapping":{"price":"$.variants[0].price","title":"$.name.full"},"defaults":{"title":"Untitled"},
		"refreshPolicy":{"type":"ttl","ttlSeconds":60},"outputConfig":{"format":"png","quality":90}}`, shop.server.URL))
	var v struct {
		Binding struct{ UID, Status, RenderURL string }
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	if v.Binding.UID != "price-cards" || v.Binding.Status != "active" || v.Binding.RenderURL != p.url+"/b/price-cards/current.png" {
		t.Errorf("answered %+v", v.Binding)
	}
	eventually(t, "the image at renderUrl", func() bool { return p.picture("/b/price-cards/current.png") != "" })
	if got := p.mustSend(200, "POST", "/bindings/price-cards/preview", ""); !strings.Contains(got, `"title":"Untitled"`) || !strings.Contains(got, `"price":14.90`) {
		t.Errorf("its values: %s", got)
	}
	if got := shop.lastBearer(); got != "Bearer pk_hidden_value" {
		t.Errorf("asked with %q", got)
	}
	p.mustSend(204, "DELETE", "/bindings/price-cards", "")
	p.mustSend(404, "GET", "/sources/price-cards", "") // it goes with the binding
}

func TestSecretsOfTheConfigurationAreLentByName(t *testing.T) {
	t.Parallel()
	s, shop := newSite(t, `
secrets:
  shop_key: { value: "${SHOP_KEY}", api: true }
  other_key: { value: "not-for-callers" }
`), newShop(t, oneMug)
	p := s.start("SHOP_KEY=lent-by-the-operator")
	source := func(bearer string) string {
		return fmt.Sprintf(`{"name":"shop","kind":"http","url":%q,"key":"sku","bearer":%q}`, shop.server.URL, bearer)
	}
	for bearer, want := range map[string]string{
		"secret://shop_kye":  `did you mean \"secret://shop_key\"`,
		"secret://other_key": "no secret", "secret://": "no secret", "***": "none is", "${SHOP_KEY}": "the environment is the operator's",
	} {
		if text := p.mustSend(422, "POST", "/sources", source(bearer)); !strings.Contains(text, want) || strings.Contains(text, "not-for-callers") {
			t.Errorf("%s: %s, want %s", bearer, text, want)
		}
	}
	p.mustSend(201, "POST", "/sources", source("secret://shop_key"))
	eventually(t, "asked with the secret", func() bool { return shop.lastBearer() == "Bearer lent-by-the-operator" })
	if text := p.mustSend(200, "GET", "/sources/shop", ""); !strings.Contains(text, `"bearer":"secret://shop_key"`) || strings.Contains(text, "lent-by") {
		t.Errorf("shown: %s", text)
	}
	p.terminate()

	// What hangs on a secret that is taken back does not work, and all else does.
	s.write("pictifyd.yaml", strings.Replace(s.read("pictifyd.yaml"), ", api: true", "", 1))
	p = s.start("SHOP_KEY=lent-by-the-operator")
	if text := p.mustSend(200, "GET", "/sources/shop", ""); !strings.Contains(text, `no secret \"shop_key\"`) {
		t.Errorf("without the secret: %s", text)
	}
	if text := p.mustSend(422, "POST", "/bindings", `{"name":"cards","source":"shop","template":"card","map":{"title":"name"}}`); !strings.Contains(text, `no source \"shop\"`) {
		t.Errorf("a binding on it: %s", text)
	}
}

// canary counts what reaches it.
func canary(t *testing.T) (url string, reached *atomic.Int64) {
	t.Helper()
	reached = new(atomic.Int64)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: countingListener{l, reached}, Config: &http.Server{Handler: http.NotFoundHandler()}}
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, reached
}

type countingListener struct {
	net.Listener
	n *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.n.Add(1)
	}
	return c, err
}

// callersSpecs are, of each kind that callers may make, a body that would reach
// an address.
var callersSpecs = map[string]string{
	"source sheets":  `{"name":"x","kind":"sheets","spreadsheet":"1AbCdEfGhIjKlMnOpQrStUvWxYz0123456789","range":"Products!A:B","key":"sku","endpoint":"ADDRESS","apiKey":"a-key-of-letters"}`,
	"source static":  `{"name":"x","kind":"static","key":"id","rows":[{"id":1}],"url":"ADDRESS"}`, // it has no place for one
	"source webhook": `{"name":"x","kind":"webhook","path":"ADDRESS","key":"sku","secret":"long enough"}`,
	"source http":    `{"name":"x","kind":"http","url":"ADDRESS","key":"sku","every":"1s"}`,
	"sink s3":        `{"name":"x","kind":"s3","bucket":"cards","path":"{{ key }}.{{ ext }}","endpoint":"ADDRESS","accessKey":"an-id-of-letters","secretKey":"a-secret-of-letters"}`,
	"sink webhook":   `{"name":"x","kind":"webhook","url":"ADDRESS"}`,
	"sink http":      `{"name":"x","kind":"http","url":"ADDRESS","json":{"a":"key"}}`,
}

// What callers make reaches nothing that egress does not open: neither at once,
// nor by a redirect, nor by a name.
func TestCallersReachNothingInside(t *testing.T) {
	inside, reached := canary(t)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(inside, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, "")
	s.write("pictifyd.yaml", "server: { listen: \"127.0.0.1:0\" }\ntemplates: templates\n")
	p := s.start()
	kinds := map[string]bool{}
	for _, k := range Connectors() {
		kinds["source "+k.Name] = k.Callers
	}
	for _, k := range Sinks() {
		kinds["sink "+k.Name] = k.Callers
	}
	for kind, callers := range kinds {
		what, name, _ := strings.Cut(kind, " ")
		spec, ok := callersSpecs[kind]
		switch {
		case !callers:
			text := p.mustSend(422, "POST", "/"+what+"s", fmt.Sprintf(`{"name":"x","kind":%q,"path":"/etc/passwd","key":"a"}`, name))
			if !strings.Contains(text, "kind_refused") {
				t.Errorf("%s: %s", kind, text)
			}
			continue
		case !ok:
			t.Errorf("%s is for callers, and nothing here tries where it reaches", kind)
			continue
		case !strings.Contains(spec, "ADDRESS"):
			continue // that it has none is seen in TestKindsForCallersNameEveryAddress
		}
		for _, address := range []string{
			inside, "http://localhost:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://2130706433:" + port, "http://0.0.0.0:" + port,
			"http://user:pw@127.0.0.1:" + port, "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "gopher://127.0.0.1:" + port,
		} {
			if text := p.mustSend(422, "POST", "/"+what+"s", strings.ReplaceAll(spec, "ADDRESS", address)); strings.Contains(text, "root:") {
				t.Errorf("%s to %s: %s", kind, address, text)
			}
		}
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("%d connections reached the canary", n)
	}
}

// The dialer has the last word: what was open when it was made, and is not any
// more, is not reached, and neither is where a redirect leads.
func TestCallersConnectionsAreGuardedWhenTheyAreUsed(t *testing.T) {
	inside, reached := canary(t)
	redirects := httptest.NewServer(http.RedirectHandler(inside+"/rows", http.StatusTemporaryRedirect))
	t.Cleanup(redirects.Close)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(redirects.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	s := newSite(t, "")
	config := func(allow string) {
		s.write("pictifyd.yaml", "server: { listen: \"127.0.0.1:0\" }\ntemplates: templates\negress: { allow: ["+allow+"] }\n")
	}
	config(`localhost`) // by name, so that the address of the canary stays closed
	p := s.start()
	p.mustSend(201, "POST", "/sources", fmt.Sprintf(`{"name":"away","kind":"http","url":"http://localhost:%s/","key":"sku","every":"1s"}`, port))
	eventually(t, "the redirect is refused", func() bool {
		return strings.Contains(p.mustSend(200, "GET", "/sources/away", ""), "127.0.0.1")
	})
	p.mustSend(201, "POST", "/sinks", strings.ReplaceAll(`{"name":"away","kind":"webhook","url":"ADDRESS"}`, "ADDRESS", strings.Replace(inside, "127.0.0.1", "localhost", 1)))
	p.terminate()

	config("")
	p = s.start()
	if text := p.mustSend(200, "POST", "/sinks/away/test", ""); !strings.Contains(text, `"ok":false`) {
		t.Errorf("a sink that is closed by now: %s", text)
	}
	if n := reached.Load(); n > 0 {
		t.Errorf("%d connections reached the canary", n)
	}
}

// Every kind for callers names its addresses: else nothing could be judged.
func TestKindsForCallersNameTheirAddresses(t *testing.T) {
	for _, k := range Connectors() {
		if _, ok := k.Config().(connectors.Addressed); k.Callers && !ok {
			t.Errorf("the source kind %s is for callers and no connectors.Addressed", k.Name)
		}
	}
	for _, k := range Sinks() {
		if _, ok := k.Config().(sink.Addressed); k.Callers && !ok {
			t.Errorf("the sink kind %s is for callers and no sink.Addressed", k.Name)
		}
	}
}

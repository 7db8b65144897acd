package daemon

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

const catalogWithHook = `
sources: { catalog: { kind: file, path: rows.csv, key: sku, every: 1h } }
sinks: { hook: { kind: webhook, url: "RECEIVER" } }
bindings: [ { name: cards, source: catalog, template: card, map: { title: name }, sinks: [hook], public: true } ]
`

func TestChangedCellRendersOneImage(t *testing.T) {
	s := newSite(t, catalogWithHook)
	s.write("rows.csv", csvRows(10, "one"))
	null := &rendertest.Null{}
	url, _ := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	eventually(t, "ten images", func() bool { return p.ready("cards") == 10 && len(s.receiver.all("")) == 10 })
	before := etag(t, url+"/b/cards/SKU-004.png")

	s.write("rows.csv", strings.Replace(csvRows(10, "one"), "one 4", "another 4", 1))
	eventually(t, "the eleventh webhook", func() bool { return len(s.receiver.all("")) == 11 })
	if got := null.Count(); got != 11 {
		t.Errorf("%d pictures were made, want 11: one for the changed cell", got)
	}
	if after := etag(t, url+"/b/cards/SKU-004.png"); after == before || after == "" {
		t.Errorf("the ETag of the changed row is %q, it was %q", after, before)
	}

	// A column that the template does not use, then one that it does: when the
	// second has arrived, the first has had its chance.
	s.write("rows.csv", strings.ReplaceAll(strings.Replace(csvRows(10, "one"), "one 4", "another 4", 1), ",7\n", ",8\n"))
	eventually(t, "the stock is read", func() bool { return strings.Contains(p.row("cards", "SKU-000"), `"stock":"8"`) })
	s.write("rows.csv", strings.Replace(strings.ReplaceAll(csvRows(10, "one"), ",7\n", ",8\n"), "one 4", "last 4", 1))
	eventually(t, "the twelfth webhook", func() bool { return len(s.receiver.all("")) == 12 })
	if got := null.Count(); got != 12 {
		t.Errorf("%d pictures were made, want 12: none for a column that no image shows", got)
	}
}

// row is a stored row of a binding's source, as text.
func (p *process) row(binding, key string) string {
	p.tb.Helper()
	_, rest, _ := strings.Cut(p.text("/bindings/"+binding+"/rows"), `"`+key+`"`)
	return strings.ReplaceAll(rest, `": "`, `":"`)
}

// text is the answer of a path as it stands.
func (p *process) text(path string) string {
	p.tb.Helper()
	res, err := http.Get(p.url + path)
	if err != nil {
		p.tb.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		p.tb.Fatal(err)
	}
	return string(body)
}

// An upstream is an HTTP source whose answers a test scripts.
type upstream struct {
	mu     sync.Mutex
	answer http.HandlerFunc
	asked  int
	server *httptest.Server
}

func newUpstream(tb testing.TB, first http.HandlerFunc) *upstream {
	u := &upstream{answer: first}
	u.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.mu.Lock()
		u.asked++
		answer := u.answer
		u.mu.Unlock()
		answer(w, r)
	}))
	tb.Cleanup(u.server.Close)
	return u
}

func (u *upstream) set(answer http.HandlerFunc) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.answer = answer
}

func jsonRows(n int, word string) http.HandlerFunc {
	var b strings.Builder
	b.WriteString("[")
	for i := range n {
		if i > 0 {
			b.WriteString(",")
		}
		fmt.Fprintf(&b, `{"sku":"SKU-%03d","name":"%s %d","price":%d}`, i, word, i, i)
	}
	b.WriteString("]")
	return text("application/json", b.String())
}

func text(contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		_, _ = io.WriteString(w, body)
	}
}

const feedYAML = `
sources: { feed: { kind: http, url: "UPSTREAM", key: sku, every: 1h } }
bindings: [ { name: cards, source: feed, template: card, map: { title: name }, public: true, on_delete: remove, delete_grace: 0s } ]
`

// bindingView is what the tests read of GET /bindings/{name}.
type bindingView struct {
	Items, Ready, Waiting, Failed int
	Quarantined                   int
	Held                          struct {
		Changes, Removals int
		Reason            string
	}
	Error string
}

func (p *process) binding(name string) bindingView {
	var v struct{ Binding bindingView }
	p.get("/bindings/"+name, &v)
	return v.Binding
}

func (p *process) refresh(name string) {
	p.tb.Helper()
	res, err := http.Post(p.url+"/bindings/"+name+"/refresh", "application/json", nil)
	if err != nil {
		p.tb.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode >= 300 {
		p.tb.Fatalf("refresh: %s", res.Status)
	}
}

func TestFaultySourceChangesNothingAndSaysWhy(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   string // in the binding's error
	}{
		"HTML where JSON was promised": {text("text/html", "<html><body>Please log in</body></html>"), "HTML"},
		"half a JSON":                  {text("application/json", `[{"sku":"SKU-000","name":"one 0"},{"sku":"SK`), "JSON"},
		"500":                          {func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "broken", http.StatusInternalServerError) }, "500"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t, jsonRows(40, "one"))
			s := newSite(t, strings.ReplaceAll(feedYAML, "UPSTREAM", u.server.URL))
			null := &rendertest.Null{}
			url, _ := s.run(Options{Renderer: null})
			p := &process{tb: t, url: url}
			eventually(t, "forty images", func() bool { return p.ready("cards") == 40 })

			u.set(c.answer)
			p.refresh("cards")
			eventually(t, "the fault is shown", func() bool { return strings.Contains(p.binding("cards").Error, c.want) })
			if v := p.binding("cards"); v.Items != 40 || v.Ready != 40 {
				t.Errorf("after the fault: %+v, want all 40 images as they were", v)
			}

			u.set(jsonRows(40, "two"))
			p.refresh("cards")
			eventually(t, "the fault is over", func() bool { return p.binding("cards").Error == "" })
		})
	}
}

func TestSuddenlyEmptySourceIsHeld(t *testing.T) {
	const rows = 1000
	u := newUpstream(t, jsonRows(rows, "one"))
	s := newSite(t, strings.ReplaceAll(feedYAML, "UPSTREAM", u.server.URL))
	url, _ := s.run(Options{Renderer: &rendertest.Null{}})
	p := &process{tb: t, url: url}
	eventually(t, "the images", func() bool { return p.ready("cards") == rows })

	u.set(text("application/json", "[]"))
	p.refresh("cards")
	eventually(t, "the reading is held", func() bool { return p.binding("cards").Held.Removals == rows })
	v := p.binding("cards")
	if v.Items != rows || v.Held.Reason == "" {
		t.Errorf("held: %+v, want %d live images and a reason", v, rows)
	}

	u.set(jsonRows(rows, "one"))
	p.refresh("cards")
	eventually(t, "nothing is held any more", func() bool { return p.binding("cards").Held.Reason == "" })
	if v := p.binding("cards"); v.Items != rows || v.Ready != rows {
		t.Errorf("after it came back: %+v", v)
	}
}

// A logbook is a log that tests read while it is written.
type logbook struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

func TestHeldReadingIsLoggedOnce(t *testing.T) {
	u := newUpstream(t, jsonRows(40, "one"))
	s := newSite(t, strings.ReplaceAll(feedYAML, "UPSTREAM", u.server.URL))
	log := &logbook{}
	url, _ := s.run(Options{Renderer: &rendertest.Null{}, Log: slog.New(slog.NewTextHandler(log, nil))})
	p := &process{tb: t, url: url}
	eventually(t, "the images", func() bool { return p.ready("cards") == 40 })

	for _, name := range []string{"two", "three"} {
		u.set(jsonRows(40, name))
		p.refresh("cards")
		eventually(t, "the changes to "+name+" are read", func() bool { return strings.Contains(p.firstRow("cards"), name) })
		eventually(t, "the log says so", func() bool { return log.count("the guard holds a reading") > 0 })
	}
	u.set(jsonRows(40, "one"))
	p.refresh("cards")
	eventually(t, "the log says that it is over", func() bool { return log.count("the guard holds nothing any more") == 1 })
	if got := log.count("the guard holds a reading"); got != 1 {
		t.Errorf("the held reading is logged %d times, want once", got)
	}
}

// firstRow is the first stored row of a binding's source.
func (p *process) firstRow(binding string) string {
	var v struct {
		Rows []struct{ Values json.RawMessage }
	}
	p.get("/bindings/"+binding+"/rows?limit=1", &v)
	if len(v.Rows) == 0 {
		return ""
	}
	return string(v.Rows[0].Values)
}

func TestMassChangeIsHeldUntilAccepted(t *testing.T) {
	u := newUpstream(t, jsonRows(100, "one"))
	s := newSite(t, strings.ReplaceAll(feedYAML, "UPSTREAM", u.server.URL))
	null := &rendertest.Null{}
	url, _ := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	eventually(t, "the images", func() bool { return p.ready("cards") == 100 })

	u.set(jsonRows(100, "two"))
	p.refresh("cards")
	eventually(t, "the changes are held", func() bool { return p.binding("cards").Held.Changes == 100 })
	if got := null.Count(); got != 100 {
		t.Errorf("%d pictures were made while the changes are held, want 100", got)
	}
	res, err := http.Post(url+"/bindings/cards/guard/accept", "application/json", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	eventually(t, "the accepted pictures", func() bool { return null.Count() == 200 && p.ready("cards") == 100 })
}

func TestBrokenTemplateKeepsTheLastVersion(t *testing.T) {
	s := newSite(t, catalogWithHook)
	s.write("rows.csv", csvRows(3, "one"))
	null := &rendertest.Null{}
	url, _ := s.run(Options{Renderer: null})
	p := &process{tb: t, url: url}
	eventually(t, "three images", func() bool { return p.ready("cards") == 3 })

	s.write("templates/card.html", strings.Replace(cardTemplate, "{{ title }}", "{{ titel }}", 1))
	eventually(t, "the broken template is reported", func() bool {
		return strings.Contains(p.binding("cards").Error, "titel")
	})
	s.write("rows.csv", strings.Replace(csvRows(3, "one"), "one 1", "two 1", 1))
	eventually(t, "the last version draws the change", func() bool { return null.Count() == 4 })

	s.write("templates/card.html", strings.Replace(cardTemplate, "700 32px", "700 40px", 1))
	eventually(t, "the mended template draws all", func() bool { return null.Count() == 7 && p.ready("cards") == 3 })
	if e := p.binding("cards").Error; e != "" {
		t.Errorf("the mended template still has the error %q", e)
	}
}

func TestWithoutSandboxRemoteImagesAreOffUnlessTurnedOn(t *testing.T) {
	photo := photos(t) + "/photo.png"
	for _, c := range []struct {
		render string
		failed int
	}{
		{"{ sandbox: none }", 1},
		{"{ sandbox: none, remote_assets: true }", 0},
		{"{ sandbox: required }", 0},
	} {
		t.Run(c.render, func(t *testing.T) {
			s := newSite(t, catalogWithHook+"\nrender: "+c.render)
			s.write("rows.csv", "sku,name,photo\nSKU-000,one,"+photo+"\n")
			url, _ := s.run(Options{Renderer: &rendertest.Null{}})
			p := &process{tb: t, url: url}
			eventually(t, "the row ends", func() bool { v := p.binding("cards"); return v.Items == 1 && v.Waiting == 0 })
			if v := p.binding("cards"); v.Failed != c.failed {
				t.Errorf("%d failed, want %d: %+v", v.Failed, c.failed, v)
			}
		})
	}
}

func TestOnceReadsRendersDeliversAndEnds(t *testing.T) {
	s := newSite(t, catalogWithHook)
	s.write("rows.csv", csvRows(5, "one"))
	settings, err := Load(s.dir + "/pictifyd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	null := &rendertest.Null{}
	if err := Run(t.Context(), settings, Options{Log: quiet(t), Renderer: null, Once: true}); err != nil {
		t.Fatal(err)
	}
	if null.Count() != 5 || len(s.receiver.all("render.completed")) != 5 {
		t.Errorf("%d pictures and %d webhooks, want 5 of each", null.Count(), len(s.receiver.all("")))
	}
}

func TestOnceSaysWhichSourceCouldNotBeRead(t *testing.T) {
	s := newSite(t, catalogWithHook)
	settings, err := Load(s.dir + "/pictifyd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	err = Run(t.Context(), settings, Options{Log: quiet(t), Renderer: &rendertest.Null{}, Once: true})
	if err == nil || !strings.Contains(err.Error(), "rows.csv") {
		t.Errorf("got %v, want an error about rows.csv", err)
	}
}

func TestOnceSaysWhichBindingCannotWork(t *testing.T) {
	s := newSite(t, strings.Replace(catalogWithHook, "template: card", "template: none", 1))
	s.write("rows.csv", csvRows(5, "one"))
	settings, err := Load(s.dir + "/pictifyd.yaml")
	if err != nil {
		t.Fatal(err)
	}
	err = Run(t.Context(), settings, Options{Log: quiet(t), Renderer: &rendertest.Null{}, Once: true})
	if err == nil || !strings.Contains(err.Error(), `"cards"`) || !strings.Contains(err.Error(), `"none"`) {
		t.Errorf("got %v, want an error about the binding cards and the template none", err)
	}
}

// quiet logs what matters to the test's own output.
func quiet(tb testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(tb.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
}

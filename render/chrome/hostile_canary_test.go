package chrome

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/pictifyd/pictifyd/render"
)

// An openTab is a tab without any of the pool's walls: no policy for its pages,
// scripts run, and every request of any host gets to the canary. What is inert in
// there is so by its own text.
type openTab struct {
	canary *canary
	tab    *chromedp.Target
}

// A canary is the proxy of an open tab. It serves the page in hand and its files
// as card.test, and hears everything else.
type canary struct {
	server *httptest.Server
	files  Files

	mu    sync.Mutex
	html  string
	known map[string]string // digests by path
	heard []string
}

func (c *canary) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	digest, ok := c.known[r.URL.Path]
	own := r.URL.Host == "card.test" && (ok || r.URL.Path == "/" || r.URL.Path == "/favicon.ico")
	if !own {
		c.heard = append(c.heard, r.Method+" "+r.Host+r.URL.Path)
	}
	html := c.html
	c.mu.Unlock()
	switch {
	case own && r.URL.Path == "/":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(html))
	case own && ok:
		serveFile(w, r, c.files, digest)
	default:
		http.NotFound(w, r)
	}
}

func serveFile(w http.ResponseWriter, r *http.Request, files Files, digest string) {
	body, contentType, err := files.Open(r.Context(), digest)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer body.Close()
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "max-age=600")
	buffer := make([]byte, 1<<20)
	for n, err := body.Read(buffer); n > 0; n, err = body.Read(buffer) {
		if _, wrong := w.Write(buffer[:n]); wrong != nil || err != nil {
			return
		}
	}
}

// newOpenTab opens a tab in a browser of the pool, past its proxy.
func newOpenTab(t *testing.T, p *Pool, files Files) *openTab {
	t.Helper()
	c := &canary{files: files}
	c.server = httptest.NewServer(c)
	t.Cleanup(c.server.Close)
	past := func(params *target.CreateBrowserContextParams) {
		params.ProxyServer, params.ProxyBypassList = c.server.URL, "<-loopback>"
	}
	ctx, cancel := chromedp.NewContext(p.places[0].browser.root, chromedp.WithNewBrowserContext(past))
	t.Cleanup(cancel)
	tab, err := chromedp.Run(ctx, func(_ context.Context, t *chromedp.Target) (*chromedp.Target, error) { return t, nil })
	if err != nil {
		t.Fatal(err)
	}
	return &openTab{c, tab}
}

// What is found in a page.
type found struct {
	Structure string // its elements, their attributes, its rules and their properties
	Pwned     bool
	heard     []string
}

// structure says how the page is built. Values are not in it.
const structure = `(() => {
	const names = (style) => [...style].join(" ");
	const rule = (r) => r.constructor.name + " " + (r.selectorText || "") + "{" + (r.style ? names(r.style) : "") + [...(r.cssRules || [])].map(rule).join("") + "}\n";
	const lines = [];
	const walk = (node, depth) => {
		if (node.nodeType === 8) lines.push(depth + "<!--");
		if (node.nodeType !== 1) return;
		const attributes = [...node.attributes].map((a) => a.name === "style" ? "style=" + names(node.style) : a.name);
		lines.push(depth + node.localName + " " + attributes.join(" "));
		for (const child of node.childNodes) walk(child, depth + " ");
	};
	walk(document.documentElement, "");
	for (const sheet of document.styleSheets) lines.push("sheet", ...[...sheet.cssRules].map(rule));
	return JSON.stringify({Structure: lines.join("\n"), Pwned: document.documentElement.hasAttribute("data-pwned")});
})()`

// open shows a document and says what became of it.
func (o *openTab) open(t *testing.T, html string, files []render.Asset) (f found) {
	t.Helper()
	c := o.canary
	c.mu.Lock()
	c.html, c.known = html, map[string]string{}
	for _, a := range files {
		c.known[cleanPath(a.Path)] = a.Digest
	}
	c.mu.Unlock()
	loaded, stop := o.tab.Subscribe(page.LoadEventFired.Method)
	defer stop()
	nav, err := cdp.Call(t.Context(), o.tab, page.Navigate, page.NavigateParams{URL: "http://card.test/"})
	if err != nil || nav.ErrorText != "" {
		t.Fatalf("navigate: %v %s", err, nav.ErrorText)
	}
	select {
	case <-loaded:
	case <-t.Context().Done():
		t.Fatal("the page does not load")
	}
	return o.look(t)
}

// look says what became of the page so far, and what was heard since the last look.
func (o *openTab) look(t *testing.T) (f found) {
	t.Helper()
	res, err := cdp.Call(t.Context(), o.tab, runtime.Evaluate, runtime.EvaluateParams{Expression: structure})
	if err != nil || res.ExceptionDetails != nil {
		t.Fatalf("look at the page: %v %+v", err, res.ExceptionDetails)
	}
	var text string
	if err := json.Unmarshal(res.Result.Value, &text); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		t.Fatal(err)
	}
	c := o.canary
	c.mu.Lock()
	defer c.mu.Unlock()
	f.heard, c.heard = c.heard, nil
	return f
}

// Otherwise silence would mean nothing.
func TestCanaryHearsWhatIsNotEscaped(t *testing.T) {
	p := newPool(t, nil, withTabs(1))
	o := newOpenTab(t, p, nil)
	for _, c := range []struct {
		place, payload string
		runs           bool
	}{
		{`<p>VALUE</p>`, "script", true},
		{`<style>VALUE</style>`, "end of style", true},
		{`<title>VALUE</title>`, "end of title", true},
		{`<p title="VALUE">`, "image", true},
		{`<p title='VALUE'>`, "image in single quotes", true},
		{`<p title='VALUE'>`, "attribute", true},
		{`<p title="VALUE">`, "attribute in double quotes", true},
		{`<svg><title>VALUE</title></svg>`, "end of svg", true},
		{`<p style="background:VALUE">x`, "url", false},
		{`<p style="color:red VALUE">x`, "declaration", false},
		{`<style>p{color:VALUE}</style><p>x`, "rule", false},
		{`<img src="VALUE">`, "address", false},
		{`<img src="VALUE">`, "remote address", false},
	} {
		html := "<!doctype html><html><head></head><body>" + strings.ReplaceAll(c.place, "VALUE", payload(t, c.payload)) + "</body></html>"
		f := o.open(t, html, nil)
		for deadline := time.Now().Add(10 * time.Second); (f.Pwned != c.runs || len(f.heard) == 0) && time.Now().Before(deadline); {
			next := o.look(t)
			f = found{next.Structure, next.Pwned, append(f.heard, next.heard...)}
		}
		if f.Pwned != c.runs || len(f.heard) == 0 {
			t.Errorf("%s in %s: ran %v, heard %q", c.payload, c.place, f.Pwned, f.heard)
		}
		if f.Structure == "" {
			t.Errorf("%s in %s: nothing was seen", c.payload, c.place)
		}
	}
	quiet := newOpenTab(t, p, nil)
	if f := quiet.open(t, "<!doctype html><p>x", nil); f.Pwned || len(f.heard) > 0 {
		t.Errorf("of a quiet page the canary heard %q", f.heard)
	}
}

func payload(t *testing.T, name string) string {
	t.Helper()
	for _, p := range payloads {
		if p.name == name {
			return p.text
		}
	}
	t.Fatalf("there is no payload %q", name)
	return ""
}

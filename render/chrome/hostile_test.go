package chrome

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/runtime"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// mainWorlds evaluates a function of a window where scripts of the page would
// run: in the tab, and in the frames of a stage. Equal answers are one.
func mainWorlds(t *testing.T, p *Pool, function string) string {
	t.Helper()
	text := mainWorld(t, p, `[...new Set([window, ...document.querySelectorAll("iframe")].map(w => String((`+function+`)(w.contentWindow || w))))].join(" and ")`)
	var answer string
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// mainWorld evaluates an expression in the main world of the pool's first tab.
func mainWorld(t *testing.T, p *Pool, expression string) string {
	t.Helper()
	for _, st := range p.places[0].browser.seats {
		if st.session == nil {
			continue
		}
		res, err := cdp.Call(t.Context(), st.session.tab, runtime.Evaluate, runtime.EvaluateParams{Expression: expression})
		if err != nil {
			t.Fatalf("evaluate %s: %v", expression, err)
		}
		return string(res.Result.Value)
	}
	t.Fatal("no tab is open")
	return ""
}

func TestPageRunsNoScript(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1))
	for _, html := range []string{
		`<script>pwned=1</script>`,
		`<script type=module>globalThis.pwned=1</script>`,
		`<script src="data:text/javascript,pwned=1"></script>`,
		`<style onload="pwned=1">p{}</style>`,
		`<svg onload="pwned=1"><script>pwned=1</script><set attributeName=x onbegin="pwned=1"/></svg>`,
		`<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" onload="pwned=1" onerror="pwned=1">`,
		`<details open ontoggle="pwned=1">x</details>`,
		`<input autofocus onfocus="pwned=1">`,
		`<iframe srcdoc="<script>parent.pwned=1</script>"></iframe>`,
		`<iframe src="javascript:parent.pwned=1"></iframe>`,
		`<object data="javascript:pwned=1"></object><embed src="javascript:pwned=1">`,
		`<video src="data:video/mp4,x" onerror="pwned=1"></video><audio src=x onerror="pwned=1"></audio>`,
		`<style>@keyframes k{}</style><p style="animation:k 1ms" onanimationstart="pwned=1" onanimationend="pwned=1">x</p>`,
		`<marquee onstart="pwned=1">x</marquee>`,
		`<form action="javascript:pwned=1"><button autofocus></form>`,
		`<link rel=stylesheet href="data:text/css,p{}" onload="pwned=1">`,
		`<meta http-equiv=refresh content="0;url=javascript:pwned=1">`,
		`<p id=x onscroll="pwned=1" onresize="pwned=1" oncontentvisibilityautostatechange="pwned=1" style="content-visibility:auto">x</p>`,
	} {
		if _, err := p.Render(t.Context(), card(html)); err != nil && !retry.IsPermanent(err) {
			t.Errorf("%s: %v", html, err)
		}
		// A second row gives events of the first their time.
		if _, err := p.Render(t.Context(), card("")); err != nil {
			t.Errorf("the row after %s: %v", html, err)
		}
		if got := mainWorlds(t, p, "w => typeof w.pwned"); got != "undefined" {
			t.Errorf("%s ran", html)
		}
	}
}

// countingServer is a server that no page may reach.
func countingServer(t *testing.T) (addr string, hits *atomic.Int64) {
	t.Helper()
	hits = new(atomic.Int64)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/png")
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			hits.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), hits
}

func TestPageReachesNothing(t *testing.T) {
	addr, hits := countingServer(t)
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	p := newPool(t, rendertest.Files{}, withTabs(1))
	for _, html := range []string{
		`<img src="http://ADDR/a.png">`, `<img src="https://ADDR/a.png">`, `<img src="//ADDR/a.png">`,
		`<img src="http://localhost:PORT/a.png">`, `<img src="http://[::ffff:127.0.0.1]:PORT/a.png">`, `<img src="http://[::1]:PORT/a.png">`,
		`<img src="http://2130706433:PORT/a.png">`, `<img src="http://0x7f.1:PORT/a.png">`, `<img src="http://0177.0.0.1:PORT/a.png">`,
		`<img src="http://0.0.0.0:PORT/a.png">`, `<img src="http://other.localhost:PORT/a.png">`, `<img src="ftp://ADDR/a.png">`,
		`<img srcset="http://ADDR/a.png 1x">`, `<picture><source srcset="http://ADDR/a.png"><img src="http://ADDR/b.png"></picture>`,
		`<iframe src="http://ADDR/"></iframe>`, `<iframe src="http://169.254.169.254/latest/meta-data/"></iframe>`,
		`<meta http-equiv="refresh" content="0;url=http://169.254.169.254/">`, `<meta http-equiv="Refresh " content="0;url=http://ADDR/">`,
		`<link rel=stylesheet href="http://ADDR/a.css">`, `<link rel=preload as=image href="http://ADDR/a.png">`,
		`<link rel=preconnect href="http://ADDR/">`, `<link rel=dns-prefetch href="http://ADDR/">`, `<link rel=prefetch href="http://ADDR/">`,
		`<link rel=prerender href="http://ADDR/">`, `<link rel=icon href="http://ADDR/a.ico">`, `<link rel=manifest href="http://ADDR/m.json">`,
		`<link rel=modulepreload href="http://ADDR/m.js">`,
		`<style>@import "http://ADDR/a.css";</style>`, `<style>body{background:url(http://ADDR/a.png)}</style>`,
		`<style>@font-face{font-family:F;src:url(http://ADDR/f.woff2)} body{font-family:F}</style>text`,
		`<svg><image href="http://ADDR/a.png" width=9 height=9></image><use href="http://ADDR/a.svg#a"></use></svg>`,
		`<svg><filter id=f><feImage href="http://ADDR/a.png"></feImage></filter><rect filter="url(http://ADDR/f.svg#f)" width=9 height=9></rect></svg>`,
		`<object data="http://ADDR/"></object><embed src="http://ADDR/">`, `<video src="http://ADDR/v.mp4" poster="http://ADDR/p.png" autoplay></video>`,
		`<audio src="http://ADDR/a.mp3" autoplay></audio>`, `<base href="http://ADDR/"><img src="a.png">`, `<body background="http://ADDR/a.png">`,
		`<input type=image src="http://ADDR/a.png">`, `<table background="http://ADDR/a.png"><td background="http://ADDR/b.png">`,
		`<img src="file:///etc/passwd">`, `<iframe src="file:///etc/passwd"></iframe>`, `<iframe src="view-source:http://ADDR/"></iframe>`,
		`<script src="http://ADDR/a.js"></script>`, `<portal src="http://ADDR/"></portal>`, `<img src='\\ADDR\a.png'>`,
		`<p style="background:image-set(url(http://ADDR/a.png) 1x)">x`, `<p style="cursor:url(http://ADDR/c.cur),auto">x`,
		`<p style="list-style:url(http://ADDR/a.png);mask:url(http://ADDR/m.png);border-image:url(http://ADDR/b.png)">x`,
		`<script type=speculationrules>{"prefetch":[{"source":"list","urls":["http://ADDR/"]}]}</script>`,
	} {
		html = strings.NewReplacer("ADDR", addr, "PORT", port).Replace(html)
		r := card(html)
		if strings.HasPrefix(html, "<meta") || strings.HasPrefix(html, "<link") || strings.HasPrefix(html, "<style") || strings.HasPrefix(html, "<base") {
			r.HTML = "<!doctype html><html><head>" + html + "</head><body>text</body></html>"
		}
		if _, err := p.Render(t.Context(), r); err != nil && !retry.IsPermanent(err) {
			t.Errorf("%s: %v", html, err)
		}
		if n := hits.Swap(0); n != 0 {
			t.Errorf("%s reached the server %d times", html, n)
		}
	}
	if _, err := p.Render(t.Context(), card("last")); err != nil {
		t.Error(err)
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("%d late connections", n)
	}
}

// The tab itself is driven to places, past the page's policy: the proxy alone
// must hold.
func TestBrowserReachesNothing(t *testing.T) {
	addr, hits := countingServer(t)
	p := newPool(t, rendertest.Files{}, withTabs(1))
	if _, err := p.Render(t.Context(), card("")); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{
		"http://" + addr + "/", "https://" + addr + "/", "http://localhost:" + addr[strings.LastIndexByte(addr, ':')+1:] + "/",
		"http://169.254.169.254/", "http://example.com/", "ws://" + addr + "/",
	} {
		expression := `(async () => { try { return (await fetch("` + url + `", {mode: "no-cors"})).status } catch (e) { return String(e) } })()`
		if strings.HasPrefix(url, "ws:") {
			expression = `new Promise(done => { const s = new WebSocket("` + url + `"); s.onerror = () => done("error"); s.onopen = () => done("open") })`
		}
		yes := true
		tab := p.places[0].browser.seats[0].session.tab
		if err := tab.Call(t.Context(), "Page.setBypassCSP", map[string]bool{"enabled": true}, nil); err != nil {
			t.Fatal(err)
		}
		res, err := cdp.Call(t.Context(), tab, runtime.Evaluate, runtime.EvaluateParams{Expression: expression, AwaitPromise: &yes})
		if err != nil {
			t.Fatalf("%s: %v", url, err)
		}
		if got := string(res.Result.Value); got == `"open"` {
			t.Errorf("%s is open", url)
		}
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("%d connections reached the server", n)
	}
}

// billionLaughs is a small page of 10^9 shapes.
func billionLaughs() string {
	var b strings.Builder
	b.WriteString(`<svg><defs><g id="g0"><rect width="9" height="9"/></g>`)
	for i := range 9 {
		fmt.Fprintf(&b, `<g id="g%d">%s</g>`, i+1, strings.Repeat(fmt.Sprintf(`<use href="#g%d"/>`, i), 10))
	}
	b.WriteString(`</defs><use href="#g9"/></svg>`)
	return b.String()
}

func TestMonsterOfAPageIsItsOwnFault(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withDeadline(2*time.Second))
	_, err := p.Render(t.Context(), card(billionLaughs()))
	var fault *problem.Error
	if !retry.IsPermanent(err) || !errors.As(err, &fault) || fault.Slug != SlugRenderTimeout && fault.Slug != SlugRenderCrashed {
		t.Errorf("the error is %v", err)
	}
	if _, err := p.Render(t.Context(), card("well")); err != nil {
		t.Errorf("the next row: %v", err)
	}
}

package chrome

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"

	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/egresstest"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// hosts are addresses of all kinds, those of the internet too, as a page may
// spell them.
var hosts = []string{
	"127.0.0.1", "127.9.9.9:8080", "localhost", "a.localhost:8080", "0.0.0.0", "[::]", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]:8080", "[::127.0.0.1]",
	"2130706433", "017700000001", "0177.0.0.1", "0x7f000001", "0x7f.1", "127.1", "127。0。0。1", "①②⑦.⓪.⓪.①",
	"169.254.169.254", "0xa9fea9fe", "[fd00:ec2::254]", "100.100.100.200", "10.0.0.1", "172.16.0.1", "192.168.1.1", "198.18.0.1",
	"[2002:7f00:1::]", "[64:ff9b::7f00:1]", "[2001:0:7f00:1::]", "[fe80::1]", "[fc00::1]",
	"8.8.8.8", "93.184.216.34:443", "[2606:4700:4700::1111]", "photos.example", "metadata.google.internal",
}

// bodies are the ways in which a page's body may ask for HOST.
var bodies = []string{
	`<img src="http://HOST/a.png">`, `<img src="https://HOST/a.png">`, `<img src="//HOST/a.png">`, `<img src='\\HOST\a.png'>`, `<img src="http:\\HOST\a.png">`,
	`<img srcset="http://HOST/a.png 1x, http://HOST/b.png 2x">`, `<picture><source srcset="http://HOST/a.png"><img src="http://HOST/b.png"></picture>`,
	`<img loading="lazy" src="http://HOST/a.png">`, `<input type="image" src="http://HOST/a.png">`, `<table background="http://HOST/a.png"><td background="http://HOST/b.png">x</table>`,
	`<iframe src="http://HOST/"></iframe>`, `<iframe srcdoc="<img src=http://HOST/a.png>"></iframe>`, `<iframe src="view-source:http://HOST/"></iframe>`, `<iframe src="blob:http://HOST/0-0"></iframe>`,
	`<iframe src="//HOST/etc/passwd"></iframe>`, `<iframe src='\\HOST/etc/passwd'></iframe>`, `<iframe src="FILE://HOST/etc/passwd"></iframe>`, `<iframe src="ftp://HOST/"></iframe>`,
	`<object data="http://HOST/"></object><embed src="http://HOST/">`, `<frameset><frame src="http://HOST/"></frameset>`,
	`<video src="http://HOST/v.mp4" poster="http://HOST/p.png" autoplay></video>`, `<audio src="http://HOST/a.mp3" autoplay></audio>`, `<video><track default src="http://HOST/t.vtt"></video>`,
	`<svg><image href="http://HOST/a.png" width="9" height="9"/><use href="http://HOST/a.svg#a"/></svg>`, `<svg><image xlink:href="http://HOST/a.png" width="9" height="9"/></svg>`,
	`<svg><filter id="f"><feImage href="http://HOST/a.png"/></filter><rect filter="url(http://HOST/f.svg#f)" width="9" height="9"/></svg>`,
	`<svg><foreignObject width="9" height="9"><img src="http://HOST/a.png"></foreignObject></svg>`, `<svg><script href="http://HOST/a.js"></script></svg>`,
	`<svg><image href="/assets/dot.png" width="9" height="9"><set attributeName="href" to="http://HOST/a.png"/></image></svg>`,
	`<style>@import "http://HOST/a.css";</style>`, `<style>@import url(//HOST/a.css);</style>`, `<style>p{background:url(http://HOST/a.png)}</style><p>x`,
	`<style>@font-face{font-family:F;src:url(http://HOST/f.woff2)} p{font-family:F}</style><p>text`, `<style>p::before{content:url(http://HOST/a.png)}</style><p>x`,
	`<p style="background:image-set(url(http://HOST/a.png) 1x)">x`, `<p style="background:-webkit-cross-fade(url(http://HOST/a.png),url(http://HOST/b.png),50%)">x`,
	`<p style="cursor:url(http://HOST/c.cur),auto;list-style:url(http://HOST/a.png);mask:url(http://HOST/m.png);border-image:url(http://HOST/b.png)">x`,
	`<p style="clip-path:url(http://HOST/c.svg#c);shape-outside:url(http://HOST/s.png);filter:url(http://HOST/f.svg#f)">x`,
	`<link rel="stylesheet" href="http://HOST/a.css">`, `<link rel="preload" as="image" href="http://HOST/a.png">`, `<link rel="preconnect" href="http://HOST/">`, `<link rel="dns-prefetch" href="//HOST/">`,
	`<link rel="prefetch" href="http://HOST/">`, `<link rel="prerender" href="http://HOST/">`, `<link rel="icon" href="http://HOST/a.ico">`, `<link rel="manifest" href="http://HOST/m.json">`, `<link rel="modulepreload" href="http://HOST/m.js">`,
	`<script src="http://HOST/a.js"></script>`, `<script type="speculationrules">{"prefetch":[{"source":"list","urls":["http://HOST/"]}]}</script>`, `<script type="importmap">{"imports":{"a":"http://HOST/a.js"}}</script>`,
	`<a ping="http://HOST/" href="http://HOST/">x</a>`, `<form action="http://HOST/"><input autofocus></form>`, `<math href="http://HOST/"><mi>x</mi></math>`,
	`<template shadowrootmode="open"><img src="http://HOST/a.png"></template>`, `<img src="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'%3E%3Cimage href='http://HOST/a.png'/%3E%3C/svg%3E">`,
}

// heads are those of which a page can have one.
var heads = []string{
	`<meta http-equiv="refresh" content="0;url=http://HOST/">`, `<meta http-equiv="Refresh " content="0; URL='http://HOST/'">`, `<base href="http://HOST/"><img src="a.png">`,
	`<meta http-equiv="Content-Security-Policy" content="default-src *; report-uri http://HOST/">`, `<meta http-equiv="Content-Security-Policy-Report-Only" content="default-src 'none'; report-uri http://HOST/">`,
	`<meta http-equiv="set-cookie" content="a=b"><meta http-equiv="Link" content="<http://HOST/>; rel=preconnect">`, `<html manifest="http://HOST/m">`,
}

// scripts are what a script would try that got past the page's policy.
var roads = map[string]string{
	"fetch":       `await fetch("http://HOST/", {mode: "no-cors"})`,
	"fetch post":  `await fetch("http://HOST/", {mode: "no-cors", method: "POST", body: "x", keepalive: true})`,
	"XHR":         `await new Promise((done) => { const r = new XMLHttpRequest(); r.onloadend = done; r.open("GET", "http://HOST/"); r.send() })`,
	"WebSocket":   `await new Promise((done, fail) => { const s = new WebSocket("ws://HOST/"); s.onopen = done; s.onerror = () => fail(new Error("closed")) })`,
	"EventSource": `await new Promise((done, fail) => { const s = new EventSource("http://HOST/"); s.onopen = done; s.onerror = () => { s.close(); fail(new Error("closed")) } })`,
	"beacon":      `navigator.sendBeacon("http://HOST/", "x"); throw new Error("sent")`,
	"import":      `await import("http://HOST/a.js")`,
	"Worker":      `await new Promise((done, fail) => { const w = new Worker(URL.createObjectURL(new Blob(['fetch("http://HOST/", {mode: "no-cors"}).then(() => postMessage(1), () => postMessage(0))']))); w.onmessage = (e) => e.data ? done() : fail(new Error("closed")); w.onerror = () => fail(new Error("no worker")) })`,
	"blob frame":  `const f = document.createElement("iframe"); f.src = URL.createObjectURL(new Blob(['<img src="http://HOST/a.png">'], {type: "text/html"})); document.body.append(f); await new Promise((done, fail) => { f.onload = () => fail(new Error("loaded, if empty")) })`,
	"window":      `if (!open("http://HOST/")) throw new Error("no window")`,
	"file":        `await fetch("FILE:///etc/passwd")`,
	"file frame":  `const f = document.createElement("iframe"); f.src = "file:///etc/passwd"; document.body.append(f); await new Promise((done, fail) => { f.onload = () => fail(new Error("loaded, if empty")); setTimeout(fail, 300) })`,
	"view-source": `const a = document.createElement("a"); a.href = "view-source:http://HOST/"; a.click(); throw new Error("clicked")`,
	"preconnect":  `const l = document.createElement("link"); l.rel = "preconnect"; l.href = "http://HOST/"; document.head.append(l); throw new Error("appended")`,
	"prefetch":    `const l = document.createElement("link"); l.rel = "dns-prefetch"; l.href = "//HOST/"; document.head.append(l); throw new Error("appended")`,
	"speculation": `const s = document.createElement("script"); s.type = "speculationrules"; s.textContent = '{"prerender":[{"source":"list","urls":["http://HOST/"]}]}'; document.head.append(s); throw new Error("appended")`,
	"WebRTC": `const c = new RTCPeerConnection({iceServers: [{urls: ["stun:8.8.8.8:3478", "stun:HOST"]}, {urls: ["turn:8.8.8.8:3478", "turn:8.8.8.8:80?transport=tcp"], username: "a", credential: "b"}]});
		c.createDataChannel("x");
		await c.setLocalDescription(await c.createOffer());
		const found = []; c.onicecandidate = (e) => { if (e.candidate) found.push(e.candidate.candidate) };
		await new Promise((done) => { c.onicegatheringstatechange = () => { if (c.iceGatheringState === "complete") done() }; setTimeout(done, 600) });
		if (found.length === 0) throw new Error("no candidates")`,
}

// The road through a page: nothing that it asks for leaves Chrome. Every address
// answers here, so that what is not heard was not asked.
func TestPageIsSilentInAWorldWhereEveryAddressAnswers(t *testing.T) {
	if campaign.Leaves(t) {
		t.Skip("draws some hundred pages: runs in the pass without -short")
	}
	realChrome(t)
	c := egresstest.Enter(t)
	if c == nil {
		return
	}
	c.MustHear(t)
	c.Name("photos.example", "93.184.216.34")
	files := rendertest.Files{"dot": {ContentType: "image/png", Bytes: rendertest.PNG(t, 4, 4, rgb(9, 99, 199))}}
	few := []string{"127.0.0.1", "169.254.169.254", "[::1]:8080", "8.8.8.8", "photos.example"}
	var p *Pool
	for lane, plain := range map[string]bool{"one at a time": true, "on a stage": false} {
		p = newPool(t, files, withTabs(1), withDeadline(10*time.Second), quietly, func(_ *Config, o *Options) { o.Plain = plain })
		draw := func(what, html string, format render.Format) {
			t.Helper()
			r := render.Request{Page: "page", HTML: html, Width: 120, Height: 80, Format: format, Assets: []render.Asset{{Path: "/assets/dot.png", Digest: "dot"}}}
			if _, err := p.Render(t.Context(), r); err != nil && !retry.IsPermanent(err) {
				t.Errorf("%s, %s: %v", lane, what, err)
			}
			if heard := c.Heard(); len(heard) > 0 {
				t.Errorf("%s, %s: the canary heard %q", lane, what, heard)
			}
		}
		draw("a good row", "<!doctype html><p>x", render.PNG)
		var print strings.Builder
		for _, body := range bodies {
			var all strings.Builder
			for _, host := range hosts {
				all.WriteString(strings.ReplaceAll(body, "HOST", host))
			}
			print.WriteString(strings.ReplaceAll(body, "HOST", "169.254.169.254"))
			if strings.HasPrefix(body, "<link") || strings.HasPrefix(body, "<style") || strings.HasPrefix(body, "<script") {
				draw(body, "<!doctype html><html><head>"+all.String()+"</head><body><p>x</body></html>", render.PNG)
			} else {
				draw(body, "<!doctype html><html><head></head><body>"+all.String()+"</body></html>", render.JPEG)
			}
		}
		for i, head := range heads {
			for j, host := range few {
				if !campaign.Takes(i+j, 2) {
					continue
				}
				draw(head+" "+host, "<!doctype html><html><head>"+strings.ReplaceAll(head, "HOST", host)+"</head><body>x</body></html>", render.PNG)
			}
		}
		draw("all of them as a PDF", "<!doctype html>"+print.String(), render.PDF)
		draw("the row after", "<!doctype html><p>x", render.PNG)
		if n := p.Lanes().Agreed; (n == 0) != plain {
			t.Errorf("%s: %d pages were drawn on a stage", lane, n)
		}
	}

	// Past the page's policy the proxy and the flags alone must hold.
	blank := newTab(t, p, nil)
	for name, road := range roads {
		for _, host := range few {
			answer := evaluate(t, blank, strings.ReplaceAll(road, "HOST", host))
			if strings.Contains(answer, "is not defined") {
				t.Errorf("%s was not tried: %s", name, answer)
			}
			if heard := c.Heard(); len(heard) > 0 {
				t.Errorf("%s to %s: the canary heard %q", name, host, heard)
			}
		}
	}
}

// Otherwise silence would mean nothing: without the proxy, and without the rule
// for WebRTC, the same scripts are heard.
func TestWorldHearsAChromeWithoutItsWalls(t *testing.T) {
	realChrome(t)
	c := egresstest.Enter(t)
	if c == nil {
		return
	}
	walls := fixedFlags
	defer func() { fixedFlags = walls }()
	fixedFlags = slices.DeleteFunc(slices.Clone(walls), func(f flag) bool {
		return strings.HasSuffix(f.name, "webrtc-ip-handling-policy") || f.name == "host-resolver-rules"
	})
	p := newPool(t, rendertest.Files{}, withTabs(1), quietly)
	direct := newTab(t, p, func(params *target.CreateBrowserContextParams) { params.ProxyServer = "direct://" })
	for road, want := range map[string]string{
		`location = "http://127.0.0.1/"`:                         "tcp 127.0.0.1:80",
		`location = "http://169.254.169.254/"`:                   "tcp 169.254.169.254:80",
		`location = "http://[64:ff9b::7f00:1]:8080/"`:            "tcp [64:ff9b::7f00:1]:8080",
		strings.ReplaceAll(roads["WebRTC"], "HOST", "127.0.0.1"): "udp 3478",
	} {
		c.Heard()
		answer := evaluate(t, direct, road)
		if !c.Soon(want) {
			t.Errorf("the canary does not hear %q of %s, which %s", want, road, answer)
		}
	}
}

// newTab is a tab of the pool's Chrome with an empty page, which no policy binds.
func newTab(t *testing.T, p *Pool, option func(*target.CreateBrowserContextParams)) *chromedp.Target {
	t.Helper()
	if option == nil {
		option = func(*target.CreateBrowserContextParams) {}
	}
	ctx, cancel := chromedp.NewContext(p.places[0].browser.root, chromedp.WithNewBrowserContext(option))
	t.Cleanup(cancel)
	tab, err := chromedp.Run(ctx, func(_ context.Context, t *chromedp.Target) (*chromedp.Target, error) { return t, nil })
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// evaluate runs a script in a new page and says "done", or what was thrown.
func evaluate(t *testing.T, tab *chromedp.Target, script string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	loaded, stop := tab.Subscribe(page.LoadEventFired.Method)
	defer stop()
	if _, err := cdp.Call(ctx, tab, page.Navigate, page.NavigateParams{URL: "about:blank"}); err != nil {
		t.Fatal(err)
	}
	select {
	case <-loaded:
	case <-ctx.Done():
		t.Fatal("no empty page")
	}
	yes := true
	res, err := cdp.Call(ctx, tab, runtime.Evaluate, runtime.EvaluateParams{
		Expression:   `(async () => { try { ` + script + `; return "done" } catch (e) { return "threw " + e } })()`,
		AwaitPromise: &yes, ReturnByValue: &yes, UserGesture: &yes,
	})
	if err != nil {
		return err.Error()
	}
	return strings.Trim(string(res.Result.Value), `"`)
}

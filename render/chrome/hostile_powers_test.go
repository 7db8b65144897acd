package chrome

import (
	"context"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

// powers are what a page may ask a browser for, as a script that got past every
// policy would, and what it is told. The page's origin is one that browsers trust.
var powers = map[string]struct{ script, told string }{
	"a trusted origin, or the rest means little": {`return isSecureContext`, "true"},
	"a window":               {`return String(open("about:blank"))`, "null"},
	"a window by a link":     {`const a = document.createElement("a"); a.href = "about:blank"; a.target = "_blank"; a.click(); return "clicked"`, "clicked"},
	"an alert":               {`alert("x"); return "over"`, "over"},
	"a confirmation":         {`return confirm("x")`, "false"},
	"a question":             {`return prompt("x")`, "null"},
	"a print":                {`print(); return "over"`, "over"},
	"a download":             {`const a = document.createElement("a"); a.href = URL.createObjectURL(new Blob(["loot"])); a.download = "loot.txt"; document.body.append(a); a.click(); return "clicked"`, "clicked"},
	"a place":                {`return await new Promise((done) => navigator.geolocation.getCurrentPosition(() => done("here"), (e) => done("refused " + e.code)))`, "refused 1"},
	"a notice":               {`return typeof Notification === "undefined" ? "denied" : await Notification.requestPermission()`, "denied"},
	"a camera":               {`return (await navigator.mediaDevices.getUserMedia({video: true})).id`, "threw NotFoundError or NotAllowedError"},
	"a microphone":           {`return (await navigator.mediaDevices.getUserMedia({audio: true})).id`, "threw NotFoundError or NotAllowedError"},
	"the clipboard":          {`return await navigator.clipboard.readText()`, "threw NotAllowedError"},
	"MIDI":                   {`return (await navigator.requestMIDIAccess()).sysexEnabled`, "threw NotAllowedError or SecurityError"},
	"WebGL":                  {`return document.createElement("canvas").getContext("webgl")`, "null"},
	"WebGL 2":                {`return document.createElement("canvas").getContext("webgl2")`, "null"},
	"WebGPU":                 {`return navigator.gpu ? await navigator.gpu.requestAdapter() : null`, "null"},
	"more room than is free": {`return await navigator.storage.persist()`, "false"},
	"a service worker":       {`return (await navigator.serviceWorker.register("/.pictifyd.stage")).scope`, "threw SecurityError"},
}

func TestPageThatGotPastItsPolicyHasNoPowers(t *testing.T) {
	p := newPool(t, rendertest.Files{}, withTabs(1), quietly)
	if _, err := p.Render(t.Context(), card("")); err != nil {
		t.Fatal(err)
	}
	tab := newTab(t, p, nil)
	o := p.launcher.egress.open()
	t.Cleanup(o.close)
	loaded, stop := tab.Subscribe(page.LoadEventFired.Method)
	defer stop()
	if nav, err := cdp.Call(t.Context(), tab, page.Navigate, page.NavigateParams{URL: "http://" + o.host + "/"}); err != nil || nav.ErrorText != "" {
		t.Fatalf("navigate: %v %+v", err, nav)
	}
	<-loaded
	if err := tab.Call(t.Context(), page.Disable.Method, cdp.Empty{}, nil); err != nil { // as in the pool's tabs: nobody waits to answer dialogs
		t.Fatal(err)
	}
	yes := true
	for name, power := range powers {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		res, err := cdp.Call(ctx, tab, runtime.Evaluate, runtime.EvaluateParams{
			Expression:   `(async () => { try { return String(await (async () => { ` + power.script + ` })()) } catch (e) { return "threw " + e.name } })()`,
			AwaitPromise: &yes, ReturnByValue: &yes, UserGesture: &yes,
		})
		cancel()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		told := strings.Trim(string(res.Result.Value), `"`)
		options, threw := strings.CutPrefix(power.told, "threw ")
		kind, isThrow := strings.CutPrefix(told, "threw ")
		if threw != isThrow || threw && !strings.Contains(options, kind) || !threw && told != power.told {
			t.Errorf("%s: it is told %q, want %q", name, told, power.told)
		}
	}
	looked := 0
	for _, pid := range groupMembers(p.Status()[0].PID) {
		for _, arg := range commandLine(pid) {
			if profile, ok := strings.CutPrefix(arg, "--user-data-dir="); ok {
				_ = filepath.WalkDir(profile, func(path string, _ fs.DirEntry, _ error) error {
					if strings.Contains(path, "loot") {
						t.Errorf("a page has written %s", path)
					}
					looked++
					return nil
				})
			}
		}
	}
	if looked == 0 {
		t.Error("no profile was looked through")
	}
}

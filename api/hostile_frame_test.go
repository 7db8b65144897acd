package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/template"
)

// hostile are documents that would run, load or lead away, whatever the reader of
// templates made of them.
var hostile = map[string]string{
	"script":           `<script>parent.hit('script')</script>`,
	"event":            `<img src="data:," onerror="parent.hit('onerror')"><body onload="parent.hit('onload')">`,
	"script address":   `<a id="link" href="javascript:parent.hit('javascript:')">x</a>`,
	"svg":              `<svg onload="parent.hit('svg')"><script>parent.hit('svg script')</script><a href="javascript:parent.hit('svg a')"><text>x</text></a><animate onbegin="parent.hit('animate')" attributeName="x" dur="1s"/></svg>`,
	"frame":            `<iframe srcdoc="<script>parent.parent.hit('srcdoc')</script>"></iframe><iframe src="javascript:parent.hit('frame')"></iframe><iframe src="/other/frame"></iframe>`,
	"refresh":          `<meta http-equiv="refresh" content="0;url=/other/refresh">`,
	"base":             `<base href="/other/"><img src="base.png">`,
	"form":             `<form id="form" action="/other/form" method="post"><input name="a"></form>`,
	"object":           `<object data="/other/object"></object><embed src="/other/embed">`,
	"style sheet":      `<style>@import url("OTHER/import.css"); body { background: url("OTHER/css.png") } @font-face { font-family: x; src: url("OTHER/font.woff") } body { font-family: x }</style><link rel="stylesheet" href="OTHER/link.css">`,
	"picture":          `<img src="OTHER/img.png"><picture><source srcset="OTHER/srcset.png"><img src="data:,"></picture><video src="OTHER/video.mp4" autoplay></video>`,
	"prefetch":         `<link rel="prefetch" href="OTHER/prefetch"><link rel="preconnect" href="OTHER">`,
	"module":           `<link rel="modulepreload" href="/other/module.js"><script type="module">parent.hit('module')</script>`,
	"handler by style": `<style>@keyframes k{} *{animation:k 1s}</style><div onanimationstart="parent.hit('animation')">x</div>`,
}

const harness = `<!doctype html><title>busy</title><script>
const hits = [];
window.hit = (what) => hits.push(what);
addEventListener('load', async () => {
  const documents = await (await fetch('/documents')).json();
  for (const [name, html] of Object.entries(documents)) {
    const frame = document.createElement('iframe');
    frame.setAttribute('sandbox', 'allow-same-origin');
    frame.src = '/studio/frame';
    const ready = new Promise((done) => frame.addEventListener('load', done, { once: true }));
    document.body.append(frame);
    await ready;
    const page = frame.contentDocument;
    page.open(); page.write(html); page.close();
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 100)));
    const inner = frame.contentDocument;
    if (!inner) { hits.push(name + ': the frame went away'); continue; }
    // What is written into has the address of who wrote.
    if (![location.href, location.origin + '/studio/frame'].includes(frame.contentWindow.location.href)) hits.push(name + ': it went to ' + frame.contentWindow.location);
    inner.getElementById('link')?.click();
    inner.getElementById('form')?.submit?.();
    await new Promise((done) => setTimeout(done, 100));
    if (!frame.contentDocument) hits.push(name + ': the frame went away');
  }
  await fetch('/done', { method: 'POST', body: JSON.stringify(hits) });
  document.title = 'done';
});
</script><body></body>`

// TestTheFrameHoldsWhateverIsWrittenIntoIt writes documents into the frame that no
// reader of templates has seen, in the browser.
func TestTheFrameHoldsWhateverIsWrittenIntoIt(t *testing.T) {
	chrome := os.Getenv("PICTIFYD_TEST_CHROME")
	if chrome == "" {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			t.Fatal("PICTIFYD_TEST_CHROME is not set")
		}
		t.Skip("PICTIFYD_TEST_CHROME is not set")
	}
	var mu sync.Mutex
	var asked []string
	note := func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, r.Host+r.URL.Path)
		w.WriteHeader(http.StatusNotFound)
	}
	other := httptest.NewServer(http.HandlerFunc(note))
	defer other.Close()
	documents := map[string]string{}
	for name, body := range hostile {
		documents[name] = "<!doctype html><html><head></head><body>" + strings.ReplaceAll(body, "OTHER", other.URL) + "</body></html>"
	}
	s := mustServer(t, open(), newWorld())
	done := make(chan []string, 1)
	mux := http.NewServeMux()
	mux.Handle("/studio/frame", s)
	mux.HandleFunc("/other/", note)
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, harness)
	})
	mux.HandleFunc("/documents", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(documents) })
	mux.HandleFunc("/done", func(_ http.ResponseWriter, r *http.Request) {
		var hits []string
		if err := json.NewDecoder(r.Body).Decode(&hits); err != nil {
			hits = append(hits, err.Error())
		}
		done <- hits
	})
	page := httptest.NewServer(mux)
	defer page.Close()

	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.Command(chrome, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(), "--remote-debugging-port=0", page.URL)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Debian's is a script that starts the browser
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	}()
	select {
	case hits := <-done:
		if len(hits) > 0 {
			t.Errorf("ran or went away: %v", hits)
		}
	case <-ctx.Done():
		t.Fatal("the browser never came to an end")
	}
	mu.Lock()
	defer mu.Unlock()
	if len(asked) > 0 {
		t.Errorf("asked for %v", asked)
	}
}

// TestHostileDocumentsNeverBecomeADraft sends them by each door of the editor.
func TestHostileDocumentsNeverBecomeADraft(t *testing.T) {
	s := newAtelier(t, open(), poster)
	for name, body := range hostile {
		if name == "picture" || name == "form" { // pictures of other hosts are the renderer's to fetch, and nobody sends a form
			continue
		}
		layer := `<div id="evil">` + strings.ReplaceAll(body, "OTHER", "https://other.example") + `</div>`
		html := string(mustJSON(t, strings.Replace(poster, "</section>", layer+"</section>", 1)))
		put := call{method: http.MethodPut, path: "/templates/poster/draft/source", body: `{"html": ` + html + `}`}.with("If-Match", `"1"`)
		ops := string(mustJSON(t, []map[string]any{{"op": "set_text", "id": "a", "html": layer}}))
		paste := string(mustJSON(t, []map[string]any{{"op": "paste", "parent": "page", "html": layer}}))
		for door, c := range map[string]call{"source": put, "set_text": s.change(ops), "paste": s.change(paste)} {
			if out := c.to(t, s.Server); out.Code != 422 {
				t.Errorf("%s by %s: %d %s", name, door, out.Code, out.Body)
			}
		}
	}
	if s.tree().Source != poster {
		t.Error("the draft changed")
	}
	for _, value := range []string{"javascript:parent.hit()", "\x01javascript:x", "data:text/html,<script>parent.hit()</script>", "//other.example/x", "file:///etc/passwd", "/studio/app.js"} {
		v := s.view(string(mustJSON(t, map[string]any{"variables": map[string]any{"title": `"><script>parent.hit()</script>`, "photo": value}})))
		if strings.Contains(v.HTML, "<script") || strings.Contains(v.HTML, `src="`+value) || strings.Contains(v.HTML, "javascript:") {
			t.Errorf("%q is drawn:\n%s", value, v.HTML)
		}
		if got := v.Values["photo src"]; value != "" && got.Error == nil {
			t.Errorf("%q has no error: %+v", value, got)
		}
	}
	if _, err := template.ParseCanvas("x", []byte(strings.Replace(poster, "<body>", `<body><p data-p-node="title">twice</p>`, 1)), nil); err != nil {
		t.Error(err)
	}
}

package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/daemon"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

// A receiver is a webhook that answers as it is told to.
type receiver struct {
	url string

	mu     sync.Mutex
	status int
	ids    []string
}

func newReceiver(t *testing.T, status int) *receiver {
	t.Helper()
	r := &receiver{status: status}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.ids = append(r.ids, req.Header.Get("webhook-id"))
		w.Header().Set("X-Request-Id", "r-"+req.Header.Get("webhook-id"))
		w.WriteHeader(r.status)
		_, _ = io.WriteString(w, "we have moved")
	}))
	t.Cleanup(s.Close)
	r.url = s.URL
	return r
}

func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

func (r *receiver) heard() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.ids...)
}

// runDaemon runs a real daemon over a folder with its pictifyd.yaml until the end
// of the test, with pictures that no Chrome draws, and is its address.
func runDaemon(t *testing.T, dir string) string {
	t.Helper()
	settings, err := daemon.Load(filepath.Join(dir, "pictifyd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	listening, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		ended <- daemon.Run(ctx, settings, daemon.Options{
			Log: slog.New(slog.DiscardHandler), Version: "test", Renderer: &rendertest.Null{}, Grace: time.Second, Listening: func(addr net.Addr) { listening <- addr },
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the daemon ended with %v", err)
		}
	})
	select {
	case addr := <-listening:
		return "http://" + addr.String()
	case err := <-ended:
		ended <- nil
		t.Fatalf("the daemon ended with %v", err)
	case <-time.After(30 * time.Second):
		t.Fatal("the daemon does not listen")
	}
	return ""
}

func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// until calls command until what it prints matches, and is what that was.
func until(t *testing.T, match string, command ...string) string {
	t.Helper()
	want := regexp.MustCompile(match)
	var out, errOut string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		_, out, errOut = call(command...)
		if want.MatchString(out) {
			return out
		}
		<-time.After(50 * time.Millisecond)
	}
	t.Fatalf("pictifyd %s says\n%s%s\nnot %s", strings.Join(command, " "), out, errOut, match)
	return ""
}

func mustCall(t *testing.T, want string, command ...string) string {
	t.Helper()
	code, out, errOut := call(command...)
	if code != exitDone || !strings.Contains(out, want) {
		t.Fatalf("pictifyd %s ended with %d and says\n%s%s\nwithout %q", strings.Join(command, " "), code, out, errOut, want)
	}
	return out
}

// The story of a row whose sink failed: a person sees why, mends it, has it told,
// and asks why the image looks as it does.
func TestDeliveryThatFailedIsFoundReplayedAndExplained(t *testing.T) {
	hook := newReceiver(t, http.StatusMovedPermanently)
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{
		"templates/card.html": `<div style="width:200px;height:100px"><p id="title">{{ title }}</p></div>`,
		"shop.csv":            "sku,title\nSKU-1,Mug\nSKU-2,Cup\n",
		"pictifyd.yaml": `
server: { listen: "127.0.0.1:0" }
templates: templates/
sources:
  shop: { kind: file, path: shop.csv, key: sku, every: 1s }
sinks:
  hook: { kind: webhook, url: "` + hook.url + `/hook", secret: "whsec_c2VjcmV0LW9mLXRoZS1zaG9wLTE=" }
bindings:
  - { name: cards, source: shop, template: card, sinks: [hook], outputs: [{ format: png }] }
`,
	})
	t.Setenv("PICTIFYD_SERVER", runDaemon(t, dir))

	groups := until(t, `(?m)^hook +2 +render\.completed .* cause_[a-z2-7]{16} +301 from `, "deliveries", "--dead")
	cause := regexp.MustCompile(`cause_[a-z2-7]{16}`).FindString(groups)
	list := until(t, `(?m)^hook +dead +cards/SKU-1 +render\.completed +1 +1 .* dlv_`, "deliveries", "--sink", "hook", "--state", "dead", "--binding", "cards", "--since", "1h")
	id := regexp.MustCompile(`dlv_\w+`).FindString(list)
	mustCall(t, "attempt 1", "deliveries", "show", id)
	status := until(t, `(?m)^hook +\w+ +webhook +0 +2 `, "status")
	if !strings.Contains(status, "pictifyd deliveries --dead --sink hook") {
		t.Errorf("status does not say what to do:\n%s", status)
	}

	hook.answers(http.StatusOK)
	mustCall(t, "hook is paused", "pause", "--sink", "hook")
	until(t, `(?m)^hook +paused`, "status")
	mustCall(t, "2 dead letters tried again", "deliveries", "replay", "--cause", cause)
	mustCall(t, "hook goes on", "resume", "--sink", "hook")
	until(t, `(?s)hook +delivered.*hook +delivered`, "deliveries", "--sink", "hook")
	if code, _, errOut := call("deliveries", "replay", "--cause", cause); code != exitInput || !strings.Contains(errOut, "no such dead letter any more") {
		t.Errorf("replay of a group that vanished ended with %d: %s", code, errOut)
	}
	shown := mustCall(t, "", "deliveries", "show", id)
	for _, want := range []string{"attempt 1", "301 from", "we have moved", "then a person had it told again", "attempt 2", "arrived", "status 200"} {
		if !strings.Contains(shown, want) {
			t.Errorf("of the delivery it says\n%s\nwithout %q", shown, want)
		}
	}

	writeFiles(t, dir, map[string]string{"shop.csv": "sku,title\nSKU-1,Mug XL\nSKU-2,Cup\n"})
	explained := until(t, `delivered to hook: render.completed of generation 2`, "explain", "cards", "SKU-1")
	for _, want := range []string{
		"SKU-1, version ", "shop is ok", "position digest ", ", read ", `title: "Mug" → "Mug XL"`, "not the picture before because of the row", "template card version 1", "fingerprint ",
		"render done: 1 try", "bytes ", "png", "1 try", "status 200", "X-Request-Id: r-dlv_",
	} {
		if !strings.Contains(explained, want) {
			t.Errorf("explain says\n%s\nwithout %q", explained, want)
		}
	}

	before := len(hook.heard())
	mustCall(t, "hook is told again of 2 rows", "redeliver", "hook", "--since", "1h")
	until(t, `(?s)hook +delivered.*hook +delivered`, "deliveries", "--sink", "hook")
	mustCall(t, "hook is told again of 1 row", "redeliver", "hook", "--binding", "cards", "--row", "SKU-2", "--new-id")
	until(t, `(?s)hook +delivered.*hook +delivered.*hook +delivered`, "deliveries")
	seen := map[string]int{}
	for _, id := range hook.heard() {
		seen[id]++
	}
	if n := len(hook.heard()) - before; n != 3 || len(seen) != 4 {
		t.Errorf("%d came again, %v: want two under their ids and one under a new one", n, seen)
	}
}

func TestDeliveriesArePrinted(t *testing.T) {
	const dead = `{"id":"dlv_1","sink":"hook","binding":"cards","key":"SKU-1","event":"render.completed","generation":3,"state":"dead","attempts":10,"error":"503 from https://shop.example","cause":"cause_a","createdAt":"2026-05-04T12:00:00Z","endedAt":"2026-05-07T12:00:00Z",
		"row":{"sku":"SKU-1"},"outputs":[{"output":"card","url":"http://x/images/ab.png"}],"tries":[{"attempt":1,"at":"2026-05-04T12:00:00Z","durationMs":12.4,"ok":false,"error":"503 from https://shop.example","answer":{"status":503,"headers":{"Retry-After":"7"},"body":"down\nfor now"}}]}`
	var sent string
	heard := func(status int, answer string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			data, _ := io.ReadAll(r.Body)
			if sent = r.URL.RawQuery + string(data); strings.HasPrefix(r.URL.RawQuery, "after=") {
				answer = `{"deliveries":[]}`
			}
			says(status, answer)(w, r)
		}
	}
	refusal := `{"detail":"there is no sink \"hok\"","hint":"did you mean \"hook\"?","code":"sink_not_found"}`
	for name, c := range map[string]struct {
		args   []string
		route  string
		answer http.HandlerFunc
		sent   string
		code   int
		out    string
	}{
		"list":              {args: []string{"deliveries", "--sink", "hook", "--row", "SKU-1", "--limit", "5"}, route: "GET /deliveries", answer: heard(200, `{"deliveries":[`+dead+`]}`), sent: "key=SKU-1&limit=5&sink=hook", out: "hook  dead   cards/SKU-1  render.completed  3    10"},
		"nothing":           {args: []string{"deliveries"}, route: "GET /deliveries", answer: heard(200, `{"deliveries":[]}`), sent: "limit=100", out: "no deliveries\n"},
		"pages":             {args: []string{"deliveries", "--json", "--limit", "3"}, route: "GET /deliveries", answer: heard(200, `{"deliveries":[`+dead+`],"next":"1.dlv_1"}`), sent: "after=1.dlv_1&limit=2", out: `{"deliveries":[{"id":"dlv_1"`},
		"groups":            {args: []string{"deliveries", "--dead", "--since", "7d"}, route: "GET /dead-letters", answer: heard(200, `{"groups":[{"cause":"cause_a","sink":"hook","events":["render.completed"],"error":"503","count":7,"sampleIds":["dlv_1"]}]}`), sent: "since=7d", out: "hook  7        render.completed  -      -     cause_a  503"},
		"no groups":         {args: []string{"deliveries", "--dead"}, route: "GET /dead-letters", answer: heard(200, `{"groups":[]}`), out: "no dead letters\n"},
		"show":              {args: []string{"deliveries", "show", "dlv_1"}, route: "GET /deliveries/dlv_1", answer: heard(200, `{"delivery":`+dead+`}`), out: "status 503, Retry-After: 7\n           down for now\n"},
		"replay one":        {args: []string{"deliveries", "replay", "dlv_1"}, route: "POST /deliveries/dlv_1/replay", answer: heard(202, `{"delivery":`+dead+`}`), out: "dlv_1 goes to hook again\n"},
		"replay of a sink":  {args: []string{"deliveries", "replay", "--sink", "hook", "--since", "2h"}, route: "POST /dead-letters/replay", answer: heard(202, `{"replayed":1}`), sent: `{"sink":"hook","since":"2h"}`, out: "1 dead letter tried again\n"},
		"discard one":       {args: []string{"deliveries", "discard", "dlv_1", "--reason", "closed"}, route: "POST /deliveries/dlv_1/discard", answer: heard(200, `{"delivery":`+dead+`}`), sent: `{"reason":"closed"}`, out: "dlv_1 is discarded\n"},
		"discard many":      {args: []string{"deliveries", "discard", "--cause", "cause_a", "--reason", "closed"}, route: "POST /dead-letters/discard", answer: heard(200, `{"discarded":7}`), sent: `{"cause":"cause_a","reason":"closed"}`, out: "7 dead letters discarded\n"},
		"without a reason":  {args: []string{"deliveries", "discard", "dlv_1"}, code: exitInput},
		"nothing chosen":    {args: []string{"deliveries", "replay"}, code: exitInput},
		"chosen twice":      {args: []string{"deliveries", "replay", "dlv_1", "--sink", "hook"}, code: exitInput},
		"no limit":          {args: []string{"deliveries", "--limit", "0"}, code: exitInput},
		"redeliver nothing": {args: []string{"redeliver", "hook", "--row", "no"}, route: "POST /sinks/hook/redeliver", answer: heard(202, `{"sink":"hook","state":"well"}`), sent: `{"key":"no"}`, out: "hook is told nothing again: nothing that is meant has arrived there\n"},
		"redeliver":         {args: []string{"redeliver", "hook", "--since", "2026-05-04", "--new-id"}, route: "POST /sinks/hook/redeliver", answer: heard(202, `{"sink":"hook","state":"paused","told":2,"waiting":1,"gone":1}`), sent: `{"since":"2026-05-04","newIds":true}`, out: "hook is told again of 2 rows; of 1 row something newer waits, is being made, or is a dead letter; of 1 row nothing is left; but it is paused: pictifyd resume --sink hook\n"},
		"a sink misspelt":   {args: []string{"redeliver", "hok"}, route: "POST /sinks/hok/redeliver", answer: heard(404, refusal), sent: "{}", code: exitInput},
		"pause a sink":      {args: []string{"pause", "--sink", "hook"}, route: "POST /sinks/hook/pause", answer: heard(200, `{"sink":{"name":"hook"}}`), out: "hook is paused: what it should be told waits\n"},
		"resume a sink":     {args: []string{"resume", "--sink", "hook"}, route: "POST /sinks/hook/resume", answer: heard(200, `{"sink":{"name":"hook","delivery":{"waiting":4}}}`), out: "hook goes on, with 4 to deliver\n"},
		"pause of nothing":  {args: []string{"pause"}, code: exitInput},
		"pause of too much": {args: []string{"pause", "cards", "--sink", "hook"}, code: exitInput},
	} {
		sent = ""
		url := newDaemon(t, map[string]http.HandlerFunc{c.route: c.answer})
		code, stdout, stderr := call(append(c.args, "--server", url)...)
		if code != c.code || sent != c.sent || !strings.Contains(stdout, c.out) {
			t.Errorf("%s: exit code %d, sent %s: %s%s", name, code, sent, stdout, stderr)
		}
	}
}

func TestBindingThatIsNoneMayBeASink(t *testing.T) {
	said := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"status":404,"code":"binding_not_found","detail":"there is no binding \"hook\"","hint":"GET /bindings lists them"}`))
	}
	url := newDaemon(t, map[string]http.HandlerFunc{"POST /bindings/hook/resume": said})
	code, _, errOut := call("resume", "hook", "--server", url)
	want := `there is no binding "hook" (GET /bindings lists them; a sink is named by --sink hook)`
	if code != exitInput || !strings.Contains(errOut, want) {
		t.Errorf("ended with %d: %s, want %s", code, errOut, want)
	}
}

func TestStatusShowsSinksThatAreNotWell(t *testing.T) {
	said{
		"/sources": `{"sources":[]}`, "/bindings": `{"bindings":[]}`,
		"/sinks": `{"sinks":[{"name":"well","kind":"webhook","delivery":{"state":"well","waiting":0}},{"name":"rests","kind":"s3","delivery":{"state":"resting","restingUntil":"2126-05-04T12:00:00Z","failingSince":"2026-05-04T12:00:00Z","failures":9,"waiting":40}},
			{"name":"stopped","kind":"http","delivery":{"state":"paused","waiting":3}},{"name":"off","kind":"webhook","delivery":{"state":"disabled","reason":"410 gone","disabledAt":"2026-05-04T12:00:00Z","deadLetters":2}}]}`,
	}.serve(t)
	code, out, errOut := call("status")
	if code != exitSurroundings || !strings.Contains(errOut, "1 in error: sink off") {
		t.Errorf("ended with %d: %s", code, errOut)
	}
	for _, want := range []string{
		"SINK     STATE     KIND     WAITING  DEAD", "well     well      webhook  0        0     -", "rests    resting   s3       40", "tried again in", "9 failed one after the other since", "; pictifyd deliveries --sink rests",
		"stopped  paused    http     3        0     -        pictifyd resume --sink stopped", "410 gone; pictifyd resume --sink off; pictifyd deliveries --dead --sink off",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("it says\n%s\nwithout %q", out, want)
		}
	}
	_, out, _ = call("status", "--json")
	var s struct{ Sinks []struct{ Name string } }
	if err := json.Unmarshal([]byte(out), &s); err != nil || len(s.Sinks) != 4 {
		t.Errorf("as JSON it says %s: %v", out, err)
	}
}

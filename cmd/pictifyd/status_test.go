package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A said is what a daemon answers to the paths of a test.
type said map[string]string

func (s said) serve(t *testing.T) {
	t.Helper()
	daemon := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := s[r.URL.EscapedPath()]
		if !ok || r.Header.Get("Authorization") != "Bearer a-key-that-reads" {
			w.WriteHeader(http.StatusNotFound)
			text = `{"detail":"there is no row","code":"row_not_found"}`
		}
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(daemon.Close)
	t.Setenv("PICTIFYD_SERVER", daemon.URL)
	t.Setenv("PICTIFYD_KEY", "a-key-that-reads")
}

const goodSource = `{"name":"shop","reading":{"rows":1200},"freshness":{"state":"ok","lagSeconds":12.4,"expectedSeconds":30,"changedAt":"2026-05-04T12:00:00Z","nextAt":"2026-05-04T12:00:30Z"}}`

func TestStatusShowsWhatIsInErrorAndEndsWith3(t *testing.T) {
	said{
		"/sources": `{"sources":[` + goodSource + `,{"name":"feed","reading":{"rows":0},"freshness":{"state":"error","cause":"4 readings in a row failed: 503","lagSeconds":null,"expectedSeconds":60,"failures":4}}]}`,
		"/bindings": `{"bindings":[{"name":"cards","source":"shop","items":1200,"freshness":{"state":"warn","cause":"2 images could not be made","lagSeconds":12.4,"imagesStale":2,"oldestWantedSeconds":4000}},
			{"name":"others","source":"feed","items":0,"freshness":{"state":"error","cause":"source feed: 4 readings in a row failed: 503","lagSeconds":null}}]}`,
		"/sinks": `{"sinks":[]}`,
	}.serve(t)
	var out, errOut bytes.Buffer
	if code := run([]string{"status"}, nil, &out, &errOut); code != exitSurroundings {
		t.Errorf("ended with %d: %s", code, errOut.String())
	}
	for _, want := range []string{
		"SOURCE  STATE  LAG    EXPECTED  ROWS", "shop    ok     12s    30s       1200", "feed    error  never  1m", "4 readings in a row failed: 503",
		"BINDING  STATE  LAG    SOURCE", "cards    warn   12s    shop", "1h6m40s",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it says\n%s\nwithout %q", out.String(), want)
		}
	}
	if strings.Contains(out.String(), "\x1b[") {
		t.Error("a pipe gets colours")
	}
	if want := "2 in error: source feed, binding others"; !strings.Contains(errOut.String(), want) {
		t.Errorf("it ends with %q, want %q", errOut.String(), want)
	}
}

func TestStatusWhereAllIsWell(t *testing.T) {
	said{"/sources": `{"sources":[` + goodSource + `]}`, "/bindings": `{"bindings":[]}`, "/sinks": `{"sinks":[]}`}.serve(t)
	var out, errOut bytes.Buffer
	if code := run([]string{"status", "--json"}, nil, &out, &errOut); code != exitDone {
		t.Errorf("ended with %d: %s", code, errOut.String())
	}
	if !strings.Contains(out.String(), `"state":"ok","lagSeconds":12.4`) {
		t.Errorf("it says %s", out.String())
	}
}

func TestWordsForStatesAreColoured(t *testing.T) {
	var out bytes.Buffer
	text := "shop  ok     an error of before\nfeed  error  503\npid 9 on b  late   render\nSOURCE  STATE\n"
	n, err := painter{&out, true}.Write([]byte(text))
	if want := "shop  \x1b[32mok\x1b[0m     an error of before\nfeed  \x1b[31merror\x1b[0m  503\npid 9 on b  \x1b[33mlate\x1b[0m   render\nSOURCE  STATE\n"; err != nil || n != len(text) || out.String() != want {
		t.Errorf("painted %q, want %q", out.String(), want)
	}
}

func TestExplainTellsTheStoryOfARow(t *testing.T) {
	said{"/bindings/cards/rows/Gr%C3%B6%C3%9Fe%2042,a%2Fb": `{"row":{"key":"k","name":"Größe 42, a/b","version":7,"state":"ready","generation":2,
		"source":{"name":"shop","state":"ok","confirmedAt":"2026-05-04T12:00:00Z"},
		"images":[{"output":"card","url":"http://x/images/ab.png","format":"png","width":400,"height":200,"generation":2,"renderedAt":"2026-05-04T12:00:01Z",
			"render":{"fingerprint":"0123456789abcdef0123","template":"card","templateVersion":3,"state":"done","attempts":1,"bytes":512,"durationMs":31.4,"changedBy":"row","changed":[{"variable":"title","before":"Mug","after":"Mug XL"}]}}],
		"deliveries":[{"id":"dlv_1","sink":"hook","event":"render.completed","generation":2,"state":"dead","attempts":10,"error":"410 gone","createdAt":"2026-05-04T12:00:02Z"}]}}`}.serve(t)
	var out, errOut bytes.Buffer
	if code := run([]string{"explain", "cards", "Größe 42,a%2Fb"}, nil, &out, &errOut); code != exitDone {
		t.Fatalf("ended with %d: %s", code, errOut.String())
	}
	for _, want := range []string{
		"Größe 42, a/b, version 7", "shop is ok", `title: "Mug" → "Mug XL"`, "card: generation 2", "400 × 200 png",
		"template card version 3, fingerprint 0123456789abcdef…", "render done: 1 try, 31 ms, 512 bytes", "because of the row",
		"dead to hook: render.completed of generation 2, 10 tries", "410 gone",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it says\n%s\nwithout %q", out.String(), want)
		}
	}
	if code := run([]string{"explain", "cards", "none"}, nil, &out, &errOut); code != exitInput {
		t.Errorf("of a row that is not there it ended with %d", code)
	}
}

func TestStatusShowsTheProcessesAtWork(t *testing.T) {
	heard := time.Now().Add(-time.Second).UTC().Format(time.RFC3339Nano)
	said{
		"/sources": `{"sources":[` + goodSource + `]}`, "/bindings": `{"bindings":[]}`, "/sinks": `{"sinks":[]}`,
		"/system": `{"processes":[{"place":"pid 7 on a","state":"well","roles":["connect"],"version":"1.2","address":"a:8080","holder":true,"since":"2026-05-04T12:00:00Z","heardAt":"` + heard + `"},
			{"place":"pid 9 on b","state":"late","cause":"it gives no sign of life","next":"see its machine","roles":["api","render"],"version":"1.3","address":"b:8080","holder":false,"since":"2026-05-04T12:00:00Z",
				"inHand":{"turns":2,"renders":120,"deliveries":4}},
			{"place":"pid 5 on c","state":"gone","cause":"it ended without leaving","next":"start it again","roles":["render"],"version":"1.1","goneAt":"` + heard + `","since":"2026-05-04T12:00:00Z"}]}`,
	}.serve(t)
	var out, errOut bytes.Buffer
	if code := run([]string{"status"}, nil, &out, &errOut); code != exitDone {
		t.Errorf("ended with %d: %s", code, errOut.String())
	}
	for _, want := range []string{
		"PROCESS STATE ROLES HOLDS IN HAND HEARD VERSION", "pid 7 on a well connect yes - 1s ago 1.2",
		"pid 9 on b late api,render - 120 to draw, 4 to tell - 1.3", "it gives no sign of life; see its machine",
		"pid 5 on c gone", "put out 1s ago: it ended without leaving; start it again", "no process has the role deliver: no sink is told", "different versions are at work (1.2, 1.3):",
	} {
		if !strings.Contains(squeezed(out.String()), want) {
			t.Errorf("it says\n%s\nwithout %q", out.String(), want)
		}
	}
}

// squeezed is text without the width of its columns.
func squeezed(text string) string { return strings.Join(strings.Fields(text), " ") }

func TestStatusSaysWhichRoleNobodyHas(t *testing.T) {
	said{
		"/sources": `{"sources":[` + goodSource + `]}`, "/bindings": `{"bindings":[]}`, "/sinks": `{"sinks":[]}`,
		"/system": `{"processes":[{"place":"pid 7 on a","state":"well","roles":["api","connect","deliver"],"version":"1.2","holder":true,"since":"2026-05-04T12:00:00Z"}]}`,
	}.serve(t)
	var out, errOut bytes.Buffer
	if code := run([]string{"status"}, nil, &out, &errOut); code != exitDone || !strings.Contains(out.String(), "no process has the role render: nothing is drawn") ||
		strings.Contains(out.String(), "role deliver") || strings.Contains(out.String(), "versions") {
		t.Errorf("ended with %d:\n%s%s", code, &out, &errOut)
	}
}

func TestStatusOfOneProcessHasNoListOfThem(t *testing.T) {
	said{
		"/sources": `{"sources":[` + goodSource + `]}`, "/bindings": `{"bindings":[]}`, "/sinks": `{"sinks":[]}`,
		"/system": `{"processes":[{"place":"pid 7 on a","state":"well","roles":["api","connect","render","deliver"],"version":"1.2","holder":true,"since":"2026-05-04T12:00:00Z"}]}`,
	}.serve(t)
	var out, errOut bytes.Buffer
	if code := run([]string{"status"}, nil, &out, &errOut); code != exitDone || strings.Contains(out.String(), "PROCESS") {
		t.Errorf("ended with %d:\n%s%s", code, &out, &errOut)
	}
}

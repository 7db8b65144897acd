package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestVerbsOfBindingsSayWhatTheyDid(t *testing.T) {
	var body string
	heard := func(status int, answer string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			data, _ := io.ReadAll(r.Body)
			body = string(data)
			says(status, answer)(w, r)
		}
	}
	for name, c := range map[string]struct {
		args   []string
		answer http.HandlerFunc // of POST; nil: of GET
		route  string
		sent   string
		code   int
		out    string
	}{
		"sync":                         {args: []string{"sync", "cards"}, route: "POST /bindings/cards/refresh", answer: heard(202, `{"status":"refreshing","binding":"cards","source":"shop","jobId":"run_1"}`), sent: "{}", out: "the source shop is read, as the job run_1\n"},
		"refresh":                      {args: []string{"refresh", "cards", "A", "B"}, route: "POST /bindings/cards/refresh", answer: heard(202, `{"status":"refreshing","binding":"cards","source":"shop","rows":1,"missing":["B"]}`), sent: `{"keys":["A","B"]}`, out: "1 row of shop read; there is no row B\n"},
		"a source without single rows": {args: []string{"refresh", "cards", "A"}, route: "POST /bindings/cards/refresh", answer: heard(202, `{"status":"refreshing","binding":"cards","source":"shop","reading":true}`), sent: `{"keys":["A"]}`, out: "the source shop is read from end to end: it cannot be asked for single rows\n"},
		"rerender":                     {args: []string{"rerender", "cards", "A"}, route: "POST /bindings/cards/refresh", answer: heard(202, `{"status":"redrawing","binding":"cards","source":"shop","images":2}`), sent: `{"keys":["A"],"force":true}`, out: "2 images of cards to be drawn again\n"},
		"forced":                       {args: []string{"refresh", "cards", "--force"}, route: "POST /bindings/cards/refresh", answer: heard(202, `{"status":"redrawing","binding":"cards","source":"shop","images":1}`), sent: `{"force":true}`, out: "1 image of cards to be drawn again\n"},
		"pause":                        {args: []string{"pause", "cards"}, route: "POST /bindings/cards/pause", answer: heard(200, `{"binding":{"name":"cards","state":"paused"}}`), out: "cards is paused: its images stay as they are\n"},
		"resume":                       {args: []string{"resume", "cards"}, route: "POST /bindings/cards/resume", answer: heard(200, `{"binding":{"name":"cards","state":"ok"}}`), out: "cards goes on\n"},
		"json":                         {args: []string{"pause", "cards", "--json"}, route: "POST /bindings/cards/pause", answer: heard(200, `{"binding":{"name":"cards","state":"paused"}}`), out: `"state":"paused"`},
		"a binding that there is not":  {args: []string{"pause", "crads"}, route: "POST /bindings/crads/pause", answer: heard(404, `{"detail":"there is no binding \"crads\"","hint":"did you mean \"cards\"?","code":"binding_not_found"}`), code: exitInput, out: ""},
		"nothing held":                 {args: []string{"guard", "cards"}, route: "GET /bindings/cards/guard", answer: heard(200, `{"guard":{"binding":"cards","held":null,"sample":[]}}`), out: "the guard of cards holds nothing\n"},
		"held": {args: []string{"guard", "cards"}, route: "GET /bindings/cards/guard", answer: heard(200, `{"guard":{"binding":"cards","held":{"changes":20,"removals":1,"reason":"too many"},"sample":[{"key":"A","name":"A","becomes":"changed","texts":[{"output":"card","before":"Mug","after":"Cup"}]}]}}`),
			out: "the guard of cards holds 20 changes and 1 removal: too many\n  changed  A: \"Mug\" → \"Cup\"\nCorrect the source, or accept it: pictifyd guard cards --accept\n"},
		"quarantine":             {args: []string{"quarantine", "cards"}, route: "GET /bindings/cards/rows", answer: heard(200, `{"quarantined":[{"key":"A","position":"line 3","reason":"duplicate_key","detail":"twice"}],"failed":[{"key":"B","code":"missing_variable","error":"no title","field":"variables.title"}]}`), out: "duplicate_key"},
		"quarantine of a source": {args: []string{"quarantine", "--source", "shop"}, route: "GET /sources/shop/quarantine", answer: heard(200, `{"quarantined":[{"position":"cards/0@17","key":"A","name":"A","reason":"bad_record","detail":"no JSON","replays":true,"tries":2}]}`), out: "cards/0@17"},
		"replay":                 {args: []string{"quarantine", "--source", "shop", "--replay"}, route: "POST /sources/shop/quarantine/replay", sent: `{}`, answer: heard(200, `{"source":"shop","replayed":3,"stale":1,"stillBroken":2}`), out: "3 rows of shop taken; of 1 something newer had come; 2 still broken"},
		"discard":                {args: []string{"quarantine", "--source", "shop", "--discard", "--at", "cards/0@17"}, route: "POST /sources/shop/quarantine/discard", sent: `{"positions":["cards/0@17"]}`, answer: heard(200, `{"discarded":1}`), out: "1 row of shop discarded"},
		"resync":                 {args: []string{"resync", "shop"}, route: "POST /sources/shop/resnapshot", answer: heard(202, `{"status":"resnapshot","source":"shop"}`), out: "all rows of shop are read again"},
		"gap":                    {args: []string{"gap"}, route: "GET /sources", answer: heard(200, `{"sources":[{"name":"crm"},{"name":"shop","stream":{"phase":"halted","gaps":2,"halted":{"why":"the slot is lost"}}}]}`), out: "pictifyd gap shop --resnapshot"},
		"end a halt":             {args: []string{"gap", "shop", "--resnapshot"}, route: "POST /sources/shop/resnapshot", answer: heard(202, `{}`), out: "all rows of shop are read again"},
		"no trouble":             {args: []string{"quarantine", "cards"}, route: "GET /bindings/cards/rows", answer: heard(200, `{"quarantined":[],"failed":[]}`), out: "cards: no row is kept out, and none failed\n"},
	} {
		body = ""
		url := newDaemon(t, map[string]http.HandlerFunc{c.route: c.answer})
		code, stdout, stderr := call(append(c.args, "--server", url)...)
		if code != c.code || body != c.sent || !strings.Contains(stdout, c.out) {
			t.Errorf("%s: exit code %d, sent %s: %s%s", name, code, body, stdout, stderr)
		}
	}
}

// Accepted is what was seen, so that nothing else goes through.
func TestGuardAcceptsWhatItShows(t *testing.T) {
	var body string
	url := newDaemon(t, map[string]http.HandlerFunc{
		"GET /bindings/cards/guard": says(200, `{"guard":{"binding":"cards","held":{"changes":20,"removals":1,"reason":"too many"},"sample":[]}}`),
		"POST /bindings/cards/guard/accept": func(w http.ResponseWriter, r *http.Request) {
			data, _ := io.ReadAll(r.Body)
			if body = string(data); strings.Contains(body, "20") {
				says(200, `{"status":"accepted"}`)(w, r)
			}
		},
	})
	code, stdout, stderr := call("guard", "cards", "--accept", "--server", url)
	if code != exitDone || body != `{"changes":20,"removals":1}` || stdout != "the guard of cards let through 20 changes and 1 removal: too many\n" {
		t.Errorf("exit code %d, sent %s: %s%s", code, body, stdout, stderr)
	}
	moved := newDaemon(t, map[string]http.HandlerFunc{
		"GET /bindings/cards/guard":         says(200, `{"guard":{"binding":"cards","held":{"changes":20,"removals":1,"reason":"too many"},"sample":[]}}`),
		"POST /bindings/cards/guard/accept": says(409, `{"detail":"the guard now holds 21 changes and 1 removals","code":"guard_moved"}`),
	})
	if code, _, stderr := call("guard", "cards", "--accept", "--server", moved); code != exitInput || !strings.Contains(stderr, "21 changes") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// templateFolder is a folder with the template card.
func templateFolder(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "card.html"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// newDaemon answers each request as the test says.
func newDaemon(t *testing.T, answers map[string]http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer, ok := answers[r.Method+" "+r.URL.Path]; ok {
			answer(w, r)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func says(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text))
	}
}

func TestPushSaysWhichVersionThereIs(t *testing.T) {
	var key string
	url := newDaemon(t, map[string]http.HandlerFunc{
		"GET /templates": says(200, `{"templates":[]}`),
		"PUT /templates/card": func(w http.ResponseWriter, r *http.Request) {
			key = r.Header.Get("Authorization")
			says(201, `{"version":{"version":1,"digest":"d"}}`)(w, r)
		},
	})
	dir := templateFolder(t, "<!doctype html>\n<p>Hello</p>\n")
	code, stdout, stderr := call("template", "push", "--server", url, "--key", "secret", "--dir", dir)
	if code != exitDone || stdout != "card: pushed, now version 1\n" || key != "Bearer secret" {
		t.Errorf("exit code %d with key %q: %s%s", code, key, stdout, stderr)
	}
}

func TestPushEndsWithWhoseFaultItIs(t *testing.T) {
	none := says(200, `{"templates":[]}`)
	for name, c := range map[string]struct {
		answers map[string]http.HandlerFunc
		text    string
		args    []string
		code    int
		says    string
	}{
		"a broken template":            {map[string]http.HandlerFunc{"GET /templates": none}, "<p>{{ (", nil, exitInput, "card.html:1:"},
		"a template that is not there": {map[string]http.HandlerFunc{"GET /templates": none}, "<p>", []string{"badge"}, exitInput, `"badge"`},
		"a changed version": {map[string]http.HandlerFunc{"GET /templates": says(200, `{"templates":[{"name":"card","version":4,"digest":"d","author":"Bob"}]}`)},
			"<p>Hello</p>", nil, exitInput, "version 4"},
		"a bad key":         {map[string]http.HandlerFunc{"GET /templates": says(401, `{"detail":"this key is not known here","code":"invalid_api_key"}`)}, "<p>", nil, exitInput, "not known"},
		"another server":    {map[string]http.HandlerFunc{"GET /templates": says(200, `<html>`)}, "<p>", nil, exitSurroundings, "does not answer as pictifyd"},
		"a server in need":  {map[string]http.HandlerFunc{"GET /templates": says(503, `{"detail":"the disk is full","code":"disk_full"}`)}, "<p>", nil, exitSurroundings, "disk is full"},
		"no server":         {nil, "<p>", []string{"--server", "http://127.0.0.1:1"}, exitSurroundings, "--server"},
		"no address at all": {nil, "<p>", []string{"--server", "localhost"}, exitInput, "http://127.0.0.1:8080"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"template", "push", "--server", newDaemon(t, c.answers), "--dir", templateFolder(t, c.text)}, c.args...)
			code, _, stderr := call(args...)
			if code != c.code || !strings.Contains(stderr, c.says) {
				t.Errorf("exit code %d, want %d and %q: %s", code, c.code, c.says, stderr)
			}
		})
	}
}

func TestPullIntoJSON(t *testing.T) {
	url := newDaemon(t, map[string]http.HandlerFunc{"GET /templates": says(200, `{"templates":[]}`)})
	code, stdout, stderr := call("template", "pull", "--json", "--server", url, "--dir", filepath.Join(t.TempDir(), "new"))
	if code != exitDone || stdout != "{\"templates\":[]}\n" {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}

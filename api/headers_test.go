package api

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// Whatever stands between pictifyd and its callers keeps what never changes, asks
// about what may, and keeps nothing else. Every route says which it is.
func TestEveryRouteSaysHowItMayBeKept(t *testing.T) {
	w := newWorld()
	all := ways(w)
	s := mustServer(t, locked(), w)
	for _, rt := range routes() {
		want := "no-store"
		switch rt.pattern {
		case "GET /images/{file}":
			want = immutable
		case "GET /b/{path...}":
			want = askAgain
		case "GET /i/{file}":
			want = "public, max-age=300, stale-while-revalidate=86400"
		case "GET /{$}", "GET /studio/{path...}", "GET /studio/frame", "GET /favicon.ico", "GET /openapi.json", "GET /docs", "GET /docs/{page}", "GET /llms.txt", "GET /llms-full.txt":
			want = "no-cache"
		case "GET /errors/{slug}":
			want = "public, max-age=3600"
		}
		way := all[rt.pattern]
		h := way.call.bearer(fullKey).to(t, s).Header()
		got := h.Get("Cache-Control")
		if got != want && !(strings.HasPrefix(got, "private,") && h.Get("ETag") != "") {
			t.Errorf("%s: Cache-Control %q, want %q", rt.pattern, got, want)
		}
		if h.Get("ETag") == "" && strings.Contains(got, "no-cache") {
			t.Errorf("%s is to be asked about, by what?", rt.pattern)
		}
		if strings.HasPrefix(got, "public") && strings.Contains(strings.Join(h.Values("Vary"), ","), "Authorization") {
			t.Errorf("%s is public and varies with the key", rt.pattern)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Request-Id") == "" {
			t.Errorf("%s: headers %v", rt.pattern, h)
		}
		out := way.call.to(t, s) // without a key
		if got := out.Header().Get("Cache-Control"); out.Code == http.StatusUnauthorized && got != "no-store" {
			t.Errorf("%s refuses with %q", rt.pattern, got)
		}
	}
	for _, path := range []string{"/nowhere", "/images/x.png", "/b/cards/none.png", "/jobs/none"} {
		if got := get(path).bearer(fullKey).to(t, s).Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
	}
}

func TestImagesAnswerConditionsAndRanges(t *testing.T) {
	w := newWorld()
	hash := w.put("cards", "1", "card", "png", picture)
	w.put("private", "1", "png", "png", picture)
	s := mustServer(t, locked(), w)
	tag := `"` + hash + `"`
	for _, path := range []string{"/images/" + hash + ".png", "/b/cards/1.png", SignPath("/b/private/1.png", urlKey)} {
		for name, c := range map[string]struct {
			header, value string
			status        int
			body          string
		}{
			"the tag":               {"If-None-Match", tag, 304, ""},
			"a weak tag":            {"If-None-Match", "W/" + tag, 304, ""},
			"one of some":           {"If-None-Match", `"other", ` + tag, 304, ""},
			"any":                   {"If-None-Match", "*", 304, ""},
			"another tag":           {"If-None-Match", `"other"`, 200, string(picture)},
			"a tag cut short":       {"If-None-Match", tag[:20], 200, string(picture)},
			"a tag without quotes":  {"If-None-Match", hash, 200, string(picture)},
			"a range":               {"Range", "bytes=1-3", 206, "PNG"},
			"its end":               {"Range", "bytes=-7", 206, "picture"},
			"none of its bytes":     {"Range", "bytes=5000-", 416, ""},
			"a range of other text": {"Range", "lines=1-3", 416, ""},
			"if it is this one":     {"If-Match", tag, 200, string(picture)},
			"if it is another":      {"If-Match", `"other"`, 412, ""},
		} {
			out := get(path).with(c.header, c.value).to(t, s)
			if out.Code != c.status || c.status < 400 && out.Body.String() != c.body {
				t.Errorf("%s, %s: status %d, %q", path, name, out.Code, out.Body)
			}
			if h := out.Header(); out.Code < 400 && (h.Get("ETag") != tag || h.Get("Cache-Control") == "") || out.Code == 304 && (h.Get("Content-Type") != "" || h.Get("Content-Length") != "") {
				t.Errorf("%s, %s: headers %v", path, name, h)
			}
		}
		for ifRange, status := range map[string]int{tag: 206, `"other"`: 200, "W/" + tag: 200} {
			if out := get(path).with("Range", "bytes=1-3").with("If-Range", ifRange).to(t, s); out.Code != status {
				t.Errorf("%s, If-Range %s: status %d, want %d", path, ifRange, out.Code, status)
			}
		}
		head := call{method: http.MethodHead, path: path}
		if out := head.to(t, s); out.Code != 200 || out.Body.Len() != 0 || out.Header().Get("Content-Length") == "" || out.Header().Get("Accept-Ranges") != "bytes" {
			t.Errorf("%s, HEAD: status %d, headers %v", path, out.Code, out.Header())
		}
		if out := head.with("If-None-Match", tag).to(t, s); out.Code != 304 {
			t.Errorf("%s, HEAD: status %d", path, out.Code)
		}
	}
	// A tag decides where there is one: two pictures of one second have one date.
	out := get("/b/cards/1.png").with("If-None-Match", `"other"`).with("If-Modified-Since", time.Now().Format(http.TimeFormat)).to(t, s)
	if out.Code != 200 {
		t.Errorf("another tag and an old date: status %d", out.Code)
	}
}

func TestPrivateImagesAreKeptByNobodyElse(t *testing.T) {
	w := newWorld()
	w.put("private", "1", "png", "png", picture)
	s := mustServer(t, locked(), w)
	for name, c := range map[string]call{"with a key": get("/b/private/1.png").bearer(fullKey), "signed": get(SignPath("/b/private/1.png", urlKey))} {
		out := c.to(t, s)
		if got := out.Header().Get("Cache-Control"); out.Code != 200 || got != askAgainOwn {
			t.Errorf("%s: status %d, Cache-Control %q", name, out.Code, got)
		}
		if varies(out, "Authorization") != (name == "with a key") {
			t.Errorf("%s: Vary %q", name, out.Header().Values("Vary"))
		}
	}
}

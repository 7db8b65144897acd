package api

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

const shop = "https://shop.example"

func preflight(path, origin, method, headers string) call {
	c := call{method: http.MethodOptions, path: path}.with("Origin", origin).with("Access-Control-Request-Method", method)
	if headers != "" {
		c = c.with("Access-Control-Request-Headers", headers)
	}
	return c
}

func varies(out *httptest.ResponseRecorder, on string) bool {
	return slices.Contains(strings.Split(strings.Join(out.Header().Values("Vary"), ", "), ", "), on)
}

func TestOnlyListedOriginsMayCall(t *testing.T) {
	cfg := locked(Key{Key: secret(fullKey)}, Key{Name: "page", Key: secret("key-that-is-in-a-page"), Origins: []string{shop, "http://localhost:3000"}})
	cfg.Origins = []string{"https://tools.example"}
	s := mustServer(t, cfg, newWorld())
	for origin, want := range map[string]bool{
		shop: true, "http://localhost:3000": true, "https://tools.example": true,
		"http://shop.example": false, shop + ":8443": false, "https://evil.example": false, "null": false, "https://shop.example.evil.example": false, "": false,
	} {
		out := preflight(batchPath, origin, "POST", "authorization,content-type,idempotency-key").to(t, s)
		h := out.Header()
		if got := h.Get("Access-Control-Allow-Origin"); out.Code != 204 || (got == origin && got != "") != want || got == "*" {
			t.Errorf("%s asks first: status %d, allowed is %q", origin, out.Code, got)
		}
		if h.Get("Access-Control-Allow-Credentials") != "" || !slices.ContainsFunc(h.Values("Vary"), func(v string) bool { return strings.Contains(v, "Origin") }) {
			t.Errorf("%s: headers %v", origin, h)
		}
		if want && (h.Get("Access-Control-Allow-Headers") == "" || h.Get("Access-Control-Allow-Methods") != "POST" || h.Get("Access-Control-Max-Age") != "7200") {
			t.Errorf("%s: headers %v", origin, h)
		}
		out = get("/jobs").bearer(fullKey).with("Origin", origin).to(t, s)
		if got := out.Header().Get("Access-Control-Allow-Origin"); out.Code != 200 || (got == origin && got != "") != want || !varies(out, "Origin") {
			t.Errorf("%s: status %d, allowed is %q, headers %v", origin, out.Code, got, out.Header())
		}
		if want && !strings.Contains(out.Header().Get("Access-Control-Expose-Headers"), "X-Ratelimit-Remaining") {
			t.Errorf("exposed are %q", out.Header().Get("Access-Control-Expose-Headers"))
		}
	}
	for _, c := range []call{preflight("/jobs", shop, "TRACE", ""), preflight("/jobs", shop, "GET", "x-forwarded-for")} {
		if out := c.to(t, s); out.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%v is allowed", c)
		}
	}
	out := get("/jobs").with("Origin", shop).to(t, s)
	if mustProblem(t, out, 401, "missing_authorization"); out.Header().Get("Access-Control-Allow-Origin") != shop {
		t.Error("its page cannot read why")
	}
}

func TestKeyOfAPageIsForItsOwnOrigins(t *testing.T) {
	cfg := locked(Key{Key: secret(fullKey)}, Key{Name: "page", Key: secret("key-that-is-in-a-page"), Origins: []string{shop}})
	cfg.Origins = []string{"https://tools.example"}
	s := mustServer(t, cfg, newWorld())
	ask := func(origin string) *httptest.ResponseRecorder {
		c := get("/jobs").bearer("key-that-is-in-a-page")
		if origin != "" {
			c = c.with("Origin", origin)
		}
		return c.to(t, s)
	}
	for _, origin := range []string{shop, "", "https://images.example", "http://127.0.0.1:8080"} {
		if out := ask(origin); out.Code != 200 {
			t.Errorf("from %q: status %d", origin, out.Code)
		}
	}
	for _, origin := range []string{"https://tools.example", "https://evil.example", "null", "http://127.0.0.1:9090"} {
		mustProblem(t, ask(origin), 403, "origin_refused")
	}
	made := mustMake(t, s, `{"name":"any","origins":["*"]}`)
	if out := get("/jobs").bearer(made.Key).with("Origin", "https://anywhere.example").to(t, s); out.Code != 200 || out.Header().Get("Access-Control-Allow-Origin") != "https://anywhere.example" {
		t.Errorf("any origin: status %d, headers %v", out.Code, out.Header())
	}
	revoke("any").to(t, s)
	if out := preflight("/jobs", "https://anywhere.example", "GET", "").to(t, s); out.Header().Get("Access-Control-Allow-Origin") != "" {
		t.Error("the origins of a revoked key are still allowed")
	}
}

func TestSessionIsOfNoUseToOtherOrigins(t *testing.T) {
	cfg := locked()
	cfg.Origins = []string{shop}
	s := mustServer(t, cfg, newWorld())
	cookie := mustSession(t, s).String()
	out := get("/jobs").with("Cookie", cookie).with("Origin", shop).to(t, s)
	if out.Header().Get("Access-Control-Allow-Credentials") != "" {
		t.Error("credentials are allowed")
	}
	mustProblem(t, post("/bindings/cards/refresh", "").with("Cookie", cookie).with("Origin", shop).to(t, s), 403, "origin_refused")
}

func TestWithoutKeysNoOriginReadsTheAPI(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	made := mustAnswer[madeKey](t, post("/keys", `{"name":"ci","origins":["`+shop+`"]}`).to(t, s), 201)
	for _, c := range []call{get("/jobs"), get("/jobs").bearer(made.Key), get("/b/private/1.png"), preflight("/jobs", shop, "GET", "authorization")} {
		if out := c.with("Origin", shop).to(t, s); out.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", c.path, out.Header())
		}
	}
}

func TestPagesOfEveryOriginMayUseImages(t *testing.T) {
	w := newWorld()
	hash := w.put("cards", "1", "card", "png", picture)
	w.put("private", "1", "png", "png", picture)
	cfg := locked()
	cfg.Origins = []string{shop}
	s := mustServer(t, cfg, w)
	private := get("/b/private/1.png").bearer(fullKey)
	for name, c := range map[string]struct {
		call          call
		status        int
		allowed, corp string
	}{
		"by its hash":               {get("/images/" + hash + ".png"), 200, "*", "cross-origin"}, // also without an Origin: a CDN keeps one answer for all
		"by its hash, from a page":  {get("/images/"+hash+".png").with("Origin", "https://blog.example"), 200, "*", "cross-origin"},
		"not again":                 {get("/images/"+hash+".png").with("If-None-Match", `"`+hash+`"`), 304, "*", "cross-origin"},
		"not there":                 {get("/images/" + hashOf(nil) + ".png"), 404, "*", "cross-origin"},
		"of a public row":           {get("/b/cards/1.png").with("Origin", "https://blog.example"), 200, "*", "cross-origin"},
		"of a private row, signed":  {get(SignPath("/b/private/1.png", urlKey)).with("Origin", "https://blog.example"), 200, "*", "cross-origin"},
		"of a private row":          {private.with("Origin", "https://blog.example"), 200, "", "same-origin"},
		"of a private row, listed":  {private.with("Origin", shop), 200, shop, "same-origin"},
		"of a private row, refused": {get("/b/private/1.png").with("Origin", "https://blog.example"), 401, "", "same-origin"},
		"asked for first":           {preflight("/images/"+hash+".png", "https://blog.example", "GET", "if-none-match"), 204, "*", ""},
		"written to":                {preflight("/images/"+hash+".png", "https://blog.example", "PUT", ""), 204, "", ""},
	} {
		out := c.call.to(t, s)
		h := out.Header()
		if out.Code != c.status || h.Get("Access-Control-Allow-Origin") != c.allowed || h.Get("Cross-Origin-Resource-Policy") != c.corp || h.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: status %d, headers %v", name, out.Code, h)
		}
		if c.corp != "" && varies(out, "Origin") == (c.allowed == "*") {
			t.Errorf("%s: Vary %q", name, h.Values("Vary"))
		}
	}
}

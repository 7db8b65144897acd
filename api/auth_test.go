package api

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWithoutKeysOnlyItsOwnNamesReachTheServer(t *testing.T) {
	s := mustServer(t, Config{Listen: "127.0.0.1:8080", PublicURL: "http://cards.test:9000"}, newWorld())
	for host, want := range map[string]int{
		"127.0.0.1:8080": 200, "localhost:8080": 200, "LOCALHOST": 200, "[::1]:8080": 200, "127.0.0.2": 200,
		"cards.test": 200, "cards.test:80": 200,
		"evil.example": 403, "evil.example:8080": 403, "localhost.evil.example": 403, "10.0.0.1:8080": 403, "": 403, "127.0.0.1.nip.io": 403,
	} {
		r := httptest.NewRequest(http.MethodGet, "/jobs", nil)
		r.Host = host
		out := httptest.NewRecorder()
		s.ServeHTTP(out, r)
		if out.Code != want {
			t.Errorf("Host %q: status %d, want %d", host, out.Code, want)
		}
		if want == 403 {
			mustProblem(t, out, 403, "host_refused")
		}
	}
}

func TestWithKeysAnyHostWillDo(t *testing.T) {
	c := get("/jobs").bearer(fullKey)
	c.host = "whatever.example"
	if out := c.to(t, mustServer(t, locked(), newWorld())); out.Code != 200 {
		t.Errorf("status %d: %s", out.Code, out.Body)
	}
}

func TestPagesOfOtherOriginsMayChangeNothing(t *testing.T) {
	refresh := post("/bindings/cards/refresh", "{}")
	for name, c := range map[string]struct {
		call call
		want int
	}{
		"no browser":                          {refresh, 202},
		"the page itself":                     {refresh.with("Sec-Fetch-Site", "same-origin"), 202},
		"an older browser, the page itself":   {refresh.with("Origin", "http://127.0.0.1:8080"), 202},
		"an older browser, behind a proxy":    {refresh.with("Origin", "https://images.example"), 202},
		"another site":                        {refresh.with("Sec-Fetch-Site", "cross-site"), 403},
		"another site, in our own name":       {refresh.with("Sec-Fetch-Site", "cross-site").with("Origin", "https://images.example"), 403},
		"a neighbour, in our own name":        {refresh.with("Sec-Fetch-Site", "same-site").with("Origin", "https://images.example"), 403},
		"another site, in the Host's name":    {refresh.with("Sec-Fetch-Site", "cross-site").with("Origin", "http://127.0.0.1:8080"), 403},
		"another port of this machine":        {refresh.with("Sec-Fetch-Site", "same-site"), 403},
		"an older browser, another site":      {refresh.with("Origin", "https://evil.example"), 403},
		"a page without an origin":            {refresh.with("Origin", "null"), 403},
		"reading is the browser's own matter": {get("/bindings").with("Sec-Fetch-Site", "cross-site"), 200},
	} {
		t.Run(name, func(t *testing.T) {
			w, cfg := newWorld(), open()
			cfg.PublicURL = "https://images.example"
			out := c.call.to(t, mustServer(t, cfg, w))
			if out.Code != c.want {
				t.Fatalf("status %d, want %d: %s", out.Code, c.want, out.Body)
			}
			if c.want == 403 {
				mustProblem(t, out, 403, "origin_refused")
				if len(w.asked) != 0 {
					t.Error("it was done nevertheless")
				}
			}
		})
	}
}

func TestAnotherOriginMayCallWithItsOwnKey(t *testing.T) {
	c := post("/bindings/cards/refresh", "{}").bearer(fullKey).with("Sec-Fetch-Site", "cross-site")
	if out := c.to(t, mustServer(t, locked(), newWorld())); out.Code != 202 {
		t.Errorf("status %d: %s", out.Code, out.Body)
	}
}

func TestKeyIsAskedFor(t *testing.T) {
	s := mustServer(t, locked(), newWorld())
	out := get("/jobs").to(t, s)
	mustProblem(t, out, 401, "missing_authorization")
	if got := out.Header().Get("WWW-Authenticate"); !strings.HasPrefix(got, "Bearer") {
		t.Errorf("WWW-Authenticate %q", got)
	}
	for _, header := range []string{"Bearer " + fullKey + "x", "Bearer ", "Basic " + fullKey, fullKey, "Bearer " + fullKey[1:]} {
		mustProblem(t, get("/jobs").with("Authorization", header).to(t, s), 401, "invalid_api_key")
	}
	if out := get("/jobs").with("Authorization", "bearer "+fullKey).to(t, s); out.Code != 200 {
		t.Errorf("the scheme is read in any case, got %d", out.Code)
	}
}

func TestScopesLimitAKey(t *testing.T) {
	w := newWorld()
	s := mustServer(t, locked(
		Key{Name: "sender", Key: secret("key-that-sends-batches"), Scopes: []Scope{RendersWrite}},
		Key{Name: "reader", Key: secret("key-that-reads-bindings"), Scopes: []Scope{BindingsRead}},
		Key{Name: "boss", Key: secret("key-of-the-administrator"), Scopes: []Scope{Admin}},
	), w)
	body := `{"variables":[{}]}`
	for _, c := range []struct {
		key  string
		call call
		want int
	}{
		{"key-that-sends-batches", post(batchPath, body), 202},
		{"key-that-sends-batches", get("/jobs"), 200}, // write contains read
		{"key-that-sends-batches", get("/bindings"), 403},
		{"key-that-sends-batches", get("/events"), 403},
		{"key-that-reads-bindings", get("/bindings"), 200},
		{"key-that-reads-bindings", post("/bindings/cards/refresh", ""), 403},
		{"key-that-reads-bindings", post(batchPath, body), 403},
		{"key-that-reads-bindings", get("/events"), 403}, // shows jobs and images as well
		{"key-that-reads-bindings", get("/metrics"), 403},
		{"key-of-the-administrator", post(batchPath, body), 202},
		{"key-of-the-administrator", get("/metrics"), 200},
	} {
		out := c.call.bearer(c.key).to(t, s)
		if out.Code != c.want {
			t.Errorf("%s %s with %s: status %d, want %d", c.call.method, c.call.path, c.key, out.Code, c.want)
		}
		if c.want == 403 {
			mustProblem(t, out, 403, "scope_missing")
		}
	}
}

func TestKeyForOneTemplateSeesNoOther(t *testing.T) {
	w := newWorld()
	s := mustServer(t, locked(Key{Name: "ci", Key: secret("key-for-another-template"), Templates: []string{"card"}}), w)
	w.acceptedJob("batch_1", 1)
	for path, slug := range map[string]string{
		"/templates/tpl_certificate":   "template_not_found",
		"/jobs/batch_1":                "job_not_found",
		"/jobs/batch_1/results.ndjson": "job_not_found",
		"/bindings/cards":              "binding_not_found",
	} {
		mustProblem(t, get(path).bearer("key-for-another-template").to(t, s), 404, slug)
	}
	mustProblem(t, post(batchPath, `{"variables":[{}]}`).bearer("key-for-another-template").to(t, s), 404, "template_not_found")
	for path, want := range map[string]string{"/templates": `"templates":[]`, "/jobs": `"jobs":[]`, "/bindings": `"bindings":[]`} {
		if out := get(path).bearer("key-for-another-template").to(t, s); !strings.Contains(out.Body.String(), want) {
			t.Errorf("%s shows %s", path, out.Body)
		}
	}
}

// mustSession turns the full key into a session.
func mustSession(tb testing.TB, s *Server) *http.Cookie {
	tb.Helper()
	out := post("/session", `{"key":"`+fullKey+`"}`).to(tb, s)
	cookies := out.Result().Cookies()
	if out.Code != 204 || len(cookies) != 1 {
		tb.Fatalf("status %d, %d cookies: %s", out.Code, len(cookies), out.Body)
	}
	return cookies[0]
}

func TestSessionStandsForItsKey(t *testing.T) {
	w := newWorld()
	s := mustServer(t, locked(), w)
	cookie := mustSession(t, s)
	if !cookie.HttpOnly || !cookie.Secure || cookie.SameSite != http.SameSiteStrictMode || cookie.Path != "/" {
		t.Errorf("cookie %+v", cookie)
	}
	if strings.Contains(cookie.Value, fullKey) {
		t.Error("the cookie holds the key")
	}
	header := cookie.Name + "=" + cookie.Value
	if out := get("/jobs").with("Cookie", header).to(t, s); out.Code != 200 {
		t.Errorf("status %d with a session", out.Code)
	}
	if out := get("/jobs").with("Cookie", header).to(t, mustServer(t, locked(), newWorld())); out.Code != 200 {
		t.Errorf("status %d after a restart", out.Code)
	}
	other := locked(Key{Key: secret("another-key-altogether")})
	mustProblem(t, get("/jobs").with("Cookie", header).to(t, mustServer(t, other, newWorld())), 401, "missing_authorization")
	for _, forged := range []string{header + "x", cookie.Name + "=zzzzzz." + strings.Split(cookie.Value, ".")[1], cookie.Name + "=", cookie.Name + "=."} {
		mustProblem(t, get("/jobs").with("Cookie", forged).to(t, s), 401, "missing_authorization")
	}
	refresh := post("/bindings/cards/refresh", "").with("Cookie", header)
	mustProblem(t, refresh.with("Sec-Fetch-Site", "cross-site").to(t, s), 403, "origin_refused")
	if out := refresh.with("Sec-Fetch-Site", "same-origin").to(t, s); out.Code != 202 {
		t.Errorf("status %d for the page's own request: %s", out.Code, out.Body)
	}
}

func TestSessionEndsAfterAWeek(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mustServer(t, locked(), newWorld())
		cookie := mustSession(t, s)
		<-time.After(sessionLife - time.Second)
		if out := get("/jobs").with("Cookie", cookie.String()).to(t, s); out.Code != 200 {
			t.Errorf("status %d within the week", out.Code)
		}
		<-time.After(2 * time.Second)
		mustProblem(t, get("/jobs").with("Cookie", cookie.String()).to(t, s), 401, "missing_authorization")
	})
}

func TestKeyFieldWorksWithoutAScript(t *testing.T) {
	s := mustServer(t, locked(), newWorld())
	field := call{method: "POST", path: "/session", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}
	field.body = "key=wrong"
	if out := field.to(t, s); out.Code != 303 || out.Header().Get("Location") != "/#refused" || len(out.Result().Cookies()) != 0 {
		t.Errorf("a wrong key: status %d to %q", out.Code, out.Header().Get("Location"))
	}
	field.body = "key=" + fullKey
	if out := field.to(t, s); out.Code != 303 || out.Header().Get("Location") != "/" || len(out.Result().Cookies()) != 1 {
		t.Errorf("the key: status %d to %q", out.Code, out.Header().Get("Location"))
	}
	mustProblem(t, post("/session", `{"key":"wrong"}`).to(t, s), 401, "invalid_api_key")
	mustProblem(t, post("/session", `key`).to(t, s), 400, "malformed_body")
	mustProblem(t, field.with("Sec-Fetch-Site", "cross-site").to(t, s), 403, "origin_refused")
}

// askedPages are pages that are asked for without a key, with where the door leads.
var askedPages = map[string]string{
	"/":                                   "/",
	"/studio/bindings/cards?state=error":  "/studio/bindings/cards?state=error",
	`/studio/"><b>x</b>`:                  "/studio/%22%3E%3Cb%3Ex%3C/b%3E",
	"/studio/a%2Fb?q=%26amp;<x":           "/studio/a%2Fb?q=%26amp;<x",
	"/studio/images?key=SKU-1&binding=cd": "/studio/images?key=SKU-1&binding=cd",
}

func TestKeyFieldLeadsToThePageThatWasAskedFor(t *testing.T) {
	s := mustServer(t, locked(), newWorld())
	for asked, want := range askedPages {
		u, err := url.Parse(asked)
		if err != nil {
			t.Fatal(err)
		}
		body := get(u.RequestURI()).to(t, s).Body.String()
		if strings.Contains(body, "<b>") {
			t.Errorf("%s is put into the page as it is: %s", asked, body)
		}
		_, value, _ := strings.Cut(body, `name="to" value="`)
		value, _, _ = strings.Cut(value, `"`)
		to := html.UnescapeString(value)
		field := call{method: "POST", path: "/session", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}
		field.body = url.Values{"key": {fullKey}, "to": {to}}.Encode()
		if out := field.to(t, s); out.Code != 303 || out.Header().Get("Location") != want {
			t.Errorf("from %s the key leads to %q, want %q", asked, out.Header().Get("Location"), want)
		}
		field.body = url.Values{"key": {"wrong"}, "to": {to}}.Encode()
		if out := field.to(t, s); out.Code != 303 || out.Header().Get("Location") != want+"#refused" {
			t.Errorf("from %s a wrong key leads to %q", asked, out.Header().Get("Location"))
		}
	}
}

func TestKeyFieldLeadsNobodyAway(t *testing.T) {
	s := mustServer(t, locked(), newWorld())
	for _, to := range []string{
		"https://evil.example/studio/", "//evil.example/studio/", `/\evil.example`, "/studio", "/jobs", "javascript:alert(1)", "studio/x", "\x00", "",
		"http:/studio/x", "//user@/studio/x",
	} {
		field := call{method: "POST", path: "/session", header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"}}
		field.body = url.Values{"key": {fullKey}, "to": {to}}.Encode()
		if out := field.to(t, s); out.Code != 303 || out.Header().Get("Location") != "/" {
			t.Errorf("%q leads to %q", to, out.Header().Get("Location"))
		}
	}
}

func TestPageShowsOnlyTheFieldWithoutAKey(t *testing.T) {
	s := mustServer(t, locked(), newWorld())
	out := get("/").to(t, s)
	if body := out.Body.String(); !strings.Contains(body, `name="key"`) || strings.Contains(body, "<script") {
		t.Errorf("without a key: %s", body)
	}
	out = get("/").with("Cookie", mustSession(t, s).String()).to(t, s)
	if body := out.Body.String(); strings.Contains(body, `name="key"`) || !strings.Contains(body, `<script type="module"`) {
		t.Errorf("with a session: %s", body)
	}
	mustProblem(t, get("/studio/index.html").to(t, s), 404, "route_not_found")
	policy := out.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") {
		t.Errorf("policy %q", policy)
	}
	if out.Header().Get("X-Content-Type-Options") != "nosniff" || out.Header().Get("Vary") == "" {
		t.Errorf("headers %v", out.Header())
	}
}

func TestPageFilesAreKeptByTheBrowser(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	script := regexp.MustCompile(`/studio/(assets/[^"]+\.js)`).FindStringSubmatch(get("/").to(t, s).Body.String())
	if script == nil {
		t.Fatal("the first page has no script")
	}
	for name, kind := range map[string]string{script[1]: "text/javascript", "door.css": "text/css", "icon.svg": "image/svg+xml"} {
		for _, coding := range []string{"", "gzip", "br;q=1, gzip;q=0.5", "gzip;q=0"} {
			out := get("/studio/"+name).with("Accept-Encoding", coding).to(t, s)
			if out.Code != 200 || !strings.HasPrefix(out.Header().Get("Content-Type"), kind) {
				t.Errorf("%s: status %d, type %q", name, out.Code, out.Header().Get("Content-Type"))
			}
			if packed, want := out.Header().Get("Content-Encoding") == "gzip", coding != "" && coding != "gzip;q=0"; packed != want && name != "icon.svg" {
				t.Errorf("%s for %q: packed is %t", name, coding, packed)
			}
			again := get("/studio/"+name).with("If-None-Match", out.Header().Get("ETag")).with("Accept-Encoding", coding).to(t, s)
			if again.Code != 304 {
				t.Errorf("%s again: status %d", name, again.Code)
			}
		}
	}
	if kept := get("/studio/"+script[1]).to(t, s).Header().Get("Cache-Control"); !strings.Contains(kept, "immutable") {
		t.Errorf("a built file is kept as %q", kept)
	}
}

// A path of the studio's own is the application, with a dot in a name too; a file
// that there is not is none.
func TestPathsOfTheStudioAreTheApplication(t *testing.T) {
	s := mustServer(t, open(), newWorld())
	first := get("/").to(t, s).Body.String()
	for _, path := range []string{"/studio/", "/studio/jobs", "/studio/bindings/shop.example/rows", "/studio/templates/card.v2/edit"} {
		if out := get(path).to(t, s); out.Code != 200 || out.Body.String() != first {
			t.Errorf("%s: status %d", path, out.Code)
		}
	}
	for _, path := range []string{"/studio/assets/gone-1234.js", "/studio/gone.js", "/studio/gone.css", "/studio/assets/"} {
		mustProblem(t, get(path).to(t, s), 404, "route_not_found")
	}
	locked := mustServer(t, locked(), newWorld())
	if out := get("/studio/jobs").to(t, locked); !strings.Contains(out.Body.String(), `name="key"`) {
		t.Errorf("without a key: %s", out.Body.String())
	}
}

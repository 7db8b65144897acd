package api

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestOnlyTrustedProxiesSayWhoCalls(t *testing.T) {
	trusted, _, err := parseProxies([]string{"10.0.0.0/8", "192.0.2.7", "fd00::/8"})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		peer      string
		forwarded []string
		proto     string
		client    string
		secure    bool
	}{
		"nobody's proxy":            {"203.0.113.5:1000", []string{"198.51.100.1"}, "https", "203.0.113.5:1000", false},
		"a proxy":                   {"10.1.2.3:1000", []string{"198.51.100.1"}, "https", "198.51.100.1:0", true},
		"a single one":              {"192.0.2.7:1000", []string{"198.51.100.1"}, "http", "198.51.100.1:0", false},
		"its neighbour":             {"192.0.2.8:1000", []string{"198.51.100.1"}, "https", "192.0.2.8:1000", false},
		"a proxy of IPv6":           {"[fd00::1]:1000", []string{"2001:db8::1"}, "HTTPS", "[2001:db8::1]:0", true},
		"as IPv6":                   {"[::ffff:10.1.2.3]:1000", []string{"198.51.100.1"}, "https", "198.51.100.1:0", true},
		"two of ours":               {"10.1.2.3:1000", []string{"198.51.100.1, 10.9.9.9"}, "https", "198.51.100.1:0", true},
		"in two lines":              {"10.1.2.3:1000", []string{"198.51.100.1", "10.9.9.9"}, "https", "198.51.100.1:0", true},
		"a client that lies":        {"10.1.2.3:1000", []string{"127.0.0.1, 198.51.100.1"}, "https", "198.51.100.1:0", true},
		"a client that lies twice":  {"10.1.2.3:1000", []string{"10.0.0.1, 198.51.100.1, 10.9.9.9"}, "https", "198.51.100.1:0", true},
		"a client of ours":          {"10.1.2.3:1000", []string{"10.0.0.1"}, "https", "10.0.0.1:0", true},
		"with ports":                {"10.1.2.3:1000", []string{"198.51.100.1:4711"}, "https", "198.51.100.1:0", true},
		"IPv6 with a port":          {"10.1.2.3:1000", []string{"[2001:db8::1]:4711"}, "https", "[2001:db8::1]:0", true},
		"IPv6 in brackets":          {"10.1.2.3:1000", []string{"[2001:db8::1]"}, "https", "[2001:db8::1]:0", true},
		"no address":                {"10.1.2.3:1000", []string{"unknown"}, "https", "10.1.2.3:1000", true},
		"no address before ours":    {"10.1.2.3:1000", []string{"unknown, 10.9.9.9"}, "https", "10.9.9.9:0", true},
		"nothing":                   {"10.1.2.3:1000", nil, "", "10.1.2.3:1000", false},
		"empty":                     {"10.1.2.3:1000", []string{""}, "", "10.1.2.3:1000", false},
		"the client's own protocol": {"10.1.2.3:1000", []string{"198.51.100.1"}, "https, http", "198.51.100.1:0", false},
		"no peer":                   {"@", []string{"198.51.100.1"}, "https", "@", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.peer
		for _, line := range c.forwarded {
			r.Header.Add("X-Forwarded-For", line)
		}
		if c.proto != "" {
			r.Header.Set("X-Forwarded-Proto", c.proto)
		}
		if client, secure := trusted.judge(r); client != c.client || secure != c.secure {
			t.Errorf("%s: %s, %v; want %s, %v", name, client, secure, c.client, c.secure)
		}
	}
}

func TestProxiesThatTrustTooManyAreRefused(t *testing.T) {
	for _, text := range []string{"proxy.example", "0.0.0.0/0", "::/0", "10.0.0.0/33", "fe80::1%eth0", "::ffff:10.0.0.0/104", "10.0.0.1:80", ""} {
		list := problem.All((Config{Listen: "127.0.0.1:0", Proxies: []string{"10.0.0.1", text}}).Validate())
		if len(list) != 1 || list[0].Path != "trusted_proxies[1]" || list[0].Hint == "" {
			t.Errorf("%q: %v", text, list)
		}
	}
}

// Behind a trusted proxy that ends TLS the session's cookie is for https alone, and
// limits are those of the client.
func TestForwardedRequestsAreTheClients(t *testing.T) {
	cfg := locked()
	cfg.PublicURL, cfg.Listen, cfg.Proxies = "http://images.example", "0.0.0.0:8080", []string{"192.0.2.0/24"} // where httptest's requests come from
	cfg.Limits.BadKeys = 1
	s := mustServer(t, cfg, newWorld())
	for proto, secure := range map[string]bool{"https": true, "http": false} {
		out := post("/session", `{"key":"`+fullKey+`"}`).with("X-Forwarded-Proto", proto).with("X-Forwarded-For", "198.51.100.1").to(t, s)
		if cookies := out.Result().Cookies(); len(cookies) != 1 || cookies[0].Secure != secure {
			t.Errorf("by %s: %v", proto, cookies)
		}
	}
	for _, client := range []string{"198.51.100.2", "198.51.100.3"} {
		guess := get("/jobs").bearer("a-key-that-is-none-here").with("X-Forwarded-For", client)
		mustProblem(t, guess.to(t, s), 401, "invalid_api_key")
		mustProblem(t, guess.to(t, s), 429, "too_many_bad_keys")
	}
}

func TestGuessesOfKeysAreLimitedByAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		cfg := locked(Key{Name: "old", Key: secret("key-that-was-used-before")}, Key{Name: "new", Key: secret("key-that-was-not-used-yet")})
		cfg.Limits.BadKeys = 30
		cfg.Proxies = []string{"192.0.2.0/24"}
		s := mustServer(t, cfg, w)
		from := func(client, key string) call {
			return get("/jobs").bearer(key).with("X-Forwarded-For", client)
		}
		const guesser, other = "198.51.100.1", "198.51.100.2"
		if out := from(guesser, "key-that-was-used-before").to(t, s); out.Code != 200 {
			t.Fatalf("status %d: %s", out.Code, out.Body)
		}
		signed := post("/session", `{"key":"key-that-was-used-before"}`).with("X-Forwarded-For", guesser).to(t, s).Result().Cookies()[0]
		for i := range 30 {
			c := from(guesser, "a-guess-of-a-key-that-is-none")
			if i%2 == 0 {
				c = post("/session", `{"key":"a-guess-of-a-key-that-is-none"}`).with("X-Forwarded-For", guesser)
			}
			mustProblem(t, c.to(t, s), 401, "invalid_api_key")
		}
		out := from(guesser, "a-guess-of-a-key-that-is-none").to(t, s)
		mustProblem(t, out, 429, "too_many_bad_keys")
		if got := out.Header().Get("Retry-After"); got != "2" {
			t.Errorf("Retry-After %q", got)
		}
		// It does not learn that one of its guesses is right.
		mustProblem(t, from(guesser, "key-that-was-not-used-yet").to(t, s), 429, "too_many_bad_keys")
		mustProblem(t, post("/session", `{"key":"key-that-was-not-used-yet"}`).with("X-Forwarded-For", guesser).to(t, s), 429, "too_many_bad_keys")
		// Who worked there before works on, and so does everybody elsewhere.
		for name, c := range map[string]call{
			"a key of before":     from(guesser, "key-that-was-used-before"),
			"a session of before": get("/jobs").with("Cookie", signed.Name+"="+signed.Value).with("X-Forwarded-For", guesser),
			"another address":     from(other, "key-that-was-not-used-yet"),
		} {
			if out := c.to(t, s); out.Code != 200 {
				t.Errorf("%s: status %d: %s", name, out.Code, out.Body)
			}
		}
		mustProblem(t, get("/jobs").with("X-Forwarded-For", guesser).to(t, s), 401, "missing_authorization") // nothing was guessed
		if said := strings.Count(w.logged.String(), "sends keys that are not known"); said != 1 || !strings.Contains(w.logged.String(), guesser) {
			t.Errorf("it is logged %d times: %s", said, w.logged.String())
		}
		<-time.After(time.Minute)
		if out := from(guesser, "key-that-was-not-used-yet").to(t, s); out.Code != 200 {
			t.Errorf("after a minute: status %d: %s", out.Code, out.Body)
		}
	})
}

// Who sends from many addresses takes no more memory than so many have.
func TestGuessersAreBounded(t *testing.T) {
	g := newGuesses(30, nil)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for i := range 3 * maxBuckets {
		r.RemoteAddr = "10." + strings.Join([]string{strconv.Itoa(i >> 16), strconv.Itoa(i >> 8 & 255), strconv.Itoa(i & 255)}, ".") + ":1"
		if err := g.judge(r, "guess", false); err != nil {
			t.Fatal(err)
		}
	}
	if len(g.all) > maxBuckets {
		t.Errorf("%d are kept", len(g.all))
	}
	r.RemoteAddr = "[2001:db8::1]:1"
	for i := range 2 * maxKnown {
		if err := g.judge(r, strconv.Itoa(i), true); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(g.all["2001:db8::/64"].known); n != maxKnown {
		t.Errorf("%d keys of one client are remembered", n)
	}
}

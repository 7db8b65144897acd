package httppoll_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	httppoll "github.com/pictifyd/pictifyd/connectors/http"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestCredentialsAreSent(t *testing.T) {
	secret := config.NewSecret("s3cret")
	for name, c := range map[string]struct {
		change func(*httppoll.Config)
		has    func(*http.Request) bool
	}{
		"basic": {
			func(c *httppoll.Config) { c.Basic = &httppoll.Basic{User: "ada", Password: secret} },
			func(r *http.Request) bool {
				user, password, ok := r.BasicAuth()
				return ok && user == "ada" && password == "s3cret"
			},
		},
		"key in a header": {
			func(c *httppoll.Config) { c.APIKey = &httppoll.APIKey{Header: "x-api-key", Value: secret} },
			func(r *http.Request) bool { return r.Header.Get("X-Api-Key") == "s3cret" },
		},
		"key in the query": {
			func(c *httppoll.Config) { c.URL += "?a=1"; c.APIKey = &httppoll.APIKey{Query: "key", Value: secret} },
			func(r *http.Request) bool { return r.URL.Query().Encode() == "a=1&key=s3cret" },
		},
		"query": {
			func(c *httppoll.Config) {
				c.URL += "?a=1"
				c.Query = map[string]config.Secret{"b": config.NewSecret("ä &=")}
			},
			func(r *http.Request) bool { return r.URL.RawQuery == "a=1&b=%C3%A4+%26%3D" },
		},
	} {
		t.Run(name, func(t *testing.T) {
			var a asked
			cfg := newConfig(newServer(t, noting(&a, answers("application/json", oneRow))).URL)
			c.change(cfg)
			r := mustPoll(t, newPoller(t, cfg), nil)
			if !c.has(a.last()) {
				t.Errorf("asked for %s with %v", a.last().URL, a.last().Header)
			}
			if strings.Contains(string(r.Closing.Cursor), "s3cret") {
				t.Errorf("cursor is %s", r.Closing.Cursor)
			}
		})
	}
}

func TestSecretsThatTheServerRepeatsAreNotShown(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, "no access for %s %s %s", r.Header.Get("Authorization"), r.Header.Get("X-Shop"), r.URL)
	})
	cfg := newConfig(s.URL)
	cfg.Bearer = config.NewSecret("s3cret-bearer")
	cfg.Headers = map[string]config.Secret{"X-Shop": config.NewSecret("s3cret-header")}
	cfg.APIKey = &httppoll.APIKey{Query: "key", Value: config.NewSecret("s3cret-key")}
	if _, err := mustFail(t, newPoller(t, cfg), "no access for ***"); strings.Contains(err.Error(), "s3cret") {
		t.Errorf("error %q shows a secret", err)
	}
}

// A desk gives out tokens and rows.
type desk struct {
	tokens, rows atomic.Int32
	expires      int
	asked        url.Values
	refuse       func(http.ResponseWriter) bool
	accepts      func(n int32) bool // the token of that number
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		_ = r.ParseForm()
		d.asked = r.PostForm
		if d.refuse != nil && d.refuse(w) {
			return
		}
		if user, password, _ := r.BasicAuth(); user+password != "mes3cret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": fmt.Sprint("t", d.tokens.Add(1)), "token_type": "bearer", "expires_in": d.expires})
		return
	}
	d.rows.Add(1)
	n := d.tokens.Load()
	if r.Header.Get("Authorization") != fmt.Sprint("Bearer t", n) || d.accepts != nil && !d.accepts(n) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	answers("application/json", oneRow)(w, r)
}

func oauthConfig(base string) *httppoll.Config {
	cfg := newConfig(base + "/rows")
	cfg.OAuth2 = &httppoll.OAuth2{
		TokenURL: base + "/token", ClientID: "me", ClientSecret: config.NewSecret("s3cret"),
		Scopes: config.Strings{"read", "list"}, Audience: "shop", Params: map[string]config.Secret{"tenant": config.NewSecret("7")},
	}
	return cfg
}

func TestTokenIsGotAndKept(t *testing.T) {
	d := &desk{expires: 3600}
	p := newPoller(t, oauthConfig(newServer(t, d.ServeHTTP).URL))
	mustPoll(t, p, nil)
	mustPoll(t, p, nil)
	if d.tokens.Load() != 1 {
		t.Errorf("%d tokens for two readings", d.tokens.Load())
	}
	if got := d.asked.Encode(); got != "audience=shop&grant_type=client_credentials&scope=read+list&tenant=7" {
		t.Errorf("asked for the token with %s", got)
	}
}

func TestTokenIsGotAnewWhenItExpired(t *testing.T) {
	d := &desk{expires: 1} // is taken for expired ten seconds ahead
	p := newPoller(t, oauthConfig(newServer(t, d.ServeHTTP).URL))
	mustPoll(t, p, nil)
	mustPoll(t, p, nil)
	if d.tokens.Load() != 2 {
		t.Errorf("%d tokens for two readings", d.tokens.Load())
	}
}

func TestTokenIsGotAnewOnceWhenItIsRefused(t *testing.T) {
	d := &desk{expires: 3600, accepts: func(n int32) bool { return n == 2 }}
	mustPoll(t, newPoller(t, oauthConfig(newServer(t, d.ServeHTTP).URL)), nil)
	if d.tokens.Load() != 2 {
		t.Errorf("%d tokens", d.tokens.Load())
	}
	never := &desk{expires: 3600, accepts: func(int32) bool { return false }}
	_, err := mustFail(t, newPoller(t, oauthConfig(newServer(t, never.ServeHTTP).URL)), "401")
	if problem.CodeOf(err) != problem.Unauthorized || never.rows.Load() != 2 {
		t.Errorf("%v is %s after %d requests", err, problem.CodeOf(err), never.rows.Load())
	}
}

func TestTokenThatIsNotGivenIsAnErrorThatSaysWhy(t *testing.T) {
	fails := func(status int, contentType, body string) func(http.ResponseWriter) bool {
		return func(w http.ResponseWriter) bool {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
			return true
		}
	}
	for name, c := range map[string]struct {
		refuse func(http.ResponseWriter) bool
		code   problem.Code
		words  []string
	}{
		"unknown client": {fails(401, "application/json", `{"error":"invalid_client","error_description":"unknown\nclient"}`), problem.Unauthorized, []string{"401", "invalid_client unknown client", "check oauth2"}},
		"down":           {fails(503, "text/plain", "s3cret"), problem.Upstream, []string{"503"}},
		"no token":       {fails(200, "application/json", `{"token":"s3cret"}`), problem.Upstream, []string{"no token"}},
		"HTML":           {fails(200, "text/html", "<html>s3cret"), problem.Upstream, []string{"no token"}},
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{refuse: c.refuse}
			_, err := mustFail(t, newPoller(t, oauthConfig(newServer(t, d.ServeHTTP).URL)), append(c.words, "token of http://")...)
			if kind := kindOf(err); problem.CodeOf(err) != c.code || kind != httppoll.TokenRefused || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%v is %s, %s", err, problem.CodeOf(err), kind)
			}
			if d.rows.Load() > 0 {
				t.Error("rows were asked for without a token")
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		cfg := oauthConfig(newServer(t, (&desk{}).ServeHTTP).URL)
		cfg.OAuth2.TokenURL = "http://127.0.0.1:1/token?s3cret=1"
		if _, err := mustFail(t, newPoller(t, cfg), "token of http://127.0.0.1:1/token", "no answer"); strings.Contains(err.Error(), "s3cret") {
			t.Errorf("error %q shows the query", err)
		}
	})
	t.Run("sent on", func(t *testing.T) {
		other := newServer(t, func(_ http.ResponseWriter, r *http.Request) { t.Error("the secret was sent on") })
		d := &desk{refuse: func(w http.ResponseWriter) bool {
			w.Header().Set("Location", other.URL)
			w.WriteHeader(http.StatusTemporaryRedirect)
			return true
		}}
		mustFail(t, newPoller(t, oauthConfig(newServer(t, d.ServeHTTP).URL)), "redirect of a POST")
	})
}

// counting counts the requests that take the caller's way out.
type counting struct{ paths []string }

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.paths = append(c.paths, r.URL.Path)
	return http.DefaultTransport.RoundTrip(r)
}

func TestEveryAddressIsNamedAndReachedByTheOneWayOut(t *testing.T) {
	defer http.DefaultClient.CloseIdleConnections()
	s := newServer(t, (&desk{expires: 3600}).ServeHTTP)
	cfg := oauthConfig(s.URL)
	way := &counting{}
	p, err := httppoll.Kind.New(cfg, connectors.Env{Client: &http.Client{Transport: way}})
	if err != nil {
		t.Fatal(err)
	}
	mustPoll(t, p, nil)
	if fmt.Sprint(way.paths) != "[/token /rows]" {
		t.Errorf("the way out saw %v", way.paths)
	}
	named := cfg.Addresses()
	if len(named) != 2 || named["url"] != s.URL+"/rows" || named["oauth2.token_url"] != s.URL+"/token" {
		t.Errorf("addresses are %v", named)
	}
	cfg.URL = s.URL + "/rows/{{ key }}?k={{ key }}"
	if at := cfg.Addresses()["url"]; at != s.URL+"/rows/x?k=x" {
		t.Errorf("a templated address is %s", at)
	}
}

func TestRedirectElsewhereTakesNothingAlong(t *testing.T) {
	var a asked
	other := newServer(t, noting(&a, answers("application/json", oneRow)))
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	cfg := newConfig(s.URL + "/rows?token=s3cret")
	cfg.APIKey = &httppoll.APIKey{Header: "X-Api-Key", Value: config.NewSecret("s3cret")}
	cfg.Basic = &httppoll.Basic{User: "ada", Password: config.NewSecret("s3cret")}
	mustPoll(t, newPoller(t, cfg), nil)
	if h := a.last().Header; h.Get("Authorization")+h.Get("X-Api-Key")+h.Get("Referer") != "" {
		t.Errorf("another origin got %v", h)
	}
	cfg.APIKey = &httppoll.APIKey{Query: "key", Value: config.NewSecret("s3cret")}
	mustPoll(t, newPoller(t, cfg), nil)
	if h := a.last().Header; h.Get("Referer") != "" || a.last().URL.RawQuery != "" {
		t.Errorf("another origin got %v %v", h, a.last().URL)
	}
}

func TestBodyIsNotSentElsewhere(t *testing.T) {
	other := newServer(t, func(_ http.ResponseWriter, r *http.Request) { t.Error("the body was sent on") })
	s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	cfg := newConfig(s.URL)
	cfg.Body = config.NewSecret("s3cret")
	mustFail(t, newPoller(t, cfg), "redirect of a POST to another host")
}

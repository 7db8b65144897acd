package api

import (
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestOnlyThoseWhoComeByHTTPSAreToldToStay(t *testing.T) {
	const wanted = "max-age=15552000"
	for name, c := range map[string]struct {
		hsts    time.Duration
		proxies []string // httptest's requests come from 192.0.2.1
		tls     bool
		proto   string
		want    string
	}{
		"by TLS":                            {180 * 24 * time.Hour, nil, true, "", wanted},
		"by TLS, not asked for":             {0, nil, true, "", ""},
		"in plain":                          {180 * 24 * time.Hour, nil, false, "", ""},
		"a proxy that is trusted":           {180 * 24 * time.Hour, []string{"192.0.2.0/24"}, false, "https", wanted},
		"the same, not asked for":           {0, []string{"192.0.2.0/24"}, false, "https", ""},
		"it had it in plain":                {180 * 24 * time.Hour, []string{"192.0.2.0/24"}, false, "http", ""},
		"it had it in plain, and we by TLS": {180 * 24 * time.Hour, []string{"192.0.2.0/24"}, true, "http", ""},
		"a proxy that is not trusted":       {180 * 24 * time.Hour, []string{"198.51.100.0/24"}, false, "https", ""},
		"anybody's word":                    {180 * 24 * time.Hour, nil, false, "https", ""},
	} {
		cfg := locked()
		cfg.HSTS, cfg.Proxies = config.Duration(c.hsts), c.proxies
		s := mustServer(t, cfg, newWorld())
		for path, status := range map[string]int{"/healthz": 200, "/nowhere": 404, "/bindings": 401, "/studio/": 200} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			if c.tls {
				r.TLS = &tls.ConnectionState{}
			}
			if c.proto != "" {
				r.Header.Set("X-Forwarded-Proto", c.proto)
			}
			out := httptest.NewRecorder()
			s.ServeHTTP(out, r)
			if out.Code != status {
				t.Errorf("%s, %s: status %d", name, path, out.Code)
			}
			got := out.Header().Values(hstsHeader)
			if want := slices.DeleteFunc([]string{c.want}, func(v string) bool { return v == "" }); !slices.Equal(got, want) {
				t.Errorf("%s, %s: told %q, want %q", name, path, got, want)
			}
		}
	}
}

// What is handed on is told by the process that the client came to, once.
func TestWhatIsHandedOnIsToldToStayOnce(t *testing.T) {
	holder := newSafeHolder(t, "images.example.com") // which says it as well
	front := holder.relay(t, holder.roots, nil)
	res, err := http.DefaultClient.Do(secretRequest(t, http.MethodGet, front.URL))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got := res.Header.Values(hstsHeader); res.StatusCode != http.StatusOK || len(got) != 0 {
		t.Errorf("status %d; the relay passes on %q", res.StatusCode, got)
	}
	cfg := locked()
	cfg.HSTS = config.Duration(time.Hour)
	world := newWorld()
	s := mustServer(t, cfg, world)
	s.deps.Elsewhere = &Elsewhere{Roles: []string{"api"}, Relay: holder.newRelay(t, holder.roots, nil)}
	for _, path := range []string{"/bindings", "/healthz"} { // handed on, answered here
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.TLS = &tls.ConnectionState{}
		out := httptest.NewRecorder()
		s.ServeHTTP(out, r)
		if got := out.Header().Values(hstsHeader); out.Code != http.StatusOK || !slices.Equal(got, []string{"max-age=3600"}) {
			t.Errorf("%s: status %d, told %q", path, out.Code, got)
		}
	}
}

func TestHSTSThatNobodyWouldHearIsRefused(t *testing.T) {
	files := TLS{Cert: "a.pem", Key: "b.pem"}
	for name, c := range map[string]struct {
		cfg  Config
		good bool
	}{
		"with TLS":           {Config{HSTS: config.Duration(time.Hour), TLS: files}, true},
		"behind a proxy":     {Config{HSTS: config.Duration(time.Hour), Proxies: []string{"10.0.0.1"}}, true},
		"by nobody":          {Config{HSTS: config.Duration(time.Hour)}, false},
		"less than a second": {Config{HSTS: config.Duration(time.Millisecond), TLS: files}, false},
		"off":                {Config{}, true},
	} {
		c.cfg.Listen = "127.0.0.1:0"
		list := problem.All(c.cfg.Validate())
		if c.good && len(list) != 0 || !c.good && (len(list) != 1 || list[0].Path != "hsts" || list[0].Hint == "") {
			t.Errorf("%s: %v", name, list)
		}
	}
}

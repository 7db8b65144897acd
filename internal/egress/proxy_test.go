package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A fakeProxy is an HTTP proxy that says yes to everything: it answers requests
// itself, and opens each tunnel to one server.
type fakeProxy struct {
	server *httptest.Server
	tunnel string // where tunnels end; "" refuses them
	answer http.HandlerFunc

	mu    sync.Mutex
	heard []string // METHOD HOST
	auth  []string
}

func newProxy(tb testing.TB) *fakeProxy {
	tb.Helper()
	p := &fakeProxy{answer: ok}
	p.server = httptest.NewServer(p)
	tb.Cleanup(p.server.Close)
	return p
}

func (p *fakeProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.heard = append(p.heard, r.Method+" "+r.URL.Host)
	p.auth = append(p.auth, r.Header.Get("Proxy-Authorization"))
	p.mu.Unlock()
	if r.Method != http.MethodConnect {
		p.answer(w, r)
		return
	}
	if p.tunnel == "" {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	far, err := net.Dial("tcp", p.tunnel)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	near, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		far.Close()
		return
	}
	_, _ = io.WriteString(near, "HTTP/1.1 200 OK\r\n\r\n")
	go func() {
		_, _ = io.Copy(far, near)
		far.Close()
	}()
	_, _ = io.Copy(near, far)
	near.Close()
}

// take is what was heard since it was last asked.
func (p *fakeProxy) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	heard := p.heard
	p.heard = nil
	return heard
}

// behind is a guard whose way to the internet is p.
func behind(tb testing.TB, p *fakeProxy, allow ...string) *Guard {
	tb.Helper()
	g := mustGuard(tb, Config{Public: true, Allow: allow, Proxy: config.NewSecret(p.server.URL)})
	tb.Cleanup(g.router.proxied.CloseIdleConnections)
	return g
}

func TestPublicHostsAreReachedThroughTheProxy(t *testing.T) {
	p := newProxy(t)
	g := behind(t, p)
	resolveTo(g, []string{"8.8.8.8"})
	for address, want := range map[string]string{
		"http://Photos.example/a.png":      "GET photos.example",
		"http://photos.example:8080/":      "GET photos.example:8080",
		"http://photos.example./":          "GET photos.example",
		"http://8.8.8.8/":                  "GET 8.8.8.8",
		"http://[2606:4700:4700::1111]/":   "GET [2606:4700:4700::1111]",
		"http://[::ffff:8.8.8.8]:81/":      "GET 8.8.8.8:81",
		"http://b\u00fccher.example/":      "GET xn--bcher-kva.example",
		"http://photos.example:80/?q=a%20": "GET photos.example:80",
	} {
		if err := get(t, g, ClientOptions{}, address); err != nil {
			t.Errorf("%s: %v", address, err)
		}
		if heard := p.take(); !slices.Equal(heard, []string{want}) {
			t.Errorf("%s: the proxy heard %q, want %q", address, heard, want)
		}
	}
}

func TestTunnelThroughTheProxyIsTheHosts(t *testing.T) {
	host := httptest.NewTLSServer(http.HandlerFunc(ok))
	defer host.Close()
	p := newProxy(t)
	p.tunnel = host.Listener.Addr().String()
	g := behind(t, p)
	resolveTo(g, []string{"8.8.8.8"})
	trusted := x509.NewCertPool()
	trusted.AddCert(host.Certificate())
	g.router.proxied.TLSClientConfig = &tls.Config{RootCAs: trusted}
	if err := get(t, g, ClientOptions{}, "https://example.com/"); err != nil {
		t.Errorf("a host with the right certificate: %v", err)
	}
	if err := get(t, g, ClientOptions{}, "https://elsewhere.test/"); err == nil {
		t.Error("a host with the certificate of another is believed")
	}
	if heard := p.take(); !slices.Equal(heard, []string{"CONNECT example.com:443", "CONNECT elsewhere.test:443"}) {
		t.Errorf("the proxy heard %q", heard)
	}
}

func TestProxysRefusalIsToldApart(t *testing.T) {
	p := newProxy(t)
	g := behind(t, p)
	resolveTo(g, []string{"8.8.8.8"})
	err := get(t, g, ClientOptions{}, "https://photos.example/")
	var fault *problem.Error
	if !errors.As(err, &fault) || fault.Slug != ProxyRefused || !strings.Contains(fault.Message, "the proxy answers 403 for photos.example:443") {
		t.Errorf("the error is %v", err)
	}
}

// Silence of the proxy is what counts: it would go anywhere.
func TestNothingInsideIsAskedOfTheProxy(t *testing.T) {
	p := newProxy(t)
	g := behind(t, p)
	for _, text := range special {
		host := text
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		wantRefused(t, text, get(t, g, ClientOptions{}, "http://"+host+":1/"))
		resolveTo(g, []string{"8.8.8.8", text})
		wantRefused(t, "a name of "+text, get(t, g, ClientOptions{}, "http://photos.example:1/"))
		wantRefused(t, "a name of "+text, g.CheckURL(t.Context(), "https://photos.example/"))
	}
	for _, host := range []string{"2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::ffff:7f00:1]", "[fe80::1%25lo]"} {
		wantRefused(t, host, get(t, g, ClientOptions{}, "http://"+host+":1/"))
	}
	g.lookup = func(_ context.Context, _, host string) ([]netip.Addr, error) {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	for _, host := range []string{"localhost", "wiki", "a.localhost", "printer.local", "metadata.google.internal", "nas.lan", "a.home.arpa", "LOCALHOST."} {
		wantRefused(t, host, get(t, g, ClientOptions{}, "http://"+host+":1/"))
		wantRefused(t, host, g.CheckURL(t.Context(), "http://"+host+"/"))
	}
	if heard := p.take(); len(heard) > 0 {
		t.Errorf("the proxy heard %q", heard)
	}
}

func TestRedirectInsideIsNotAskedOfTheProxy(t *testing.T) {
	p := newProxy(t)
	g := behind(t, p)
	resolveTo(g, []string{"8.8.8.8"})
	for _, target := range []string{"http://127.0.0.1/", "http://169.254.169.254/latest/", "http://[::1]/", "http://2130706433/", "file:///etc/passwd"} {
		p.answer = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target, http.StatusFound) }
		wantRefused(t, target, get(t, g, ClientOptions{MaxRedirects: 3}, "http://photos.example/"))
		if heard := p.take(); !slices.Equal(heard, []string{"GET photos.example"}) {
			t.Errorf("%s: the proxy heard %q", target, heard)
		}
	}
}

func TestNameThatDoesNotResolveHereMayResolveAtTheProxy(t *testing.T) {
	p := newProxy(t)
	g := behind(t, p)
	g.lookup = func(_ context.Context, _, host string) ([]netip.Addr, error) {
		return nil, &net.DNSError{Err: "server misbehaving", Name: host}
	}
	if err := g.CheckURL(t.Context(), "https://photos.example/a.png"); err != nil {
		t.Errorf("CheckURL: %v", err)
	}
	if err := get(t, g, ClientOptions{}, "http://photos.example/a.png"); err != nil {
		t.Errorf("get: %v", err)
	}
	if heard := p.take(); !slices.Equal(heard, []string{"GET photos.example"}) {
		t.Errorf("the proxy heard %q", heard)
	}
}

func TestWhatIsAllowedIsReachedWithoutTheProxy(t *testing.T) {
	server, hits := newServer(t, ok)
	p := newProxy(t)
	for name, c := range map[string]struct{ allow, host, resolves string }{
		"by address":                {"127.0.0.1", "127.0.0.1", ""},
		"by range":                  {"127.0.0.0/8", "127.0.0.1", ""},
		"by name":                   {"img.corp.example", "img.corp.example", "127.0.0.1"},
		"by range, behind a name":   {"127.0.0.0/8", "img.corp.example", "127.0.0.1"},
		"by a name of the internet": {"photos.example", "Photos.example.", "127.0.0.1"},
	} {
		g := behind(t, p, c.allow)
		resolveTo(g, []string{c.resolves}[:min(1, len(c.resolves))])
		before := hits.Load()
		if err := get(t, g, ClientOptions{}, "http://"+c.host+":"+portOf(t, server)+"/"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if heard := p.take(); len(heard) > 0 || hits.Load() != before+1 {
			t.Errorf("%s: the proxy heard %q, the server %d requests", name, heard, hits.Load()-before)
		}
	}
}

func TestProxyIsToldWhoAsks(t *testing.T) {
	p := newProxy(t)
	address, err := url.Parse(p.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	address.User = url.UserPassword("shop", "s3cret")
	g := mustGuard(t, Config{Public: true, Proxy: config.NewSecret(address.String())})
	t.Cleanup(g.router.CloseIdleConnections)
	resolveTo(g, []string{"8.8.8.8"})
	if err := get(t, g, ClientOptions{}, "http://photos.example/"); err != nil {
		t.Fatal(err)
	}
	if want := "Basic " + base64.StdEncoding.EncodeToString([]byte("shop:s3cret")); !slices.Equal(p.auth, []string{want}) {
		t.Errorf("it was told %q", p.auth)
	}
}

func TestProxyThatIsNoneIsRefused(t *testing.T) {
	for _, text := range []string{
		"proxy.corp.example:3128", "proxy.corp.example", "//proxy:3128", "ftp://proxy", "socks5://proxy:1080", "http://", "http://:3128",
		"http://proxy:0", "http://proxy:70000", "http://proxy:port", "http://proxy/path", "http://proxy?x", "http://proxy#x",
		"http://user:s3cret@proxy:po rt", "http://user:s3cret@proxy/path", "http://[::1",
	} {
		problems := problem.All(Config{Public: true, Proxy: config.NewSecret(text)}.Validate())
		if len(problems) != 1 || problems[0].Path != "proxy" || problems[0].Hint == "" || strings.Contains(problems[0].Error(), "s3cret") {
			t.Errorf("%s: %v", text, problems)
		}
		if _, err := New(Config{Public: true, Proxy: config.NewSecret(text)}); err == nil {
			t.Errorf("%s: a guard was made", text)
		}
	}
	for _, text := range []string{"http://proxy:3128", "https://proxy.corp.example/", "http://user:pass@10.0.0.1:8080", "http://[fd00::1]:3128"} {
		if err := (Config{Public: true, Proxy: config.NewSecret(text)}).Validate(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestProxyThatNothingGoesThroughIsRefused(t *testing.T) {
	problems := problem.All(Config{Proxy: config.NewSecret("http://proxy:3128"), Allow: []string{"10.0.0.0/8"}}.Validate())
	if len(problems) != 1 || problems[0].Path != "proxy" || !strings.Contains(problems[0].Message, "public") {
		t.Errorf("got %v", problems)
	}
}

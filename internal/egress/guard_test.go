package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

func mustGuard(tb testing.TB, c Config) *Guard {
	tb.Helper()
	g, err := New(c)
	if err != nil {
		tb.Fatalf("new guard: %v", err)
	}
	tb.Cleanup(g.transport.CloseIdleConnections)
	return g
}

// resolveTo makes g find answers in turn, the last one for ever, and counts.
func resolveTo(g *Guard, answers ...[]string) *atomic.Int32 {
	var asked atomic.Int32
	g.lookup = func(context.Context, string, string) ([]netip.Addr, error) {
		n := int(asked.Add(1))
		var addrs []netip.Addr
		for _, text := range answers[min(n, len(answers))-1] {
			addrs = append(addrs, netip.MustParseAddr(text))
		}
		return addrs, nil
	}
	return &asked
}

// newServer counts what reaches it.
func newServer(tb testing.TB, handler http.HandlerFunc) (server *httptest.Server, hits *atomic.Int32) {
	tb.Helper()
	hits = new(atomic.Int32)
	server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		handler(w, r)
	}))
	tb.Cleanup(server.Close)
	return server, hits
}

func ok(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }

func portOf(tb testing.TB, server *httptest.Server) string {
	tb.Helper()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	return port
}

func get(tb testing.TB, g *Guard, o ClientOptions, address string) error {
	tb.Helper()
	ctx, cancel := context.WithTimeout(tb.Context(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		tb.Fatalf("request %q: %v", address, err)
	}
	resp, err := g.Client(o).Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func wantRefused(tb testing.TB, what string, err error) {
	tb.Helper()
	var p *problem.Error
	switch {
	case err == nil:
		tb.Errorf("%s is allowed", what)
	case !errors.As(err, &p) || p.Slug != AddressRefused:
		tb.Errorf("%s: %v; want the slug %s", what, err, AddressRefused)
	case !retry.IsPermanent(err):
		tb.Errorf("%s: %v is not permanent", what, err)
	}
}

// special is at least one address, mostly the first and the last, of every range
// of the two registries, and the forms in which IPv6 carries an IPv4 address.
var special = []string{
	"0.0.0.0", "0.255.255.255", // this network
	"10.0.0.0", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255", // private
	"100.64.0.1", "100.100.100.200", "100.127.255.255", // shared, where some clouds keep their metadata
	"127.0.0.1", "127.255.255.254", // loopback
	"169.254.0.1", "169.254.169.254", "169.254.170.2", // link-local, metadata
	"192.0.0.1", "192.0.0.8", "192.0.0.170", "192.0.0.192", // protocol assignments
	"192.0.2.1", "198.51.100.1", "203.0.113.255", // documentation
	"192.31.196.1", "192.52.193.1", "192.175.48.1", // AS112, AMT
	"192.88.99.1",                  // 6to4 relays
	"198.18.0.1", "198.19.255.255", // benchmarks
	"224.0.0.1", "239.255.255.255", // multicast
	"240.0.0.1", "255.255.255.254", "255.255.255.255", // reserved, broadcast

	"::", "::1", "::127.0.0.1", "::a00:1", // unspecified, loopback, IPv4-compatible
	"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:0", // IPv4-mapped
	"::ffff:0:7f00:1",                                         // IPv4-translated
	"64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::a00:1", // NAT64
	"100::1", "100:0:0:1::1", // discard, dummy
	"2001::1", "2001:0:7f00:1::", "2001:1::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:1ff:ffff::1", // Teredo, benchmarks, ORCHID
	"2001:db8::1", "3fff::1", "3fff:fff::1", // documentation
	"2002:7f00:1::", "2002:a00:1::1", "2002:808:808::1", // 6to4
	"2620:4f:8000::1",    // AS112
	"4000::1", "5f00::1", // not global unicast, SRv6
	"fc00::1", "fdff:ffff::1", // unique local
	"fd00:ec2::254",                 // metadata
	"fe80::1", "febf::1", "fec0::1", // link-local, site-local
	"ff00::1", "ff02::1", "ff0e::1:2", // multicast
}

func TestEverySpecialAddressIsRefusedAsLiteral(t *testing.T) {
	g := mustGuard(t, Default())
	for _, text := range special {
		host := text
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		wantRefused(t, text, get(t, g, ClientOptions{}, "http://"+host+":1/"))
		wantRefused(t, "CheckURL "+text, g.CheckURL(t.Context(), "http://"+host+"/"))
	}
}

func TestEverySpecialAddressIsRefusedBehindAName(t *testing.T) {
	for _, text := range special {
		g := mustGuard(t, Default())
		resolveTo(g, []string{text})
		wantRefused(t, text, get(t, g, ClientOptions{}, "http://photos.example:1/"))
	}
}

func TestPublicAddressesAreOpen(t *testing.T) {
	g := mustGuard(t, Default())
	for _, text := range []string{
		"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
		"128.0.0.1", "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.1.1", "192.167.255.255",
		"192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
		"2606:4700:4700::1111", "2a00:1450::1", "2001:200::1", "2003::1", "::ffff:8.8.8.8",
	} {
		if _, err := g.resolve(t.Context(), text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestUnusualFormsOfAnAddressAreRefused(t *testing.T) {
	g := mustGuard(t, Default())
	g.lookup = func(_ context.Context, _, host string) ([]netip.Addr, error) {
		t.Errorf("the resolver is asked for %q", host)
		return []netip.Addr{netip.MustParseAddr("8.8.8.8")}, nil
	}
	for _, host := range []string{
		"2130706433", "0x7f000001", "0x7f.1", "0X7F.0.0.1", "017700000001", "0177.0.0.1", "127.1", "127.0.1",
		"127.0.0.1.", "00127.0.0.1", "127.0.0.0x1", "0", "0x", "10.1", "3232235521", "1.2.3.4.5", "256.256.256.256",
	} {
		wantRefused(t, host, get(t, g, ClientOptions{}, "http://"+host+":1/"))
	}
}

func TestLocalhostIsRefused(t *testing.T) {
	server, hits := newServer(t, ok)
	g := mustGuard(t, Default())
	wantRefused(t, "localhost", get(t, g, ClientOptions{}, "http://localhost:"+portOf(t, server)))
	if n := hits.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

func TestAddressWithZoneIsRefused(t *testing.T) {
	g := mustGuard(t, Config{Public: true, Allow: []string{"fe80::/10"}})
	wantRefused(t, "fe80::1%lo", get(t, g, ClientOptions{}, "http://[fe80::1%25lo]:1/"))
}

func TestOneRefusedAddressRefusesTheName(t *testing.T) {
	for _, addrs := range [][]string{{"8.8.8.8", "127.0.0.1"}, {"127.0.0.1", "8.8.8.8"}, {"2606:4700::1", "::1"}} {
		g := mustGuard(t, Default())
		resolveTo(g, addrs)
		wantRefused(t, strings.Join(addrs, " and "), get(t, g, ClientOptions{}, "http://two.example:1/"))
	}
}

// The name answers with an open address when it is judged, and with another
// one when it would be resolved again.
func TestRebindingNameReachesOnlyWhatWasJudged(t *testing.T) {
	server, hits := newServer(t, ok)
	g := mustGuard(t, Config{Public: true, Allow: []string{"127.0.0.1"}})
	asked := resolveTo(g, []string{"127.0.0.1"}, []string{"127.0.0.2"})
	if err := get(t, g, ClientOptions{}, "http://rebind.example:"+portOf(t, server)); err != nil {
		t.Errorf("get: %v", err)
	}
	if asked.Load() != 1 || hits.Load() != 1 {
		t.Errorf("resolved %d times, %d requests; want one of each", asked.Load(), hits.Load())
	}
}

func TestNameThatTurnsInsideAfterTheCheckIsRefused(t *testing.T) {
	server, hits := newServer(t, ok)
	g := mustGuard(t, Default())
	resolveTo(g, []string{"8.8.8.8"}, []string{"127.0.0.1"})
	address := "http://rebind.example:" + portOf(t, server)
	if err := g.CheckURL(t.Context(), address); err != nil {
		t.Fatalf("CheckURL: %v", err)
	}
	wantRefused(t, "the second answer", get(t, g, ClientOptions{}, address))
	if n := hits.Load(); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
}

func TestRedirectInsideIsRefused(t *testing.T) {
	inside, hits := newServer(t, ok)
	for name, target := range map[string]string{
		"literal": inside.URL,
		"name":    "http://inside.example:" + portOf(t, inside),
		"mapped":  "http://[::ffff:127.0.0.1]:" + portOf(t, inside),
		"decimal": "http://2130706433:" + portOf(t, inside),
	} {
		outside, _ := newServer(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target, http.StatusFound) })
		g := mustGuard(t, Config{Public: true, Allow: []string{"outside.example"}})
		resolveTo(g, []string{"127.0.0.1"})
		wantRefused(t, name, get(t, g, ClientOptions{MaxRedirects: 3}, "http://outside.example:"+portOf(t, outside)))
	}
	if n := hits.Load(); n != 0 {
		t.Errorf("%d requests arrived inside", n)
	}
}

func TestRedirectToAnotherSchemeOrWithCredentialsIsRefused(t *testing.T) {
	for _, target := range []string{"file:///etc/passwd", "ftp://127.0.0.1/", "http://user:pass@127.0.0.1/"} {
		server, _ := newServer(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, target, http.StatusFound) })
		g := mustGuard(t, Config{Allow: []string{"127.0.0.1"}})
		wantRefused(t, target, get(t, g, ClientOptions{MaxRedirects: 3}, server.URL))
	}
}

func TestRedirectsAreFollowedUpToTheLimit(t *testing.T) {
	const length = 2
	server, hits := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if n := len(r.URL.Path) - 1; n < length {
			http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
		}
	})
	g := mustGuard(t, Config{Allow: []string{"127.0.0.1"}})
	if err := get(t, g, ClientOptions{MaxRedirects: length}, server.URL+"/"); err != nil {
		t.Errorf("with %d: %v", length, err)
	}
	for most := range length {
		before := hits.Load()
		err := get(t, g, ClientOptions{MaxRedirects: most}, server.URL+"/")
		var p *problem.Error
		if !errors.As(err, &p) || p.Slug != RedirectRefused || !retry.IsPermanent(err) {
			t.Errorf("with %d: %v; want a permanent %s", most, err, RedirectRefused)
		}
		if n := hits.Load() - before; n != int32(most)+1 {
			t.Errorf("with %d: %d requests, want %d", most, n, most+1)
		}
	}
}

func TestAllowOpensExactlyWhatItNames(t *testing.T) {
	g := mustGuard(t, Config{Public: true, Allow: []string{
		"10.1.0.0/16", "192.168.1.7", "fd00:1::/32", "::1", "img.corp.example", "Bücher.example",
	}})
	resolveTo(g, []string{"10.9.9.9"})
	for host, want := range map[string]bool{
		"10.1.0.0": true, "10.1.255.255": true, "10.0.255.255": false, "10.2.0.0": false,
		"192.168.1.7": true, "192.168.1.6": false, "192.168.1.8": false, "::ffff:192.168.1.7": true,
		"fd00:1::5": true, "fd00:2::5": false, "::1": true, "::2": false, "127.0.0.1": false,
		"img.corp.example": true, "IMG.corp.example.": true, "a.img.corp.example": false, "corp.example": false,
		"ximg.corp.example": false, "bücher.example": true, "xn--bcher-kva.example": true, "bucher.example": false,
	} {
		_, err := g.resolve(t.Context(), host)
		if want && err != nil {
			t.Errorf("%s: %v", host, err)
		} else if !want {
			wantRefused(t, host, err)
		}
	}
}

func TestWithoutPublicOnlyTheAllowedIsOpen(t *testing.T) {
	g := mustGuard(t, Config{Allow: []string{"9.9.9.9"}})
	if _, err := g.resolve(t.Context(), "9.9.9.9"); err != nil {
		t.Errorf("9.9.9.9: %v", err)
	}
	_, err := g.resolve(t.Context(), "8.8.8.8")
	wantRefused(t, "8.8.8.8", err)
}

func TestNextAddressIsTriedWhenOneDoesNotAnswer(t *testing.T) {
	server, hits := newServer(t, ok)
	g := mustGuard(t, Config{Allow: []string{"127.0.0.0/8"}})
	resolveTo(g, []string{"127.9.9.9", "127.0.0.1"}) // the server listens on the second one only
	if err := get(t, g, ClientOptions{}, "http://two.example:"+portOf(t, server)); err != nil {
		t.Errorf("get: %v", err)
	}
	if n := hits.Load(); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestHostThatDoesNotAnswerIsNotPermanent(t *testing.T) {
	server, _ := newServer(t, ok)
	address := server.URL
	server.Close()
	g := mustGuard(t, Config{Allow: []string{"127.0.0.1"}})
	if err := get(t, g, ClientOptions{}, address); err == nil || retry.IsPermanent(err) {
		t.Errorf("get = %v, want an error that is not permanent", err)
	}
}

func TestUnknownNameSaysSoAndIsNotPermanent(t *testing.T) {
	g := mustGuard(t, Default())
	for _, c := range []struct {
		err  error
		want problem.Code
	}{
		{&net.DNSError{Err: "no such host", Name: "x.example", IsNotFound: true}, problem.Invalid},
		{&net.DNSError{Err: "server misbehaving", Name: "x.example", IsTemporary: true}, problem.Upstream},
	} {
		g.lookup = func(context.Context, string, string) ([]netip.Addr, error) { return nil, c.err }
		err := g.CheckURL(t.Context(), "https://x.example/")
		var p *problem.Error
		if !errors.As(err, &p) || p.Code != c.want || p.Slug != HostNotFound || retry.IsPermanent(err) {
			t.Errorf("CheckURL = %v, want %s %s, not permanent", err, c.want, HostNotFound)
		}
	}
}

func TestNameWithoutAddressIsAnError(t *testing.T) {
	g := mustGuard(t, Default())
	resolveTo(g, nil)
	err := get(t, g, ClientOptions{}, "http://empty.example/")
	var p *problem.Error
	if !errors.As(err, &p) || p.Slug != HostNotFound {
		t.Errorf("get = %v, want %s", err, HostNotFound)
	}
}

func TestCheckURLRefusesWhatIsNoPlainWebAddress(t *testing.T) {
	g := mustGuard(t, Default())
	resolveTo(g, []string{"8.8.8.8"})
	for _, raw := range []string{
		"", "x", "//x.example/", "file:///etc/passwd", "FILE:///etc/passwd", "ftp://x.example", "data:,x", "http:x.example",
		"javascript:alert(1)", "http://", "http:///path", "http://:80/", "https://user@x.example", "https://u:p@x.example/",
		"http://x.example:port/", "http://[::1", "\x00http://x.example",
	} {
		err := g.CheckURL(t.Context(), raw)
		if problem.CodeOf(err) != problem.Invalid {
			t.Errorf("CheckURL(%q) = %v, want an invalid problem", raw, err)
		}
		if err != nil && strings.Contains(err.Error(), "u:p@") {
			t.Errorf("CheckURL(%q) shows the credentials: %v", raw, err)
		}
	}
	for _, raw := range []string{"http://x.example", "HTTPS://X.example:8443/a?b#c"} {
		if err := g.CheckURL(t.Context(), raw); err != nil {
			t.Errorf("CheckURL(%q): %v", raw, err)
		}
	}
}

func TestEnvironmentsProxyIsNotUsed(t *testing.T) {
	g := mustGuard(t, Default())
	if g.transport.Proxy != nil {
		t.Error("the transport asks for a proxy")
	}
}

func TestTimeoutEndsARequestThatHangs(t *testing.T) {
	release := make(chan struct{})
	server, _ := newServer(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	g := mustGuard(t, Config{Allow: []string{"127.0.0.1"}})
	err := get(t, g, ClientOptions{Timeout: 50 * time.Millisecond}, server.URL)
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() || retry.IsPermanent(err) {
		t.Errorf("get = %v, want a timeout that is not permanent", err)
	}
}

func TestValidateNamesEachWrongEntry(t *testing.T) {
	err := Config{Allow: []string{
		"10.0.0.0/8", "10.0.0.1/8", "*.corp.example", "http://x.example", "x.example:80", "", "::ffff:10.0.0.1",
		"127.1", "a..b", "fe80::1%eth0", "img.corp.example", "10.0.0.0/33", "a b",
	}}.Validate()
	var paths []string
	for _, p := range problem.All(err) {
		paths = append(paths, p.Path)
	}
	want := "allow[1] allow[2] allow[3] allow[4] allow[5] allow[6] allow[7] allow[8] allow[9] allow[11] allow[12]"
	if got := strings.Join(paths, " "); got != want {
		t.Errorf("problems at %s\nwant %s\n%v", got, want, err)
	}
	if err := Default().Validate(); err != nil {
		t.Errorf("default: %v", err)
	}
}

func FuzzNoHostReachesLoopback(f *testing.F) {
	for _, seed := range []string{"localhost", "127.0.0.1", "0x7f.1", "[::1]", "::ffff:7f00:1", "①②⑦.0.0.1", "127。0。0。1", "x.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, host string) {
		g, err := New(Default())
		if err != nil {
			t.Fatal(err)
		}
		g.lookup = func(_ context.Context, _, name string) ([]netip.Addr, error) {
			if numeric(name) {
				t.Errorf("%q is resolved as the name %q", host, name)
			}
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
		}
		addrs, err := g.resolve(t.Context(), host)
		for _, addr := range addrs {
			if err == nil && (addr.IsLoopback() || addr.IsPrivate()) {
				t.Errorf("%q opens %s", host, addr)
			}
		}
		_ = g.CheckURL(t.Context(), (&url.URL{Scheme: "http", Host: host}).String())
	})
}

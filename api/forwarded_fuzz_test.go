package api

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// The headers come from whoever calls, or from a proxy that adds to them.
func FuzzForwarded(f *testing.F) {
	trusted, _, err := parseProxies([]string{"10.0.0.0/8", "fd00::/8"})
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{"198.51.100.1", "198.51.100.1, 10.1.1.1", "[::1]:80,,", "unknown", "::ffff:10.0.0.1", "1.2.3.4:5:6", "fe80::1%eth0", strings.Repeat(",", 100), " "} {
		f.Add(text, "https")
	}
	f.Fuzz(func(t *testing.T, forwarded, proto string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header = http.Header{"X-Forwarded-For": {forwarded}, "X-Forwarded-Proto": {proto}}
		r.RemoteAddr = "203.0.113.5:1000"
		if client, secure := trusted.judge(r); client != r.RemoteAddr || secure {
			t.Fatalf("a stranger is taken for %s, %v", client, secure)
		}
		r.RemoteAddr = "10.1.2.3:1000"
		client, _ := trusted.judge(r)
		host, _, err := net.SplitHostPort(client)
		addr, bad := netip.ParseAddr(host)
		if err != nil || bad != nil {
			t.Fatalf("%q is %q: %v, %v", forwarded, client, err, bad)
		}
		if client != r.RemoteAddr && addr.Zone() == "" && !strings.Contains(strings.ToLower(forwarded), strings.TrimPrefix(addr.String(), "::ffff:")) && addr.Is4() {
			t.Fatalf("%q has not %s", forwarded, addr)
		}
	})
}

// Nobody makes a session without the key.
func FuzzSession(f *testing.F) {
	ring := newKeyring(locked(), nil)
	s := &Server{keys: ring}
	p, _ := ring.find(fullKey)
	for _, value := range []string{"", ".", "zzzzzz.", "zzzzzz.AAAA", "-1.AAAA", strings.Repeat("z", 100) + ".AAAA", "zzzzzz." + strings.Repeat("A", 43)} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", sessionCookie+"="+value)
		if got, ok := s.sessionOf(r); ok || got == p {
			t.Fatalf("%q opens a session", value)
		}
	})
}

package webhook

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// Probe connects to the receiver, or to the proxy on the way, and sends nothing
// but what TLS needs.
func (e *endpoint) Probe(ctx context.Context) error {
	to, err := url.Parse(e.url)
	if err != nil {
		return problem.New(problem.Invalid, "%s is not an address", e.shown)
	}
	req := &http.Request{URL: to}
	if proxy, err := http.ProxyFromEnvironment(req); err == nil && proxy != nil {
		to = proxy
	}
	conn, err := dial(ctx, to)
	if err != nil {
		return problem.New(problem.Surroundings, "%s can't be reached: %w", e.shown, err)
	}
	return conn.Close()
}

func dial(ctx context.Context, to *url.URL) (net.Conn, error) {
	port := to.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[to.Scheme]
	}
	address := net.JoinHostPort(to.Hostname(), port)
	if to.Scheme == "https" {
		return new(tls.Dialer).DialContext(ctx, "tcp", address)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

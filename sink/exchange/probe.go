package exchange

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// Probe says whether the receiver at that address is there. The operator's own is
// connected to, or the proxy on the way, and is sent nothing but what TLS needs;
// any other is asked for the headers of its front page, through its client.
func (r *Receiver) Probe(ctx context.Context, to *url.URL) error {
	from := Shown(to)
	if !r.own {
		front := url.URL{Scheme: to.Scheme, Host: to.Host, Path: "/"}
		req, err := http.NewRequestWithContext(ctx, http.MethodHead, front.String(), nil)
		if err != nil {
			return problem.New(problem.Invalid, "%s is not an address", from)
		}
		_, err = r.Send(ctx, req, 0, false)
		return err
	}
	req := &http.Request{URL: to}
	if proxy, err := http.ProxyFromEnvironment(req); err == nil && proxy != nil {
		to = proxy
	}
	conn, err := r.dial(ctx, to)
	if err != nil {
		return problem.New(problem.Surroundings, "%s can't be reached: %w", from, err)
	}
	return conn.Close()
}

func (r *Receiver) dial(ctx context.Context, to *url.URL) (net.Conn, error) {
	port := to.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[to.Scheme]
	}
	address := net.JoinHostPort(to.Hostname(), port)
	if to.Scheme == "https" {
		return (&tls.Dialer{Config: r.tls}).DialContext(ctx, "tcp", address)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", address)
}

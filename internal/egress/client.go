package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// ClientOptions bound a Client.
type ClientOptions struct {
	// Timeout ends a request with its body; zero means that only its context does.
	Timeout time.Duration
	// MaxRedirects is how many are followed; at zero a redirect is an error.
	MaxRedirects int
}

// Client is an HTTP client that reaches only what g opens, at every redirect
// too. What is refused comes back as an error marked retry.Permanent. The
// environment's proxies are not used: they would resolve names themselves, and
// only the operator can know that his refuses what it must, see Config.Proxy.
func (g *Guard) Client(o ClientOptions) *http.Client {
	var way http.RoundTripper = g.transport
	if g.router != nil {
		way = g.router
	}
	return &http.Client{
		Transport:     way,
		Timeout:       o.Timeout,
		CheckRedirect: checkRedirect(o.MaxRedirects),
	}
}

func checkRedirect(most int) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		if len(via) > most {
			return retry.Permanent(problem.New(problem.Upstream, "redirect to %s not followed: at most %d are",
				req.URL.Redacted(), most).WithSlug(RedirectRefused))
		}
		return checkForm(req.URL)
	}
}

func (g *Guard) newTransport() *http.Transport {
	return &http.Transport{
		DialContext:            g.dial,
		ForceAttemptHTTP2:      true,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  30 * time.Second,
		ExpectContinueTimeout:  time.Second,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConns:           100,
		MaxIdleConnsPerHost:    8,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// dial connects to the first address of the host that answers. It never gives
// the name to the dialer, which would resolve it again.
func (g *Guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("split address %q: %w", address, err)
	}
	addrs, err := g.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	var failures []error
	for i, addr := range addrs {
		conn, err := g.dialOne(ctx, network, addr, port, len(addrs)-i)
		if err == nil {
			return conn, nil
		}
		failures = append(failures, err)
	}
	return nil, errors.Join(failures...)
}

// dialOne gives the address its share of the time that is left, so that one
// that swallows packets leaves some for the others.
func (g *Guard) dialOne(ctx context.Context, network string, addr netip.Addr, port string, left int) (net.Conn, error) {
	if deadline, ok := ctx.Deadline(); ok && left > 1 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(deadline)/time.Duration(left))
		defer cancel()
	}
	return g.dialer.DialContext(ctx, network, net.JoinHostPort(addr.String(), port))
}

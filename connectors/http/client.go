package httppoll

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

const maxRedirects = 5

// newClient is a client of its own for one source: it honours no proxy of the
// environment, shares no cookies, and keeps as many connections as it uses.
func newClient(secret []string, connections int) *http.Client {
	transport := &http.Transport{
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxIdleConns:           connections,
		MaxIdleConnsPerHost:    connections,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		ForceAttemptHTTP2:      true,
	}
	return &http.Client{Transport: transport, CheckRedirect: redirects(secret)}
}

// redirects follows a few, and takes the source's own headers off a request
// that leaves the origin they were meant for. A body does not leave it at all.
func redirects(secret []string) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return fmt.Errorf("more than %d redirects", maxRedirects)
		}
		if !isHTTP(req.URL) {
			return fmt.Errorf("a redirect to a %s address", req.URL.Scheme)
		}
		if sameOrigin(req.URL, via[0].URL) {
			return nil
		}
		if req.Method != http.MethodGet {
			return fmt.Errorf("a redirect of a %s to another host", req.Method)
		}
		for _, name := range secret {
			req.Header.Del(name)
		}
		return nil
	}
}

func sameOrigin(a, b *url.URL) bool { return a.Scheme == b.Scheme && a.Host == b.Host }

func isHTTP(u *url.URL) bool { return u.Scheme == "http" || u.Scheme == "https" }

// display is an address without what may be secret in it.
func display(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

// transportError says why there was no answer, without the address as net/http
// repeats it, which may hold a secret.
func transportError(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return problem.New(problem.Timeout, "no whole answer in time: %w", err).
			WithHint("raise timeout, or see why the source is slow")
	}
	return problem.New(problem.Upstream, "no answer: %w", err)
}

package api

import (
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// An originRule keeps the pages of other sites away from this server: a
// browser on this machine reaches it, and so does what runs in that browser.
type originRule struct {
	public string // host of the public URL, without a port
	origin string // of the public URL
	open   bool   // keys guard the server: any Host will do
	cross  *http.CrossOriginProtection
}

func newOriginRule(base string, keys bool) (*originRule, error) {
	u, err := url.Parse(base)
	if err != nil {
		return nil, err
	}
	return &originRule{public: u.Hostname(), origin: u.Scheme + "://" + u.Host, open: keys, cross: http.NewCrossOriginProtection()}, nil
}

// judge refuses a Host that another site's DNS may have made (without keys),
// and unsafe requests that a page of another origin makes. A request with its
// own Authorization header is no browser's doing.
func (o *originRule) judge(r *http.Request) error {
	if !o.open && !o.knows(r.Host) {
		return problem.New(problem.Forbidden, "without a key this server answers only to its own names, not to %q", r.Host).
			WithSlug(slugHost).WithHint("use http://127.0.0.1, set server.public_url to the name in use, or add a key under server.keys")
	}
	if o.open && r.Header.Get("Authorization") != "" {
		return nil
	}
	if r.URL.Path == eventsPath {
		return nil // no cookie says there who somebody is
	}
	if err := o.cross.Check(r); err != nil && !o.older(r) {
		return problem.New(problem.Forbidden, "a page of another origin may not do this").WithSlug(slugOrigin).
			WithHint("set server.public_url to the address that the browser uses, or call with a key")
	}
	return nil
}

// older reports whether a page of the public URL asks by a browser that does not
// say from where, through a proxy that gives this server another Host. A browser
// that does say is believed, whatever the Origin is.
func (o *originRule) older(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Site") == "" && r.Header.Get("Origin") == o.origin
}

// own reports whether origin is this server's, which was called host.
func (o *originRule) own(origin, host string) bool {
	u, err := url.Parse(origin)
	return origin == o.origin || err == nil && u.Host == host
}

func (o *originRule) knows(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	return loopback(name) || strings.EqualFold(name, o.public)
}

package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"time"

	"code.dny.dev/ssrf"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// The slugs of this package's problems.
const (
	AddressRefused  = "address_refused"  // a place that the configuration does not open
	RedirectRefused = "redirect_refused" // a redirect where none, or no further one, is followed
	HostNotFound    = "host_not_found"   // a name that does not resolve
)

// A Guard decides what may be reached. It is safe for concurrent use.
type Guard struct {
	public   bool
	prefixes []netip.Prefix
	hosts    map[string]bool
	special  *ssrf.Guardian

	lookup    func(ctx context.Context, network, host string) ([]netip.Addr, error)
	dialer    net.Dialer
	transport *http.Transport
	router    *router // nil without a proxy
}

// New is the Guard of c. The error is that of c.Validate.
func New(c Config) (*Guard, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	g := &Guard{
		public:  c.Public,
		hosts:   make(map[string]bool),
		special: ssrf.New(ssrf.WithAnyPort(), ssrf.WithAnyNetwork()),
		lookup:  net.DefaultResolver.LookupNetIP,
		dialer:  net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second},
	}
	for _, text := range c.Allow {
		e, _ := parseEntry(text)
		if e.host != "" {
			g.hosts[e.host] = true
			continue
		}
		g.prefixes = append(g.prefixes, e.prefix)
	}
	g.transport = g.newTransport()
	if !c.Proxy.IsZero() {
		proxy, _ := parseProxy(c.Proxy.Reveal())
		g.router = g.newRouter(proxy)
	}
	return g, nil
}

// CheckURL reports early what a request to raw would be refused for: a scheme
// other than http and https, credentials in the address, a host that resolves
// to an address that is not open. It connects to nothing.
func (g *Guard) CheckURL(ctx context.Context, raw string) error {
	u, err := url.Parse(raw)
	if err != nil {
		return problem.New(problem.Invalid, "%q is not a URL", raw)
	}
	if err := checkForm(u); err != nil {
		return err
	}
	if g.router != nil {
		_, _, err = g.route(ctx, u.Hostname())
		return err
	}
	_, err = g.resolve(ctx, u.Hostname())
	return err
}

// checkForm judges what can be judged without resolving.
func checkForm(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return retry.Permanent(problem.New(problem.Invalid, "%q is not an http or https address", u.Redacted()).
			WithSlug(AddressRefused))
	case u.User != nil:
		return retry.Permanent(problem.New(problem.Invalid, "%q carries credentials", u.Redacted()).
			WithSlug(AddressRefused).WithHint("send them in a header, or sign the address"))
	case u.Hostname() == "":
		return retry.Permanent(problem.New(problem.Invalid, "%q names no host", u.Redacted()).WithSlug(AddressRefused))
	}
	return nil
}

// resolve is every address of host, all of them allowed. One that is refused
// refuses the host: a name that points both outside and inside is an attack or
// a mistake, and which one would be dialled is chance.
func (g *Guard) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	name, err := hostOf(host)
	if err != nil {
		return nil, err
	}
	if addr, err := netip.ParseAddr(name); err == nil {
		addr = addr.Unmap()
		return []netip.Addr{addr}, g.checkAddr(name, addr)
	}
	addrs, err := g.lookup(ctx, "ip", name)
	if err != nil {
		return nil, lookupError(name, err)
	}
	if len(addrs) == 0 {
		return nil, problem.New(problem.Invalid, "host %q has no address", name).WithSlug(HostNotFound)
	}
	for i, addr := range addrs {
		addrs[i] = addr.Unmap()
		if err := g.checkAddr(name, addrs[i]); err != nil {
			return nil, err
		}
	}
	return addrs, nil
}

// hostOf is the canonical form of host: an address, or a name that nobody takes
// for one.
func hostOf(host string) (string, error) {
	name, err := canonicalHost(host)
	if err != nil {
		return "", retry.Permanent(problem.New(problem.Invalid, "%q is not a host name: %w", host, err))
	}
	if _, err := netip.ParseAddr(name); err != nil && numeric(name) {
		return "", refused("write it with four decimal numbers", "%q is an address in an unusual form", host)
	}
	return name, nil
}

func lookupError(host string, err error) error {
	if dns := (*net.DNSError)(nil); errors.As(err, &dns) && dns.IsNotFound {
		return problem.New(problem.Invalid, "host %q does not resolve: %w", host, err).WithSlug(HostNotFound)
	}
	return problem.New(problem.Upstream, "resolve %q: %w", host, err).WithSlug(HostNotFound)
}

// named reports whether the operator opened the host by its name, or addr by a
// range. A prefix contains no address with a zone, so that a zone never opens
// anything.
func (g *Guard) named(host string, addr netip.Addr) bool {
	return g.hosts[host] || slices.ContainsFunc(g.prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}

func (g *Guard) checkAddr(host string, addr netip.Addr) error {
	if g.named(host, addr) {
		return nil
	}
	place := host
	if host != addr.String() {
		place = fmt.Sprintf("%s (%s)", host, addr)
	}
	if !g.public {
		return refused("the operator can name it in egress.allow", "%s is not open: egress.public is false", place)
	}
	if err := g.special.SafeAddr(addr); err != nil {
		return refused("the operator can name it in egress.allow", "%s is not a public address", place)
	}
	return nil
}

func refused(hint, format string, args ...any) error {
	return retry.Permanent(problem.New(problem.Forbidden, format, args...).WithSlug(AddressRefused).WithHint("%s", hint))
}

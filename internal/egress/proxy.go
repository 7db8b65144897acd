package egress

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// ProxyRefused is the slug of an answer of the proxy's own.
const ProxyRefused = "proxy_refused"

// parseProxy reads Config.Proxy. Its problems don't show the text, which may
// hold a password.
func parseProxy(text string) (*url.URL, *problem.Error) {
	wrong := func(format string, args ...any) (*url.URL, *problem.Error) {
		return nil, problem.New(problem.Invalid, format, args...).WithHint("write it as http://proxy.corp.example:3128, with user:password@ before the host if it wants them")
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return wrong("the proxy is no URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return wrong("the proxy is not an http or https address")
	case u.Hostname() == "":
		return wrong("the proxy's address names no host")
	case u.Path != "" && u.Path != "/", u.RawQuery != "", u.Fragment != "":
		return wrong("the proxy's address has more than a host and a port")
	}
	if port, err := strconv.Atoi(u.Port()); u.Port() != "" && (err != nil || port < 1 || port > 65535) {
		return wrong("the proxy's port %s is not from 1 to 65535", u.Port())
	}
	return u, nil
}

// A router sends requests to the proxy, and those that the operator opened by
// name straight to where they go.
type router struct {
	guard   *Guard
	direct  *http.Transport // dials what the guard opens
	proxied *http.Transport // dials the proxy and nothing else
}

func (g *Guard) newRouter(proxy *url.URL) *router {
	proxied := g.transport.Clone()
	dialer := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	proxied.DialContext = dialer.DialContext
	proxied.Proxy = http.ProxyURL(proxy)
	proxied.OnProxyConnectResponse = judgeConnect
	return &router{guard: g, direct: g.transport, proxied: proxied}
}

// RoundTrip judges where req goes, at every redirect anew.
func (r *router) RoundTrip(req *http.Request) (*http.Response, error) {
	host, proxied, err := r.guard.route(req.Context(), req.URL.Hostname())
	switch {
	case err != nil:
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, err
	case !proxied:
		return r.direct.RoundTrip(req)
	}
	// The proxy gets the host in the form in which it was judged.
	judged := req.Clone(req.Context())
	judged.URL.Host = host
	if strings.Contains(host, ":") {
		judged.URL.Host = "[" + host + "]"
	}
	if port := req.URL.Port(); port != "" {
		judged.URL.Host = net.JoinHostPort(host, port)
	}
	judged.Host = judged.URL.Host
	return r.proxied.RoundTrip(judged)
}

// CloseIdleConnections closes those to the proxy too.
func (r *router) CloseIdleConnections() {
	r.direct.CloseIdleConnections()
	r.proxied.CloseIdleConnections()
}

// judgeConnect makes an error of the proxy's refusal to open a tunnel.
func judgeConnect(_ context.Context, _ *url.URL, connect *http.Request, answer *http.Response) error {
	switch answer.StatusCode {
	case http.StatusOK:
		return nil
	case http.StatusProxyAuthRequired:
		return problem.New(problem.Upstream, "the proxy wants to know who asks for %s", connect.Host).
			WithSlug(ProxyRefused).WithHint("the operator can put user:password@ into egress.proxy")
	}
	return problem.New(problem.Upstream, "the proxy answers %d for %s", answer.StatusCode, connect.Host).WithSlug(ProxyRefused)
}

// route is the canonical form of host and whether it is reached through the
// proxy. What the operator opened by name or range is not; of the rest, what is
// known here to be no public address is refused. A name that does not resolve
// here may resolve at the proxy: behind one, names of the internet often don't.
func (g *Guard) route(ctx context.Context, host string) (name string, proxied bool, err error) {
	name, err = hostOf(host)
	if err != nil {
		return "", false, err
	}
	if addr, err := netip.ParseAddr(name); err == nil {
		addr = addr.Unmap()
		return addr.String(), !g.named(name, addr), g.checkAddr(name, addr)
	}
	if g.hosts[name] {
		return name, false, nil
	}
	addrs, err := g.lookup(ctx, "ip", name)
	if err != nil || len(addrs) == 0 {
		if ctx.Err() != nil {
			return "", false, ctx.Err()
		}
		return name, true, checkUnknown(name)
	}
	for i, addr := range addrs {
		addrs[i] = addr.Unmap()
		if err := g.checkAddr(name, addrs[i]); err != nil {
			return "", false, err
		}
	}
	inside := !slices.ContainsFunc(addrs, func(addr netip.Addr) bool { return !g.named(name, addr) })
	return name, !inside, nil
}

// checkUnknown refuses names that only a network inside can know. The proxy
// stands in one.
func checkUnknown(name string) error {
	inside := !strings.Contains(name, ".")
	for _, zone := range []string{"localhost", "local", "internal", "lan", "home.arpa"} {
		inside = inside || strings.HasSuffix(name, "."+zone)
	}
	if inside {
		return refused("the operator can name it in egress.allow", "%s is not a name of the internet", name)
	}
	return nil
}

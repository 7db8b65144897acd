package api

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// proxies are the networks whose word counts for whom a request comes from.
type proxies []netip.Prefix

func parseProxies(texts []string) (proxies, int, error) {
	var all proxies
	for i, text := range texts {
		network, err := netip.ParsePrefix(text)
		if addr, single := netip.ParseAddr(text); single == nil && addr.Zone() == "" {
			network, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return nil, i, problem.New(problem.Invalid, "%q is neither an address nor a network", text).
				WithHint("write 10.0.0.5, 10.0.0.0/8 or fd00::/8")
		}
		if network.Addr().Is4In6() {
			return nil, i, problem.New(problem.Invalid, "%q is an IPv4 network in IPv6's clothes", text).WithHint("write it as IPv4")
		}
		if network.Bits() == 0 {
			return nil, i, problem.New(problem.Invalid, "%q trusts everybody: whoever calls could say who they are", text).
				WithHint("name the addresses of the proxies alone")
		}
		all = append(all, network.Masked())
	}
	return all, 0, nil
}

func (p proxies) trust(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	for _, network := range p {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// judge has r come from whom its proxies say, where they are trusted: the last
// address of X-Forwarded-For that is no trusted proxy's. Of whoever else sends them
// these headers are nothing but text. It reports whether the client came by https.
func (p proxies) judge(r *http.Request) (client string, secure bool) {
	client, secure = r.RemoteAddr, r.TLS != nil
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !p.trust(peer.Addr()) {
		return client, secure
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		addr, ok := hop(hops[i])
		if !ok {
			break // what is left of it was not written by a proxy that we know
		}
		client = net.JoinHostPort(addr.String(), "0")
		if !p.trust(addr) {
			break
		}
	}
	protocols := r.Header.Values("X-Forwarded-Proto")
	if len(protocols) > 0 { // the nearest proxy's is the last
		words := strings.Split(protocols[len(protocols)-1], ",")
		secure = strings.EqualFold(strings.TrimSpace(words[len(words)-1]), "https")
	}
	return client, secure
}

// hop is one address of X-Forwarded-For: some proxies add a port.
func hop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if addr, err := netip.ParseAddr(strings.Trim(text, "[]")); err == nil {
		return addr.Unmap(), true
	}
	if pair, err := netip.ParseAddrPort(text); err == nil {
		return pair.Addr().Unmap(), true
	}
	return netip.Addr{}, false
}

type secureKey struct{}

// from is r as its client sent it to the first of the trusted proxies.
func (p proxies) from(r *http.Request) *http.Request {
	if len(p) == 0 {
		return r
	}
	client, secure := p.judge(r)
	r = r.WithContext(context.WithValue(r.Context(), secureKey{}, secure))
	r.RemoteAddr = client
	return r
}

// isSecure reports whether r's client came by https, to us or to a trusted proxy.
func isSecure(r *http.Request) bool {
	if secure, ok := r.Context().Value(secureKey{}).(bool); ok {
		return secure
	}
	return r.TLS != nil
}

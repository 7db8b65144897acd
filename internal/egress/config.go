package egress

import (
	"fmt"
	"net/netip"
	"strings"

	"golang.org/x/net/idna"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Config says what rows and callers of the API may make the daemon reach.
type Config struct {
	// Public opens the public internet. The default is true.
	Public bool `yaml:"public"`
	// Allow opens more, exactly what it names: CIDRs ("10.0.0.0/8"), addresses
	// ("192.168.1.7") and host names ("img.corp.example", whatever it resolves to).
	Allow []string `yaml:"allow"`
	// Proxy is the HTTP proxy through which the public internet is reached, as
	// http://user:password@proxy.corp.example:3128. What Allow names is reached
	// without it. Empty: everything is.
	//
	// The proxy resolves names itself. So it is the proxy that must refuse names
	// which resolve to addresses inside for it and to others, or to none, here.
	Proxy config.Secret `yaml:"proxy"`
}

// Default is the public internet and nothing else.
func Default() Config { return Config{Public: true} }

// Validate reports every entry that is neither a CIDR, an address nor a host
// name, and a proxy that is none or that nothing would go through.
func (c Config) Validate() error {
	var problems problem.List
	for i, text := range c.Allow {
		if _, err := parseEntry(text); err != nil {
			problems = append(problems, err.At(fmt.Sprintf("allow[%d]", i)))
		}
	}
	if !c.Proxy.IsZero() {
		if _, err := parseProxy(c.Proxy.Reveal()); err != nil {
			problems = append(problems, err.At("proxy"))
		} else if !c.Public {
			problems = append(problems, problem.New(problem.Invalid, "nothing goes through the proxy while public is false").
				At("proxy").WithHint("what allow names is reached without it; leave proxy out, or set public: true"))
		}
	}
	return problems.Err()
}

// An entry is one parsed line of Allow: a range, or a host name.
type entry struct {
	prefix netip.Prefix
	host   string
}

func parseEntry(text string) (entry, *problem.Error) {
	if prefix, err := netip.ParsePrefix(text); err == nil {
		return rangeEntry(text, prefix)
	}
	if addr, err := netip.ParseAddr(text); err == nil {
		if addr.Zone() != "" {
			return entry{}, problem.New(problem.Invalid, "%q has a zone", text).WithHint("addresses with a zone are never reached")
		}
		return rangeEntry(text, netip.PrefixFrom(addr, addr.BitLen()))
	}
	host, err := canonicalHost(text)
	if err != nil || numeric(host) || !hostName(host) {
		return entry{}, problem.New(problem.Invalid, "%q is not a CIDR, an address or a host name", text).
			WithHint(`write "10.0.0.0/8", "192.168.1.7" or "img.corp.example", without scheme, port or wildcard`)
	}
	return entry{host: host}, nil
}

func rangeEntry(text string, prefix netip.Prefix) (entry, *problem.Error) {
	if prefix.Addr().Is4In6() {
		return entry{}, problem.New(problem.Invalid, "%q is an IPv4 range written as IPv6", text).
			WithHint("write it as IPv4: addresses are judged in that form")
	}
	if prefix != prefix.Masked() {
		return entry{}, problem.New(problem.Invalid, "%q has bits beyond its mask", text).
			WithHint("write %q, or the address alone", prefix.Masked())
	}
	return entry{prefix: prefix}, nil
}

// hostName reports whether host consists of the labels of a DNS name.
func hostName(host string) bool {
	if host == "" || len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			return false
		}
	}
	return true
}

// canonicalHost is the form in which names are compared and resolved: lower
// case, Punycode, without the dot of the root.
func canonicalHost(host string) (string, error) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ascii(host) {
		return host, nil
	}
	name, err := idna.Lookup.ToASCII(host)
	if err != nil {
		return "", fmt.Errorf("convert host %q: %w", host, err)
	}
	return name, nil
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// numeric reports whether the last label of host is a number. Such a host is an
// address in the eyes of a C resolver and of browsers (2130706433, 0x7f.1,
// 0177.0.0.1), a name in the eyes of others.
func numeric(host string) bool {
	label := host[strings.LastIndexByte(host, '.')+1:]
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return label != "" && strings.Trim(label, "0123456789") == ""
}

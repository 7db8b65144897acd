package api

import (
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/apikey"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Config is the section server of the configuration.
type Config struct {
	Listen        string        `yaml:"listen"`         // host:port; port 0 takes a free one
	PublicURL     string        `yaml:"public_url"`     // what handed-out addresses begin with; "" is http:// and Listen
	Address       string        `yaml:"address"`        // where other processes of the same store reach this one, host:port; "" is Listen, with this machine's name where that is every address
	Keys          []Key         `yaml:"keys"`           // none: loopback only
	WebhookSecret config.Secret `yaml:"webhook_secret"` // signs the webhookUrl of batches; "": one is made and kept
	// PreviousWebhookSecret signs as well while receivers change to a new one.
	PreviousWebhookSecret config.Secret `yaml:"previous_webhook_secret"`
	URLKeys               []URLKey      `yaml:"url_keys"` // sign addresses, the first of them new ones; none: one is made and kept
	Now                   NowConfig     `yaml:"now"`      // images that are made while the caller waits
	Origins               []string      `yaml:"origins"`  // of the web pages that may call with a key that names none of its own
	Limits                Limits        `yaml:"limits"`
	TLS                   TLS           `yaml:"tls"`             // none: plain HTTP
	Proxies               []string      `yaml:"trusted_proxies"` // addresses and networks whose X-Forwarded-For and X-Forwarded-Proto count
	// HSTS is for how long browsers that came by https come by nothing else to this
	// name, on every port; 0: they are not told.
	HSTS config.Duration `yaml:"hsts"`
}

// A Key opens the API. In YAML it may be just its text, which opens all of it.
type Key struct {
	Name      string        `yaml:"name"` // for logs; keys of one name share a quota, so that they can be rotated
	Key       config.Secret `yaml:"key"`
	Scopes    []Scope       `yaml:"scopes"`    // none: all
	Templates []string      `yaml:"templates"` // that it may use and see; none: all
	Origins   []string      `yaml:"origins"`   // of the web pages that may use it; none: see Config.Origins
	Rate      int           `yaml:"rate"`      // requests a minute; 0: see Limits
	Quota     apikey.Quota  `yaml:"quota"`     // images; zero: see Limits
}

// A URLKey signs addresses. Two of them overlap while keys are rotated.
type URLKey struct {
	ID     string        `yaml:"id"`
	Secret config.Secret `yaml:"secret"`
	Made   bool          `yaml:"made"` // in place of both: the key that was made and is kept, from before there were others
}

// UnmarshalNode accepts a key's text alone as well.
func (k *Key) UnmarshalNode(n config.Node) error {
	if n.Kind() == config.Scalar {
		return n.Decode(&k.Key)
	}
	type plain Key
	return n.Decode((*plain)(k))
}

// UnmarshalNode accepts {renders: write} for renders:write: goccy/go-yaml reads a
// list in braces, as in { name: ci, scopes: [renders:write] }, in that way.
func (s *Scope) UnmarshalNode(n config.Node) error {
	if keys := n.Keys(); len(keys) == 1 {
		right, ok := n.Scalar(keys[0])
		if ok {
			*s = Scope(keys[0] + ":" + right)
			return nil
		}
	}
	return n.Decode((*string)(s))
}

// DefaultConfig is a server for this machine alone.
func DefaultConfig() Config { return Config{Listen: "127.0.0.1:8080", Limits: defaultLimits()} }

// minKey is the length below which a key can be guessed.
const minKey = 16

// Validate returns every problem that can be seen without the network, as a
// problem.List with paths relative to the section.
func (c Config) Validate() error {
	var list problem.List
	list = append(list, c.validateListen()...)
	if c.PublicURL != "" {
		if u, err := url.Parse(c.PublicURL); err != nil || (u.Scheme != "http" && u.Scheme != "https") ||
			u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
			list = append(list, problem.New(problem.Invalid, "%q is not the address of a server", c.PublicURL).
				At("public_url").WithHint("write scheme and host, as in https://images.example.com"))
		}
	}
	list = append(list, c.validateAddress()...)
	list = append(list, c.validateKeys()...)
	list = append(list, c.Limits.validate()...)
	list = append(list, c.TLS.validate()...)
	list = append(list, c.validateHSTS()...)
	if _, i, err := parseProxies(c.Proxies); err != nil {
		list = append(list, problem.All(err)[0].At("trusted_proxies["+strconv.Itoa(i)+"]"))
	}
	list = append(list, validateOrigins(c.Origins, func(i int) string { return "origins[" + strconv.Itoa(i) + "]" })...)
	if len(c.Origins) > 0 && len(c.Keys) == 0 {
		list = append(list, problem.New(problem.Invalid, "without a key the pages of these origins could do everything").
			At("origins").WithHint(`add a key: keys: [ "${PICTIFYD_KEY}" ]`))
	}
	seen := map[string]bool{}
	for i, k := range c.URLKeys {
		at := "url_keys[" + strconv.Itoa(i) + "]"
		switch {
		case k.Made && (k.ID != "" || !k.Secret.IsZero()):
			list = append(list, problem.New(problem.Invalid, "the key that was made has neither id nor secret here").At(at+".made").
				WithHint("write { made: true } alone, behind the new key"))
		case k.ID == "" && !k.Made:
			list = append(list, problem.New(problem.Invalid, "this key has no id").At(at+".id"))
		case seen[k.ID]:
			list = append(list, problem.New(problem.Invalid, "there are two keys %q", k.ID).At(at+".id"))
		}
		seen[k.ID] = true
		if !k.Made && len(k.Secret.Reveal()) < minKey {
			list = append(list, tooShort(at+".secret"))
		}
	}
	if c.WebhookSecret.IsZero() && !c.PreviousWebhookSecret.IsZero() {
		list = append(list, problem.New(problem.Invalid, "stands without a webhook_secret").At("previous_webhook_secret"))
	}
	list = append(list, c.Now.validate()...)
	return list.Err()
}

func (c Config) validateListen() problem.List {
	host, port, err := net.SplitHostPort(c.Listen)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return problem.List{problem.New(problem.Invalid, "%q is not an address to listen on", c.Listen).
			At("listen").WithHint("write host:port, as in 127.0.0.1:8080")}
	}
	if len(c.Keys) == 0 && !loopback(host) {
		return problem.List{problem.New(problem.Invalid, "without a key the server listens on this machine only, and %q is wider", c.Listen).
			At("listen").WithHint(`add a key: keys: [ "${PICTIFYD_KEY}" ], or listen on 127.0.0.1:%s`, port)}
	}
	return nil
}

func (c Config) validateAddress() problem.List {
	if c.Address == "" {
		return nil
	}
	host, port, err := net.SplitHostPort(strings.TrimPrefix(strings.TrimPrefix(c.Address, "http://"), "https://"))
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err == nil && host != "" {
		return nil
	}
	return problem.List{problem.New(problem.Invalid, "%q is not where this process can be reached", c.Address).
		At("address").WithHint("write host:port, as in 10.0.0.7:8080")}
}

// OwnAddress is where other processes reach this one, which listens on addr.
func (c Config) OwnAddress(addr net.Addr) string {
	address := c.Address
	if address == "" {
		address = addr.String()
		host, port, err := net.SplitHostPort(address)
		if ip, bad := netip.ParseAddr(host); err == nil && (host == "" || bad == nil && ip.IsUnspecified()) {
			if host, err = os.Hostname(); err != nil {
				host = "localhost"
			}
			address = net.JoinHostPort(host, port)
		}
	}
	if c.TLS.On() && !strings.Contains(address, "://") {
		return "https://" + address
	}
	return address
}

// OwnName is the name that the certificate of the server is for.
func (c Config) OwnName() string {
	u, err := url.Parse(c.PublicURL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func (c Config) validateKeys() problem.List {
	var list problem.List
	for i, k := range c.Keys {
		at := "keys[" + strconv.Itoa(i) + "]"
		if len(k.Key.Reveal()) < minKey {
			list = append(list, tooShort(at))
		}
		for j, other := range c.Keys[:i] {
			if k.Key.Equal(other.Key) {
				list = append(list, problem.New(problem.Invalid, "this key is the same as keys[%d]", j).At(at))
			}
		}
		list = append(list, validateOrigins(k.Origins, func(i int) string { return at + ".origins[" + strconv.Itoa(i) + "]" })...)
		if k.Rate < 0 {
			list = append(list, problem.New(problem.Invalid, "%d is below zero", k.Rate).At(at+".rate"))
		}
		for j, scope := range k.Scopes {
			if !slices.Contains(scopes, scope) {
				list = append(list, problem.New(problem.Invalid, "there is no scope %q", scope).
					At(at+".scopes["+strconv.Itoa(j)+"]").WithHint("the scopes are %s", scopeList()))
			}
		}
	}
	return list
}

func tooShort(at string) *problem.Error {
	return problem.New(problem.Invalid, "this key is shorter than %d characters", minKey).
		At(at).WithHint("make one with: openssl rand -hex 32")
}

// loopback reports whether host names this machine and nothing wider.
func loopback(host string) bool {
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// ThisMachineOnly reports whether nobody calls from elsewhere: the server listens
// on a loopback address, and no public URL says that a proxy stands before it.
func (c Config) ThisMachineOnly() bool {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil || !loopback(host) {
		return false
	}
	if c.PublicURL == "" {
		return true
	}
	u, err := url.Parse(c.PublicURL)
	return err == nil && loopback(u.Hostname())
}

// BaseURL is what handed-out addresses begin with, without a slash at its end.
// addr is where the server really listens; nil stands for Listen.
func (c Config) BaseURL(addr net.Addr) string {
	if c.PublicURL != "" {
		return strings.TrimRight(c.PublicURL, "/")
	}
	scheme, listen := "http://", c.Listen
	if c.TLS.On() {
		scheme = "https://"
	}
	if addr != nil {
		listen = addr.String()
	}
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return scheme + listen
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + net.JoinHostPort(host, port)
}

package webhook

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/signing"
	"github.com/pictifyd/pictifyd/internal/trust"
	"github.com/pictifyd/pictifyd/sink"
)

// Config is a webhook's part of the configuration.
type Config struct {
	sink.Common

	URL    string        `yaml:"url"`
	Secret config.Secret `yaml:"secret"` // signs; none: unsigned
	// PreviousSecret signs as well while receivers change to a new one.
	PreviousSecret config.Secret            `yaml:"previous_secret"`
	Secrets        config.Secrets           `yaml:"secrets"` // in place of both: each signs
	Headers        map[string]config.Secret `yaml:"headers"` // added to each request
	Timeout        config.Duration          `yaml:"timeout"` // of one try; 30s
	IncludeRow     bool                     `yaml:"include_row"`
	// MaxBody is how large the body may be with its row; above it the row is left
	// out. 512KB.
	MaxBody config.Bytes `yaml:"max_body"`
	TLS     *trust.TLS   `yaml:"tls"`
}

// Kind is the webhook sink.
var Kind = sink.Kind{
	Name:    "webhook",
	Summary: "a signed POST to an HTTP endpoint",
	Callers: true,
	Runs:    true,
	Config: func() sink.Config {
		return &Config{Timeout: config.Duration(defaultTimeout), MaxBody: defaultBody}
	},
	New: func(c sink.Config, env sink.Env) (sink.Sink, error) {
		cfg := c.(*Config)
		if err := cfg.TLS.For(env.Client); err != nil {
			return nil, err
		}
		return newEndpoint(*cfg, env.Client)
	},
}

// Addresses implements sink.Addressed.
func (c *Config) Addresses() map[string]string { return map[string]string{"url": c.URL} }

const (
	defaultTimeout = 30 * time.Second // what Standard Webhooks recommends
	defaultBody    = 512_000
	minBody        = 4_000
	maxSecrets     = 10 // each makes the headers of a request longer
)

// secrets are those that sign, the newest first.
func (c *Config) secrets() (all []string) {
	for _, s := range append(c.Secrets.Reveal(), c.Secret.Reveal(), c.PreviousSecret.Reveal()) {
		if s != "" {
			all = append(all, s)
		}
	}
	return all
}

// reserved are the headers that this package sets itself.
var reserved = map[string]bool{
	"Content-Type": true, "Content-Length": true, "Host": true, "Transfer-Encoding": true,
	"Webhook-Id": true, "Webhook-Timestamp": true, "Webhook-Signature": true,
	"X-Pictify-Event": true, "X-Pictify-Delivery-Id": true, "X-Pictify-Signature": true,
	"Idempotency-Key": true,
}

// templated reports whether somebody took a text for one with expressions, which
// would be sent as they are written.
func templated(text string) bool { return strings.Contains(text, "{{") && strings.Contains(text, "}}") }

// Validate reports every setting that cannot work.
func (c *Config) Validate() error {
	problems := c.CheckEvents()
	add := func(path, format string, args ...any) {
		problems = append(problems, problem.New(problem.Invalid, format, args...).At(path))
	}
	u, err := url.Parse(c.URL)
	switch {
	case c.URL == "":
		add("url", "is missing")
	case templated(c.URL):
		add("url", "has {{ }}, and is the same for every row")
		problems[len(problems)-1].Hint = "a sink of kind http fills them in"
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		add("url", "is not an http or https address")
	}
	checkSecret := func(path string, secret config.Secret) {
		if err := signing.CheckSecret(secret.Reveal()); err != nil && !secret.IsZero() {
			add(path, "%w", err)
		}
	}
	checkSecret("secret", c.Secret)
	checkSecret("previous_secret", c.PreviousSecret)
	for i, secret := range c.Secrets {
		checkSecret(fmt.Sprintf("secrets[%d]", i), secret)
	}
	switch {
	case len(c.Secrets) > 0 && !(c.Secret.IsZero() && c.PreviousSecret.IsZero()):
		add("secrets", "secret is there too")
		problems[len(problems)-1].Hint = "write all of them in secrets, the newest first"
	case c.Secret.IsZero() && !c.PreviousSecret.IsZero():
		add("previous_secret", "stands without a secret")
	case len(c.Secrets) > maxSecrets:
		add("secrets", "are more than %d", maxSecrets)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		switch {
		case !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(c.Headers[name].Reveal()):
			add("headers."+name, "is not a header")
		case reserved[http.CanonicalHeaderKey(name)]:
			add("headers."+name, "is set by the webhook itself")
		case templated(c.Headers[name].Reveal()):
			add("headers."+name, "has {{ }}, and is the same for every row")
			problems[len(problems)-1].Hint = "a sink of kind http fills them in"
		}
	}
	if c.Timeout <= 0 {
		add("timeout", "must be longer than nothing")
	}
	if c.MaxBody < minBody {
		add("max_body", "must be at least %d bytes", minBody)
	}
	return problems.Err()
}

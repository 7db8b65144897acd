package webhook

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/signing"
	"github.com/pictifyd/pictifyd/sink"
)

// Config is a webhook's part of the configuration.
type Config struct {
	sink.Common

	URL    string        `yaml:"url"`
	Secret config.Secret `yaml:"secret"` // signs; none: unsigned
	// PreviousSecret signs as well while receivers change to a new one.
	PreviousSecret config.Secret            `yaml:"previous_secret"`
	Headers        map[string]config.Secret `yaml:"headers"` // added to each request
	Timeout        config.Duration          `yaml:"timeout"` // of one try; 30s
	IncludeRow     bool                     `yaml:"include_row"`
}

// Kind is the webhook sink.
var Kind = sink.Kind{
	Name:    "webhook",
	Summary: "a signed POST to an HTTP endpoint",
	Callers: true,
	Runs:    true,
	Config:  func() sink.Config { return &Config{Timeout: config.Duration(defaultTimeout)} },
	New: func(c sink.Config, env sink.Env) (sink.Sink, error) {
		cfg := c.(*Config)
		client := env.Client
		if client == nil {
			client = &http.Client{}
		}
		return newEndpoint(*cfg, client), nil
	},
}

// Addresses implements sink.Addressed.
func (c *Config) Addresses() map[string]string { return map[string]string{"url": c.URL} }

// defaultTimeout is what Standard Webhooks recommends.
const defaultTimeout = 30 * time.Second

// reserved are the headers that this package sets itself.
var reserved = map[string]bool{
	"Content-Type": true, "Content-Length": true, "Host": true, "Transfer-Encoding": true,
	"Webhook-Id": true, "Webhook-Timestamp": true, "Webhook-Signature": true,
	"X-Pictify-Event": true, "X-Pictify-Delivery-Id": true, "X-Pictify-Signature": true,
	"Idempotency-Key": true,
}

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
	if c.Secret.IsZero() && !c.PreviousSecret.IsZero() {
		add("previous_secret", "stands without a secret")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		switch {
		case !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(c.Headers[name].Reveal()):
			add("headers."+name, "is not a header")
		case reserved[http.CanonicalHeaderKey(name)]:
			add("headers."+name, "is set by the webhook itself")
		}
	}
	if c.Timeout <= 0 {
		add("timeout", "must be longer than nothing")
	}
	return problems.Err()
}

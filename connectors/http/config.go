package httppoll

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	defaultEvery   = time.Minute
	minEvery       = time.Second
	defaultTimeout = 30 * time.Second
)

// Kind is "kind: http".
var Kind = connectors.Kind{
	Name:    "http",
	Summary: "an HTTP address that answers JSON, NDJSON, CSV or TSV",
	Callers: true,
	Config: func() connectors.Config {
		return &Config{
			Common:  connectors.Common{Every: config.Duration(defaultEvery)},
			Method:  http.MethodGet,
			Timeout: config.Duration(defaultTimeout),
			MaxSize: poll.MaxSize,
		}
	},
	New: func(cfg connectors.Config, env connectors.Env) (connectors.Poller, error) {
		return newSource(cfg.(*Config), env)
	},
}

// Config is a source of kind http.
type Config struct {
	connectors.Common
	poll.Layout // an empty format is what the Content-Type says

	// One is the key of an answer that is a single JSON object, and one row.
	One string `yaml:"one"`

	URL     string                   `yaml:"url"`
	Method  string                   `yaml:"method"` // GET or POST
	Headers map[string]config.Secret `yaml:"headers"`
	Bearer  config.Secret            `yaml:"bearer"`   // sent as Authorization: Bearer …
	Timeout config.Duration          `yaml:"timeout"`  // for a whole answer
	MaxSize config.Bytes             `yaml:"max_size"` // of an answer, unpacked
}

// Validate implements connectors.Config.
func (c *Config) Validate() error {
	var list problem.List
	bad := func(path, format string, args ...any) *problem.Error {
		list = append(list, problem.New(problem.Invalid, format, args...).At(path))
		return list[len(list)-1]
	}
	switch {
	case c.One == "" && len(c.Key) == 0:
		bad("key", "an http source needs key columns").
			WithHint("name the column that identifies a row, as in key: sku")
	case c.One == "":
	case len(c.Key) > 0:
		bad("key", "the row of one has the key %q", c.One).WithHint("keep key for a list of rows, or one for a single object")
	case c.Rows != "":
		bad("rows", "an answer that is one row has no list of them").WithHint("leave rows or one out")
	case c.Format != "" && c.Format != poll.JSON:
		bad("format", "one row comes as json, not as %s", c.Format).WithHint("leave format or one out")
	}
	if c.Every.Std() < minEvery {
		bad("every", "must be at least %v", minEvery)
	}
	if c.URL == "" {
		bad("url", "an http source needs a url")
	} else if u, err := url.Parse(c.URL); err != nil || !isHTTP(u) || u.Host == "" {
		// The address may hold a secret, so that it is not repeated here.
		bad("url", "is not an http or https address").WithHint(`as in "https://shop.example/products"`)
	}
	if c.Method != http.MethodGet && c.Method != http.MethodPost {
		bad("method", "%q is neither GET nor POST", c.Method)
	}
	if c.Timeout <= 0 {
		bad("timeout", "must be more than 0")
	}
	if c.MaxSize <= 0 {
		bad("max_size", "must be more than 0")
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(c.Headers[name].Reveal()) {
			bad("headers."+name, "is not a header")
		} else if managed(name) {
			bad("headers."+name, "is set by pictifyd itself").WithHint("leave it out")
		} else if http.CanonicalHeaderKey(name) == "Authorization" && !c.Bearer.IsZero() {
			bad("headers."+name, "bearer sets it too").WithHint("keep one of them")
		}
	}
	if !httpguts.ValidHeaderFieldValue(c.Bearer.Reveal()) {
		bad("bearer", "has characters that a header can't carry").WithHint("see whether a line end was read with it")
	}
	return append(list, c.Layout.Problems()...).Err()
}

// Addresses implements connectors.Addressed.
func (c *Config) Addresses() map[string]string { return map[string]string{"url": c.URL} }

// OnlyKey implements connectors.Single.
func (c *Config) OnlyKey() string { return c.One }

// managed names the headers on which reading a whole answer depends.
func managed(name string) bool {
	switch http.CanonicalHeaderKey(name) {
	case "Host", "If-None-Match", "If-Modified-Since", "If-Range", "Range",
		"Accept-Encoding", "Content-Length", "Transfer-Encoding", "Connection":
		return true
	}
	return false
}

// revealed is the configuration's headers in the form in which they are bound
// into a cursor: as a digest, so that the store holds no secret.
func (c *Config) revealed() map[string]string {
	headers := make(map[string]string, len(c.Headers)+1)
	for name, value := range c.Headers {
		headers[http.CanonicalHeaderKey(name)] = value.Reveal()
	}
	if !c.Bearer.IsZero() {
		headers["Authorization"] = "Bearer " + c.Bearer.Reveal()
	}
	return headers
}

func isHTTP(u *url.URL) bool { return u.Scheme == "http" || u.Scheme == "https" }

package httppoll

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	defaultEvery   = time.Minute
	minEvery       = time.Second
	defaultTimeout = 30 * time.Second
	defaultPerHost = 2
)

// Kind is "kind: http".
var Kind = connectors.Kind{
	Name:    "http",
	Summary: "an HTTP address that answers JSON, NDJSON, CSV, TSV or XLSX",
	Callers: true,
	Config: func() connectors.Config {
		return &Config{
			Common:  connectors.Common{Every: config.Duration(defaultEvery)},
			Timeout: config.Duration(defaultTimeout),
			MaxSize: poll.MaxSize,
			PerHost: defaultPerHost,
		}
	},
	New: func(cfg connectors.Config, env connectors.Env) (connectors.Poller, error) {
		return newPoller(cfg.(*Config), env)
	},
}

// Config is a source of kind http. The texts of URL, Query, Headers, Body and
// JSON may have expressions in {{ }}, which decide how the source is read: those
// that read the key make it one that is asked for single rows, those that read
// run one of a time, and those that read row one with a request for each row of
// ForEach.
type Config struct {
	connectors.Common
	poll.Layout // an empty format is what the Content-Type says

	// One is the key of an answer that is a single JSON object, and one row.
	One string `yaml:"one"`

	URL         string                   `yaml:"url"`
	Method      string                   `yaml:"method"` // GET or POST; empty is POST where there is a body
	Query       map[string]config.Secret `yaml:"query"`  // parameters beside those of the url
	Headers     map[string]config.Secret `yaml:"headers"`
	Body        config.Secret            `yaml:"body"`         // sent as it is
	JSON        any                      `yaml:"json"`         // sent as JSON
	ContentType string                   `yaml:"content_type"` // of Body; empty is JSON where it looks like it, else plain text

	Bearer config.Secret `yaml:"bearer"` // sent as Authorization: Bearer …
	Basic  *Basic        `yaml:"basic"`
	APIKey *APIKey       `yaml:"api_key"`
	OAuth2 *OAuth2       `yaml:"oauth2"`

	Pages   *Pages         `yaml:"pages"`    // absent: one answer has all rows
	ForEach string         `yaml:"for_each"` // the source for each row of which there is a request
	Keep    config.Strings `yaml:"keep"`     // columns of that row that the rows of its answer get

	Timeout config.Duration `yaml:"timeout"`  // for a whole answer
	MaxSize config.Bytes    `yaml:"max_size"` // of an answer, unpacked
	PerHost int             `yaml:"per_host"` // requests to one host at a time, with those of other sources
	Rate    Rate            `yaml:"rate"`     // requests of this source, as in 10/s; zero is without a limit
}

// A faults collects what is wrong with a configuration.
type faults struct{ list problem.List }

func (f *faults) add(path, format string, args ...any) note {
	p := problem.New(problem.Invalid, format, args...).At(path)
	f.list = append(f.list, p)
	return note{p}
}

// A note is a problem that is collected, for its hint.
type note struct{ problem *problem.Error }

// WithHint sets the next step.
func (n note) WithHint(format string, args ...any) { n.problem.Hint = fmt.Sprintf(format, args...) }

// Validate implements connectors.Config.
func (c *Config) Validate() error {
	var f faults
	c.checkRows(&f)
	c.checkRequest(&f)
	c.checkCredentials(&f)
	if c.Pages != nil {
		c.Pages.check(&f, c)
	}
	form, list := newForm(c)
	f.list = append(f.list, list...)
	if len(list) == 0 {
		c.checkReading(&f, form)
	}
	f.list = append(f.list, c.Layout.Problems()...)
	return f.list.Err()
}

func (c *Config) checkRows(f *faults) {
	switch {
	case c.One == "" && len(c.Key) == 0:
		f.add("key", "an http source needs key columns").
			WithHint("name the column that identifies a row, as in key: sku")
	case c.One == "":
	case len(c.Key) > 0:
		f.add("key", "the row of one has the key %q", c.One).WithHint("keep key for a list of rows, or one for a single object")
	case c.Rows != "":
		f.add("rows", "an answer that is one row has no list of them").WithHint("leave rows or one out")
	case c.Format != "" && c.Format != poll.JSON:
		f.add("format", "one row comes as json, not as %s", c.Format).WithHint("leave format or one out")
	case c.Pages != nil:
		f.add("pages", "an answer that is one row has no pages").WithHint("leave pages or one out")
	case c.ForEach != "":
		f.add("for_each", "many answers are not the one row %q", c.One).WithHint("name key columns in place of one")
	}
}

func (c *Config) checkRequest(f *faults) {
	if c.Every.Std() < minEvery {
		f.add("every", "must be at least %v", minEvery)
	}
	if c.Method != "" && c.Method != http.MethodGet && c.Method != http.MethodPost {
		f.add("method", "%q is neither GET nor POST", c.Method)
	}
	switch {
	case c.hasBody() && c.Method == http.MethodGet:
		f.add("method", "a GET has no body").WithHint("use POST, or leave body and json out")
	case !c.Body.IsZero() && c.JSON != nil:
		f.add("json", "body is there too").WithHint("keep one of them")
	case c.ContentType != "" && c.Body.IsZero():
		f.add("content_type", "there is no body").WithHint("it is the type of body; json has its own")
	}
	if c.Timeout <= 0 {
		f.add("timeout", "must be more than 0")
	}
	if c.MaxSize <= 0 {
		f.add("max_size", "must be more than 0")
	}
	if c.PerHost < 1 {
		f.add("per_host", "must be at least 1")
	}
	if c.ForEach == "" && len(c.Keep) > 0 {
		f.add("keep", "there is no for_each whose columns could be kept")
	}
}

// checkReading judges what the expressions make of the source.
func (c *Config) checkReading(f *faults, form *form) {
	asked := form.reads(c.keyNames()...)
	switch {
	case c.ForEach != "" && !form.reads(rowName):
		f.add("for_each", "the request is the same for each row of %q", c.ForEach).
			WithHint("put a column of it into the url, as in {{ row.id }}")
	case c.ForEach != "" || !asked:
	case c.Pages != nil:
		f.add("pages", "a row that is asked for by its key has no pages").WithHint("leave pages out")
	case form.reads(runName):
		f.add("url", "a row that is asked for by its key has no time").WithHint("use the key or run, not both")
	case c.Format != "" && c.Format != poll.JSON:
		f.add("format", "a row that is asked for by its key comes as json, not as %s", c.Format)
	default:
		for _, column := range c.Key {
			if !form.reads(column) && (len(c.Key) > 1 || !form.reads(keyName)) {
				f.add("url", "the key column %q is not in it: two keys would have the same address", column)
			}
		}
	}
}

// keyNames are the names by which expressions read the key of a row.
func (c *Config) keyNames() []string {
	if c.ForEach != "" {
		return nil
	}
	names := slices.DeleteFunc(slices.Clone([]string(c.Key)), func(name string) bool { return name == runName })
	if len(c.Key) == 1 && !slices.Contains(names, keyName) {
		names = append(names, keyName)
	}
	return names
}

// Finds implements connectors.Findable.
func (c *Config) Finds() bool { return c.Passive() }

// Passive implements connectors.Passive: an address with a key is only asked.
func (c *Config) Passive() bool {
	form, list := newForm(c)
	return len(list) == 0 && form.reads(c.keyNames()...)
}

// Sources implements connectors.Dependent.
func (c *Config) Sources() []string {
	if c.ForEach == "" {
		return nil
	}
	return []string{c.ForEach}
}

// Addresses implements connectors.Addressed. Where an address has expressions,
// only its path and query hang on them.
func (c *Config) Addresses() map[string]string {
	addresses := map[string]string{"url": sketch(c.URL)}
	if c.OAuth2 != nil {
		addresses["oauth2.token_url"] = c.OAuth2.TokenURL
	}
	return addresses
}

// OnlyKey implements connectors.Single.
func (c *Config) OnlyKey() string { return c.One }

func (c *Config) hasBody() bool { return !c.Body.IsZero() || c.JSON != nil }

func (c *Config) method() string {
	switch {
	case c.Method != "":
		return c.Method
	case c.hasBody():
		return http.MethodPost
	}
	return http.MethodGet
}

// signsIn names the keys by which requests say who asks, "" where none does.
func (c *Config) signsIn() string {
	var with []string
	for name, set := range map[string]bool{
		"bearer": !c.Bearer.IsZero(), "basic": c.Basic != nil, "api_key": c.APIKey != nil, "oauth2": c.OAuth2 != nil, "headers": len(c.Headers) > 0,
	} {
		if set {
			with = append(with, name)
		}
	}
	slices.Sort(with)
	return strings.Join(with, " and ")
}

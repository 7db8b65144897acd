package webhook

import (
	"context"
	"errors"
	"regexp"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// defaultMaxSize is of a body, as it is sent and unpacked.
const defaultMaxSize config.Bytes = 2e6

// Kind is "kind: webhook".
var Kind = connectors.Kind{
	Name:    "webhook",
	Summary: "rows that are sent to POST /hooks/PATH",
	Callers: true,
	Config:  func() connectors.Config { return &Config{MaxSize: defaultMaxSize} },
	New: func(cfg connectors.Config, _ connectors.Env) (connectors.Poller, error) {
		return newSource(cfg.(*Config))
	},
}

// Config is a source of kind webhook.
type Config struct {
	connectors.Common

	Path string `yaml:"path"` // POST /hooks/PATH

	// One of these says who may call. Several secrets are all good.
	Secret config.Secrets `yaml:"secret"` // Standard Webhooks
	Verify Verify         `yaml:"verify"` // other ways
	Open   bool           `yaml:"open"`   // everybody; only where the server answers this machine alone

	One     string       `yaml:"one"`     // the key of the only row, whose newest state is what comes; in place of key
	Rows    string       `yaml:"rows"`    // where the rows are: "$.records"; an object there is one row; empty is "$"
	When    string       `yaml:"when"`    // calls for which it is false bring no rows
	ID      string       `yaml:"id"`      // of the message, where the way of the check has none
	Version string       `yaml:"version"` // orders the states of a row: a whole number or a time
	Deleted string       `yaml:"deleted"` // the row is deleted
	Refresh string       `yaml:"refresh"` // a source to be read again, instead of rows
	MaxSize config.Bytes `yaml:"max_size"`
}

var (
	_ connectors.Told      = (*Config)(nil)
	_ connectors.Passive   = (*Config)(nil)
	_ connectors.Addressed = (*Config)(nil)
	_ connectors.Single    = (*Config)(nil)
)

// OnlyKey implements connectors.Single.
func (c *Config) OnlyKey() string { return c.One }

// HookPath implements connectors.Told.
func (c *Config) HookPath() string { return c.Path }

// Rereads implements connectors.Told.
func (c *Config) Rereads() string { return c.Refresh }

// Unguarded implements connectors.Told.
func (c *Config) Unguarded() bool { return c.Open }

// Passive implements connectors.Passive.
func (c *Config) Passive() bool { return true }

// Addresses implements connectors.Addressed: a webhook reaches nothing.
func (c *Config) Addresses() map[string]string { return nil }

// pathForm leaves nothing that a proxy or a client writes in another way.
var pathForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// Validate implements connectors.Config.
func (c *Config) Validate() error {
	list := c.checks()
	bad := func(path, format string, args ...any) *problem.Error {
		list = append(list, problem.New(problem.Invalid, format, args...).At(path))
		return list[len(list)-1]
	}
	if c.Path == "" {
		bad("path", "a webhook source needs a path").WithHint("with path: crm it is called at POST /hooks/crm")
	} else if !pathForm.MatchString(c.Path) {
		bad("path", "%q can't be the last part of an address", c.Path).WithHint("use letters, digits, dots, dashes and underscores, up to 128")
	}
	if c.Every != 0 {
		bad("every", "a webhook source is never polled").WithHint("leave it out")
	}
	if c.MaxSize <= 0 || c.MaxSize > poll.MaxSize {
		bad("max_size", "must be more than 0, and %s at most", poll.MaxSize)
	}
	if c.Refresh != "" {
		for _, part := range []struct {
			name  string
			given bool
		}{{"rows", c.Rows != ""}, {"key", len(c.Key) > 0}, {"one", c.One != ""}, {"version", c.Version != ""}, {"deleted", c.Deleted != ""}} {
			if part.given {
				bad(part.name, "the rows come from the source %q, which is read again", c.Refresh).WithHint("leave out %s, or refresh", part.name)
			}
		}
	} else {
		switch {
		case c.One == "" && len(c.Key) == 0:
			bad("key", "a webhook source needs key columns").WithHint("name the column that identifies a row, as in key: id")
		case c.One != "" && len(c.Key) > 0:
			bad("key", "the row of one has the key %q", c.One).WithHint("keep key for rows that differ, or one for a single one")
		}
		list = append(list, poll.Layout{Rows: c.Rows}.Problems()...)
	}
	_, problems := c.programs()
	return append(list, problems...).Err()
}

// Poll implements connectors.Poller: a webhook source has nothing to be read.
func (s *source) Poll(context.Context, connectors.Cursor, connectors.Emit) error {
	return errors.New("a webhook source is never polled")
}

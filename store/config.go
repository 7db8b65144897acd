package store

import (
	"net/url"
	"path/filepath"
	"strings"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Config says where the ledger lives.
type Config struct {
	// URL is sqlite:PATH for a file on this machine, or postgres://… for a server.
	URL string `yaml:"url"`
	// SealKey seals the secrets that callers of the API give, and the configuration of
	// streams for which a server keeps something. Empty: a SQLite ledger
	// has one in a file beside it; with a server none can be given.
	SealKey config.Secret `yaml:"seal_key"`
	// PreviousSealKey opens what was sealed before SealKey was changed, until all of
	// it has been sealed anew, which is at once.
	PreviousSealKey config.Secret `yaml:"previous_seal_key"`
}

// Validate returns all problems, as a problem.List.
func (c Config) Validate() error {
	var list problem.List
	switch {
	case c.URL == "":
		list = append(list, problem.New(problem.Invalid, "the store has no address").
			At("url").WithHint("write sqlite:data/pictifyd.db, or postgres://user@host/database"))
	case c.postgres():
		if _, err := url.Parse(c.URL); err != nil {
			list = append(list, problem.New(problem.Invalid, "not a Postgres address").At("url").
				WithHint("write postgres://user:password@host:5432/database"))
		}
	case !strings.HasPrefix(c.URL, sqlitePrefix), c.file("") == "", strings.Contains(c.URL, ":memory:"):
		list = append(list, problem.New(problem.Invalid, "%q is neither a SQLite file nor a Postgres server", c.URL).
			At("url").WithHint("write sqlite:data/pictifyd.db, or postgres://user@host/database"))
	}
	if key := c.SealKey.Reveal(); key != "" && len(key) < minSealKey {
		list = append(list, problem.New(problem.Invalid, "this key is shorter than %d characters", minSealKey).
			At("seal_key").WithHint("make one with: openssl rand -hex 32"))
	}
	if !c.PreviousSealKey.IsZero() && c.SealKey.IsZero() {
		list = append(list, problem.New(problem.Invalid, "there is no key that follows this one").
			At("previous_seal_key").WithHint("write the new key as seal_key"))
	}
	return list.Err()
}

const sqlitePrefix = "sqlite:"

// Shared reports whether several processes can work with the ledger at a time.
func (c Config) Shared() bool { return c.postgres() }

func (c Config) postgres() bool {
	return strings.HasPrefix(c.URL, "postgres://") || strings.HasPrefix(c.URL, "postgresql://")
}

// file is the path of a SQLite ledger, seen from dir.
func (c Config) file(dir string) string {
	path := strings.TrimPrefix(strings.TrimPrefix(c.URL, sqlitePrefix), "//")
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

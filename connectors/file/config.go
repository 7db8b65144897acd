package file

import (
	"path/filepath"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	defaultEvery = 30 * time.Second
	minEvery     = 100 * time.Millisecond
)

// Kind is "kind: file".
var Kind = connectors.Kind{
	Name:    "file",
	Summary: "a CSV, TSV, JSON or NDJSON file on this machine, watched for changes",
	Config: func() connectors.Config {
		return &Config{
			Common:  connectors.Common{Every: config.Duration(defaultEvery)},
			MaxSize: poll.MaxSize,
		}
	},
	New: func(cfg connectors.Config, env connectors.Env) (connectors.Poller, error) {
		return newSource(cfg.(*Config), env)
	},
}

// Config is a source of kind file.
type Config struct {
	connectors.Common
	poll.Layout // an empty format is the extension of the path

	Path    string       `yaml:"path"`
	MaxSize config.Bytes `yaml:"max_size"`
}

// Validate implements connectors.Config.
func (c *Config) Validate() error {
	var list problem.List
	if len(c.Key) == 0 {
		list = append(list, problem.New(problem.Invalid, "a file needs key columns").
			At("key").WithHint("name the column that identifies a row, as in key: sku"))
	}
	if c.Every.Std() < minEvery {
		list = append(list, problem.New(problem.Invalid, "must be at least %v", minEvery).At("every"))
	}
	if c.MaxSize <= 0 {
		list = append(list, problem.New(problem.Invalid, "must be more than 0").At("max_size"))
	}
	if c.Path == "" {
		list = append(list, problem.New(problem.Invalid, "a file needs a path").At("path"))
		return append(list, c.Layout.Problems()...).Err()
	}
	if c.Format == "" && c.extension() == "" {
		list = append(list, problem.New(problem.Invalid, "the path has no extension that tells the format").
			At("format").WithHint("set format to one of %s", strings.Join(poll.Formats(), ", ")))
		return append(list, c.Layout.Problems()...).Err()
	}
	layout := c.Layout
	layout.Format = c.format()
	return append(list, layout.Problems()...).Err()
}

// format is the format that is set, or else the one that the extension names.
func (c *Config) format() string {
	if c.Format != "" {
		return c.Format
	}
	switch ext := c.extension(); ext {
	case "jsonl":
		return poll.NDJSON
	case "tab":
		return poll.TSV
	default:
		return ext
	}
}

func (c *Config) extension() string {
	return strings.ToLower(strings.TrimPrefix(filepath.Ext(c.Path), "."))
}

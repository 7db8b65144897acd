package file

import (
	"path/filepath"
	"slices"
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
	maxSettle    = time.Minute
	maxSize      = 4_000_000_000
)

// Kind is "kind: file".
var Kind = connectors.Kind{
	Name:    "file",
	Summary: "CSV, TSV, XLSX, JSON or NDJSON files on this machine, also packed, watched for changes",
	Config: func() connectors.Config {
		return &Config{
			Common:  connectors.Common{Every: config.Duration(defaultEvery)},
			MaxSize: maxSize,
		}
	},
	New: func(cfg connectors.Config, env connectors.Env) (connectors.Poller, error) {
		return newPoller(cfg.(*Config), env)
	},
}

// Config is a source of kind file.
type Config struct {
	connectors.Common
	poll.Layout // an empty format is the extension of each file

	// Path is a file, a folder ("in/") or a pattern ("in/*.csv"), whose files are one
	// source. It may hang on the time, as in "usage-{{ run.month }}.csv".
	Path       string          `yaml:"path"`
	MaxSize    config.Bytes    `yaml:"max_size"`    // of a file, and of what is packed in it
	Settle     config.Duration `yaml:"settle"`      // how long a file has to be left alone before it is read; zero finds out
	FileColumn string          `yaml:"file_column"` // takes the name of the row's file; empty is none
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
	if c.Settle.Std() > maxSettle {
		list = append(list, problem.New(problem.Invalid, "must be at most %v", maxSettle).At("settle").
			WithHint("let the writer use another name, and rename the file when it is whole"))
	}
	if c.FileColumn != "" && slices.Contains(c.Numbers.Columns, c.FileColumn) {
		list = append(list, problem.New(problem.Invalid, "column %q is the name of a file, and no number", c.FileColumn).At("file_column"))
	}
	return append(list, c.pathProblems()...).Err()
}

// pathProblems are those of the path, and of the layout for what it names.
func (c *Config) pathProblems() problem.List {
	if c.Path == "" {
		return append(problem.List{problem.New(problem.Invalid, "a file needs a path").At("path")}, c.Layout.Problems()...)
	}
	path, err := sketch(c.Path)
	if err == nil {
		_, err = parsePattern(path)
	}
	if err != nil {
		return append(problem.List{err.At("path")}, c.Layout.Problems()...)
	}
	layout := c.Layout
	if layout.Format == "" {
		layout.Format = formatOf(path)
	}
	if layout.Format == "" && !isMany(path) {
		return append(problem.List{noFormat("the path")}, c.Layout.Problems()...)
	}
	return layout.Problems()
}

func noFormat(what string) *problem.Error {
	return problem.New(problem.Invalid, "%s has no extension that tells the format", what).
		At("format").WithHint("set format to one of %s", strings.Join(poll.Formats(), ", "))
}

// format is the format of a file: the one that is set, else the one that its name
// tells.
func (c *Config) format(name string) string {
	if c.Format != "" {
		return c.Format
	}
	return formatOf(name)
}

// formatOf is what an extension tells, without that of a packer; empty is nothing.
func formatOf(name string) string {
	ext := extension(name)
	if ext == "gz" || ext == "zst" || ext == "zstd" {
		ext = extension(strings.TrimSuffix(name, filepath.Ext(name)))
	}
	switch {
	case strings.ContainsAny(ext, meta):
		return ""
	case ext == "jsonl":
		return poll.NDJSON
	case ext == "tab":
		return poll.TSV
	}
	return ext
}

func extension(name string) string {
	return strings.ToLower(strings.TrimPrefix(filepath.Ext(name), "."))
}

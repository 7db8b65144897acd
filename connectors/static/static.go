package static

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	maxRows  = 10_000
	maxBytes = 1_000_000 // as JSON

	defaultEvery = time.Hour // there is nothing to see between changes of the configuration
	minEvery     = 100 * time.Millisecond
)

// Kind is "kind: static".
var Kind = connectors.Kind{
	Name:    "static",
	Summary: "rows that stand in the configuration",
	Callers: true, // it reaches nothing
	Config: func() connectors.Config {
		return &Config{Common: connectors.Common{Every: config.Duration(defaultEvery)}}
	},
	New: func(cfg connectors.Config, _ connectors.Env) (connectors.Poller, error) {
		return newSource(cfg.(*Config))
	},
}

// Config is a source of kind static.
type Config struct {
	connectors.Common

	Rows []map[string]any `yaml:"rows"` // numbers keep their digits, what is quoted is a text
	One  string           `yaml:"one"`  // the key of a single row, in place of key
}

var (
	_ connectors.Addressed = (*Config)(nil)
	_ connectors.Single    = (*Config)(nil)
)

// OnlyKey implements connectors.Single.
func (c *Config) OnlyKey() string { return c.One }

// Addresses implements connectors.Addressed: there are none.
func (c *Config) Addresses() map[string]string { return nil }

// Validate implements connectors.Config.
func (c *Config) Validate() error {
	var list problem.List
	switch {
	case c.One == "" && len(c.Key) == 0:
		list = append(list, problem.New(problem.Invalid, "static rows need key columns").
			At("key").WithHint("name the column that identifies a row, as in key: id"))
	case c.One != "" && len(c.Key) > 0:
		list = append(list, problem.New(problem.Invalid, "the row of one has the key %q", c.One).
			At("key").WithHint("keep key for several rows, or one for a single one"))
	case c.One != "" && len(c.Rows) > 1:
		list = append(list, problem.New(problem.Invalid, "%d rows are not the one row %q", len(c.Rows), c.One).
			At("rows").WithHint("name key columns in place of one"))
	}
	if c.Every.Std() < minEvery {
		list = append(list, problem.New(problem.Invalid, "must be at least %v", minEvery).At("every"))
	}
	if c.Rows == nil {
		list = append(list, problem.New(problem.Invalid, "a static source needs rows").
			At("rows").WithHint("as in rows: [{ id: 1, name: Ada }]; [] is none"))
	}
	if p := c.tooLarge(); p != nil {
		return append(list, p.At("rows").WithHint("put them into a file, and use kind: file")).Err()
	}
	return append(list, c.rowProblems()...).Err()
}

func (c *Config) tooLarge() *problem.Error {
	if len(c.Rows) > maxRows {
		return problem.New(problem.TooLarge, "there are %d rows, and at most %d are taken", len(c.Rows), maxRows)
	}
	if text, err := json.Marshal(c.Rows); err != nil {
		return problem.New(problem.Invalid, "the rows are no JSON: %w", err)
	} else if len(text) > maxBytes {
		return problem.New(problem.TooLarge, "the rows have %d bytes, and at most %d are taken", len(text), maxBytes)
	}
	return nil
}

// rowProblems are rows that have no key, or that of another.
func (c *Config) rowProblems() (list problem.List) {
	first := map[string]int{}
	for i, row := range c.Rows {
		path := position(i)
		if len(row) == 0 {
			list = append(list, problem.New(problem.Invalid, "a row has no columns").At(path).WithHint("as in { id: 1, name: Ada }"))
			continue
		}
		key, missing := keyOf(c.Key, row)
		if missing != "" {
			list = append(list, problem.New(problem.Invalid, "the row has no %s, which is a key column", missing).At(path))
			continue
		}
		if at, twice := first[key]; twice {
			list = append(list, problem.New(problem.Invalid, "the row has the key of %s", position(at)).At(path).WithHint("give each row a key of its own"))
			continue
		}
		first[key] = i
	}
	return list
}

// keyOf is the key of a row as a text, in which 1 and "1" are one, or the column
// that it lacks.
func keyOf(columns []string, row map[string]any) (key, missing string) {
	parts := make([]string, len(columns))
	for i, column := range columns {
		switch v := row[column].(type) {
		case nil:
			return "", column
		case string:
			parts[i] = v
		default:
			parts[i] = fmt.Sprint(v)
		}
	}
	return strings.Join(parts, "\x00"), ""
}

type source struct {
	cfg     *Config
	binding poll.Binding
}

func newSource(cfg *Config) (*source, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	binding, err := poll.Bind(cfg.Rows, cfg.Key, cfg.One)
	if err != nil {
		return nil, err
	}
	return &source{cfg: cfg, binding: binding}, nil
}

// Poll implements connectors.Poller. The cursor is good for the same rows only.
func (s *source) Poll(ctx context.Context, from connectors.Cursor, emit connectors.Emit) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.binding.Open(from, &struct{}{}) {
		return poll.Unchanged(ctx, emit, nil)
	}
	cursor, err := s.binding.Seal(struct{}{})
	if err != nil {
		return err
	}
	closing := connectors.Closing{Complete: true, Cursor: cursor}
	if s.cfg.One != "" {
		return emit(ctx, connectors.Batch{Rows: s.only(), Closes: &closing})
	}
	reading := poll.NewReading(s.cfg.Key, emit)
	if err := reading.Copy(ctx, &rows{all: s.cfg.Rows}); err != nil {
		return err
	}
	return reading.Close(ctx, closing)
}

// only is the row of One.
func (s *source) only() []connectors.Row {
	list := []connectors.Row{}
	for i, values := range s.cfg.Rows {
		list = append(list, connectors.Row{Key: []any{s.cfg.One}, Values: maps.Clone(values), Position: position(i)})
	}
	return list
}

// rows is a poll.Decoder of what is there already.
type rows struct {
	all  []map[string]any
	next int
}

func (r *rows) Next() (poll.Element, error) {
	if r.next == len(r.all) {
		return poll.Element{}, io.EOF
	}
	e := poll.Element{Values: maps.Clone(r.all[r.next]), Position: position(r.next)}
	r.next++
	return e, nil
}

func position(i int) string { return fmt.Sprintf("rows[%d]", i) }

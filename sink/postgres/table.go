package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/fields"
)

// The slugs of what is wrong with one row.
const (
	TargetMissing   = "target_missing"   // no row has the key
	TargetAmbiguous = "target_ambiguous" // more than one row has it
	RowRefused      = "row_refused"      // a value, a constraint or a trigger
	RowChanging     = "row_changing"     // somebody else, or a trigger, came between
)

const (
	batchSize   = 500
	batchLinger = 20 * time.Millisecond
)

// table is where pictures are told to.
type table struct {
	cfg   Config
	name  pg.Name
	line  *pg.Line
	key   []cell
	set   []cell
	limit time.Duration

	mu    sync.Mutex
	known *shape // of the table; nil until it was looked at, and after it has changed
}

// A cell is a column and what it becomes.
type cell struct {
	column  string
	program *expr.Program
}

var (
	_ sink.Batcher = (*table)(nil)
	_ sink.Prober  = (*table)(nil)
)

func newTable(cfg Config) (*table, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	server, invalid := pg.Parse(cfg.DSN.Reveal())
	if invalid != nil {
		return nil, invalid.At("dsn")
	}
	t := &table{cfg: cfg, line: pg.NewLine(server), limit: cfg.Timeout.Std()}
	t.name, _ = pg.ParseName(cfg.Table) // Validate has read both
	t.key, t.set = cells(cfg.Key), cells(cfg.Set)
	return t, nil
}

func cells(columns map[string]string) []cell {
	var all []cell
	for _, column := range slices.Sorted(maps.Keys(columns)) {
		program, _ := compile(columns[column]) // Validate has compiled it
		all = append(all, cell{column, program})
	}
	return all
}

// Close gives the connection back.
func (t *table) Close() error { return t.line.Close() }

// Batch implements sink.Batcher.
func (t *table) Batch() (most int, linger time.Duration) { return batchSize, batchLinger }

// Deliver implements sink.Sink.
func (t *table) Deliver(ctx context.Context, d sink.Delivery) (sink.Receipt, error) {
	outcome := t.DeliverAll(ctx, []sink.Delivery{d})[0]
	return outcome.Receipt, outcome.Err
}

// DeliverAll implements sink.Batcher. Events that are not about a row's picture
// write nothing.
func (t *table) DeliverAll(ctx context.Context, ds []sink.Delivery) []sink.Outcome {
	ctx, cancel := context.WithTimeout(ctx, t.limit)
	defer cancel()
	outcomes := make([]sink.Outcome, len(ds))
	var all []*change
	for i, d := range ds {
		c, err := t.change(d)
		switch {
		case err != nil:
			outcomes[i].Err = err
		case c != nil:
			c.outcome = &outcomes[i]
			all = append(all, c)
		}
	}
	for _, part := range alike(all) {
		t.write(ctx, part)
	}
	return outcomes
}

// A change is what one delivery makes of one row of the table.
type change struct {
	key     []*string
	values  []*string // of the columns that are written
	columns []int     // which of t.set they are
	gen     string
	removes bool
	outcome *sink.Outcome
	ended   bool
}

// change is nil for a delivery of which the table learns nothing.
func (t *table) change(d sink.Delivery) (*change, error) {
	removes := d.Event == sink.ImageRemoved
	if d.Key == "" || !removes && d.Event != sink.RenderCompleted || removes && t.cfg.OnRemove == keep {
		return nil, nil
	}
	values := fields.Of(d)
	c := &change{gen: fmt.Sprint(d.Generation), removes: removes}
	for _, k := range t.key {
		text, err := t.evaluate("key", k, values, d)
		if err != nil {
			return nil, err
		}
		if text == nil {
			return nil, refused("key.%s has no value for this row", k.column)
		}
		c.key = append(c.key, text)
	}
	incomplete := slices.ContainsFunc(d.Outputs, func(o sink.Output) bool { return o.Error != "" })
	for i, s := range t.set {
		if removes {
			c.columns, c.values = append(c.columns, i), append(c.values, nil)
			continue
		}
		text, err := t.evaluate("set", s, values, d)
		if err != nil {
			return nil, err
		}
		if text == nil && incomplete {
			continue // of the output that failed the picture before stays
		}
		c.columns, c.values = append(c.columns, i), append(c.values, text)
	}
	if len(c.columns) == 0 {
		return nil, nil
	}
	return c, nil
}

// evaluate is the value of a cell as text; nil is NULL.
func (t *table) evaluate(path string, c cell, values map[string]any, d sink.Delivery) (*string, error) {
	value, err := c.program.Eval(values, expr.Env{Now: d.Time})
	if err != nil {
		var p *problem.Error
		if errors.As(err, &p) {
			return nil, retry.Permanent(p.At(path + "." + c.column).WithSlug(RowRefused))
		}
		return nil, retry.Permanent(err)
	}
	text, err := textOf(value)
	if err != nil {
		return nil, retry.Permanent(fmt.Errorf("%s.%s: %w", path, c.column, err))
	}
	if text != nil && strings.ContainsRune(*text, 0) {
		return nil, refused("%s.%s has a NUL, which no text of PostgreSQL may have", path, c.column)
	}
	return text, nil
}

// textOf is a value as PostgreSQL reads it; lists and objects are JSON.
func textOf(value any) (*string, error) {
	var text string
	switch v := value.(type) {
	case nil:
		return nil, nil
	case []any, map[string]any:
		b, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		text = string(b)
	default:
		text = expr.Text(v)
	}
	return &text, nil
}

func refused(format string, args ...any) error {
	return retry.Permanent(problem.New(problem.Invalid, format, args...).WithSlug(RowRefused))
}

// alike are changes that one statement can make: of the same columns, all of them
// removals or none, and no row twice. Their order is kept.
func alike(all []*change) [][]*change {
	var parts [][]*change
	seen := map[string]bool{}
	for i, c := range all {
		key := rowOf(c)
		if i == 0 || seen[key] || c.removes != all[i-1].removes || !slices.Equal(c.columns, all[i-1].columns) {
			parts = append(parts, nil)
			clear(seen)
		}
		seen[key] = true
		parts[len(parts)-1] = append(parts[len(parts)-1], c)
	}
	return parts
}

func rowOf(c *change) string {
	var b strings.Builder
	for _, part := range c.key {
		fmt.Fprintf(&b, "%d:%s", len(*part), *part)
	}
	return b.String()
}

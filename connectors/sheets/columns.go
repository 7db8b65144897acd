package sheets

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
	sheets "google.golang.org/api/sheets/v4"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/a1"
)

// Columns are some columns of the table that a source reads, to be written row by
// row. Its requests count into the budgets of the credential, which it shares with
// the sources that read with it. It is not safe for concurrent use.
type Columns struct {
	source   *source
	names    []string
	formulas bool
	heads    []header // of each range, as read last; one without names is not known
}

// OpenColumns are the columns of those names. With formulas their cells are read
// and written as formulas. The configuration is a valid one.
func OpenColumns(cfg *Config, env connectors.Env, names []string, formulas bool) (*Columns, error) {
	s, err := newReader(cfg, env, true)
	if err != nil {
		return nil, err
	}
	s.client.patience.tries, s.client.patience.network = 3, 2 // who is not answered comes again later
	return &Columns{source: s, names: names, formulas: formulas, heads: make([]header, len(s.ranges))}, nil
}

// Close gives back the place among those that share the credential.
func (c *Columns) Close() { c.source.client.close() }

// A Snapshot is what stands in the key columns and in those that are written.
type Snapshot struct {
	at     map[cellRow]Row
	rows   map[string][]cellRow
	broken int
}

// A cellRow is a row of a sheet.
type cellRow struct {
	sheet string
	row   int
}

// A Row is a row of the sheet as it was at one moment.
type Row struct {
	Key   string // as Key makes it; "" of a row without one
	Cells []any  // in the order of the columns: nil, bool, float64 or string

	place   cellRow
	columns []int // of Cells
}

// Key is the key of a row by the texts of its key columns.
func Key(texts []string) string { return norm.NFC.String(strings.Join(texts, "\x00")) }

// Rows are the rows of a key: one, none, or several.
func (s *Snapshot) Rows(key string) []Row {
	rows := make([]Row, len(s.rows[key]))
	for i, place := range s.rows[key] {
		rows[i] = s.at[place]
	}
	return rows
}

// Broken is how many rows have an error for a key.
func (s *Snapshot) Broken() int { return s.broken }

// Instead is the row that now stands where r stood.
func (s *Snapshot) Instead(r Row) Row { return s.at[r.place] }

// Cell is where the i-th of the columns stands in r: "Products!F14".
func (r Row) Cell(i int) string { return position(r.place.sheet, r.columns[i], r.place.row) }

// Stands reports whether the i-th cells of both are the same place.
func (r Row) Stands(other Row, i int) bool {
	return r.place == other.place && i < len(r.columns) && i < len(other.columns) && r.columns[i] == other.columns[i]
}

// Probe reads the header and wants the columns.
func (c *Columns) Probe(ctx context.Context) error {
	clear(c.heads)
	if err := c.source.busy(); err != nil {
		return c.source.name(ctx, err)
	}
	if _, err := c.places(ctx); err != nil {
		return c.source.name(ctx, err)
	}
	return nil
}

// Read is what stands there now. It takes one request, or two where keys and cells
// are not to be had in the same form, and one more when the header has changed.
func (c *Columns) Read(ctx context.Context) (*Snapshot, error) {
	if err := c.source.busy(); err != nil {
		return nil, c.source.name(ctx, err)
	}
	for try := 1; ; try++ {
		snapshot, err := c.readOnce(ctx)
		switch {
		case err == nil:
			return snapshot, nil
		case refusedRange(err), errors.Is(err, errMoved):
			c.source.layout = nil
			clear(c.heads)
		}
		if try == readings || !refusedRange(err) && !errors.Is(err, errMoved) {
			return nil, c.source.name(ctx, err)
		}
	}
}

// places are where the ranges stand, each with a header that is known.
func (c *Columns) places(ctx context.Context) (all []place, err error) {
	s := c.source
	if s.layout == nil || time.Since(s.layout.read) > layoutFor {
		if s.layout, err = s.readLayout(ctx); err != nil {
			return nil, err
		}
	}
	heads := make([]string, len(s.ranges))
	for i, r := range s.ranges {
		p, err := s.layout.place(r, s.address.gid, s.cfg.HeaderRow)
		if err != nil {
			s.layout = nil
			return nil, err
		}
		if p.body.Top > p.rows {
			s.layout = nil // it may have a row the next time
		}
		all, heads[i] = append(all, p), p.head.String()
	}
	if !slices.ContainsFunc(c.heads, func(h header) bool { return h.names == nil }) {
		return all, nil
	}
	values, err := s.client.values(ctx, s.render(), heads)
	if err != nil {
		return nil, err
	}
	for i, p := range all {
		if c.heads[i], err = c.head(p, values[i]); err != nil {
			clear(c.heads)
			return nil, err
		}
	}
	return all, nil
}

// head is the header of a range, which has the key and the columns.
func (c *Columns) head(p place, v *sheets.ValueRange) (header, error) {
	h, err := newHeader(p.title, p.head.Top, p.head.Left, firstRow(v))
	if err == nil {
		err = h.require("key", c.source.cfg.Key)
	}
	if err == nil {
		err = h.require("sink", c.names)
	}
	return h, err
}

// render is how the cells of the columns are asked for.
func (c *Columns) render() string {
	if c.formulas {
		return "FORMULA"
	}
	return "UNFORMATTED_VALUE"
}

// readOnce reads by the headers that are known; errMoved says that they are others.
func (c *Columns) readOnce(ctx context.Context) (*Snapshot, error) {
	places, err := c.places(ctx)
	if err != nil {
		return nil, err
	}
	var keys, cells []string
	for i, p := range places {
		keys = append(keys, p.head.String())
		if p.body.Top <= p.rows {
			keys = append(keys, c.heads[i].rangesOf(c.source.cfg.Key, p)...)
			cells = append(cells, c.heads[i].rangesOf(c.names, p)...)
		}
	}
	s := c.source
	together := s.render() == c.render()
	if together {
		keys = append(keys, cells...)
	}
	values, err := s.client.values(ctx, s.render(), keys)
	if err != nil {
		return nil, err
	}
	rest := values[len(values)-len(cells):]
	if !together && len(cells) > 0 {
		if rest, err = s.client.values(ctx, c.render(), cells); err != nil {
			return nil, err
		}
	}
	snapshot := &Snapshot{at: map[cellRow]Row{}, rows: map[string][]cellRow{}}
	for i, p := range places {
		if now, err := c.head(p, values[0]); err != nil {
			return nil, err
		} else if !equal(now.names, c.heads[i].names) {
			return nil, errMoved
		}
		values = values[1:]
		if p.body.Top > p.rows {
			continue
		}
		if err := c.add(ctx, snapshot, i, p, values[:len(s.cfg.Key)], rest[:len(c.names)]); err != nil {
			return nil, err
		}
		values, rest = values[len(s.cfg.Key):], rest[len(c.names):]
	}
	return snapshot, nil
}

// rangesOf are the cells of the columns of these names in the rows of p.
func (h header) rangesOf(names []string, p place) []string {
	all := make([]string, len(names))
	for i, name := range names {
		at, _ := h.column(name)
		all[i] = a1.Range{Sheet: h.sheet, Left: h.left + at, Right: h.left + at, Top: p.body.Top, Down: p.body.Down}.String()
	}
	return all
}

// add takes the rows of a range into the snapshot.
func (c *Columns) add(ctx context.Context, to *Snapshot, i int, p place, keys, cells []*sheets.ValueRange) error {
	t := &table{place: p, header: c.heads[i]}
	long, wide := 0, 0
	for j, name := range c.source.cfg.Key {
		at, _ := t.header.column(name)
		long, wide = max(long, len(keys[j].Values)), max(wide, at+1)
	}
	for _, v := range cells {
		long = max(long, len(v.Values))
	}
	for n := range long {
		l := line{row: p.body.Top + n, cells: make([]any, wide)}
		for j, name := range c.source.cfg.Key {
			at, _ := t.header.column(name)
			l.cells[at] = cellOf(keys[j], n)
		}
		t.lines = append(t.lines, l)
	}
	dated, err := c.source.datings(ctx, i, t) // of keys that are dates
	if err != nil {
		return err
	}
	rows := newRows(t, c.source.cfg, dated)
	columns := make([]int, len(c.names))
	for j, name := range c.names {
		at, _ := t.header.column(name)
		columns[j] = t.header.left + at
	}
	for n, l := range t.lines {
		r := Row{place: cellRow{p.title, l.row}, columns: columns, Cells: make([]any, len(cells))}
		for j, v := range cells {
			r.Cells[j] = cellOf(v, n)
		}
		var broken bool
		r.Key, broken = rows.keyOf(l)
		to.at[r.place] = r
		if r.Key != "" {
			to.rows[r.Key] = append(to.rows[r.Key], r.place)
		}
		if broken {
			to.broken++
		}
	}
	return nil
}

// keyOf is the key of a line, or "" where it has none or one that is an error.
func (r *rowsOf) keyOf(l line) (key string, broken bool) {
	texts := make([]string, len(r.key))
	for i, name := range r.key {
		at, _ := r.header.column(name)
		if failed(l.cells[at]) != "" {
			return "", true
		}
		value := r.value(name, l.cells[at])
		if value == nil {
			return "", false
		}
		texts[i] = fmt.Sprint(value)
	}
	return Key(texts), false
}

// cellOf is a cell of one column; nil where there is none.
func cellOf(v *sheets.ValueRange, row int) any {
	if row >= len(v.Values) || len(v.Values[row]) == 0 || v.Values[row][0] == "" {
		return nil
	}
	return v.Values[row][0]
}

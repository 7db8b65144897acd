package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/connectors"
	polling "github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/expr"
)

const (
	pageBytes = 2 << 20 // that a FETCH should bring
	firstRows = 10      // of the first one, which knows nothing of their size
	mostRows  = 5000
	keptBytes = 8 << 20  // of a small result that is not read a second time
	rowBytes  = 16 << 20 // of one row; a larger one is a fault
	mostBytes = 1 << 30  // of a FETCH: rows that suddenly are thousands of times as large
)

// A column is one of the result.
type column struct {
	name string
	kind *kind
	oid  uint32 // of its type
	// digits of the fraction of a second that all values of the column have.
	digits int
}

// A walk goes through the result of a statement inside of one snapshot.
type walk struct {
	conn    *pgconn.PgConn
	sql     string
	key     []string
	strict  bool // no row has a null in its key
	columns []column
	named   string

	patience time.Duration // with each answer of the server
}

func (w *walk) names() []string {
	names := make([]string, len(w.columns))
	for i, c := range w.columns {
		names[i] = c.name
	}
	return names
}

// at is where the column of that name stands, which there is.
func (w *walk) at(name string) int { return slices.Index(w.names(), name) }

// newSum begins a digest with what the columns are.
func (w *walk) newSum() *sum {
	s := &sum{}
	var head [][]byte
	for _, c := range w.columns {
		head = append(head, []byte(c.name), fmt.Appendf(nil, "%s %d", c.kind, c.digits))
	}
	s.add(head)
	return s
}

// A fetching is a cursor of the server from its first row on.
type fetching struct {
	w     *walk
	rows  int // of the next FETCH
	ended bool
}

const cursorName = "pictifyd_rows"

func (w *walk) open(ctx context.Context) (*fetching, error) {
	ctx, cancel := context.WithTimeout(ctx, w.patience)
	defer cancel()
	if _, err := w.conn.Exec(ctx, "CLOSE ALL").ReadAll(); err != nil {
		return nil, err
	}
	// Unlike a simple query this takes one statement and no second.
	if _, err := w.conn.ExecParams(ctx, "DECLARE "+cursorName+" NO SCROLL CURSOR FOR "+w.sql, nil, nil, nil, nil).Close(); err != nil {
		return nil, err
	}
	return &fetching{w: w, rows: firstRows}, nil
}

// next puts the next rows into p; none are the end.
func (f *fetching) next(ctx context.Context, p *page) error {
	p.reset()
	p.width = len(f.w.columns)
	if f.ended {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, f.w.patience)
	defer cancel()
	if err := f.w.giveWay(ctx); err != nil {
		return err
	}
	if err := p.fill(f.w.conn.ExecParams(ctx, fmt.Sprintf("FETCH %d FROM %s", f.rows, cursorName), nil, nil, nil, nil), f.rows); err != nil {
		return err
	}
	f.ended = p.len() < f.rows
	f.rows = p.pace(f.rows)
	return nil
}

// digest goes through all rows of a pager. Those of a small result come back, to be read no
// second time; nil says that it was not small.
func (w *walk) digest(ctx context.Context, f pager) (digest string, kept []*page, err error) {
	s := w.newSum()
	kept, held := []*page{}, 0
	p := &page{}
	var cells [][]byte
	for {
		if err := f.next(ctx, p); err != nil {
			return "", nil, err
		}
		if p.len() == 0 {
			return s.text(), kept, nil
		}
		for i := range p.len() {
			cells = p.cells(i, cells)
			s.add(cells)
		}
		if kept == nil {
			continue
		}
		if held += len(p.text) + 4*len(p.ends); held > keptBytes {
			kept = nil
			continue
		}
		kept, p = append(kept, p), &page{}
	}
}

// rows are the elements of the result, from kept pages or from the server.
func (w *walk) rows(ctx context.Context, kept []*page) (*decoder, error) {
	if kept != nil {
		return w.decoder(ctx, kept, nil), nil
	}
	f, err := w.open(ctx)
	return w.decoder(ctx, nil, f), err
}

func (w *walk) decoder(ctx context.Context, kept []*page, from pager) *decoder {
	return &decoder{ctx: ctx, walk: w, kept: kept, pager: from, page: &page{width: len(w.columns)}, sum: w.newSum()}
}

// A decoder gives the rows of a result one by one; it is a poll.Decoder.
type decoder struct {
	ctx   context.Context // of the reading that the decoder is a part of
	walk  *walk
	pager pager // where the pages are not kept
	kept  []*page
	page  *page
	at    int // in the page
	count int
	cells [][]byte
	sum   *sum
	// sawFunc hears of each row, and may have it left out; nil takes all.
	sawFunc func(cells [][]byte, digest rowDigest) (taken bool)
}

var _ polling.Decoder = (*decoder)(nil)

// Next implements poll.Decoder.
func (d *decoder) Next() (polling.Element, error) {
	for {
		if d.at == d.page.len() {
			if err := d.turn(); err != nil {
				return polling.Element{}, err
			}
		}
		d.cells = d.page.cells(d.at, d.cells)
		d.at++
		d.count++
		if digest := d.sum.add(d.cells); d.sawFunc == nil || d.sawFunc(d.cells, digest) {
			return d.walk.element(d.cells, d.count), nil
		}
	}
}

func (d *decoder) turn() error {
	d.at = 0
	if d.kept != nil {
		if len(d.kept) == 0 {
			return io.EOF
		}
		d.page, d.kept = d.kept[0], d.kept[1:]
		return nil
	}
	if err := d.pager.next(d.ctx, d.page); err != nil {
		return err
	}
	if d.page.len() == 0 {
		return io.EOF
	}
	return nil
}

// element is the row of these cells, or its fault.
func (w *walk) element(cells [][]byte, count int) polling.Element {
	e := polling.Element{Values: make(map[string]any, len(cells))}
	var wrong error
	for i, c := range w.columns {
		e.Size += int64(len(cells[i])) + 16
		value, err := c.value(cells[i])
		if err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("column %s: %w", c.name, err))
			continue
		}
		e.Values[c.name] = value
	}
	e.Position = w.position(e.Values, count)
	switch {
	case e.Size > rowBytes:
		e.Fault = &connectors.Fault{
			Position: e.Position, Reason: polling.TooLarge,
			Detail: fmt.Sprintf("the row has more than %d bytes; name the columns that are needed", rowBytes),
		}
	case wrong != nil:
		e.Fault = &connectors.Fault{Position: e.Position, Reason: polling.BadRecord, Detail: strings.ReplaceAll(wrong.Error(), "\n", ", ")}
	}
	return e
}

// position is where a person finds a row: by its key.
func (w *walk) position(values map[string]any, count int) string {
	where := make([]string, len(w.key))
	for i, name := range w.key {
		value := values[name]
		if value == nil {
			return fmt.Sprintf("%s row %d", w.named, count)
		}
		where[i] = name + "=" + expr.Text(value)
	}
	return w.named + " " + strings.Join(where, " ")
}

// value is a cell as rows have it.
func (c *column) value(cell []byte) (any, error) {
	if cell == nil {
		return nil, nil
	}
	if !utf8.Valid(cell) {
		return nil, errors.New("is no UTF-8")
	}
	return c.kind.read(cell, c.digits)
}

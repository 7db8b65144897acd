package sheets

import (
	"context"
	"errors"

	sheets "google.golang.org/api/sheets/v4"

	"github.com/pictifyd/pictifyd/internal/a1"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A cut is how a sheet is cut into requests.
type cut struct {
	// piece is up to how many cells a table is read in one request, which so shows
	// one moment.
	piece int
	// first is the rows of the first block of a larger one; what they weigh says
	// how many the next has, up to most.
	first, most int
	bytes       int // that a block weighs
}

// whole is some 2 MB of answer at a time.
var whole = cut{piece: 100_000, first: 1000, most: 20_000, bytes: 2 << 20}

// maxCells is up to how many cells a table is held: about 100 MB.
const maxCells = 2_000_000

// A table is the values of one range.
type table struct {
	place
	header header
	lines  []line
}

// A line is a row of a sheet that has a value.
type line struct {
	row   int
	cells []any
	block int // that it was read in
}

// errMoved says that a sheet was changed between two requests so that what they
// read does not fit together.
var errMoved = errors.New("rows or columns of the sheet were moved while it was read")

func (s *source) render() string {
	if s.cfg.Values == formatted {
		return "FORMATTED_VALUE"
	}
	return "UNFORMATTED_VALUE"
}

// readTable reads what stands at p, whose rows ended at last; 0 is not known. On
// errMoved the table has what was read.
func (s *source) readTable(ctx context.Context, p place, last int) (*table, error) {
	t := &table{place: p}
	if p.body.Top > p.rows { // nothing below the header
		values, err := s.desk.values(ctx, s.client, s.render(), p.head.String())
		if err != nil {
			return t, err
		}
		return t, s.takeHeader(t, values[0])
	}
	if p.cells(p.end()) <= whole.piece || last > 0 && 2*p.cells(last) <= whole.piece {
		values, err := s.desk.values(ctx, s.client, s.render(), p.head.String(), p.body.String())
		if err != nil {
			return t, err
		}
		if err := s.takeHeader(t, values[0]); err != nil {
			return t, err
		}
		return t, t.take(values[1], p.body.Top, 0)
	}
	return t, s.readBlocks(ctx, t)
}

// readBlocks reads a large table block by block, each with the header, so that
// no column moves unseen, and the keys once more at the end.
func (s *source) readBlocks(ctx context.Context, t *table) error {
	end, size := t.end(), whole.first
	for top, block := t.body.Top, 0; top <= end; block++ {
		part := t.body
		part.Top, part.Down = top, top+size-1
		if part.Down >= end {
			part.Down = t.body.Down // the last one also has rows that were added since
		}
		values, err := s.client.values(ctx, s.render(), []string{t.head.String(), part.String()})
		if err != nil {
			return err
		}
		before := t.header.names
		if err := s.takeHeader(t, values[0]); err != nil {
			return err
		}
		if before != nil && !equal(before, t.header.names) {
			t.lines = nil // they have the names of before
			return errMoved
		}
		if err := t.take(values[1], top, block); err != nil {
			return err
		}
		top += size
		size = nextBlock(values[1], size)
	}
	return s.checkKeys(ctx, t)
}

// nextBlock is how many rows weigh as much as a request should.
func nextBlock(read *sheets.ValueRange, rows int) int {
	bytes := 0
	for _, row := range read.Values {
		bytes += 4
		for _, c := range row {
			bytes += len(text(c)) + 6
		}
	}
	each := max(bytes/max(min(rows, len(read.Values)), 1), 1)
	return min(max(whole.bytes/each, 100), whole.most)
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// checkKeys reads the header and the key columns again. Where each key still
// stands in its row, none was missed or read twice on the way.
func (s *source) checkKeys(ctx context.Context, t *table) error {
	ranges := append([]string{t.head.String()}, t.header.ranges(s.cfg.Key, t.body.Top)...)
	values, err := s.client.values(ctx, s.render(), ranges)
	if err != nil {
		return err
	}
	now, err := newHeader(t.title, t.head.Top, t.head.Left, firstRow(values[0]))
	if err != nil {
		return err
	}
	moved := !equal(now.names, t.header.names)
	for i, name := range s.cfg.Key {
		at, _ := t.header.column(name)
		moved = moved || !t.stands(at, values[i+1].Values)
	}
	if moved {
		return errMoved
	}
	return nil
}

// stands reports whether the cells of a column are those that were read.
func (t *table) stands(column int, again [][]any) bool {
	read := map[int]string{}
	for _, l := range t.lines {
		if column < len(l.cells) && !blank(l.cells[column]) {
			read[l.row] = text(l.cells[column])
		}
	}
	for i, cells := range again {
		row := t.body.Top + i
		if t.body.Down > 0 && row > t.body.Down {
			break
		}
		if len(cells) == 0 || blank(cells[0]) {
			continue
		}
		if read[row] != text(cells[0]) {
			return false
		}
		delete(read, row)
	}
	return len(read) == 0
}

func firstRow(v *sheets.ValueRange) []any {
	if len(v.Values) == 0 {
		return nil
	}
	return v.Values[0]
}

// takeHeader reads the header, and wants the columns that the configuration names.
func (s *source) takeHeader(t *table, v *sheets.ValueRange) (err error) {
	t.header, err = newHeader(t.title, t.head.Top, t.head.Left, firstRow(v))
	if err != nil {
		return err
	}
	if err := t.header.require("key", s.cfg.Key); err != nil {
		return err
	}
	return t.header.require("dates", s.cfg.dateColumns())
}

// take adds the rows of an answer, whose first is row top.
func (t *table) take(v *sheets.ValueRange, top, block int) error {
	for i, cells := range v.Values {
		if len(cells) > 0 {
			t.lines = append(t.lines, line{row: top + i, cells: cells, block: block})
		}
	}
	if len(t.lines)*max(len(t.header.names), 1) > maxCells {
		return problem.New(problem.TooLarge, "%s has more than %d cells", a1.Quote(t.title), maxCells).WithSlug("too_many_cells").
			WithHint("name fewer columns in range, or split the sheet into several sources")
	}
	return nil
}

// settle drops, of a table that moved while it was read, the rows that a later
// block has again: they would look like two rows of one key.
func (t *table) settle(key []string) {
	last := map[string]int{}
	id := func(l line) string {
		id := ""
		for _, name := range key {
			at, _ := t.header.column(name)
			part := ""
			if at < len(l.cells) {
				part = text(l.cells[at])
			}
			id += part + "\x00"
		}
		return id
	}
	for _, l := range t.lines {
		last[id(l)] = l.block
	}
	kept := t.lines[:0]
	for _, l := range t.lines {
		if last[id(l)] == l.block {
			kept = append(kept, l)
		}
	}
	t.lines = kept
}

package sheetstest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/a1"
)

// A Book is a spreadsheet. Its methods, and those of its sheets, may be called
// while it is served; each is one edit.
type Book struct {
	e *Emulator

	id, title string
	sheets    []*Sheet
	nextSheet int64
	modified  time.Time
	readers   map[string]bool // accounts that it is shared with
	public    bool            // whoever has the link may read it
	by        string          // whose request is answered now
}

// A Sheet is one tab of a Book.
type Sheet struct {
	b *Book

	id            int64
	title         string
	rows, columns int // of the grid
	cells         [][]cell
	protected     []protection
	script        func(Edit)
}

// ID is the spreadsheet's identifier, as it stands in its address.
func (b *Book) ID() string { return b.id }

// edit runs do under the lock and notes the change.
func (b *Book) edit(do func()) {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	do()
	b.touch()
}

// touch moves modifiedTime on, always.
func (b *Book) touch() {
	now := b.e.o.Now().UTC().Truncate(time.Millisecond)
	if !now.After(b.modified) {
		now = b.modified.Add(time.Millisecond)
	}
	b.modified = now
}

// Share lets an account read and write the spreadsheet.
func (b *Book) Share(email string) { b.edit(func() { b.readers[email] = true }) }

// Unshare takes that back.
func (b *Book) Unshare(email string) { b.edit(func() { delete(b.readers, email) }) }

// Publish lets whoever has the link read the spreadsheet.
func (b *Book) Publish() { b.edit(func() { b.public = true }) }

// AddSheet adds a sheet with these rows, in a grid that is at least Google's
// usual one of 1,000 rows and 26 columns.
func (b *Book) AddSheet(title string, rows ...[]any) *Sheet {
	var s *Sheet
	b.edit(func() {
		s = b.addSheet(title)
		s.write(1, 1, rows)
	})
	return s
}

func (b *Book) addSheet(title string) *Sheet {
	s := &Sheet{b: b, id: b.nextSheet, title: title, rows: 1000, columns: 26}
	b.nextSheet++
	b.sheets = append(b.sheets, s)
	return s
}

// Sheet is the sheet of that title, or nil.
func (b *Book) Sheet(title string) *Sheet {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	return b.sheet(title)
}

func (b *Book) sheet(title string) *Sheet {
	for _, s := range b.sheets {
		if strings.EqualFold(s.title, title) {
			return s
		}
	}
	return nil
}

func (b *Book) sheetByID(id int64) *Sheet {
	for _, s := range b.sheets {
		if s.id == id {
			return s
		}
	}
	return nil
}

// Rename gives the sheet another title.
func (s *Sheet) Rename(title string) { s.b.edit(func() { s.title = title }) }

// Set makes the sheet hold exactly these rows, from A1 on.
func (s *Sheet) Set(rows ...[]any) {
	s.b.edit(func() {
		s.cells = nil
		s.write(1, 1, rows)
	})
}

// Write puts values at a place like "C5", and to the right of it.
func (s *Sheet) Write(at string, values ...any) {
	r := mustParse(at)
	s.b.edit(func() { s.write(r.Left, r.Top, [][]any{values}) })
}

// Format formats the cells of a range like "C2:C".
func (s *Sheet) Format(cells string, f Format) {
	r := mustParse(cells)
	s.b.edit(func() {
		s.each(r, func(c *cell) { c.format = f })
	})
}

// Append adds a row behind the last one.
func (s *Sheet) Append(values ...any) {
	s.b.edit(func() { s.write(1, len(s.cells)+1, [][]any{values}) })
}

// Rows are the cells as the sheet shows them.
func (s *Sheet) Rows() [][]string {
	s.b.e.mu.Lock()
	defer s.b.e.mu.Unlock()
	rows := make([][]string, len(s.cells))
	for i, cells := range s.cells {
		for _, c := range cells {
			rows[i] = append(rows[i], c.shown())
		}
	}
	return rows
}

// InsertRows makes n empty rows before a row.
func (s *Sheet) InsertRows(before, n int) { s.b.edit(func() { s.insertRows(before, n) }) }

// DeleteRows removes n rows from a row on.
func (s *Sheet) DeleteRows(from, n int) { s.b.edit(func() { s.deleteRows(from, n) }) }

// InsertColumns makes n empty columns before a column, counting from 1.
func (s *Sheet) InsertColumns(before, n int) { s.b.edit(func() { s.insertColumns(before, n) }) }

// DeleteColumns removes n columns from a column on.
func (s *Sheet) DeleteColumns(from, n int) { s.b.edit(func() { s.deleteColumns(from, n) }) }

// MoveColumn moves a column to where another one stands.
func (s *Sheet) MoveColumn(from, to int) { s.b.edit(func() { s.moveColumn(from, to) }) }

// Sort orders the rows from the second on by a column.
func (s *Sheet) Sort(column int, descending bool) {
	s.b.edit(func() { s.sort(a1.Range{Left: 1, Right: s.columns, Top: 2, Down: s.rows}, column, descending) })
}

func mustParse(text string) a1.Range {
	r, err := a1.Parse(text)
	if err != nil || r.Left == 0 {
		panic(fmt.Sprintf("sheetstest: %q is no place of a sheet", text))
	}
	return r
}

// at is a cell, empty where there is none.
func (s *Sheet) at(row, column int) cell {
	if row > len(s.cells) || column > len(s.cells[row-1]) {
		return cell{}
	}
	return s.cells[row-1][column-1]
}

// place is a cell to change; the grid grows to have it.
func (s *Sheet) place(row, column int) *cell {
	for len(s.cells) < row {
		s.cells = append(s.cells, nil)
	}
	line := s.cells[row-1]
	if len(line) < column {
		line = append(line, make([]cell, column-len(line))...)
		s.cells[row-1] = line
	}
	s.rows, s.columns = max(s.rows, row), max(s.columns, column)
	return &line[column-1]
}

func (s *Sheet) write(left, top int, rows [][]any) {
	for i, row := range rows {
		for j, v := range row {
			c := s.place(top+i, left+j)
			format := c.format
			*c = newCell(v)
			if c.format == (Format{}) {
				c.format = format
			}
		}
	}
}

// each visits the cells of r, as far as there are rows with cells or r ends.
func (s *Sheet) each(r a1.Range, do func(*cell)) {
	down, right := r.Down, r.Right
	if down == 0 {
		down = len(s.cells)
	}
	if right == 0 {
		right = s.columns
	}
	for row := max(r.Top, 1); row <= down; row++ {
		for column := max(r.Left, 1); column <= right; column++ {
			do(s.place(row, column))
		}
	}
}

func (s *Sheet) insertRows(before, n int) {
	s.rows += n
	if before <= len(s.cells) {
		s.cells = slices.Insert(s.cells, before-1, make([][]cell, n)...)
	}
}

func (s *Sheet) deleteRows(from, n int) {
	s.rows -= n
	if from <= len(s.cells) {
		s.cells = slices.Delete(s.cells, from-1, min(from-1+n, len(s.cells)))
	}
}

func (s *Sheet) insertColumns(before, n int) {
	s.columns += n
	for i, row := range s.cells {
		if before <= len(row) {
			s.cells[i] = slices.Insert(row, before-1, make([]cell, n)...)
		}
	}
}

func (s *Sheet) deleteColumns(from, n int) {
	s.columns -= n
	for i, row := range s.cells {
		if from <= len(row) {
			s.cells[i] = slices.Delete(row, from-1, min(from-1+n, len(row)))
		}
	}
}

func (s *Sheet) moveColumn(from, to int) {
	for i := range s.cells {
		s.place(i+1, max(from, to))
		row := s.cells[i]
		c := row[from-1]
		row = slices.Delete(row, from-1, from)
		s.cells[i] = slices.Insert(row, to-1, c)
	}
}

func (s *Sheet) sort(r a1.Range, column int, descending bool) {
	top, down := r.Top-1, min(r.Down, len(s.cells))
	if top >= down {
		return
	}
	for row := top; row < down; row++ {
		s.place(row+1, r.Right)
	}
	lines := make([][]cell, 0, down-top)
	for _, row := range s.cells[top:down] {
		lines = append(lines, slices.Clone(row[r.Left-1:r.Right]))
	}
	slices.SortStableFunc(lines, func(a, b []cell) int {
		order := compare(a[column-r.Left].value, b[column-r.Left].value)
		if descending {
			return -order
		}
		return order
	})
	for i, line := range lines {
		copy(s.cells[top+i][r.Left-1:r.Right], line)
	}
}

// compare orders numbers before texts before booleans, and empty cells last.
func compare(a, b any) int {
	if order := rank(a) - rank(b); order != 0 {
		return order
	}
	switch a := a.(type) {
	case float64:
		return cmp.Compare(a, b.(float64))
	case string:
		return strings.Compare(strings.ToLower(a), strings.ToLower(b.(string)))
	}
	return 0
}

func rank(v any) int {
	switch v.(type) {
	case float64:
		return 0
	case string:
		return 1
	case bool:
		return 2
	case Error:
		return 3
	}
	return 4
}

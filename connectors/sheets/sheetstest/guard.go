package sheetstest

import (
	"slices"

	"github.com/pictifyd/pictifyd/internal/a1"
)

// A protection keeps cells from all but some accounts.
type protection struct {
	cells   a1.Range
	editors []string
}

// Protect keeps the cells of a range like "F2:F" from all accounts but editors.
// What a test writes by itself is the owner's, who may.
func (s *Sheet) Protect(cells string, editors ...string) {
	r := mustParse(cells)
	s.b.edit(func() { s.protected = append(s.protected, protection{r, editors}) })
}

// Unprotect ends all protections of the sheet.
func (s *Sheet) Unprotect() { s.b.edit(func() { s.protected = nil }) }

// permits refuses a writing to cells that are protected from whoever asks.
func (b *Book) permits(a area) *Failure {
	for _, p := range a.s.protected {
		if overlaps(p.cells, a.Range) && !slices.Contains(p.editors, b.by) {
			return invalid("You are trying to edit a protected cell or object. Please contact the spreadsheet owner to remove protection if you need to edit.")
		}
	}
	return nil
}

// overlaps reports whether a cell is in both; an end that is 0 is open.
func overlaps(a, b a1.Range) bool {
	meet := func(low1, high1, low2, high2 int) bool {
		return (high1 == 0 || low2 <= high1) && (high2 == 0 || low1 <= high2)
	}
	return meet(a.Left, a.Right, b.Left, b.Right) && meet(a.Top, a.Down, b.Top, b.Down)
}

// An Edit is a cell that was written over the API.
type Edit struct {
	Row, Column   int
	Before, After any // a formula as its text
	s             *Sheet
}

// OnEdit has do called after each cell that is written over the API, as a
// spreadsheet's script is.
func (s *Sheet) OnEdit(do func(Edit)) { s.b.edit(func() { s.script = do }) }

// Value is what stands in another column of the row.
func (e Edit) Value(column int) any { return e.s.at(e.Row, column).value }

// Set writes another column of the row; a script's own edits call no script.
func (e Edit) Set(column int, value any) { e.s.write(column, e.Row, [][]any{{value}}) }

// edited runs the script for a cell that was c before.
func (s *Sheet) edited(row, column int, before cell) {
	if s.script != nil {
		s.script(Edit{Row: row, Column: column, Before: before.entered(), After: s.at(row, column).entered(), s: s})
	}
}

// Entered is what stands in a cell like "F2", a formula as its text.
func (s *Sheet) Entered(at string) any {
	r := mustParse(at)
	s.b.e.mu.Lock()
	defer s.b.e.mu.Unlock()
	return s.at(r.Top, r.Left).entered()
}

func (c cell) entered() any {
	if c.formula != "" {
		return c.formula
	}
	return c.value
}

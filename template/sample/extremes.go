package sample

import (
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/writing"
	"github.com/pictifyd/pictifyd/template"
)

// Extremes looks at rows and keeps those in which something is longest, shortest
// or missing. It is for one goroutine.
type Extremes struct {
	vars     []template.Var
	of       []extreme // of each variable
	rows     int
	first    Row
	emptiest kept
	scripts  writing.Count
}

// An extreme is of one variable.
type extreme struct{ longest, shortest, empty kept }

// A kept is a row and what it was kept for; the first of equal ones.
type kept struct {
	row  Row
	size int
	ok   bool
}

func (k *kept) longer(row Row, size int) {
	if !k.ok || size > k.size {
		*k = kept{row, size, true}
	}
}

func (k *kept) shorter(row Row, size int) {
	if !k.ok || size < k.size {
		*k = kept{row, size, true}
	}
}

// NewExtremes looks at the values of vars.
func NewExtremes(vars []template.Var) *Extremes {
	return &Extremes{vars: vars, of: make([]extreme, len(vars))}
}

// Add looks at a row, which must not be changed after it.
func (e *Extremes) Add(row Row) {
	if e.rows++; e.rows == 1 {
		e.first = row
	}
	missing := 0
	for i, v := range e.vars {
		value := row.Values[v.Name]
		if empty(value) {
			missing++
			e.of[i].empty.longer(row, 0)
			continue
		}
		size := Length(value)
		e.of[i].longest.longer(row, size)
		e.of[i].shortest.shorter(row, size)
		if v.Type == template.Text || v.Type == template.Any {
			e.scripts.Add(expr.Text(value))
		}
	}
	e.emptiest.longer(row, missing)
}

// Rows is how many were looked at.
func (e *Extremes) Rows() int { return e.rows }

// First is the first row.
func (e *Extremes) First() (Row, bool) { return e.first, e.rows > 0 }

// Emptiest is the row with the most variables that have no value.
func (e *Extremes) Emptiest() (Row, bool) { return e.emptiest.row, e.emptiest.ok }

// Longest is the row with the longest value of a variable.
func (e *Extremes) Longest(name string) (Row, bool) {
	x := e.variable(name).longest
	return x.row, x.ok
}

// Shortest is the row with the shortest value of a variable that is not empty.
func (e *Extremes) Shortest(name string) (Row, bool) {
	x := e.variable(name).shortest
	return x.row, x.ok
}

// Empty is the first row without a value of a variable.
func (e *Extremes) Empty(name string) (Row, bool) {
	x := e.variable(name).empty
	return x.row, x.ok
}

// Scripts are those that the texts are written in.
func (e *Extremes) Scripts() []string { return e.scripts.Names() }

func (e *Extremes) variable(name string) extreme {
	for i, v := range e.vars {
		if v.Name == name {
			return e.of[i]
		}
	}
	return extreme{}
}

// Length is how much there is to show of a value: the letters of its text, or
// those of all items of a list.
func Length(value any) int {
	switch v := value.(type) {
	case []any:
		n := len(v) // an empty item takes its place, too
		for _, item := range v {
			n += Length(item)
		}
		return n
	case map[string]any:
		n := 0
		for _, field := range v {
			n += Length(field)
		}
		return n
	}
	return utf8.RuneCountInString(expr.Text(value))
}

func empty(value any) bool {
	switch v := value.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

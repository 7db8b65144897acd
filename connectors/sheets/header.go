package sheets

import (
	"slices"
	"strings"
	"unicode"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/a1"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A header says which column of a sheet has which name.
type header struct {
	sheet string
	row   int // that it stands in
	left  int // the column of the first name
	names []string
}

// newHeader reads a header. Columns without a name are not read: somebody may
// have just inserted one.
func newHeader(sheet string, row, left int, cells []any) (header, error) {
	h := header{sheet: sheet, row: row, left: left, names: make([]string, len(cells))}
	first := map[string]int{}
	for i, c := range cells {
		name := strings.TrimFunc(text(c), invisible)
		if name == "" {
			continue
		}
		if before, twice := first[name]; twice {
			return h, h.drift("columns %s and %s are both named %q", a1.Column(left+before), a1.Column(left+i), name).
				WithHint("rename one of them")
		}
		first[name], h.names[i] = i, name
	}
	if len(first) == 0 {
		return h, h.drift("there is no header").
			WithHint("this row has to name the columns; set header_row where another one does")
	}
	return h, nil
}

func (h header) drift(format string, args ...any) *problem.Error {
	e := problem.New(problem.Invalid, format, args...).WithSlug("schema_drift")
	e.Message = position(h.sheet, h.left, h.row) + ": " + e.Message
	return e
}

// position is a place as a person finds it: "Products!A14".
func position(sheet string, column, row int) string {
	return a1.Range{Sheet: sheet, Left: column, Right: column, Top: row, Down: row}.String()
}

func invisible(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' }

// column is where the column of that name stands in the cells of a row.
func (h header) column(name string) (int, bool) {
	i := slices.Index(h.names, name)
	return i, i >= 0
}

// require wants columns of these names; what says what for.
func (h header) require(what string, names []string) error {
	for _, name := range names {
		if _, ok := h.column(name); ok {
			continue
		}
		found := slices.DeleteFunc(slices.Clone(h.names), func(n string) bool { return n == "" })
		e := h.drift("%s column %q is not in the header; it has %s", what, name, connectors.Quoted(found))
		if near, ok := config.Nearest(name, found); ok {
			return e.WithHint("did you mean %q? rename it back in the sheet, or correct the configuration", near)
		}
		return e.WithHint("name it in the sheet, or correct %s or the range", what)
	}
	return nil
}

// ranges are the cells below the header in the columns of these names, as far as
// the sheet goes: where to look for a row by its key.
func (h header) ranges(names []string, top int) []string {
	all := make([]string, len(names))
	for i, name := range names {
		at, _ := h.column(name)
		all[i] = a1.Range{Sheet: h.sheet, Left: h.left + at, Right: h.left + at, Top: top}.String()
	}
	return all
}

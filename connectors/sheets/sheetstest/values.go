package sheetstest

import (
	"github.com/pictifyd/pictifyd/internal/a1"
)

// An area is a range within the grid of a sheet.
type area struct {
	s *Sheet
	a1.Range
}

// area finds what text names in b. Without grow the range has to begin within
// the grid, and is cut where that ends.
func (b *Book) area(text string) (area, *Failure) {
	r, err := a1.Parse(text)
	if err != nil {
		return area{}, invalid("Unable to parse range: %s", text)
	}
	if s := b.sheet(text); s != nil && r.Sheet == "" { // a name that looks like a cell
		r = a1.Range{Sheet: s.title}
	}
	var s *Sheet
	if r.Sheet != "" {
		s = b.sheet(r.Sheet)
	} else if len(b.sheets) > 0 {
		s = b.sheets[0]
	}
	if s == nil {
		return area{}, invalid("Unable to parse range: %s", text)
	}
	r.Sheet = s.title
	if r.Top > s.rows || r.Left > s.columns {
		return area{}, invalid("Range (%s) exceeds grid limits. Max rows: %d, max columns: %d", r, s.rows, s.columns)
	}
	r.Top, r.Left = max(r.Top, 1), max(r.Left, 1)
	if r.Down == 0 || r.Down > s.rows {
		r.Down = s.rows
	}
	if r.Right == 0 || r.Right > s.columns {
		r.Right = s.columns
	}
	return area{s, r}, nil
}

// choice is a query that is one of several words.
func choice(q request, name, usual string, words ...string) (string, *Failure) {
	given := q.query.Get(name)
	if given == "" {
		return usual, nil
	}
	for _, w := range append(words, usual) {
		if w == given {
			return given, nil
		}
	}
	return "", invalid("Invalid value at '%s' (type.googleapis.com/google.apps.sheets.v4.%s), \"%s\"", name, name, given)
}

// A rendering is how values are asked for.
type rendering struct{ dimension, values, dates string }

func renderingOf(q request, values, dates string) (r rendering, f *Failure) {
	if r.dimension, f = choice(q, "majorDimension", "ROWS", "COLUMNS", "DIMENSION_UNSPECIFIED"); f != nil {
		return r, f
	}
	if r.values, f = choice(q, values, "FORMATTED_VALUE", "UNFORMATTED_VALUE", "FORMULA"); f != nil {
		return r, f
	}
	r.dates, f = choice(q, dates, "SERIAL_NUMBER", "FORMATTED_STRING")
	return r, f
}

func (e *Emulator) getValues(b *Book, q request) (object, *Failure) {
	r, f := renderingOf(q, "valueRenderOption", "dateTimeRenderOption")
	if f != nil {
		return nil, f
	}
	a, f := b.area(q.path)
	if f != nil {
		return nil, f
	}
	return a.valueRange(r), nil
}

func (e *Emulator) batchGetValues(b *Book, q request) (object, *Failure) {
	r, f := renderingOf(q, "valueRenderOption", "dateTimeRenderOption")
	if f != nil {
		return nil, f
	}
	all := []object{}
	for _, text := range q.query["ranges"] {
		a, f := b.area(text)
		if f != nil {
			return nil, f
		}
		all = append(all, a.valueRange(r))
	}
	return object{"spreadsheetId": b.id, "valueRanges": all}, nil
}

// valueRange is a ValueRange: rows or columns that are empty at the end are left
// out, and so are the empty cells at the end of each.
func (a area) valueRange(r rendering) object {
	if r.dimension == "DIMENSION_UNSPECIFIED" {
		r.dimension = "ROWS"
	}
	lines := a.Down - a.Top + 1
	cells := a.Right - a.Left + 1
	at := func(i, j int) cell { return a.s.at(a.Top+i, a.Left+j) }
	if r.dimension == "COLUMNS" {
		lines, cells = cells, lines
		at = func(i, j int) cell { return a.s.at(a.Top+j, a.Left+i) }
		cells = min(cells, max(len(a.s.cells)-a.Top+1, 0))
	} else {
		lines = min(lines, max(len(a.s.cells)-a.Top+1, 0))
	}
	var values [][]any
	for i := range lines {
		line := []any{}
		for j := range cells {
			c := at(i, j)
			if c.empty() {
				continue
			}
			for len(line) < j {
				line = append(line, "")
			}
			line = append(line, c.render(r.values, r.dates))
		}
		if len(line) > 0 {
			for len(values) < i {
				values = append(values, []any{})
			}
			values = append(values, line)
		}
	}
	o := object{"range": a.String(), "majorDimension": r.dimension}
	if values != nil {
		o["values"] = values
	}
	return o
}

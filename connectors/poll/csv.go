package poll

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/rows"
)

// csvDecoder makes elements of the records of a table.
type csvDecoder struct {
	table  *rows.CSV
	header []string
}

func newCSV(text io.Reader, format, delimiter string, key []string) (*csvDecoder, error) {
	comma, invalid := rows.ParseDelimiter(delimiter)
	if invalid != nil {
		return nil, invalid
	}
	if comma == 0 && format == TSV {
		comma = '\t'
	}
	table, err := rows.NewCSV(text, comma, maxHeld)
	if err != nil {
		return nil, err
	}
	d := &csvDecoder{table: table, header: table.Header()}
	return d, d.requireColumns(key)
}

func (d *csvDecoder) Next() (Element, error) {
	r, err := d.table.Next()
	if err != nil {
		return Element{}, err
	}
	e := Element{Position: line(r.Line), Size: r.Size}
	switch {
	case e.Size > maxRecord:
		e.Fault = tooLarge(e.Position)
	case len(r.Cells) != len(d.header):
		e.Fault = fault(e.Position, BadRecord, "%d cells where the header has %d", len(r.Cells), len(d.header))
	default:
		e.Values = make(map[string]any, len(r.Cells))
		for i, cell := range r.Cells {
			e.Values[d.header[i]] = cell
		}
	}
	return e, nil
}

// requireColumns refuses a header without a key column: all rows would lose
// their identity at once.
func (d *csvDecoder) requireColumns(key []string) error {
	for _, column := range key {
		if !slices.Contains(d.header, column) {
			return problem.New(problem.Invalid, "key column %q is not in the header; it has %s", column, list(d.header)).
				In(atLine(d.table.HeaderLine())).WithHint("correct key, the delimiter, or the header")
		}
	}
	return nil
}

// list is names as a person reads them, cut where there are too many.
func list(names []string) string {
	const most = 20
	more := ""
	if len(names) > most {
		names, more = names[:most], ", …"
	}
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = strconv.Quote(name)
	}
	return strings.Join(quoted, ", ") + more
}

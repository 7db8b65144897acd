package poll

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/rows"
)

// maxCells bounds a sheet: blank cells take no bytes in a workbook.
const maxCells = 100_000_000

// A table is records under a header.
type table interface {
	Header() []string
	HeaderLine() int
	Next() (rows.Record, error)
}

// A tableDecoder makes elements of the records of a table.
type tableDecoder struct {
	table   table
	unit    string // what a record stands on, "line" or "row"
	header  []string
	numbers numberColumns
}

func (l Layout) newCSV(text io.Reader, format string, key []string) (*tableDecoder, error) {
	comma, invalid := rows.ParseDelimiter(l.Delimiter)
	if invalid != nil {
		return nil, invalid
	}
	if comma == 0 && format == TSV {
		comma = '\t'
	}
	t, err := rows.NewCSV(text, comma, maxHeld)
	if err != nil {
		return nil, err
	}
	return l.newTable(t, "line", key)
}

func (l Layout) newSheet(book io.Reader, key []string) (*tableDecoder, error) {
	s, err := rows.OpenSheet(book, l.Sheet, maxCells)
	if err != nil {
		return nil, err
	}
	d, err := l.newTable(s, "row", key)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return d, nil
}

func (l Layout) newTable(t table, unit string, key []string) (*tableDecoder, error) {
	d := &tableDecoder{table: t, unit: unit, header: t.Header()}
	var err error
	if d.numbers, err = l.Numbers.in(d.header); err == nil {
		err = d.requireColumns(key)
	}
	return d, err
}

// Next implements Decoder.
func (d *tableDecoder) Next() (Element, error) {
	r, err := d.table.Next()
	if err != nil {
		return Element{}, err
	}
	e := Element{Position: d.unit + " " + strconv.Itoa(r.Line), Size: r.Size}
	switch {
	case e.Size > maxRecord:
		e.Fault = tooLarge(e.Position)
	case len(r.Cells) != len(d.header):
		e.Fault = fault(e.Position, BadRecord, "%d cells where the header has %d", len(r.Cells), len(d.header))
	default:
		e.Values = make(map[string]any, len(r.Cells)+1)
		for i, cell := range r.Cells {
			e.Values[d.header[i]] = cell
		}
		e.Fault = cmp.Or(d.errorCells(e, r.Cells), d.numbers.read(e))
	}
	return e, nil
}

// errorTexts are what formulas of a sheet have for a result where they have none.
var errorTexts = []string{"#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#SPILL!", "#CALC!"}

// errorCells says which cell of a sheet has an error, and takes the values away that
// are none; in other tables a text is a text.
func (d *tableDecoder) errorCells(e Element, cells []string) (first *connectors.Fault) {
	if _, sheet := d.table.(*rows.Sheet); !sheet {
		return nil
	}
	for i, cell := range cells {
		if strings.HasPrefix(cell, "#") && slices.Contains(errorTexts, cell) {
			first = cmp.Or(first, fault(e.Position, ErrorCell, "%s is %s", d.header[i], cell))
			delete(e.Values, d.header[i])
		}
	}
	return first
}

func (d *tableDecoder) missingNumbers() (missing, header []string) {
	return d.numbers.missing, d.header
}

// Close gives up what the table holds.
func (d *tableDecoder) Close() error {
	if c, ok := d.table.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// requireColumns refuses a header without a key column: all rows would lose
// their identity at once.
func (d *tableDecoder) requireColumns(key []string) error {
	for _, column := range key {
		if slices.Contains(d.header, column) {
			continue
		}
		e := problem.New(problem.Invalid, "key column %q is not in the header; it has %s", column, connectors.Quoted(d.header)).
			In(atLine(d.table.HeaderLine()))
		if near, ok := config.Nearest(column, d.header); ok {
			return e.WithHint("did you mean %q? correct key, or the header", near)
		}
		return e.WithHint("correct key, the delimiter, or the header")
	}
	return nil
}

package batch

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/rows"
)

// ndjsonRows reads one object a line. A line that is none is a failed row, but
// for a last one without a line end that breaks off: there the body was cut.
type ndjsonRows struct{}

func (ndjsonRows) read(d *decoder) error {
	lines := rows.NewLines(d.in, MaxRow)
	for {
		line, err := lines.Next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		r, err := lineRow(d.rows, line)
		if err != nil {
			return d.cutShort()
		}
		if err := d.give(r); err != nil {
			return err
		}
	}
}

// lineRow is the row of a line, or an error where the line breaks off at the
// end of the body.
func lineRow(index int64, line rows.Line) (Row, error) {
	r := Row{Index: index, Key: strconv.FormatInt(index, 10)}
	fail := func(code, format string, args ...any) Row {
		r.Error = &RowError{Code: code, Message: fmt.Sprintf(format, args...)}
		return r
	}
	text := line.Text
	if line.Number == 1 {
		text = trimMark(text)
	}
	switch {
	case line.TooLong:
		return fail("too_large", "line %d has %d bytes, and a row at most %d", line.Number, line.Size, MaxRow), nil
	case !utf8.Valid(text):
		return fail("bad_row", "line %d is not UTF-8", line.Number), nil
	case json.Valid(text):
		return newRow(index, append(json.RawMessage(nil), text...)), nil
	}
	var v json.RawMessage
	err := json.Unmarshal(text, &v)
	if syntax := (*json.SyntaxError)(nil); !line.Ended && errors.As(err, &syntax) && syntax.Offset >= int64(len(text)) {
		return r, io.ErrUnexpectedEOF
	}
	return fail("bad_row", "line %d is not JSON: %v", line.Number, err), nil
}

func trimMark(text []byte) []byte {
	if len(text) >= 3 && string(text[:3]) == "\xef\xbb\xbf" {
		return text[3:]
	}
	return text
}

// cutShort is the problem of a body that ends in the middle.
func (d *decoder) cutShort() error {
	return problem.New(problem.Invalid, "the body ends in the middle: %d rows were read, and nothing was accepted", d.rows).
		WithSlug("body_cut_short").WithHint("send it again, with the same Idempotency-Key if it had one")
}

// csvRows reads a table with a header. Every cell is a text.
type csvRows struct{}

func (csvRows) read(d *decoder) error {
	comma := d.fields.layout.Delimiter
	if comma == 0 && d.form.Format == TSV {
		comma = '\t'
	}
	table, err := rows.NewCSV(rows.Text(d.in), comma, maxHeld)
	if err != nil {
		return d.explain(err)
	}
	columns := newColumns(table.Header())
	for {
		record, err := table.Next()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return d.explain(err)
		}
		if err := d.give(columns.row(d.rows, record.Cells, fmt.Sprintf("line %d", record.Line))); err != nil {
			return err
		}
	}
}

// explain gives a problem of the table a slug; its line stands in the message,
// because the body is no file that anybody could open.
func (d *decoder) explain(err error) error {
	var found *problem.Error
	if d.in.err != nil || !errors.As(err, &found) || found.Slug != "" {
		return err
	}
	told := *found
	told.Slug = "bad_table"
	if told.Code == problem.TooLarge {
		told.Slug = "row_too_large"
	}
	if told.Pos.Line > 0 {
		told.Message = fmt.Sprintf("line %d: %s", told.Pos.Line, told.Message)
	}
	return &told
}

// columns make a JSON object of the cells of a record.
type columns struct {
	names [][]byte // with quotes and colon
}

func newColumns(header []string) *columns {
	c := &columns{}
	for _, name := range header {
		c.names = append(c.names, append(asJSON(name), ':'))
	}
	return c
}

// row is the row of the cells, which stand at place. Fewer than the header has
// columns, or more, are the row's fault.
func (c *columns) row(index int64, cells []string, place string) Row {
	if len(cells) != len(c.names) {
		return Row{Index: index, Key: strconv.FormatInt(index, 10), Error: &RowError{
			Code: "bad_row", Message: fmt.Sprintf("%s has %d cells where the header has %d", place, len(cells), len(c.names)),
		}}
	}
	size := 2
	for i, cell := range cells {
		size += len(c.names[i]) + len(cell) + 3
	}
	text := make([]byte, 0, size+size/8)
	for i, cell := range cells {
		if i == 0 {
			text = append(text, '{')
		} else {
			text = append(text, ',')
		}
		text = append(text, c.names[i]...)
		text = appendText(text, cell)
	}
	return newRow(index, append(text, '}'))
}

// appendText appends s as JSON. Nearly every cell needs nothing escaped.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] == '"' || s[i] == '\\' {
			return append(b, asJSON(s)...)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

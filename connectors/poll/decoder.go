package poll

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/rows"
)

// The formats of documents.
const (
	CSV    = "csv"
	TSV    = "tsv"
	XLSX   = "xlsx"
	JSON   = "json"
	NDJSON = "ndjson"
)

// Formats lists the formats that can be decoded.
func Formats() []string { return []string{CSV, TSV, XLSX, JSON, NDJSON} }

// A record larger than maxRecord is set aside as a fault. One larger than
// maxHeld ends the reading, because it has to be held to find its end.
const (
	maxRecord = 10 << 20
	maxHeld   = 4 * maxRecord
)

// The reasons of faults.
const (
	BadRecord = "bad_record" // it is not what the format promises a row to be
	TooLarge  = "too_large"
	ErrorCell = "error_cell" // a formula in it has an error for a result
)

// An Element is one record of a document: the values of a row, or the fault
// that keeps it from being one.
type Element struct {
	Values   map[string]any    // beside a fault those that could be read, or nil
	Fault    *connectors.Fault // nil for a row
	Position string            // as in connectors.Row
	Size     int64             // bytes in the document
}

// A Decoder yields the elements of one document in order. Next returns io.EOF
// only after a document that is whole; any other error says that the rest of
// the document can't be trusted. One that holds more than memory is an io.Closer;
// Reading.Copy closes it.
type Decoder interface {
	Next() (Element, error)
}

// A Layout is how rows stand in a document. Kinds of sources embed it in their
// configuration.
type Layout struct {
	Format    string  `yaml:"format"`    // csv, tsv, xlsx, json, ndjson; empty is for the source to find out
	Rows      string  `yaml:"rows"`      // json: where the array of rows is; empty is "$"
	Delimiter string  `yaml:"delimiter"` // csv: what separates cells; empty is found in the header
	Encoding  string  `yaml:"encoding"`  // of a text without a byte order mark; empty is UTF-8
	Sheet     string  `yaml:"sheet"`     // xlsx: which one; empty is the first
	Numbers   Numbers `yaml:"numbers"`   // csv, tsv, xlsx
}

// Problems says what is wrong with the layout, with paths relative to it.
func (l Layout) Problems() problem.List {
	var list problem.List
	if l.Format != "" && !slices.Contains(Formats(), l.Format) {
		list = append(list, Unsupported(l.Format).At("format"))
	}
	if _, err := parsePath(l.Rows); err != nil {
		list = append(list, err.At("rows"))
	} else if l.Rows != "" && l.Format != "" && l.Format != JSON {
		list = append(list, problem.New(problem.Invalid, "a rows path is for format json, not %s", l.Format).
			At("rows").WithHint("leave rows out, or set format: json"))
	}
	if _, err := rows.ParseDelimiter(l.Delimiter); err != nil {
		list = append(list, err.At("delimiter"))
	} else if l.Delimiter != "" && l.Format != "" && l.Format != CSV {
		list = append(list, problem.New(problem.Invalid, "a delimiter is for format csv, not %s", l.Format).
			At("delimiter").WithHint("leave delimiter out, or set format: csv"))
	}
	if _, err := rows.ParseEncoding(l.Encoding); err != nil {
		list = append(list, err.At("encoding"))
	} else if l.Encoding != "" && l.Format == XLSX {
		list = append(list, problem.New(problem.Invalid, "an encoding is for texts, not for xlsx").
			At("encoding").WithHint("leave encoding out"))
	}
	if l.Sheet != "" && l.Format != "" && l.Format != XLSX {
		list = append(list, problem.New(problem.Invalid, "a sheet is for format xlsx, not %s", l.Format).
			At("sheet").WithHint("leave sheet out, or set format: xlsx"))
	}
	return append(list, l.numberProblems()...)
}

func (l Layout) numberProblems() problem.List {
	list := l.Numbers.problems()
	if len(l.Numbers.Columns) > 0 && (l.Format == JSON || l.Format == NDJSON) {
		list = append(list, problem.New(problem.Invalid, "numbers are for tables: %s says itself what is a number", l.Format).
			At("numbers").WithHint("leave numbers out"))
	}
	return list
}

// Decoder decodes document as format, which is l.Format where that is set. It
// reads no further than it has to for the next element, and to the end of the
// document before it says io.EOF. In a format with a header, the columns of key
// have to be in it.
func (l Layout) Decoder(format string, document io.Reader, key []string) (Decoder, error) {
	encoding, invalid := rows.ParseEncoding(l.Encoding)
	if invalid != nil {
		return nil, invalid
	}
	text := rows.TextIn(document, encoding)
	switch format {
	case CSV, TSV:
		return l.newCSV(text, format, key)
	case XLSX:
		return l.newSheet(document, key)
	case JSON:
		return newJSON(text, l.Rows)
	case NDJSON:
		return newNDJSON(text), nil
	}
	return nil, Unsupported(format)
}

// Unsupported is the problem of a format that can't be decoded.
func Unsupported(format string) *problem.Error {
	e := problem.New(problem.Unsupported, "format %q is not supported; supported are %s", format, strings.Join(Formats(), ", "))
	if strings.HasPrefix(format, "xls") || format == "ods" {
		return e.WithHint("save the sheet as XLSX, or as CSV (UTF-8)")
	}
	return e
}

func fault(position, reason, format string, args ...any) *connectors.Fault {
	return &connectors.Fault{Position: position, Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

func tooLarge(position string) *connectors.Fault {
	return fault(position, TooLarge, "larger than %d MB", maxRecord>>20)
}

func line(n int) string { return "line " + strconv.Itoa(n) }

func atLine(n int) problem.Position { return problem.Position{Line: n} }

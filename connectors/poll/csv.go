package poll

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// delimiters are the ones that are found in a header; the first wins a tie.
const delimiters = ",;\t|"

// csvDecoder reads a table with a header. Every cell is a string as it stands,
// but that encoding/csv turns a CRLF inside a cell into LF.
type csvDecoder struct {
	text   []byte
	r      *csv.Reader
	window *window
	begin  int64 // offset of the record that is read now
	header []string
}

func newCSV(text []byte, format, delimiter string, key []string) (*csvDecoder, error) {
	w := &window{r: bytes.NewReader(text)}
	d := &csvDecoder{text: text, r: csv.NewReader(w), window: w}
	d.r.FieldsPerRecord = -1
	d.r.ReuseRecord = true
	var err *problem.Error
	if d.r.Comma, err = parseDelimiter(delimiter); err != nil {
		return nil, err
	}
	switch {
	case d.r.Comma != 0:
	case format == TSV:
		d.r.Comma = '\t'
	default:
		d.r.Comma = findDelimiter(text)
	}
	return d, d.readHeader(key)
}

func (d *csvDecoder) Next() (Element, error) {
	for {
		cells, n, err := d.record()
		if err != nil {
			return Element{}, err
		}
		if blank(cells) {
			continue
		}
		e := Element{Position: line(n), Size: d.r.InputOffset() - d.begin}
		switch {
		case e.Size > maxRecord:
			e.Fault = tooLarge(e.Position)
		case len(cells) != len(d.header):
			e.Fault = fault(e.Position, BadRecord, "%d cells where the header has %d", len(cells), len(d.header))
		default:
			e.Values = make(map[string]any, len(cells))
			for i, cell := range cells {
				e.Values[d.header[i]] = cell
			}
		}
		return e, nil
	}
}

// record is the next record and the line that it begins on.
func (d *csvDecoder) record() ([]string, int, error) {
	d.begin = d.r.InputOffset()
	d.window.moveTo(d.begin)
	cells, err := d.r.Read()
	if err != nil {
		return nil, 0, d.explain(err)
	}
	n, _ := d.r.FieldPos(0)
	return cells, n, nil
}

func (d *csvDecoder) explain(err error) error {
	if errors.Is(err, errHeld) {
		return problem.New(problem.TooLarge, "a record is larger than %d MB", maxHeld>>20).
			In(atLine(lineAt(d.text, int(d.begin)))).WithHint("see whether a quote is left open")
	}
	var parse *csv.ParseError
	if !errors.As(err, &parse) {
		return err
	}
	pos := problem.Position{Line: parse.Line, Column: parse.Column}
	if errors.Is(err, csv.ErrBareQuote) {
		return problem.New(problem.Invalid, `a quote inside a cell that is not quoted`).In(pos).
			WithHint(`quote the whole cell and double the quotes inside it, as in "19"" rack"`)
	}
	return problem.New(problem.Invalid, "a quote is not closed, in the record that begins on line %d", parse.StartLine).
		In(pos).WithHint(`close it; a quote inside a quoted cell is doubled, as in "19"" rack"`)
}

func (d *csvDecoder) readHeader(key []string) error {
	cells, n, err := d.record()
	if errors.Is(err, io.EOF) {
		return problem.New(problem.Invalid, "there is no header").
			WithHint("the first line has to name the columns")
	} else if err != nil {
		return err
	}
	seen := make(map[string]int, len(cells))
	for i, cell := range cells {
		name := strings.TrimFunc(cell, invisible)
		switch first, twice := seen[name]; {
		case strings.ContainsRune(name, '\r'):
			return problem.New(problem.Invalid, "the lines end in a lone CR").In(atLine(n)).
				WithHint("save the document with LF or CRLF as line ends")
		case name == "":
			return problem.New(problem.Invalid, "column %d has no name in the header", i+1).In(atLine(n)).
				WithHint("name the column, or remove it")
		case twice:
			return problem.New(problem.Invalid, "columns %d and %d of the header are both named %q", first, i+1, name).
				In(atLine(n)).WithHint("rename one of them")
		}
		seen[name] = i + 1
		d.header = append(d.header, name)
	}
	return d.requireColumns(key, n)
}

// requireColumns refuses a header without a key column: all rows would lose
// their identity at once.
func (d *csvDecoder) requireColumns(key []string, n int) error {
	for _, column := range key {
		if !slices.Contains(d.header, column) {
			return problem.New(problem.Invalid, "key column %q is not in the header; it has %s", column, list(d.header)).
				In(atLine(n)).WithHint("correct key, the delimiter, or the header")
		}
	}
	return nil
}

// invisible reports what does not belong to a name: spaces, and the byte order
// marks that tables bear which were glued together.
func invisible(r rune) bool { return unicode.IsSpace(r) || r == '\ufeff' }

// blank reports whether a record has no value at all, as the rows below the
// data of an exported sheet.
func blank(cells []string) bool {
	for _, cell := range cells {
		if strings.TrimSpace(cell) != "" {
			return false
		}
	}
	return true
}

// findDelimiter is the delimiter that occurs most often outside of quotes in
// the first line that is not empty; a comma if there is none.
func findDelimiter(text []byte) rune {
	counts := make([]int, len(delimiters))
	quoted := false
	for _, b := range bytes.TrimLeft(text, "\r\n") {
		if b == '"' {
			quoted = !quoted
		} else if !quoted && b == '\n' {
			break
		} else if i := strings.IndexByte(delimiters, b); i >= 0 && !quoted {
			counts[i]++
		}
	}
	most := slices.Max(counts)
	return rune(delimiters[slices.Index(counts, most)])
}

// parseDelimiter is the delimiter that text names, 0 for none.
func parseDelimiter(text string) (rune, *problem.Error) {
	switch text {
	case "":
		return 0, nil
	case "tab", `\t`:
		return '\t', nil
	}
	r, size := utf8.DecodeRuneInString(text)
	if size != len(text) || r == utf8.RuneError || strings.ContainsRune("\"\r\n\x00", r) {
		return 0, problem.New(problem.Invalid, "%q can't separate cells", text).
			WithHint(`one character, as in ";", or "tab"`)
	}
	return r, nil
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

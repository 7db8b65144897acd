package rows

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// delimiters are the ones that are found in a header; the first wins a tie.
const delimiters = ",;\t|"

// headerLook is how far a header is looked at for its delimiter.
const headerLook = 64 << 10

// A Record is one record of a table that is not blank.
type Record struct {
	Cells []string // good until the next call; they need not be as many as the header's
	Line  int      // that it begins on
	Size  int64    // in bytes
}

// A CSV reads a table with a header. Every cell is a string as it stands, but
// that encoding/csv turns a CRLF inside a cell into LF.
type CSV struct {
	r      *csv.Reader
	window *Window
	begin  int64 // offset of the record that is read now
	line   int   // that it begins on, at least
	header []string
	at     int // the line of the header
}

// NewCSV reads the header of text, whose records are at most held bytes.
// delimiter 0 is found in the header.
func NewCSV(text io.Reader, delimiter rune, held int64) (*CSV, error) {
	look := bufio.NewReaderSize(text, headerLook)
	if delimiter == 0 {
		begin, err := headerOf(look)
		if err != nil {
			return nil, err
		}
		delimiter = findDelimiter(begin)
	}
	w := &Window{From: look, Size: held}
	d := &CSV{r: csv.NewReader(w), window: w, line: 1}
	d.r.FieldsPerRecord = -1
	d.r.ReuseRecord = true
	d.r.Comma = delimiter
	return d, d.readHeader()
}

// headerOf is the beginning of a table up to the end of its first line that is
// not empty, as far as that is held. It waits for no more than that.
func headerOf(look *bufio.Reader) (begin []byte, err error) {
	var first firstLine
	for {
		before := len(begin)
		_, err := look.Peek(before + 1)
		begin, _ = look.Peek(look.Buffered())
		switch {
		case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case err != nil, first.endsIn(begin[before:]):
			return begin, nil
		}
	}
}

// A firstLine looks for the end of the first line that is not empty, outside of
// quotes, in pieces of a text.
type firstLine struct{ begun, quoted bool }

func (f *firstLine) endsIn(next []byte) bool {
	for _, b := range next {
		switch {
		case b == '"':
			f.begun, f.quoted = true, !f.quoted
		case b == '\n' && f.begun && !f.quoted:
			return true
		case b != '\n' && b != '\r':
			f.begun = true
		}
	}
	return false
}

// Header names the columns, in their order.
func (d *CSV) Header() []string { return d.header }

// HeaderLine is the line that the header stands on.
func (d *CSV) HeaderLine() int { return d.at }

// Next is the next record that has a value, or io.EOF after the whole table.
func (d *CSV) Next() (Record, error) {
	for {
		r, err := d.record()
		if err != nil || !blank(r.Cells) {
			return r, err
		}
	}
}

func (d *CSV) record() (Record, error) {
	d.begin = d.r.InputOffset()
	d.window.MoveTo(d.begin)
	cells, err := d.r.Read()
	if err != nil {
		return Record{}, d.explain(err)
	}
	n, _ := d.r.FieldPos(0)
	last, _ := d.r.FieldPos(len(cells) - 1)
	d.line = last + strings.Count(cells[len(cells)-1], "\n") + 1
	return Record{Cells: cells, Line: n, Size: d.r.InputOffset() - d.begin}, nil
}

func (d *CSV) explain(err error) error {
	if errors.Is(err, ErrHeld) {
		return problem.New(problem.TooLarge, "a record is larger than %d MB", d.window.Size>>20).
			In(problem.Position{Line: d.line}).WithHint("see whether a quote is left open")
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

func (d *CSV) readHeader() error {
	r, err := d.record()
	if errors.Is(err, io.EOF) {
		return NoHeader()
	} else if err != nil {
		return err
	}
	d.at = r.Line
	d.header, err = Header(r.Cells, r.Line)
	return err
}

// NoHeader is the problem of a table without a line.
func NoHeader() error {
	return problem.New(problem.Invalid, "there is no header").
		WithHint("the first line has to name the columns")
}

// Header is the names that the cells of line give to columns, or why they can't
// be such.
func Header(cells []string, line int) ([]string, error) {
	at := problem.Position{Line: line}
	header := make([]string, len(cells))
	seen := make(map[string]int, len(cells))
	for i, cell := range cells {
		name := strings.TrimFunc(cell, invisible)
		switch first, twice := seen[name]; {
		case strings.ContainsRune(name, '\r'):
			return nil, problem.New(problem.Invalid, "the lines end in a lone CR").In(at).
				WithHint("save the document with LF or CRLF as line ends")
		case name == "":
			return nil, problem.New(problem.Invalid, "column %d has no name in the header", i+1).In(at).
				WithHint("name the column, or remove it")
		case twice:
			return nil, problem.New(problem.Invalid, "columns %d and %d of the header are both named %q", first, i+1, name).
				In(at).WithHint("rename one of them")
		}
		seen[name] = i + 1
		header[i] = name
	}
	return header, nil
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

// ParseDelimiter is the delimiter that text names, 0 for none.
func ParseDelimiter(text string) (rune, *problem.Error) {
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

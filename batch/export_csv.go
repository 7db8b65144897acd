package batch

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// CSVOptions are the choices of whoever takes a CSV. The zero value is a comma,
// no byte order mark, and every cell as it is.
type CSVOptions struct {
	Delimiter byte // 0: a comma
	BOM       bool // Excel takes a file without one for the system's old encoding
	// Formulas writes ' before each of the caller's texts that a spreadsheet would
	// take for a formula. What pictifyd itself adds is always written so.
	Formulas bool
}

// utf8BOM marks a text as UTF-8 for Excel.
const utf8BOM = "\uFEFF"

// A csvWriter writes records after RFC 4180. The library's writer would make
// CRLF of the newlines within a cell, or end records with a bare LF.
type csvWriter struct {
	out     *bufio.Writer
	options CSVOptions
	special string // what a cell is quoted for
	line    []byte // of the next record, as far as it is there
}

func newCSVWriter(w io.Writer, o CSVOptions) *csvWriter {
	if o.Delimiter == 0 {
		o.Delimiter = ','
	}
	c := &csvWriter{out: bufio.NewWriterSize(w, 64<<10), options: o, special: "\"\r\n" + string(o.Delimiter)}
	if o.BOM {
		c.line = append(c.line, utf8BOM...)
	}
	return c
}

// write writes one record of at least one cell. Its error is also that of every
// later write.
func (c *csvWriter) write(cells []string) error {
	for i, cell := range cells {
		if i > 0 {
			c.line = append(c.line, c.options.Delimiter)
		}
		c.cell(cell)
	}
	_, err := c.out.Write(append(c.line, '\r', '\n'))
	c.line = c.line[:0]
	return err
}

func (c *csvWriter) cell(text string) {
	if !c.quotes(text) {
		c.line = append(c.line, text...)
		return
	}
	c.line = append(c.line, '"')
	for part := range strings.SplitSeq(text, `"`) {
		c.line = append(append(c.line, part...), `""`...)
	}
	c.line = c.line[:len(c.line)-1] // of the last part's two
}

// quotes says whether a cell needs quotes: some readers trim spaces, and a
// first cell must not begin as a mark of the file's encoding does.
func (c *csvWriter) quotes(text string) bool {
	return strings.ContainsAny(text, c.special) || strings.HasPrefix(text, " ") || strings.HasSuffix(text, " ") ||
		strings.HasPrefix(text, utf8BOM)
}

func (c *csvWriter) flush() error { return c.out.Flush() }

// Harmless is text so that no spreadsheet takes it for a formula. A number is none.
func Harmless(text string) string {
	if text == "" || strings.IndexByte("=+-@\t\r", text[0]) < 0 {
		return text
	}
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		return text
	}
	return "'" + text
}

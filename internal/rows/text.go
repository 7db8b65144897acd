package rows

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// Text is r as UTF-8 without a byte order mark. UTF-16 is recognised by its mark
// only. Bytes that are no text, and NUL, are a problem at their line; what stood
// before them may have been read by then.
func Text(r io.Reader) io.Reader { return TextIn(r, Encoding{}) }

// TextIn is Text of a document without a byte order mark in this encoding. A mark
// is believed before it.
func TextIn(r io.Reader, e Encoding) io.Reader {
	return &text{from: bufio.NewReaderSize(r, 64<<10), encoding: e}
}

type text struct {
	from     *bufio.Reader
	begun    bool
	encoding Encoding         // of what has no mark
	decoded  io.Reader        // UTF-8 made of another encoding; nil where from is UTF-8
	order    binary.ByteOrder // of UTF-16; nil for UTF-8
	ready    []byte           // decoded from UTF-16, not yet read
	half     []byte           // of a character of UTF-8 whose rest is to come
	lines    int              // line ends so far
	err      error
}

func (t *text) Read(p []byte) (int, error) {
	if !t.begun {
		t.begun = true
		t.begin()
	}
	switch {
	case len(p) == 0:
		return 0, nil
	case t.order != nil:
		return t.readUTF16(p)
	case t.err != nil:
		return 0, t.err
	}
	n, err := t.source().Read(p)
	if invalid := t.check(p[:n], err); invalid != nil {
		t.err = invalid
		return 0, invalid
	}
	return n, err
}

// begin takes the byte order mark.
func (t *text) begin() {
	mark, _ := t.from.Peek(3) // what is shorter has none, and an error comes again
	switch {
	case bytes.Equal(mark, []byte("\xef\xbb\xbf")):
		_, _ = t.from.Discard(3)
	case bytes.HasPrefix(mark, []byte("\xff\xfe")):
		t.order = binary.LittleEndian
	case bytes.HasPrefix(mark, []byte("\xfe\xff")):
		t.order = binary.BigEndian
	default:
		t.order = t.encoding.order
		if t.encoding.other != nil {
			t.decoded = t.encoding.other.NewDecoder().Reader(t.from)
		}
		return
	}
	if t.order != nil {
		_, _ = t.from.Discard(2)
	}
}

// source is what gives UTF-8.
func (t *text) source() io.Reader {
	if t.decoded != nil {
		return t.decoded
	}
	return t.from
}

// check says what is wrong with the next bytes of UTF-8, after which came end.
func (t *text) check(next []byte, end error) error {
	whole := next
	if len(t.half) > 0 {
		whole = slices.Concat(t.half, next)
	}
	known := whole[:len(whole)-unfinished(whole)]
	if errors.Is(end, io.EOF) {
		known = whole
	}
	if n := invalidAt(known); n < len(known) {
		t.lines += bytes.Count(known[:n], newline)
		return problem.New(problem.Invalid, "byte 0x%02x is not UTF-8", known[n]).
			In(t.here()).WithHint("save the document as UTF-8, or say in which encoding it is")
	}
	if n := bytes.IndexByte(known, 0); n >= 0 {
		t.lines += bytes.Count(known[:n], newline)
		return t.foundNUL()
	}
	if invalid := t.foundForeign(known); invalid != nil {
		return invalid
	}
	t.lines += bytes.Count(known, newline)
	t.half = append([]byte(nil), whole[len(known):]...)
	return nil
}

var newline = []byte("\n")

func (t *text) here() problem.Position { return problem.Position{Line: t.lines + 1} }

func (t *text) foundNUL() error {
	return problem.New(problem.Invalid, "a NUL byte").In(t.here()).
		WithHint("see that it is a text, and that UTF-16 begins with a byte order mark")
}

// unfinished is how many bytes at the end of b begin a character that is not
// whole.
func unfinished(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if tail := b[len(b)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

func invalidAt(b []byte) int {
	if utf8.Valid(b) {
		return len(b)
	}
	n := 0
	for n < len(b) {
		r, size := utf8.DecodeRune(b[n:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		n += size
	}
	return n
}

func (t *text) readUTF16(p []byte) (int, error) {
	for len(t.ready) < len(p) && t.err == nil {
		var r rune
		if r, t.err = t.character(); t.err == nil {
			t.ready = utf8.AppendRune(t.ready, r)
		}
	}
	if len(t.ready) == 0 {
		return 0, t.err
	}
	n := copy(p, t.ready)
	t.ready = t.ready[:copy(t.ready, t.ready[n:])]
	return n, nil
}

// character is the next character of UTF-16.
func (t *text) character() (rune, error) {
	r, err := t.unit()
	if err != nil {
		return 0, err
	}
	if utf16.IsSurrogate(r) {
		second, err := t.unit()
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if r = utf16.DecodeRune(r, second); r == utf8.RuneError {
			return 0, t.foundHalf()
		}
	}
	switch r {
	case 0:
		return 0, t.foundNUL()
	case '\n':
		t.lines++
	}
	return r, nil
}

func (t *text) unit() (rune, error) {
	var b [2]byte
	_, err := io.ReadFull(t.from, b[:])
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return 0, t.foundHalf()
	}
	return rune(t.order.Uint16(b[:])), err
}

func (t *text) foundHalf() error {
	return problem.New(problem.Invalid, "half a character of UTF-16").
		In(t.here()).WithHint("see that the document was written to its end")
}

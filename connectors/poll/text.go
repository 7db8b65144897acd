package poll

import (
	"bytes"
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// utf8Text is data as UTF-8 without a byte order mark. UTF-16 is recognised by
// its mark only.
func utf8Text(data []byte) ([]byte, error) {
	text := data
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		text = data[3:]
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		return fromUTF16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		return fromUTF16(data[2:], binary.BigEndian)
	}
	if !utf8.Valid(text) {
		n := invalidAt(text)
		return nil, problem.New(problem.Invalid, "byte 0x%02x is not UTF-8", text[n]).
			In(atLine(lineAt(text, n))).WithHint("save the document as UTF-8")
	}
	return text, refuseNUL(text)
}

func fromUTF16(data []byte, order binary.ByteOrder) ([]byte, error) {
	text := make([]byte, 0, len(data))
	for i := 0; i < len(data); {
		unit, size := rune(0xFFFD), 0
		if i+2 <= len(data) {
			unit, size = rune(order.Uint16(data[i:])), 2
		}
		if utf16.IsSurrogate(unit) && i+4 <= len(data) {
			unit, size = utf16.DecodeRune(unit, rune(order.Uint16(data[i+2:]))), 4
			if unit == 0xFFFD {
				size = 0
			}
		}
		if size == 0 || utf16.IsSurrogate(unit) {
			return nil, problem.New(problem.Invalid, "half a character of UTF-16").
				In(atLine(lineAt(text, len(text)))).WithHint("see that the document was written to its end")
		}
		text = utf8.AppendRune(text, unit)
		i += size
	}
	return text, refuseNUL(text)
}

func refuseNUL(text []byte) error {
	n := bytes.IndexByte(text, 0)
	if n < 0 {
		return nil
	}
	return problem.New(problem.Invalid, "a NUL byte").In(atLine(lineAt(text, n))).
		WithHint("see that it is a text, and that UTF-16 begins with a byte order mark")
}

func invalidAt(text []byte) int {
	n := 0
	for n < len(text) {
		r, size := utf8.DecodeRune(text[n:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		n += size
	}
	return n
}

func lineAt(text []byte, n int) int { return 1 + bytes.Count(text[:n], []byte("\n")) }

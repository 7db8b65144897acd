package markup

import (
	"bytes"
	"strings"
)

// A Mark is one {{ expression }}.
type Mark struct {
	Start, End int // of the whole, in bytes
	Text       int // where the expression begins
	Src        string
}

// Marks finds the expressions of src, and returns src with each of them
// overwritten by letters. HTML is read from that copy: quotes and angle brackets
// inside an expression are no HTML, and every place stays where it was.
// Comments and scripts have no expressions.
func Marks(src []byte) (marks []Mark, masked []byte) {
	masked = bytes.Clone(src)
	lastEnd := bytes.LastIndex(src, []byte("}}"))
	for i := 0; i < len(src); {
		if src[i] != '<' && src[i] != '{' { // as most bytes are
			i++
			continue
		}
		rest := src[i:]
		switch {
		case bytes.HasPrefix(rest, []byte("<!--")):
			i = past(src, i+4, "-->")
		case isScript(rest):
			i = past(src, i, "</script")
		case i+2 <= lastEnd && bytes.HasPrefix(rest, []byte("{{")):
			m := markAt(src, i, len(marks) < manyMarks)
			marks = append(marks, m)
			for j := m.Start; j < m.End; j++ {
				masked[j] = 'x'
			}
			i = m.End
		default:
			i++
		}
	}
	return marks, masked
}

func past(src []byte, from int, end string) int {
	if i := indexFold(src[from:], end); i >= 0 {
		return from + i + len(end)
	}
	return len(src)
}

func indexFold(src []byte, lower string) int {
	for i := 0; i+len(lower) <= len(src); i++ {
		if src[i] == lower[0] && strings.EqualFold(string(src[i:i+len(lower)]), lower) {
			return i
		}
	}
	return -1
}

func isScript(src []byte) bool {
	const open = "<script"
	return len(src) > len(open) && strings.EqualFold(string(src[:len(open)]), open) && strings.IndexByte(" \t\r\n\f/>", src[len(open)]) >= 0
}

// markAt reads the expression that begins at i. The first }} outside quotes and
// inner braces ends it; where the quotes do not pair up, the first }} at all,
// and the compiler says what is wrong.
func markAt(src []byte, i int, exact bool) Mark {
	end := -1
	if exact {
		end = closing(src[:min(len(src), i+maxMark)], i+2)
	}
	if end < 0 {
		end = i + 2 + bytes.Index(src[i+2:], []byte("}}"))
	}
	return Mark{Start: i, End: end + 2, Text: i + 2, Src: string(src[i+2 : end])}
}

// maxMark bounds the search for the end of one expression, so that a long
// document of unpaired quotes is still read in linear time.
const maxMark = 16 << 10

// manyMarks is beyond what any template may have: of further expressions the
// end is guessed, so that a hostile document takes no longer.
const manyMarks = 2000

func closing(src []byte, i int) int {
	depth := 0
	var quote byte
	for ; i < len(src); i++ {
		c := src[i]
		switch {
		case quote != 0:
			if c == '\\' && quote != '`' {
				i++
			} else if c == quote {
				quote = 0
			} else if c == '\n' && quote != '`' {
				return -1
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '{':
			depth++
		case c == '}' && depth > 0:
			depth--
		case c == '}' && i+1 < len(src) && src[i+1] == '}':
			return i
		}
	}
	return -1
}

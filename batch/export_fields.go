package batch

import (
	"bytes"
	"encoding/json"
	"iter"
	"unicode/utf8"
)

// fieldsOf are the fields of a JSON object in the order in which they stand,
// each with its value as it was sent. Of a text that is no JSON object it gives
// what it understands.
func fieldsOf(object []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		rest, ok := bytes.CutPrefix(bytes.TrimSpace(object), []byte("{"))
		for ok {
			name, after := cutValue(rest)
			if len(name) == 0 || name[0] != '"' {
				return
			}
			if after, ok = bytes.CutPrefix(skipSpace(after), []byte(":")); !ok {
				return
			}
			var value []byte
			value, after = cutValue(after)
			if len(value) == 0 || !yield(unquoted(name), value) {
				return
			}
			rest, ok = bytes.CutPrefix(skipSpace(after), []byte(","))
		}
	}
}

// cutValue is the JSON value that text begins with, and what follows it.
func cutValue(text []byte) (value, after []byte) {
	text = skipSpace(text)
	depth, i := 0, 0
	for i < len(text) {
		switch c := text[i]; {
		case c == '"':
			i = endOfText(text, i)
		case c == '{' || c == '[':
			depth++
			i++
		case c == '}' || c == ']':
			if depth == 0 { // of what the value stands in
				return text[:i], text[i:]
			}
			depth--
			i++
		case depth == 0 && (c == ',' || c == ':' || isSpace(c)):
			return text[:i], text[i:]
		default:
			i++
			continue
		}
		if depth == 0 {
			break
		}
	}
	i = min(i, len(text))
	return text[:i], text[i:]
}

// endOfText is the place behind the JSON text that begins at i.
func endOfText(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

func skipSpace(text []byte) []byte {
	for len(text) > 0 && isSpace(text[0]) {
		text = text[1:]
	}
	return text
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// unquoted is what a JSON text says.
func unquoted(quoted []byte) []byte {
	if n := len(quoted); n >= 2 && bytes.IndexByte(quoted, '\\') < 0 && utf8.Valid(quoted) {
		return quoted[1 : n-1]
	}
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return quoted
	}
	return []byte(s)
}

// cellOf is a JSON value as the text of a cell: of null nothing, of lists and
// objects their JSON on one line, of all else what it says.
func cellOf(value []byte) string {
	switch value[0] {
	case '"':
		return string(unquoted(value))
	case 'n':
		return ""
	case '{', '[':
		var compact bytes.Buffer
		if json.Compact(&compact, value) == nil {
			return compact.String()
		}
	}
	return string(value)
}

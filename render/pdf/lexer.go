package pdf

import (
	"bytes"
	"errors"
	"fmt"
)

// delimiter are the characters that end a word and are no part of it.
var delimiter = [256]bool{'(': true, ')': true, '<': true, '>': true, '[': true, ']': true, '{': true, '}': true, '/': true, '%': true}

var white = [256]bool{0: true, '\t': true, '\n': true, '\f': true, '\r': true, ' ': true}

// maxDepth is how deep arrays and dictionaries may stand in each other.
const maxDepth = 64

var errEnd = errors.New("the file ends too early")

// A lexer reads objects from a part of a file.
type lexer struct {
	data  []byte
	at    int
	depth int
}

func (l *lexer) skip() {
	for l.at < len(l.data) {
		switch c := l.data[l.at]; {
		case white[c]:
			l.at++
		case c == '%':
			end := bytes.IndexAny(l.data[l.at:], "\r\n")
			if end < 0 {
				l.at = len(l.data)
				return
			}
			l.at += end
		default:
			return
		}
	}
}

// word is the run of ordinary characters at the lexer's place.
func (l *lexer) word() string {
	start := l.at
	l.pass()
	return string(l.data[start:l.at])
}

// pass moves behind the word at the lexer's place.
func (l *lexer) pass() {
	for l.at < len(l.data) && !white[l.data[l.at]] && !delimiter[l.data[l.at]] {
		l.at++
	}
}

// accept moves behind token where that is what comes next.
func (l *lexer) accept(token string) bool {
	l.skip()
	if !bytes.HasPrefix(l.data[l.at:], []byte(token)) {
		return false
	}
	l.at += len(token)
	return true
}

// object reads one object; R is understood.
func (l *lexer) object() (object, error) {
	l.skip()
	if l.at >= len(l.data) {
		return nil, errEnd
	}
	switch c := l.data[l.at]; {
	case c == '/':
		return l.name()
	case c == '(':
		return l.literal()
	case c == '<' && l.at+1 < len(l.data) && l.data[l.at+1] == '<':
		return l.dict()
	case c == '<':
		return l.hex()
	case c == '[':
		return l.array()
	case c == '+' || c == '-' || c == '.' || c >= '0' && c <= '9':
		return l.numeral()
	}
	switch w := l.word(); w {
	case "true", "false", "null":
		return keyword(w), nil
	default:
		return nil, fmt.Errorf("%.20q is no object", w)
	}
}

// numeral is a number, or a reference that begins with one.
func (l *lexer) numeral() (object, error) {
	n := number(l.word())
	if _, ok := n.float(); !ok {
		return nil, fmt.Errorf("%.20q is no number", string(n))
	}
	id, ok := n.int()
	if !ok || id < 0 {
		return n, nil
	}
	ahead := lexer{data: l.data, at: l.at}
	ahead.skip()
	generation := ahead.word()
	ahead.skip()
	if _, ok := number(generation).int(); !ok || ahead.word() != "R" {
		return n, nil
	}
	if generation != "0" {
		return nil, fmt.Errorf("object %d of generation %s", id, generation)
	}
	l.at = ahead.at
	return ref(id), nil
}

func (l *lexer) name() (object, error) {
	l.at++
	raw := l.word()
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '#' {
			out = append(out, raw[i])
			continue
		}
		if i+2 >= len(raw) || unhex(raw[i+1]) < 0 || unhex(raw[i+2]) < 0 {
			return nil, fmt.Errorf("the name %.40q is not spelled right", raw)
		}
		out = append(out, byte(unhex(raw[i+1])<<4|unhex(raw[i+2])))
		i += 2
	}
	return name(out), nil
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func (l *lexer) hex() (object, error) {
	l.at++
	out, high := text{}, -1
	for ; l.at < len(l.data); l.at++ {
		c := l.data[l.at]
		switch v := unhex(c); {
		case c == '>':
			l.at++
			if high >= 0 {
				out = append(out, byte(high<<4))
			}
			return out, nil
		case white[c]:
		case v < 0:
			return nil, fmt.Errorf("%q in a text of hex digits", c)
		case high < 0:
			high = v
		default:
			out, high = append(out, byte(high<<4|v)), -1
		}
	}
	return nil, errEnd
}

var escapes = map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'b': '\b', 'f': '\f', '(': '(', ')': ')', '\\': '\\'}

func (l *lexer) literal() (object, error) {
	l.at++
	out, open := text{}, 1
	for ; l.at < len(l.data); l.at++ {
		switch c := l.data[l.at]; c {
		case '(':
			open++
			out = append(out, c)
		case ')':
			if open--; open == 0 {
				l.at++
				return out, nil
			}
			out = append(out, c)
		case '\\':
			out = l.escape(out)
		default:
			out = append(out, c)
		}
	}
	return nil, errEnd
}

// escape reads what follows a backslash, up to its last character.
func (l *lexer) escape(out text) text {
	l.at++
	if l.at >= len(l.data) {
		return out
	}
	c := l.data[l.at]
	if c >= '0' && c <= '7' {
		v := 0
		for i := 0; i < 3 && l.at < len(l.data) && l.data[l.at] >= '0' && l.data[l.at] <= '7'; i++ {
			v = v<<3 | int(l.data[l.at]-'0')
			l.at++
		}
		l.at--
		return append(out, byte(v))
	}
	if c == '\r' && l.at+1 < len(l.data) && l.data[l.at+1] == '\n' {
		l.at++
	}
	if c == '\n' || c == '\r' { // the line goes on
		return out
	}
	if e, ok := escapes[c]; ok {
		return append(out, e)
	}
	return append(out, c)
}

func (l *lexer) enter() error {
	if l.depth++; l.depth > maxDepth {
		return fmt.Errorf("more than %d arrays and dictionaries stand in each other", maxDepth)
	}
	return nil
}

func (l *lexer) array() (object, error) {
	if err := l.enter(); err != nil {
		return nil, err
	}
	l.at++
	out := array{}
	for !l.accept("]") {
		o, err := l.object()
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	l.depth--
	return out, nil
}

func (l *lexer) dict() (object, error) {
	if err := l.enter(); err != nil {
		return nil, err
	}
	l.at += 2
	out := dict{}
	for !l.accept(">>") {
		key, err := l.object()
		if err != nil {
			return nil, err
		}
		k, ok := key.(name)
		if !ok {
			return nil, errors.New("a dictionary has a key that is no name")
		}
		if out[k], err = l.object(); err != nil {
			return nil, err
		}
	}
	l.depth--
	return out, nil
}

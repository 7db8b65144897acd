package poll

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// CheckPath is the problem of a text that is no path to a part of a document.
func CheckPath(text string) *problem.Error {
	_, err := parsePath(text)
	return err
}

// Find is the part of a JSON text at path as it stands there, nil where there is
// none. It looks no further than it has to, and judges only what it passes: the
// text may be wrong behind.
func Find(text []byte, at string) (json.RawMessage, error) {
	p, invalid := parsePath(at)
	if invalid != nil {
		return nil, invalid
	}
	s := scanner{text: text}
	for _, step := range p {
		found, err := s.enter(step)
		if err != nil || !found {
			return nil, err
		}
	}
	s.space()
	begin := s.at
	if err := s.skip(); err != nil {
		return nil, err
	}
	return text[begin:s.at], nil
}

// Elements counts the elements of a JSON array and returns its first and last as
// they stand there. ok is false for what is no array.
func Elements(array []byte) (n int, first, last json.RawMessage, ok bool) {
	s := scanner{text: array}
	if s.space(); s.peek() != '[' {
		return 0, nil, nil, false
	}
	for s.at++; ; s.at++ {
		if s.space(); n == 0 && s.peek() == ']' {
			return 0, nil, nil, true
		}
		begin := s.at
		if s.skip() != nil {
			return 0, nil, nil, false
		}
		if last = array[begin:s.at]; n == 0 {
			first = last
		}
		n++
		switch s.space(); s.peek() {
		case ',':
		case ']':
			return n, first, last, true
		default:
			return 0, nil, nil, false
		}
	}
}

// errNoJSON is of a text in which the next value can't be found.
var errNoJSON = problem.New(problem.Invalid, "the JSON document breaks off or is no JSON: %w", io.ErrUnexpectedEOF)

// A scanner passes over values without making anything of them.
type scanner struct {
	text []byte
	at   int
}

// peek is the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.at >= len(s.text) {
		return 0
	}
	return s.text[s.at]
}

func (s *scanner) space() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// enter goes to the value of a step of the value that is next.
func (s *scanner) enter(to step) (bool, error) {
	s.space()
	open, end := byte('{'), byte('}')
	if to.isIndex {
		open, end = '[', ']'
	}
	if s.peek() != open {
		return false, nil
	}
	s.at++
	for n := 0; ; n++ {
		if s.space(); s.peek() == end {
			return false, nil
		}
		here := to.isIndex && n == to.index
		if !to.isIndex {
			name, err := s.name()
			if err != nil {
				return false, err
			}
			here = name == to.name
		}
		if here {
			return true, nil
		}
		if err := s.skip(); err != nil {
			return false, err
		}
		if s.space(); s.peek() == end {
			return false, nil
		}
		if s.peek() != ',' {
			return false, errNoJSON
		}
		s.at++
	}
}

// name reads the name of a value and its colon.
func (s *scanner) name() (string, error) {
	begin := s.at
	if s.peek() != '"' {
		return "", errNoJSON
	}
	if err := s.skip(); err != nil {
		return "", err
	}
	quoted := s.text[begin:s.at]
	s.space()
	if s.peek() != ':' {
		return "", errNoJSON
	}
	s.at++
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1]), nil
	}
	var name string
	err := json.Unmarshal(quoted, &name)
	return name, err
}

// skip passes one value.
func (s *scanner) skip() error {
	s.space()
	depth := 0
	for s.at < len(s.text) {
		switch c := s.text[s.at]; c {
		case '"':
			if !s.quoted() {
				return errNoJSON
			}
		case '{', '[':
			depth++
			s.at++
			continue
		case '}', ']':
			depth--
			s.at++
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return errNoJSON
			}
			s.at++
			continue
		default:
			s.word()
		}
		if depth == 0 {
			return nil
		}
		if depth < 0 {
			return errNoJSON
		}
	}
	return errNoJSON
}

// word passes a number, true, false or null.
func (s *scanner) word() {
	for ; s.at < len(s.text); s.at++ {
		switch s.text[s.at] {
		case ',', ':', ']', '}', '[', '{', '"', ' ', '\t', '\r', '\n':
			return
		}
	}
}

// quoted passes a text.
func (s *scanner) quoted() bool {
	for s.at++; ; {
		n := bytes.IndexByte(s.text[s.at:], '"')
		if n < 0 {
			return false
		}
		end := s.at + n
		escapes := 0
		for end-escapes > s.at && s.text[end-escapes-1] == '\\' {
			escapes++
		}
		s.at = end + 1
		if escapes%2 == 0 {
			return true
		}
	}
}

// Text is a raw JSON value that is a text or a number, as text; "" for null and
// for nothing.
func Text(raw json.RawMessage) (string, error) {
	value, err := oneJSON(raw)
	switch v := value.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	case nil:
		if err == nil || len(raw) == 0 && errors.Is(err, io.EOF) {
			return "", nil
		}
		return "", err
	}
	return "", problem.New(problem.Invalid, "it is %s, not a text", kindOf(value))
}

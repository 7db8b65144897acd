package postgres

import (
	"bytes"
	"errors"
	"fmt"
)

// maxDepth is how many dimensions a list of PostgreSQL may have.
const maxDepth = 6

var errNoList = errors.New("is not written as a list")

// list reads what PostgreSQL writes for an array: {1,NULL,"a \"b\""}, {{1,2},{3,4}},
// or with other bounds than usual, which are left out, [0:1]={1,2}.
func (k *kind) list(text []byte, digits int) (any, error) {
	if len(text) > 0 && text[0] == '[' {
		_, after, found := bytes.Cut(text, []byte("]="))
		if !found {
			return nil, errNoList
		}
		text = after
	}
	r := listReader{kind: k, text: text, digits: digits}
	value, err := r.list(1)
	if err == nil && r.at != len(text) {
		err = errNoList
	}
	return value, err
}

type listReader struct {
	kind   *kind
	text   []byte
	at     int
	digits int
}

func (r *listReader) peek() byte {
	if r.at < len(r.text) {
		return r.text[r.at]
	}
	return 0
}

func (r *listReader) list(depth int) ([]any, error) {
	if r.peek() != '{' || depth > maxDepth {
		return nil, errNoList
	}
	r.at++
	values := []any{}
	if r.peek() == '}' {
		r.at++
		return values, nil
	}
	for {
		value, err := r.one(depth)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
		switch r.peek() {
		case r.kind.delim:
			r.at++
		case '}':
			r.at++
			return values, nil
		default:
			return nil, errNoList
		}
	}
}

func (r *listReader) one(depth int) (any, error) {
	switch r.peek() {
	case '{':
		return r.list(depth + 1)
	case '"':
		text, err := r.quoted()
		if err != nil {
			return nil, err
		}
		return r.value(text)
	}
	begin := r.at
	for r.at < len(r.text) && r.text[r.at] != r.kind.delim && r.text[r.at] != '}' {
		r.at++
	}
	text := r.text[begin:r.at]
	switch {
	case len(text) == 0:
		return nil, errNoList
	case string(text) == "NULL":
		return nil, nil
	}
	return r.value(text)
}

func (r *listReader) value(text []byte) (any, error) {
	value, err := r.kind.element.read(text, r.digits)
	if err != nil {
		return nil, fmt.Errorf("an element %w", err)
	}
	return value, nil
}

func (r *listReader) quoted() ([]byte, error) {
	var text []byte
	for r.at++; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; c {
		case '"':
			r.at++
			return text, nil
		case '\\':
			if r.at++; r.at < len(r.text) {
				text = append(text, r.text[r.at])
			}
		default:
			text = append(text, c)
		}
	}
	return nil, errNoList
}

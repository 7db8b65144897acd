package bindings

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Canonical writes values as JSON in the one form that pictifyd stores and
// compares: no space, the keys of every object in the order of their bytes,
// numbers with the digits of their source, strings escaped only where JSON
// demands it and otherwise as they came.
//
// The form is injective: two rows with the same bytes are the same row. A null
// differs from a missing column, 1 from 1.0 and from "1". Only nil, bool,
// string, json.Number, []any and map[string]any may occur, at any depth; any
// other type, a number that JSON can't spell, and text that is not UTF-8 are
// errors that name the place.
func Canonical(values map[string]any) ([]byte, error) {
	if values == nil {
		return []byte("{}"), nil
	}
	return appendValue(make([]byte, 0, 32*len(values)+2), values)
}

// Digest is the SHA-256 of b in hex.
func Digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Values is the row that Canonical wrote.
func Values(canonical []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(canonical))
	d.UseNumber()
	var values map[string]any
	if err := d.Decode(&values); err != nil {
		return nil, fmt.Errorf("read stored row: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("read stored row: text after its end")
	}
	if values == nil {
		return nil, errors.New("read stored row: it is no object")
	}
	return values, nil
}

func appendValue(b []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case string:
		return appendString(b, v)
	case json.Number:
		if !isNumber(string(v)) {
			return nil, fmt.Errorf("%q is not a number", v)
		}
		return append(b, v...), nil
	case []any:
		return appendArray(b, v)
	case map[string]any:
		return appendObject(b, v)
	}
	return nil, fmt.Errorf("a value of type %T is no value of a row", v)
}

func appendArray(b []byte, items []any) ([]byte, error) {
	b = append(b, '[')
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendValue(b, item); err != nil {
			return nil, fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return append(b, ']'), nil
}

func appendObject(b []byte, fields map[string]any) ([]byte, error) {
	b = append(b, '{')
	for i, name := range slices.Sorted(maps.Keys(fields)) {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendString(b, name); err != nil {
			return nil, fmt.Errorf("a name: %w", err)
		}
		b = append(b, ':')
		if b, err = appendValue(b, fields[name]); err != nil {
			return nil, fmt.Errorf("%q: %w", name, err)
		}
	}
	return append(b, '}'), nil
}

// appendString escapes the quote, the backslash and control characters, each in
// its shortest form, and nothing else.
func appendString(b []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return nil, fmt.Errorf("the text %q is not valid UTF-8", s)
	}
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		escape := escapeOf(s[i])
		if escape == "" {
			continue
		}
		b = append(append(b, s[start:i]...), escape...)
		start = i + 1
	}
	return append(append(b, s[start:]...), '"'), nil
}

func escapeOf(c byte) string {
	switch c {
	case '"':
		return `\"`
	case '\\':
		return `\\`
	case '\b':
		return `\b`
	case '\f':
		return `\f`
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	}
	if c >= ' ' {
		return ""
	}
	const digits = "0123456789abcdef"
	return `\u00` + string(digits[c>>4]) + string(digits[c&15])
}

// isNumber reports whether s is a number as JSON spells it. A json.Number may
// hold any text, which would otherwise be written into the row as it stands.
func isNumber(s string) bool {
	if s == "" || (s[0] != '-' && (s[0] < '0' || s[0] > '9')) {
		return false
	}
	return json.Valid([]byte(s))
}

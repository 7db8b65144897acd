package template

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A member is one key and value of a JSON object, with their places in the file.
// The standard decoder into maps would lose both the order and the places.
type member struct {
	key     string
	keyAt   int
	value   string
	valueAt int
}

type jsonError struct {
	offset  int
	message string
}

// checkJSON finds the first mistake in text, which begins at the byte offset base.
func checkJSON(text string, base int) *jsonError {
	var v json.RawMessage
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		return wrongJSON(err, base, len(text))
	}
	return nil
}

// object reads the members of the JSON object text, which begins at the byte
// offset base of the file.
func object(text string, base int) ([]member, *jsonError) {
	dec := json.NewDecoder(strings.NewReader(text))
	here := func() int { return int(dec.InputOffset()) }
	wrong := func(err error) *jsonError { return wrongJSON(err, base, here()) }
	if t, err := dec.Token(); err != nil {
		return nil, wrong(err)
	} else if t != json.Delim('{') {
		return nil, &jsonError{base, "it does not begin with {"}
	}
	var members []member
	seen := map[string]bool{}
	for dec.More() {
		m := member{keyAt: skip(text, here(), " \t\r\n,")}
		t, err := dec.Token()
		if err != nil {
			return members, wrong(err)
		}
		m.key = fmt.Sprint(t)
		m.valueAt = skip(text, here(), " \t\r\n:")
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return members, wrong(err)
		}
		m.value = string(raw)
		m.keyAt, m.valueAt = m.keyAt+base, m.valueAt+base
		if seen[m.key] {
			return members, &jsonError{m.keyAt, fmt.Sprintf("the key %q stands there twice", m.key)}
		}
		seen[m.key] = true
		members = append(members, m)
	}
	if _, err := dec.Token(); err != nil {
		return members, wrong(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return members, &jsonError{base + here(), "something follows its end"}
	}
	return members, nil
}

func wrongJSON(err error, base, here int) *jsonError {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return &jsonError{base + max(int(syntax.Offset)-1, 0), syntax.Error()}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &jsonError{base + here, "it ends too early"}
	}
	return &jsonError{base + here, err.Error()}
}

func skip(text string, i int, set string) int {
	for i < len(text) && strings.IndexByte(set, text[i]) >= 0 {
		i++
	}
	return i
}

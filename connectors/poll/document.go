package poll

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/rows"
)

// A Document is a JSON document that is held whole, because expressions look at
// all of it.
type Document struct{ Value any }

// ReadDocument decodes data, which is one JSON value and nothing else.
func ReadDocument(data []byte) (Document, error) {
	text, err := io.ReadAll(rows.Text(bytes.NewReader(data)))
	if err != nil {
		return Document{}, err
	}
	value, err := oneJSON(text)
	if err != nil {
		return Document{}, problem.New(problem.Invalid, "not JSON: %w", err)
	}
	return Document{value}, nil
}

// Elements are the rows at a path as Layout.Rows has them. An object in the place
// of the array is the only row.
func (d Document) Elements(rows string) ([]Element, error) {
	steps, bad := parsePath(rows)
	if bad != nil {
		return nil, bad
	}
	value := d.Value
	for i, s := range steps {
		next, missing := s.in(value)
		if missing != "" {
			return nil, problem.New(problem.Invalid, "there is no %s in the document; %s %s", steps[:i+1], steps[:i], missing).
				WithSlug("rows_not_found").WithHint("correct the rows path")
		}
		value = next
	}
	switch value := value.(type) {
	case map[string]any:
		return []Element{{Values: value, Position: steps.String()}}, nil
	case []any:
		elements := make([]Element, len(value))
		for i, one := range value {
			elements[i].Position = append(slices.Clip(steps), step{index: i, isIndex: true}).String()
			elements[i].take(one)
		}
		return elements, nil
	}
	return nil, problem.New(problem.Invalid, "%s is %s, neither a row nor an array of rows", steps, kindOf(value)).
		WithSlug("rows_not_found").WithHint("correct the rows path")
}

// in is the part of value that s leads to, or what value is instead.
func (s step) in(value any) (part any, missing string) {
	if s.isIndex {
		array, ok := value.([]any)
		switch {
		case !ok:
			return nil, "is " + kindOf(value) + ", not an array"
		case s.index >= len(array):
			return nil, fmt.Sprintf("has %d elements", len(array))
		}
		return array[s.index], ""
	}
	object, ok := value.(map[string]any)
	switch {
	case !ok:
		return nil, "is " + kindOf(value) + ", not an object"
	case len(object) == 0:
		return nil, "is an empty object"
	}
	if part, ok := object[s.name]; ok {
		return part, ""
	}
	return nil, "has " + connectors.Quoted(slices.Sorted(maps.Keys(object)))
}

// Row is the row of an element that is no fault.
func (e Element) Row(key []string) connectors.Row {
	return connectors.Row{Key: connectors.KeyOf(key, e.Values), Values: e.Values, Position: e.Position}
}

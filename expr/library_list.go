package expr

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

var listFunctions = map[string]function{
	"length":   {usage: "length(value)", summary: "how many items, keys or letters", min: 1, max: 1, call: length},
	"first":    {usage: "first(list)", summary: "the first item or letter", min: 1, max: 1, call: edge(0)},
	"last":     {usage: "last(list)", summary: "the last item or letter", min: 1, max: 1, call: edge(-1)},
	"join":     {usage: `join(list, ", ")`, summary: "the items as one text", min: 1, max: 2, call: joinItems},
	"slice":    {usage: "slice(list, start, end)", summary: "the part from start up to, not including, end", min: 2, max: 3, call: slice},
	"contains": {usage: "contains(list, value)", summary: "whether a list has the item, or a text the part", min: 2, max: 2, call: contains},
	"indexOf":  {usage: "indexOf(list, value)", summary: "the position of an item or part, -1 for none", min: 2, max: 2, call: position},
}

var checkFunctions = map[string]function{
	"isEmpty":    {usage: "isEmpty(value)", summary: "nothing, an empty text, list or object", min: 1, max: 1, call: check(isEmpty)},
	"isNotEmpty": {usage: "isNotEmpty(value)", summary: "the contrary of isEmpty", min: 1, max: 1, call: check(func(v any) bool { return !isEmpty(v) })},
	"isDefined":  {usage: "isDefined(value)", summary: "there is a value", min: 1, max: 1, call: check(func(v any) bool { return v != nil })},
	"isArray":    {usage: "isArray(value)", summary: "it is a list", min: 1, max: 1, call: check(func(v any) bool { _, ok := v.([]any); return ok })},
	"isString":   {usage: "isString(value)", summary: "it is text", min: 1, max: 1, call: check(func(v any) bool { _, ok := v.(string); return ok })},
	"isNumber":   {usage: "isNumber(value)", summary: "it is a number, or text that is one", min: 1, max: 1, call: check(func(v any) bool { _, ok := Number(v); return ok })},
	"default":    {usage: "default(value, otherwise)", summary: "the value, or otherwise when it is empty", min: 2, max: 2, call: defaultTo},
	"coalesce":   {usage: "coalesce(a, b, …)", summary: "the first that is there", min: 1, max: -1, call: coalesce},
	"switch":     {usage: "switch(value, case, result, …, otherwise)", summary: "the result of the case that equals the value", min: 3, max: -1, call: choose},
	"json":       {usage: "json(value)", summary: "the value as JSON", min: 1, max: 1, call: toJSON},
	"parseJson":  {usage: "parseJson(text)", summary: "the value that a JSON text holds", min: 1, max: 1, call: parseJSON},
}

func check(f func(v any) bool) operation {
	return func(_ *run, args []any) (any, error) { return f(args[0]), nil }
}

func length(_ *run, args []any) (any, error) {
	switch v := args[0].(type) {
	case nil:
		return 0, nil
	case []any:
		return len(v), nil
	case map[string]any:
		return len(v), nil
	}
	return len([]rune(Text(args[0]))), nil
}

func edge(i int) operation {
	return func(_ *run, args []any) (any, error) {
		switch v := args[0].(type) {
		case nil, bool, map[string]any:
			return nil, nil
		case []any:
			if len(v) == 0 {
				return nil, nil
			}
			return v[(len(v)+i)%len(v)], nil
		}
		letters := []rune(Text(args[0]))
		if len(letters) == 0 {
			return "", nil
		}
		return string(letters[(len(letters)+i)%len(letters)]), nil
	}
}

func joinItems(_ *run, args []any) (any, error) {
	items, ok := args[0].([]any)
	if !ok {
		return Text(args[0]), nil
	}
	separator := textArg(args, 1, ", ")
	var b strings.Builder
	for i, item := range items {
		if i > 0 {
			b.WriteString(separator)
		}
		b.WriteString(Text(item))
		if b.Len() > maxText {
			return nil, fail("the joined text has more than the %d bytes allowed", maxText)
		}
	}
	return b.String(), nil
}

func position(_ *run, args []any) (any, error) {
	if items, ok := args[0].([]any); ok {
		return indexOf(items, args[1]), nil
	}
	s := Text(args[0])
	i := strings.Index(s, Text(args[1]))
	if i < 0 {
		return -1, nil
	}
	return len([]rune(s[:i])), nil
}

func defaultTo(_ *run, args []any) (any, error) {
	if isEmpty(args[0]) {
		return args[1], nil
	}
	return args[0], nil
}

func coalesce(_ *run, args []any) (any, error) {
	for _, v := range args {
		if v != nil {
			return v, nil
		}
	}
	return nil, nil
}

func choose(_ *run, args []any) (any, error) {
	cases := args[1:]
	for ; len(cases) >= 2; cases = cases[2:] {
		if equal(args[0], cases[0]) {
			return cases[1], nil
		}
	}
	if len(cases) == 1 {
		return cases[0], nil
	}
	return nil, nil
}

func toJSON(_ *run, args []any) (any, error) {
	text, err := jsonText(args[0])
	if err != nil {
		return nil, fail("the value cannot be written as JSON")
	}
	return text, nil
}

func parseJSON(_ *run, args []any) (any, error) {
	if args[0] == nil {
		return nil, nil
	}
	v, err := ParseJSON(Text(args[0]))
	if err != nil {
		return nil, fail("%s is not JSON", quote(args[0]))
	}
	return v, nil
}

// ParseJSON reads one JSON value, its numbers as json.Number.
func ParseJSON(s string) (any, error) {
	dec := json.NewDecoder(strings.NewReader(s))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, io.ErrUnexpectedEOF
	}
	return v, nil
}

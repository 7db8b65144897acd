package expr

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

var checkFunctions = []function{
	{sig: "isEmpty(value: any): boolean", summary: "nothing, an empty text, list or object", call: check(isEmpty),
		examples: []Example{ex(`isEmpty("")`, "true"), with(`{"photo": null}`, `isEmpty(photo)`, "true")}},
	{sig: "isNotEmpty(value: any): boolean", summary: "the contrary of isEmpty", call: check(func(v any) bool { return !isEmpty(v) }),
		examples: []Example{ex(`isNotEmpty([1])`, "true")}},
	{sig: "isDefined(value: any): boolean", summary: "there is a value", call: check(func(v any) bool { return v != nil }),
		examples: []Example{ex(`isDefined("")`, "true"), with(`{"photo": null}`, `isDefined(photo)`, "false")}},
	{sig: "isArray(value: any): boolean", summary: "it is a list", call: check(func(v any) bool { _, ok := v.([]any); return ok }),
		examples: []Example{ex(`isArray([])`, "true")}},
	{sig: "isString(value: any): boolean", summary: "it is text", call: check(func(v any) bool { _, ok := v.(string); return ok }),
		examples: []Example{ex(`isString("a")`, "true"), ex(`isString(1)`, "false")}},
	{sig: "isNumber(value: any): boolean", summary: "it is a number, or text that is one", call: check(func(v any) bool { _, ok := Number(v); return ok }),
		examples: []Example{ex(`isNumber("12.5")`, "true"), ex(`isNumber("12 kg")`, "false")}},
	{sig: "default(value: any, otherwise: any): any", summary: "the value, or otherwise when it is empty", call: defaultTo,
		examples: []Example{ex(`"" | default("n/a")`, "n/a"), ex(`default(0, 5)`, "0")}},
	{sig: "coalesce(value: any, …more: any): any", summary: "the first that is there", call: coalesce,
		examples: []Example{with(`{"nick": null, "name": "Ada"}`, `coalesce(nick, name, "nobody")`, "Ada")}},
	{sig: "if(condition: any, yes: any, no?: any): any", summary: "one of two values; only that one is computed",
		examples: []Example{ex(`if(3 > 2, "more", "less")`, "more")}},
	{sig: "switch(value: any, case: any, result: any, …more: any): any", summary: "the result of the case that equals the value, else the last of all", call: choose,
		examples: []Example{ex(`switch("b", "a", 1, "b", 2, 0)`, "2"), ex(`"x" | switch("a", 1, "other")`, "other")}},
	{sig: "json(value: any): text", summary: "the value as JSON", call: toJSON,
		examples: []Example{ex(`json({a: [1, "b"]})`, `{"a":[1,"b"]}`)}},
	{sig: "parseJson(text: text): any", summary: "the value that a JSON text holds", cost: formatCost, call: parseJSON,
		examples: []Example{ex(`parseJson('{"a": [1, 2]}').a[1]`, "2")}},
}

func check(f func(v any) bool) operation {
	return func(_ *run, args []any) (any, error) { return f(args[0]), nil }
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

func choose(r *run, args []any) (any, error) {
	cases := args[1:]
	for ; len(cases) >= 2; cases = cases[2:] {
		same, err := r.equal(args[0], cases[0])
		if err != nil {
			return nil, err
		}
		if same {
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
		return nil, fail("%s is not JSON", quote(args[0])).Expecting("JSON")
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

package expr

import (
	"maps"
	"slices"
)

// A function is one that users call, as f(x) or as x | f.
type function struct {
	usage    string // how it is called
	summary  string
	min, max int // arguments; max -1: any number
	clock    bool
	call     operation
}

// A Function describes one function of the library.
type Function struct {
	Name    string `json:"name"`
	Usage   string `json:"usage"`
	Summary string `json:"summary"`
}

// Functions lists the library, sorted by name.
func Functions() []Function {
	out := make([]Function, 0, len(library))
	for _, name := range functionNames() {
		out = append(out, Function{Name: name, Usage: library[name].usage, Summary: library[name].summary})
	}
	return out
}

func functionNames() []string { return slices.Sorted(maps.Keys(library)) }

var library = join(textFunctions, numberFunctions, timeFunctions, listFunctions, checkFunctions)

var aliases = map[string]string{
	"upper": "uppercase", "lower": "lowercase", "title": "titleCase", "dateFormat": "date", "len": "length", "avg": "average", includes: "contains",
}

func join(parts ...map[string]function) map[string]function {
	all := map[string]function{}
	for _, part := range parts {
		maps.Copy(all, part)
	}
	for alias, name := range aliases {
		f := all[name]
		f.summary = "the same as " + name
		all[alias] = f
	}
	return all
}

// arg is args[i], nil when it was not given.
func arg(args []any, i int) any {
	if i < len(args) {
		return args[i]
	}
	return nil
}

// textArg is args[i] as text, or otherwise when it was not given.
func textArg(args []any, i int, otherwise string) string {
	if v := arg(args, i); v != nil {
		return Text(v)
	}
	return otherwise
}

// countArg is args[i] as a whole number from 0 to most.
func countArg(args []any, i, otherwise, most int, what string) (int, error) {
	v := arg(args, i)
	if v == nil {
		return otherwise, nil
	}
	f, ok := Number(v)
	if !ok || !whole(f) || f < 0 || f > float64(most) {
		return 0, fail("%s is %s, not a whole number from 0 to %d", what, quote(v), most)
	}
	return int(f), nil
}

// numberArg is args[i] as a number.
func numberArg(name string, args []any, i int) (float64, error) {
	f, ok := Number(args[i])
	if ok {
		return f, nil
	}
	return 0, notNumber(name, args[i])
}

func notNumber(name string, v any) error {
	if v == nil {
		return fail("%s needs a number, but the value is missing", name)
	}
	return fail("%s needs a number, but the value is %s", name, quote(v))
}

// flatten lets a function take a list, or its items one by one.
func flatten(args []any) []any {
	if len(args) == 1 {
		if items, ok := args[0].([]any); ok {
			return items
		}
	}
	return args
}

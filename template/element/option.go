package element

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// An Option is one setting of an element: the directive p-NAME beside it.
type Option struct {
	Name    string   `json:"name"`
	Summary string   `json:"summary"`
	Values  []string `json:"values,omitempty"` // all that are allowed; empty: see the summary
	Default string   `json:"default,omitempty"`
	Static  bool     `json:"static,omitempty"` // takes no expression

	valid func(name, value string) *problem.Error // nil: any text, or one of Values
}

func yesNo(name string, on bool, summary string) Option {
	return Option{Name: name, Summary: summary, Values: []string{"true", "false"}, Default: strconv.FormatBool(on)}
}

func choice(name, summary string, values ...string) Option {
	return Option{Name: name, Summary: summary, Values: values, Default: values[0]}
}

func (k Kind) find(name string) (Option, *problem.Error) {
	names := make([]string, len(k.Options))
	for i, o := range k.Options {
		if names[i] = "p-" + o.Name; o.Name == name {
			return o, nil
		}
	}
	p := problem.New(problem.Invalid, "p-%s has no option p-%s", k.Name, name).WithSlug(UnknownOption)
	if suggest(p, "p-"+name, names).Hint == "" {
		p.WithHint("it has %s", strings.Join(names, ", "))
	}
	return Option{}, p
}

// check says what is wrong with value; "" stands for the default.
func (o Option) check(value string) *problem.Error {
	switch {
	case value == "" || len(o.Values) == 0 && o.valid == nil || slices.Contains(o.Values, value):
		return nil
	case o.valid != nil:
		return o.valid(o.Name, value)
	}
	p := badOption(o.Name, "p-%s is %s, not %s", o.Name, quote(value), alternatives(o.Values))
	return suggest(p, value, o.Values)
}

func badOption(name, format string, args ...any) *problem.Error {
	return problem.New(problem.Invalid, format, args...).WithSlug(BadOption).At("p-" + name)
}

func suggest(p *problem.Error, name string, known []string) *problem.Error {
	if near := expr.Nearest(name, known); near != "" {
		p.WithHint("did you mean %q?", near)
	}
	return p
}

// alternatives is "a, b or c".
func alternatives(names []string) string {
	if len(names) < 2 {
		return strings.Join(names, "")
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

func isNumber(name, value string) *problem.Error {
	if f, ok := expr.Number(value); !ok || !drawable(f) {
		return badOption(name, "p-%s is %s, not a number", name, quote(value))
	}
	return nil
}

func isCount(most int) func(name, value string) *problem.Error {
	return func(name, value string) *problem.Error {
		if n, err := strconv.Atoi(value); err != nil || n < 1 || n > most {
			return badOption(name, "p-%s is %s, not a whole number from 1 to %d", name, quote(value), most)
		}
		return nil
	}
}

package expr

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// A function is one that users call, as f(x) or as x | f. Its signature is
// written as users read it, and read here: name(first: kind, second?: kind,
// …rest: kind): kind.
type function struct {
	sig      string
	summary  string
	examples []Example
	aliases  []string
	clockAt  int // it reads the clock when called with so few arguments; 0: never
	cost     int // work of one call beyond the usual
	call     operation

	Function
	least, most int // arguments; most -1: any number
}

// A Function describes one function of the library.
type Function struct {
	Name     string    `json:"name"`
	Category string    `json:"category"`
	Usage    string    `json:"usage"` // name(first, second?, …rest)
	Summary  string    `json:"summary"`
	Params   []Param   `json:"params"`
	Returns  Kind      `json:"returns"`
	Aliases  []string  `json:"aliases,omitempty"`
	Examples []Example `json:"examples"`
}

// A Param is one argument of a function.
type Param struct {
	Name     string `json:"name"`
	Kind     Kind   `json:"kind"`
	Optional bool   `json:"optional,omitempty"`
	Rest     bool   `json:"rest,omitempty"` // may be given any number of times
}

// An Example is an expression and what it gives, as text. Tests run all of them.
type Example struct {
	Expression string         `json:"expression"`
	Values     map[string]any `json:"values,omitempty"`
	Result     string         `json:"result"`
}

// ex is an example without values.
func ex(expression, result string) Example { return Example{Expression: expression, Result: result} }

// with is an example over values in JSON.
func with(values, expression, result string) Example {
	v, err := ParseJSON(values)
	m, ok := v.(map[string]any)
	if err != nil || !ok {
		panic("example " + expression + ": its values are no JSON object") // a mistake in this room's own tables
	}
	return Example{Expression: expression, Values: m, Result: result}
}

// Functions lists the library by category, then by name.
func Functions() []Function {
	var out []Function
	for name, f := range library {
		if name == f.Name {
			out = append(out, f.Function)
		}
	}
	slices.SortFunc(out, func(a, b Function) int {
		return cmp.Or(cmp.Compare(slices.Index(categories, a.Category), slices.Index(categories, b.Category)), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// The categories, in the order of the reference.
var categories = []string{"text", "number", "money and units", "date and time", "list", "checks and choices"}

func functionNames() []string {
	names := make([]string, 0, len(library))
	for name := range library {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// read makes a library of tables of functions, by name and by alias.
func read(tables map[string][]function) map[string]*function {
	all := map[string]*function{}
	for category, table := range tables {
		for i := range table {
			f := &table[i]
			f.readSignature()
			f.Category, f.Summary, f.Aliases, f.Examples = category, f.summary, f.aliases, f.examples
			for _, name := range append([]string{f.Name}, f.aliases...) {
				if all[name] != nil {
					panic("two functions are called " + name)
				}
				all[name] = f
			}
		}
	}
	return all
}

func (f *function) readSignature() {
	name, rest, _ := strings.Cut(f.sig, "(")
	inside, returns, ok := strings.Cut(rest, "): ")
	if !ok {
		panic("signature " + f.sig)
	}
	f.Name, f.Returns, f.Params = name, Kind(returns), []Param{}
	var shown []string
	for _, text := range strings.Split(inside, ", ") {
		p := Param{}
		p.Name, text, _ = strings.Cut(text, ": ")
		p.Kind = Kind(text)
		if p.Name == "" {
			continue
		}
		shown = append(shown, p.Name)
		p.Name, p.Optional = strings.CutSuffix(p.Name, "?")
		p.Name, p.Rest = strings.CutPrefix(p.Name, "…")
		f.Params = append(f.Params, p)
		if !p.Optional && !p.Rest {
			f.least++
		}
		if f.most++; p.Rest {
			f.most = -1
		}
	}
	f.Usage = name + "(" + strings.Join(shown, ", ") + ")"
}

// param is the definition of argument i.
func (f *function) param(i int) (Param, bool) {
	if i < len(f.Params) {
		return f.Params[i], true
	}
	if n := len(f.Params); n > 0 && f.Params[n-1].Rest {
		return f.Params[n-1], true
	}
	return Param{}, false
}

// valuesText is an example's values as JSON, "" for none.
func (e Example) valuesText() string {
	if len(e.Values) == 0 {
		return ""
	}
	text, err := json.Marshal(e.Values)
	if err != nil {
		return ""
	}
	return string(text)
}

package element

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Version counts the changes of what Markup draws: pictures of another version
// are made again.
const Version = 1

// The slugs of this room's problems.
const (
	UnknownElement = "unknown_element"
	UnknownOption  = "unknown_option"
	BadOption      = "bad_option"
	BadValue       = "bad_element_value" // the row's fault, as every problem of Data
)

// A Kind is one sort of element. In a template it is the directive p-NAME, its
// options are further directives on the same tag.
type Kind struct {
	Name    string   `json:"name"`
	Summary string   `json:"summary"`
	Host    string   `json:"host,omitempty"` // the tag that must carry it; "": any that holds text
	Options []Option `json:"options"`

	compile func(settings) (*program, error) // nil: nothing to compile
	read    func(*reading) (any, error)      // the value as drawing needs it; nil: nothing to draw
	draw    func(data []byte) string
	clock   bool
}

// Kinds lists what New knows, in the order that a menu would show it.
func Kinds() []Kind { return slices.Clone(kinds()) }

func kinds() []Kind {
	return []Kind{qrKind, barcodeKind, chartKind, ratingKind, tableKind, countdownKind}
}

// An Element is one directive of a template, compiled. It is safe for
// concurrent use.
type Element struct {
	kind    Kind
	given   map[string]string
	program *program
}

// A program is what the options of an element compile to.
type program struct {
	columns []column
	clock   bool
}

// New compiles an element. The options are named without p-, and hold what the
// author wrote. One that contains {{ is an expression: only its name is checked
// here, and its value comes with Data. The error holds a *problem.Error each for
// all that is wrong.
func New(kind string, options map[string]string) (*Element, error) {
	all := kinds()
	i := slices.IndexFunc(all, func(k Kind) bool { return k.Name == kind })
	if i < 0 {
		names := make([]string, len(all))
		for i, k := range all {
			names[i] = k.Name
		}
		p := problem.New(problem.Invalid, "there is no element %s", quote(kind)).WithSlug(UnknownElement)
		return nil, suggest(p, kind, names)
	}
	e := &Element{kind: all[i], given: map[string]string{}}
	var wrong problem.List
	for _, name := range slices.Sorted(maps.Keys(options)) {
		wrong = append(wrong, e.option(name, options[name])...)
	}
	if len(wrong) > 0 {
		return nil, wrong
	}
	if e.kind.compile == nil {
		return e, nil
	}
	var err error
	e.program, err = e.kind.compile(e.settings(nil))
	return e, err
}

func (e *Element) option(name, value string) problem.List {
	o, p := e.kind.find(name)
	switch {
	case p != nil:
		return problem.List{p}
	case strings.Contains(value, "{{") && o.Static:
		return problem.List{badOption(name, "p-%s is part of the template and takes no expression", name)}
	case strings.Contains(value, "{{"):
		return nil
	}
	if p := o.check(value); p != nil {
		return problem.List{p}
	}
	if value != "" {
		e.given[name] = value
	}
	return nil
}

// Kind is the name of e's kind.
func (e *Element) Kind() string { return e.kind.Name }

// ReadsClock reports whether Data reads Env.Now.
func (e *Element) ReadsClock() bool {
	return e.kind.clock || e.program != nil && e.program.clock
}

// Data is all that the picture of value depends on, as a short text: the same
// text is the same picture. It is "" when there is nothing to draw. The options
// are those that were expressions, evaluated, lists as JSON; "" leaves the
// default. The error is a *problem.Error that says what the row got wrong.
func (e *Element) Data(value any, options map[string]string, env expr.Env) (string, error) {
	for _, name := range slices.Sorted(maps.Keys(options)) {
		o, p := e.kind.find(name)
		if p == nil {
			p = o.check(options[name])
		}
		if p != nil {
			return "", p
		}
	}
	data, err := e.kind.read(&reading{settings: e.settings(options), program: e.program, value: value, env: env})
	if err != nil || data == nil {
		return "", err
	}
	return canonical(data), nil
}

// Markup draws what Data returned. What Data never returns draws nothing.
func (e *Element) Markup(data string) string {
	if data == "" {
		return ""
	}
	return e.kind.draw([]byte(data))
}

// A reading is one value on its way to data.
type reading struct {
	settings
	program *program
	value   any
	env     expr.Env
}

// settings are the options with their defaults.
type settings map[string]string

func (s settings) on(name string) bool { return s[name] == "true" }

func (e *Element) settings(dynamic map[string]string) settings {
	s := settings{}
	for _, o := range e.kind.Options {
		s[o.Name] = o.Default
	}
	maps.Copy(s, e.given)
	for name, value := range dynamic {
		if o, p := e.kind.find(name); p == nil && !o.Static && value != "" {
			s[name] = value
		}
	}
	return s
}

func canonical(data any) string {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(data); err != nil {
		return "" // the structures of this room hold text and finite numbers
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// decode reads what Data returned into the structure that it was made of.
func decode[T any](data []byte) (T, bool) {
	var v T
	return v, json.Unmarshal(data, &v) == nil
}

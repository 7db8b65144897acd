package template

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Type says what a variable's values are. A value that is not of it fails its
// row before anything is rendered.
type Type string

// The types. Any takes what comes and is the type of variables that no manifest
// declares.
const (
	Text    Type = "text"
	Number  Type = "number"
	Boolean Type = "boolean"
	Image   Type = "image" // an address of a picture: http, https, data:image/ or an asset
	URL     Type = "url"   // an address: http, https or an asset
	Color   Type = "color" // of CSS: #rrggbb, rgb(), hsl(), oklch(), a name
	Date    Type = "date"  // YYYY-MM-DD or RFC 3339
	Array   Type = "array"
	Object  Type = "object"
	Any     Type = "any"
)

var types = []string{"text", "number", "boolean", "image", "url", "color", "date", "array", "object", "any"}

// A Var is a variable that rows give to a template.
type Var struct {
	Name        string   `json:"name"`
	Type        Type     `json:"type"`
	Required    bool     `json:"required,omitempty"`
	Default     any      `json:"default,omitempty"`
	Example     any      `json:"example,omitempty"`
	MinLength   int      `json:"minLength,omitempty"` // of text, in letters
	MaxLength   int      `json:"maxLength,omitempty"` // of text, in letters; 0 is no limit
	Min         *float64 `json:"min,omitempty"`       // of a number
	Max         *float64 `json:"max,omitempty"`       // of a number
	Pattern     string   `json:"pattern,omitempty"`   // a regular expression that the whole text must match
	Options     []any    `json:"options,omitempty"`   // the only values that are allowed
	Missing     Missing  `json:"missing,omitempty"`
	Items       string   `json:"items,omitempty"` // what an array holds, for people and tools
	Description string   `json:"description,omitempty"`

	typed   bool // the manifest names its type
	pattern *regexp.Regexp
}

// Missing says what happens where a row has no value for a variable.
type Missing string

// The policies. Required variables are strict.
const (
	MissingStrict  Missing = "strict"  // the row fails
	MissingDefault Missing = "default" // its default is shown, or nothing
	MissingHide    Missing = "hide"    // elements that show it are left out
)

// A Size is one of the sizes that a template can be rendered in.
type Size struct {
	Name   string `json:"name"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	Label  string `json:"label,omitempty"`
}

const (
	defaultSize   = "default"
	defaultWidth  = 1200
	defaultHeight = 630
	maxSide       = 10_000
	maxSizes      = 50
	maxVars       = 1000
)

// A manifest is what a template says about itself.
type manifest struct {
	sizes    []Size // never empty, the default first
	vars     []Var
	declared bool // vars were declared; else the expressions declare them
	hides    bool // a missing value of some variable hides elements
	env      manifestEnv
	zone     *time.Location // where the time zone is text; nil for none
}

// A manifestEnv is where and in whose words values are written: each is text,
// or an expression in {{ }} over the row.
type manifestEnv struct{ locale, timezone, currency part }

func (m *manifest) sizeNames() []string {
	out := make([]string, len(m.sizes))
	for i, s := range m.sizes {
		out[i] = s.Name
	}
	return out
}

// names are the variables that expressions may use; nil lets any pass.
func (m *manifest) names() []string {
	if !m.declared {
		return nil
	}
	out := make([]string, len(m.vars))
	for i, v := range m.vars {
		out[i] = v.Name
	}
	return out
}

var (
	sizeName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)
	plainTypes = map[string]Type{"string": Text, "bool": Boolean, "colour": Color, "list": Array}
)

// A manifestReader reads the manifest that begins at the byte offset base.
type manifestReader struct {
	report func(offset int, p *problem.Error)
	m      manifest
	values []declaredValue
	env    []member // locale, timezone, currency
}

// A declaredValue is a default or an example, checked once all assets are known.
type declaredValue struct {
	of     int // index into vars
	what   string
	offset int
}

func (r *manifestReader) read(text string, base int) {
	err := checkJSON(text, base)
	var members []member
	if err == nil {
		members, err = object(text, base)
	}
	if err != nil {
		r.report(err.offset, problem.New(problem.Invalid, "the manifest is not JSON: %s", err.message))
		return
	}
	for _, m := range members {
		switch m.key {
		case "name", "description", "version":
		case "sizes":
			r.sizes(m)
		case "vars":
			r.vars(m)
		case "locale", "timezone", "currency":
			r.env = append(r.env, m)
		default:
			r.unknown(m, "the manifest", []string{"name", "description", "version", "sizes", "vars", "locale", "timezone", "currency"})
		}
	}
}

func (r *manifestReader) unknown(m member, where string, known []string) {
	p := problem.New(problem.Invalid, "%s has no key %q", where, m.key)
	if near := expr.Nearest(m.key, known); near != "" {
		p.WithHint("did you mean %q?", near)
	}
	r.report(m.keyAt, p)
}

func (r *manifestReader) members(m member, what string) []member {
	members, err := object(m.value, m.valueAt)
	if err != nil {
		r.report(err.offset, problem.New(problem.Invalid, "%s must be an object: %s", what, err.message))
	}
	return members
}

func (r *manifestReader) sizes(m member) {
	for i, s := range r.members(m, "sizes") {
		if i == maxSizes {
			r.report(s.keyAt, problem.New(problem.TooLarge, "the manifest has more than the %d sizes allowed", maxSizes))
			break
		}
		if !sizeName.MatchString(s.key) {
			r.report(s.keyAt, problem.New(problem.Invalid, "the size name %q may have letters, digits, - and _ only", s.key))
			continue
		}
		r.m.sizes = append(r.m.sizes, r.size(s))
	}
	if i := slices.IndexFunc(r.m.sizes, func(s Size) bool { return s.Name == defaultSize }); i > 0 {
		first := r.m.sizes[i]
		r.m.sizes = slices.Insert(slices.Delete(r.m.sizes, i, i+1), 0, first)
	}
}

func (r *manifestReader) size(m member) Size {
	s := Size{Name: m.key}
	for _, f := range r.members(m, fmt.Sprintf("the size %q", m.key)) {
		switch f.key {
		case "w", "width":
			s.Width = r.integer(f, 1, maxSide)
		case "h", "height":
			s.Height = r.integer(f, 1, maxSide)
		case "label":
			s.Label = r.text(f)
		default:
			r.unknown(f, "a size", []string{"w", "h", "label"})
		}
	}
	if s.Width == 0 || s.Height == 0 {
		r.report(m.keyAt, problem.New(problem.Invalid, "the size %q needs w and h", m.key))
	}
	return s
}

func (r *manifestReader) vars(m member) {
	r.m.declared = true
	for i, v := range r.members(m, "vars") {
		if i == maxVars {
			r.report(v.keyAt, problem.New(problem.TooLarge, "the manifest has more than the %d variables allowed", maxVars))
			break
		}
		if strings.TrimSpace(v.key) != v.key || v.key == "" || strings.HasPrefix(v.key, "$") {
			r.report(v.keyAt, problem.New(problem.Invalid, "%q cannot be the name of a variable", v.key))
			continue
		}
		r.m.vars = append(r.m.vars, Var{Name: v.key, Type: Text})
		r.variable(len(r.m.vars)-1, v)
	}
}

func (r *manifestReader) varType(m member) Type {
	name := r.text(m)
	if t, ok := plainTypes[name]; ok {
		return t
	}
	if slices.Contains(types, name) {
		return Type(name)
	}
	p := problem.New(problem.Invalid, "there is no type %q", name).WithHint("the types are %s", list(types))
	if near := expr.Nearest(name, types); near != "" {
		p.WithHint("did you mean %q?", near)
	}
	r.report(m.valueAt, p)
	return Any
}

func (r *manifestReader) any(m member) any {
	v, err := expr.ParseJSON(m.value)
	if err != nil {
		r.report(m.valueAt, problem.New(problem.Invalid, "the value is not JSON"))
	}
	return v
}

func (r *manifestReader) text(m member) string {
	s, ok := r.any(m).(string)
	if !ok {
		r.report(m.valueAt, problem.New(problem.Invalid, "%s must be text", m.key))
	}
	return s
}

func (r *manifestReader) integer(m member, least, most int) int {
	f, ok := expr.Number(r.any(m))
	if !ok || f != float64(int(f)) || int(f) < least || int(f) > most || strings.HasPrefix(m.value, `"`) {
		r.report(m.valueAt, problem.New(problem.Invalid, "%s must be a whole number from %d to %d", m.key, least, most))
		return least
	}
	return int(f)
}

// list writes names for a sentence.
func list(names []string) string { return strings.Join(names, ", ") }

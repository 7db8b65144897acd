package template

import (
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// UnknownVariable is the slug of a value that no variable takes.
const UnknownVariable = "unknown_variable"

// Check reports all that can be said of a row before it is drawn: the error is
// that of ResolveIn, warnings are the values that no variable takes, by name, each
// with the variable that may have been meant. Whether a text fits only a browser
// can say.
func (t *Template) Check(values map[string]any, env expr.Env) (warnings problem.List, err error) {
	_, err = t.ResolveIn(values, env)
	return t.unknownValues(values), err
}

func (t *Template) unknownValues(values map[string]any) (unknown problem.List) {
	for name := range values {
		if name == modificationsName || t.declares(name) {
			continue
		}
		p := problem.New(problem.Invalid, "the template %q has no variable %s", t.name, quote(name)).WithSlug(UnknownVariable).At("variables." + name)
		if near := nearest(name, t.varNames()); near != "" {
			p.WithHint("did you mean %q?", near)
		}
		unknown = append(unknown, p)
	}
	slices.SortFunc(unknown, func(a, b *problem.Error) int { return strings.Compare(a.Path, b.Path) })
	return unknown
}

// missing is a required variable without a value. A field of the row that no
// variable takes may be what was meant.
func (t *Template) missing(v *Var, values map[string]any) *problem.Error {
	p := variable(v, MissingVariable, "%s is required, but the row has no value for it", v.Name)
	var others []string
	for name := range values {
		if name != modificationsName && len(name) <= maxName && !t.declares(name) {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	if near := expr.Nearest(v.Name, others); near != "" {
		p.WithHint("the row has %q: did you mean %q?", near, v.Name)
	}
	return p
}

// maxName is the longest name that is compared with others, in bytes.
const maxName = 200

// nearest is expr.Nearest for a name that a row gives, which may be a megabyte long.
func nearest(name string, known []string) string {
	if len(name) > maxName {
		return ""
	}
	return expr.Nearest(name, known)
}

func (t *Template) declares(name string) bool {
	return slices.ContainsFunc(t.manifest.vars, func(v Var) bool { return v.Name == name })
}

func (t *Template) varNames() []string {
	names := make([]string, len(t.manifest.vars))
	for i := range t.manifest.vars {
		names[i] = t.manifest.vars[i].Name
	}
	return names
}

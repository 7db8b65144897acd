package template

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// varReaders read the keys of a variable.
var varReaders map[string]func(r *manifestReader, v *Var, i int, f member)

func init() { // a value would be a circle: validation looks into it
	varReaders = map[string]func(r *manifestReader, v *Var, i int, f member){
		"type":     func(r *manifestReader, v *Var, _ int, f member) { v.Type, v.typed = r.varType(f), true },
		"required": func(r *manifestReader, v *Var, _ int, f member) { v.Required = r.bool(f) },
		"default": func(r *manifestReader, v *Var, i int, f member) {
			v.Default = r.any(f)
			r.values = append(r.values, declaredValue{i, "default", f.valueAt})
		},
		"example": func(r *manifestReader, v *Var, i int, f member) {
			v.Example = r.any(f)
			r.values = append(r.values, declaredValue{i, "example", f.valueAt})
		},
		"minLength":   func(r *manifestReader, v *Var, _ int, f member) { v.MinLength = r.integer(f, 0, 1<<20) },
		"maxLength":   func(r *manifestReader, v *Var, _ int, f member) { v.MaxLength = r.integer(f, 1, 1<<20) },
		"min":         func(r *manifestReader, v *Var, _ int, f member) { v.Min = r.number(f) },
		"max":         func(r *manifestReader, v *Var, _ int, f member) { v.Max = r.number(f) },
		"pattern":     func(r *manifestReader, v *Var, _ int, f member) { r.pattern(v, f) },
		"options":     func(r *manifestReader, v *Var, _ int, f member) { r.options(v, f) },
		"missing":     func(r *manifestReader, v *Var, _ int, f member) { v.Missing = r.missing(f) },
		"items":       func(r *manifestReader, v *Var, _ int, f member) { v.Items = r.text(f) },
		"description": func(r *manifestReader, v *Var, _ int, f member) { v.Description = r.text(f) },
		"validation":  func(r *manifestReader, v *Var, i int, f member) { r.validation(v, i, f) },
	}
	varReaders["label"] = varReaders["description"]
	varReaders["defaultValue"] = varReaders["default"] // the seed product's word
	varReaders["enum"] = varReaders["options"]
}

func varKeys() []string {
	keys := make([]string, 0, len(varReaders))
	for key := range varReaders {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func (r *manifestReader) variable(i int, m member) {
	v := &r.m.vars[i]
	for _, f := range r.members(m, fmt.Sprintf("the variable %q", m.key)) {
		if read, ok := varReaders[f.key]; ok {
			read(r, v, i, f)
		} else {
			r.unknown(f, "a variable", varKeys())
		}
	}
	if v.Missing == MissingStrict {
		v.Required = true
	}
	if v.Required && (v.Missing == MissingDefault || v.Missing == MissingHide) {
		r.report(m.keyAt, problem.New(problem.Invalid, "%s is required, so that missing: %q never happens", v.Name, v.Missing))
	}
	r.m.hides = r.m.hides || v.Missing == MissingHide
}

// validation is the seed product's group of limits.
func (r *manifestReader) validation(v *Var, i int, m member) {
	limits := []string{"required", "minLength", "maxLength", "min", "max", "pattern"}
	for _, f := range r.members(m, "validation") {
		if slices.Contains(limits, f.key) {
			varReaders[f.key](r, v, i, f)
		} else {
			r.unknown(f, "validation", limits)
		}
	}
}

func (r *manifestReader) bool(m member) bool {
	b, ok := r.any(m).(bool)
	if !ok {
		r.report(m.valueAt, problem.New(problem.Invalid, "%s must be true or false", m.key))
	}
	return b
}

func (r *manifestReader) number(m member) *float64 {
	f, ok := expr.Number(r.any(m))
	if !ok {
		r.report(m.valueAt, problem.New(problem.Invalid, "%s must be a number", m.key))
	}
	return &f
}

func (r *manifestReader) pattern(v *Var, m member) {
	v.Pattern = r.text(m)
	re, err := regexp.Compile(`^(?:` + v.Pattern + `)$`)
	if err != nil {
		r.report(m.valueAt, problem.New(problem.Invalid, "the pattern of %s is not a regular expression: %w", v.Name, err))
		return
	}
	v.pattern = re
}

func (r *manifestReader) options(v *Var, m member) {
	values, ok := r.any(m).([]any)
	if !ok || len(values) == 0 {
		r.report(m.valueAt, problem.New(problem.Invalid, "%s must be a list of the values that are allowed", m.key))
	}
	v.Options = values
}

func (r *manifestReader) missing(m member) Missing {
	policies := []string{string(MissingStrict), string(MissingDefault), string(MissingHide)}
	policy := r.text(m)
	if !slices.Contains(policies, policy) {
		r.report(m.valueAt, problem.New(problem.Invalid, "missing is %q", policy).WithHint("it is one of %s", list(policies)))
	}
	return Missing(policy)
}

func (m *manifest) hidesOn(name string) bool {
	return slices.ContainsFunc(m.vars, func(v Var) bool { return v.Name == name && v.Missing == MissingHide })
}

// limits holds a value of v's type against what else the manifest says of it.
func (v *Var) limits(value any) *problem.Error {
	if len(v.Options) > 0 && !slices.ContainsFunc(v.Options, func(o any) bool { return expr.Text(o) == expr.Text(value) }) {
		return variable(v, NotAllowed, "%s is %s, which is not one of its options", v.Name, quote(value)).
			WithHint("they are %s", expr.Text(v.Options))
	}
	if v.pattern != nil && !v.pattern.MatchString(expr.Text(value)) {
		return variable(v, NotAllowed, "%s is %s, which is not of the form that is wanted", v.Name, quote(value)).WithHint("it must match %s", v.Pattern)
	}
	if v.Min == nil && v.Max == nil {
		return nil
	}
	f, ok := expr.Number(value)
	switch {
	case !ok:
	case v.Min != nil && f < *v.Min:
		return variable(v, NotAllowed, "%s is %s, less than the %s allowed", v.Name, expr.Text(value), expr.Text(*v.Min))
	case v.Max != nil && f > *v.Max:
		return variable(v, NotAllowed, "%s is %s, more than the %s allowed", v.Name, expr.Text(value), expr.Text(*v.Max))
	}
	return nil
}

package template

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Values are what the slots of a template are filled with, one text per slot,
// resolved but not escaped. The fingerprint of a picture is taken over them. An
// address of the template's own assets carries the digest of its bytes.
type Values []string

// Resolve checks values and computes what the slots are filled with, at the
// moment now. Values hold what JSON does; variables that the template does not
// declare are ignored. The error is a problem.List with one entry for each
// variable at fault, its Path "variables.NAME".
func (t *Template) Resolve(values map[string]any, now time.Time) (Values, error) {
	return t.ResolveIn(values, expr.Env{Now: now})
}

// ResolveIn is Resolve with a locale and a time zone.
func (t *Template) ResolveIn(values map[string]any, env expr.Env) (Values, error) {
	row, problems := t.coerce(values)
	at := map[string]bool{} // variables that were at fault already
	for _, p := range problems {
		at[strings.TrimPrefix(p.Path, "variables.")] = true
	}
	out := make(Values, len(t.slots))
	for i := range t.slots {
		s := &t.slots[i]
		if slices.ContainsFunc(s.vars, func(name string) bool { return at[name] }) {
			continue
		}
		text, p := t.resolve(s, row, env)
		if p != nil {
			problems = append(problems, p)
			at[strings.TrimPrefix(p.Path, "variables.")] = true
			continue
		}
		out[i] = text
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return out, nil
}

// coerce is the row as the declared types have it.
func (t *Template) coerce(values map[string]any) (map[string]any, problem.List) {
	row := make(map[string]any, len(t.manifest.vars))
	var problems problem.List
	for _, v := range t.manifest.vars {
		value := values[v.Name]
		if value == nil || value == "" {
			if v.Required {
				problems = append(problems, variable(v, MissingVariable, "%s is required, but the row has no value for it", v.Name))
				continue
			}
			if value = v.Default; value == nil {
				continue
			}
		}
		typed, p := coerce(v, value, t.book())
		if p != nil {
			problems = append(problems, p)
			continue
		}
		row[v.Name] = typed
	}
	return row, problems
}

func (t *Template) book() addressBook {
	return addressBook{
		lookup: func(path string) (string, bool) { d, ok := t.assets[path]; return d, ok },
		paths:  func() []string { return slices.Sorted(maps.Keys(t.assets)) },
	}
}

// resolve is the text of one slot.
func (t *Template) resolve(s *slot, row map[string]any, env expr.Env) (string, *problem.Error) {
	var b strings.Builder
	for _, part := range s.parts {
		text := part.text
		if part.program != nil {
			v, err := part.program.Eval(row, env)
			if err != nil {
				return "", s.problem(err)
			}
			text = expr.Text(v)
			if s.place.address() {
				text = within(b.String(), text)
			}
		}
		b.WriteString(text)
	}
	if !s.place.address() {
		return b.String(), nil
	}
	resolved, p := t.book().resolve(b.String(), s.place)
	if p != nil {
		p.Slug = BadURL
		if len(s.vars) > 0 {
			p.Message = s.vars[0] + ": " + p.Message
		}
		return "", s.blame(p)
	}
	return resolved, nil
}

// problem is what an expression of s ran into. Its place is that of the
// expression in the template.
func (s *slot) problem(err error) *problem.Error {
	var p *problem.Error
	if !errors.As(err, &p) {
		p = problem.New(problem.Invalid, "%w", err)
	}
	copied := *p
	copied.Pos = s.at
	copied.Slug = BadExpression
	return s.blame(&copied)
}

func (s *slot) blame(p *problem.Error) *problem.Error {
	if len(s.vars) > 0 {
		p.Path = "variables." + s.vars[0]
	}
	return p
}

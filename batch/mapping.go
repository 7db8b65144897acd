package batch

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	maxMapping    = 500     // variables
	maxExpression = 8 << 10 // bytes of one expression
)

// MappingFailed is the code of a row of which an expression of the mapping could
// not be computed.
const MappingFailed = "mapping_failed"

func (f *fields) setMapping(name string, value json.RawMessage) (problems problem.List) {
	if json.Unmarshal(value, &f.mapping) != nil {
		return problem.List{wants(name, `an object of variables and expressions, as in {"title": "name | upper"}`)}
	}
	if len(f.mapping) > maxMapping {
		return problem.List{problem.New(problem.TooLarge, "the mapping has %d variables, and at most %d are taken", len(f.mapping), maxMapping).At(name)}
	}
	for _, variable := range slices.Sorted(maps.Keys(f.mapping)) {
		if n := len(f.mapping[variable]); n > maxExpression {
			problems = append(problems, problem.New(problem.TooLarge, "the expression has %d bytes, and at most %d are taken", n, maxExpression).At(name+"."+variable))
		}
	}
	return problems
}

// A mapping makes variables of the columns of rows.
type mapping struct {
	variables []string // in one order
	programs  []*expr.Program
	env       expr.Env // without the moment
}

// newMapping compiles the mapping of a job, for t or the templates of variants; nil where
// it has none. The error is a problem.List with paths that begin with "mapping".
func newMapping(job Job, t bindings.Template, variants *bindings.Variants) (*mapping, error) {
	if len(job.Mapping) == 0 {
		return nil, nil
	}
	var known []string
	for _, v := range t.Vars() {
		known = append(known, v.Name)
	}
	if variants != nil {
		known = append(known, variants.Vars()...)
	}
	m := &mapping{}
	if len(job.Outputs) > 0 {
		language := job.Outputs[0].Language
		m.env.Locale, m.env.Currency = language.Locale, language.Currency
		if zone, err := time.LoadLocation(language.Timezone); err == nil { // another one was refused with the outputs
			m.env.Zone = zone
		}
	}
	var problems problem.List
	for _, variable := range slices.Sorted(maps.Keys(job.Mapping)) {
		path := "mapping." + variable
		if !slices.Contains(known, variable) {
			p := problem.New(problem.Invalid, "the template %q has no variable %q", t.Name(), variable).WithSlug(expr.UnknownVariable).At(path)
			if near := expr.Nearest(variable, known); near != "" {
				p.WithHint("did you mean %q?", near)
			} else {
				p.WithHint("leave the line out, or declare the variable in the template")
			}
			problems = append(problems, p)
			continue
		}
		program, err := expr.Compile(job.Mapping[variable], expr.Options{})
		for _, p := range problem.All(err) {
			problems = append(problems, p.At(path))
		}
		m.variables, m.programs = append(m.variables, variable), append(m.programs, program)
	}
	return m, problems.Err()
}

// apply is a row with the variables that m makes beside its own columns. What can't
// be computed is the row's problem.
func (m *mapping) apply(row map[string]any, now time.Time) (map[string]any, *bindings.Problem) {
	if m == nil {
		return row, nil
	}
	env := m.env
	env.Now = now
	values := maps.Clone(row)
	if values == nil {
		values = map[string]any{}
	}
	for i, program := range m.programs {
		value, err := program.Eval(row, env)
		if err != nil {
			p := bindings.Problem{Code: MappingFailed, Field: "mapping." + m.variables[i], Message: problem.All(err)[0].Message}
			for _, name := range program.Names() {
				if _, ok := row[name]; !ok {
					p.Message += fmt.Sprintf("; the row has no column %q", name)
				}
			}
			return nil, &p
		}
		values[m.variables[i]] = value
	}
	return values, nil
}

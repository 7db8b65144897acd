package batch

import (
	"encoding/json"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Test is the experiment by which the rows of a job are drawn.
type Test struct {
	bindings.Experiment

	ID       string           `json:"id"`                 // of the experiment
	Versions map[string]int64 `json:"versions,omitempty"` // of the templates of its variants, pinned when the job was accepted
}

// setExperiment reads {slug, unit}, or the slug alone.
func (f *fields) setExperiment(name string, value json.RawMessage) (problems problem.List) {
	if json.Unmarshal(value, &f.experiment.Slug) == nil {
		return nil
	}
	var given map[string]json.RawMessage
	if json.Unmarshal(value, &given) != nil {
		return problem.List{wants(name, `the slug of an experiment and a column, as in {"slug": "spring-card", "unit": "customer_id"}`)}
	}
	into := map[string]*string{"slug": &f.experiment.Slug, "unit": &f.experiment.Unit}
	known := map[string]string{"slug": "slug", "unit": "unit"}
	for _, field := range sortedKeys(given) {
		at := name + "." + field
		switch {
		case into[field] == nil:
			problems = append(problems, unknownField(field, known).At(at))
		case !isNull(given[field]):
			problems = append(problems, text(at, given[field], into[field])...)
		}
	}
	return problems
}

// setUnit reads the column of the unit, where the experiment is named by its slug.
func (f *fields) setUnit(name string, value json.RawMessage) problem.List {
	return text(name, value, &f.unit)
}

// checkExperiment puts together what was given of an experiment.
func (f *fields) checkExperiment() problem.List {
	e, unit := &f.experiment, f.given["experimentUnit"]
	switch {
	case unit != "" && e.Unit != "":
		return problem.List{givenTwice(f.given["experiment"]+".unit", unit).At(unit)}
	case unit != "" && f.given["experiment"] == "":
		return problem.List{problem.New(problem.Invalid, "there is a column of units, and no experiment").At(unit).WithHint("name the experiment: experiment=SLUG")}
	case unit != "":
		e.Unit = f.unit
	}
	if f.given["experiment"] == "" {
		return nil
	}
	if *e == (bindings.Experiment{}) {
		return problem.List{problem.New(problem.Invalid, "the experiment has no slug").WithSlug("required").At(f.given["experiment"])}
	}
	return e.Check(f.given["experiment"])
}

// plannedOutputs are the outputs of a job as planning takes them.
func plannedOutputs(job Job) []bindings.Output {
	outs := make([]bindings.Output, len(job.Outputs))
	for i, o := range job.Outputs {
		outs[i] = bindings.Output(o)
	}
	return outs
}

// Meetings are the units of rows that are to be planned next, as they come to the
// experiment of the job; none where their variants need not be known.
func (p *Planner) Meetings(rows []Row) (all []experiment.Meeting) {
	if !p.variants.Assigns() {
		return nil
	}
	for _, r := range rows {
		if r.Error != nil {
			continue
		}
		values, err := decodeValues(r.Values)
		if err != nil {
			continue
		}
		key, refused := p.key(r, values)
		if refused != nil {
			continue
		}
		if m, ok := p.variants.Meeting(bindings.JobOwner(p.job.ID), key, values); ok {
			all = append(all, m)
		}
	}
	return all
}

// Assign tells p which variants the units have of the rows that it is given next.
func (p *Planner) Assign(all []experiment.Assignment) {
	p.joined = &bindings.Joined{}
	p.joined.Assign(all)
}

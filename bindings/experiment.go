package bindings

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// An Experiment says by which experiment rows are drawn. Each row is for a unit,
// and is drawn as the variant that the unit was given.
type Experiment struct {
	Slug string `yaml:"slug" json:"slug"` // of the experiment
	Unit string `yaml:"unit" json:"unit"` // the column that names the unit, as in customer_id
}

// Named reports whether there is one.
func (e Experiment) Named() bool { return e != Experiment{} }

// Check returns what is wrong with e, with paths that begin with at.
func (e Experiment) Check(at string) (problems problem.List) {
	if !e.Named() {
		return nil
	}
	if e.Slug == "" {
		problems = append(problems, problem.New(problem.Invalid, "the experiment has no slug").WithSlug("required").At(at+".slug").
			WithHint("name an experiment, as in {slug: spring-card, unit: customer_id}"))
	}
	if e.Unit == "" {
		problems = append(problems, problem.New(problem.Invalid, "no column says whom a row is for").WithSlug("required").At(at+".unit").
			WithHint("name the column whose value is the same whenever it is the same person, as in customer_id"))
	}
	return problems
}

// The problems of rows that name no unit.
const (
	UnitMissing = "unit_missing"
	BadUnit     = "bad_unit"
)

// maxUnit is the length of the longest unit, in bytes.
const maxUnit = 200

// UnitOf is the unit that a row is for.
func (e Experiment) UnitOf(row map[string]any) (string, *Problem) {
	var unit string
	refuse := func(code, format string, args ...any) (string, *Problem) {
		return "", &Problem{Code: code, Field: "experiment.unit", Message: fmt.Sprintf("the column %q, which names the unit of the experiment %q, %s", e.Unit, e.Slug, fmt.Sprintf(format, args...))}
	}
	switch v := row[e.Unit].(type) {
	case nil:
		if _, has := row[e.Unit]; has {
			return refuse(UnitMissing, "is null")
		}
		return refuse(UnitMissing, "is not in the row")
	case string:
		unit = v
	case json.Number:
		unit = v.String()
	default:
		return refuse(BadUnit, "is neither text nor a number")
	}
	switch {
	case unit == "":
		return refuse(UnitMissing, "is empty")
	case len(unit) > maxUnit:
		return refuse(BadUnit, "has %d bytes, and a unit at most %d", len(unit), maxUnit)
	case !utf8.ValidString(unit) || strings.ContainsFunc(unit, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }):
		return refuse(BadUnit, "has a control character")
	}
	return unit, nil
}

// Arms are the variants of an experiment that has begun, as rows are drawn with
// them.
type Arms struct {
	ID      string // of the experiment
	Control string // the variant of units that take no part
	Winner  string // the variant of all units; "" while they are assigned
	List    []Arm  // with a winner, it alone
}

// An Arm is one of them.
type Arm struct {
	Variant     string // id
	Template    Template
	Version     int64
	Size, Theme string         // in place of those of all outputs, where they are named
	Variables   map[string]any // in place of those of the row
}

// An Assigned is as which variant of an experiment a row is drawn, and for whom.
type Assigned struct {
	Experiment string `json:"experiment"` // id
	Unit       string `json:"unit"`
	Variant    string `json:"variant"`
}

// Is reports whether there is one.
func (a Assigned) Is() bool { return a != Assigned{} }

// Variants draw rows as the variants that their units were given. They are
// immutable and safe for concurrent use.
type Variants struct {
	of    Experiment
	arms  Arms
	drawn map[string]variant
}

// A variant is an Arm, ready to draw.
type variant struct {
	Arm
	drawing *Drawing
}

// NewVariants checks outs against the templates of arms. The error is a problem.List
// with paths that begin with "experiment".
func NewVariants(of Experiment, arms Arms, epoch int64, outs []Output) (*Variants, error) {
	outs, err := Outputs(outs, "outputs")
	if err != nil {
		return nil, err
	}
	v := &Variants{of: of, arms: arms, drawn: map[string]variant{}}
	var problems problem.List
	for _, arm := range arms.List {
		drawing, err := arm.drawing(epoch, outs)
		for _, p := range problemsIn(err) {
			problems = append(problems, problem.New(p.Code, "the variant %q of the experiment %q can't be drawn: %s", arm.Variant, of.Slug, p.Message).
				WithSlug(p.Slug).At("experiment.slug").WithHint("%s", p.Hint))
		}
		v.drawn[arm.Variant] = variant{arm, drawing}
	}
	return v, problems.Err()
}

func problemsIn(err error) problem.List {
	if err == nil {
		return nil
	}
	return problem.All(err)
}

// drawing is outs as the arm draws them. Their names stay, so that it is the same
// output whichever variant a row has.
func (a Arm) drawing(epoch int64, outs []Output) (*Drawing, error) {
	outs = slices.Clone(outs)
	for i := range outs {
		if a.Size != "" && outs[i].Size != outs[0].Size {
			return nil, problem.New(problem.Invalid, "it has the size %q, and the outputs have different ones", a.Size).
				WithHint("leave the size to the outputs, or to the variants")
		}
		outs[i].Theme = cmp.Or(a.Theme, outs[i].Theme)
	}
	for i := range outs {
		outs[i].Size = cmp.Or(a.Size, outs[i].Size)
	}
	return NewDrawing(a.Template, a.Version, epoch, outs)
}

// Assigns reports whether units must be given a variant before rows are drawn.
func (v *Variants) Assigns() bool { return v != nil && v.arms.Winner == "" }

// Meeting is the unit of a row that has its image there, as it comes to the
// experiment; ok is false for a row that names none. Whoever assigns gives it its
// variant.
func (v *Variants) Meeting(owner Owner, key string, row map[string]any) (m experiment.Meeting, ok bool) {
	unit, refused := v.of.UnitOf(row)
	if refused != nil {
		return m, false
	}
	m.Assignment = experiment.Assignment{
		Experiment: v.arms.ID, Unit: unit, Channel: experiment.Email, Place: experiment.Place{Owner: string(owner), Key: key},
	}
	m.Exposed = true
	return m, true
}

// assigned is as what a row is drawn; j knows its unit.
func (v *Variants) assigned(row map[string]any, j *Joined) (Assigned, *Problem) {
	unit, refused := v.of.UnitOf(row)
	if refused != nil {
		return Assigned{}, refused
	}
	a := Assigned{Experiment: v.arms.ID, Unit: unit, Variant: v.arms.Winner}
	if a.Variant == "" {
		a.Variant = j.variant(v.arms.ID, unit)
	}
	if _, known := v.drawn[a.Variant]; !known {
		a.Variant = v.arms.Control
	}
	return a, nil
}

// Propose is what a row of that key should become whose columns are row, and whose
// variables are values: Drawing.Propose as the variant that its unit has.
func (v *Variants) Propose(owner Owner, key string, row, values map[string]any, j *Joined, now time.Time, priority int) Proposal {
	a, refused := v.assigned(row, j)
	if refused != nil {
		return Refused(owner, key, *refused)
	}
	return v.propose(owner, key, a, values, now, priority)
}

// As is p, by which the columns of its row, row, can't be drawn, as the variant that its
// unit has: it took part nevertheless.
func (v *Variants) As(p Proposal, row map[string]any, j *Joined) Proposal {
	if v == nil {
		return p
	}
	a, refused := v.assigned(row, j)
	if refused != nil {
		return p
	}
	return p.as(a)
}

func (v *Variants) propose(owner Owner, key string, a Assigned, values map[string]any, now time.Time, priority int) Proposal {
	is := v.drawn[a.Variant]
	if len(is.Variables) > 0 {
		values = maps.Clone(values)
		if values == nil {
			values = map[string]any{}
		}
		maps.Copy(values, is.Variables)
	}
	return is.drawing.Propose(owner, key, values, now, priority).as(a)
}

// Vars are the names of the variables of all templates, sorted.
func (v *Variants) Vars() []string {
	names := map[string]bool{}
	for _, is := range v.drawn {
		for _, each := range is.Template.Vars() {
			names[each.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// readsClock reports whether a template of v does.
func (v *Variants) readsClock() bool {
	return v != nil && slices.ContainsFunc(v.arms.List, func(a Arm) bool { return a.Template.ReadsClock() })
}

// hash is all that the proposals of v hang on besides the rows, the outputs and what
// the units were given.
func (v *Variants) hash(h tupleHash) {
	h.text("experiment")
	h.text(v.arms.ID)
	h.text(v.of.Unit)
	h.text(v.arms.Winner)
	h.text(v.arms.Control)
	for _, arm := range v.arms.List {
		h.text(arm.Variant)
		h.text(arm.Template.Digest())
		values, err := Canonical(arm.Variables)
		if err != nil {
			values = []byte(err.Error()) // they came as JSON, so there is none
		}
		h.text(string(values))
		for _, o := range v.drawn[arm.Variant].drawing.outputs {
			h.text(o.name)
			h.text(o.spec.Page)
		}
	}
}

// as is p, which the row becomes as the variant of its unit. Who has another variant
// wants something else, also where the pictures are the same.
func (p Proposal) as(a Assigned) Proposal {
	h := newHash("pictifyd/proposal/1")
	h.text("variant")
	h.text(p.Digest)
	h.text(a.Experiment)
	h.text(a.Unit)
	h.text(a.Variant)
	p.Assigned, p.Digest = a, h.sum()
	return p
}

// Assign has j know which variants units have.
func (j *Joined) Assign(all []experiment.Assignment) {
	if j.variants == nil {
		j.variants = make(map[[2]string]string, len(all))
	}
	for _, a := range all {
		j.variants[[2]string{a.Experiment, a.Unit}] = a.Variant
	}
}

// variant is that of a unit; "" where j does not know it.
func (j *Joined) variant(experiment, unit string) string {
	if j == nil {
		return ""
	}
	return j.variants[[2]string{experiment, unit}]
}

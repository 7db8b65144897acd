package bindings

import (
	"fmt"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// A Template is what planning needs of one; *template.Template is one.
type Template interface {
	Name() string
	Digest() string
	Vars() []template.Var
	Sizes() []template.Size
	ReadsClock() bool
	Themes() []string
	Page(v template.View) (*template.Page, error)
	ResolveIn(values map[string]any, env expr.Env) (template.Values, error)
}

var _ Template = (*template.Template)(nil)

// A Drawing plans the pictures of rows that name the variables of a template. It
// is immutable and safe for concurrent use.
type Drawing struct {
	template Template
	epoch    int64
	outputs  []plannedOutput
}

// A plannedOutput is an output with all that its pictures share.
type plannedOutput struct {
	name string
	page *template.Page
	spec Spec     // without values
	in   expr.Env // without the moment
}

// NewDrawing checks outs against version of t. The error is a problem.List with
// paths that begin with "outputs".
func NewDrawing(t Template, version, epoch int64, outs []Output) (*Drawing, error) {
	outs, err := Outputs(outs, "outputs")
	if err != nil {
		return nil, err
	}
	d := &Drawing{template: t, epoch: epoch}
	var problems problem.List
	for i, o := range outs {
		page, err := pageOf(t, o)
		if err != nil {
			problems = append(problems, err.At(fmt.Sprintf("outputs[%d].%s", i, err.Path)))
			continue
		}
		d.outputs = append(d.outputs, plannedOutput{o.Name, page, Spec{
			Template: t.Name(), Version: version, Page: page.Digest, Size: o.Size, Theme: o.Theme, Number: o.number(),
			Encoding: o.Encoding,
		}, o.Language.env()})
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return d, nil
}

// pageOf is the page that o shows. The problem's path is the field at fault.
func pageOf(t Template, o Output) (*template.Page, *problem.Error) {
	sizes := []string{""}
	for _, s := range t.Sizes() {
		sizes = append(sizes, s.Name)
	}
	if !slices.Contains(sizes, o.Size) {
		p := problem.New(problem.Invalid, "template %q has no size %q", t.Name(), o.Size).WithSlug("unknown_size").At("size")
		return nil, suggest(p, o.Size, sizes[1:], "sizes")
	}
	if o.Theme != "" && !slices.Contains(t.Themes(), o.Theme) {
		p := problem.New(problem.Invalid, "template %q has no theme %q", t.Name(), o.Theme).WithSlug("unknown_theme").At("theme")
		return nil, suggest(p, o.Theme, t.Themes(), "themes")
	}
	page, err := t.Page(template.View{Size: o.Size, Theme: o.Theme, Page: o.number()})
	if err != nil {
		return nil, problem.New(problem.Invalid, "template %q has no page of size %q: %w", t.Name(), o.Size, err).At("size")
	}
	return page, nil
}

// Propose is what the row of that key should become. values are those of the
// template's variables; others are ignored. The proposal has no index.
func (d *Drawing) Propose(owner Owner, key string, values map[string]any, now time.Time, priority int) Proposal {
	wants := make([]Want, len(d.outputs))
	var resolved template.Values
	for i, o := range d.outputs {
		if i == 0 || !sameLanguage(o.in, d.outputs[i-1].in) { // nearly always once
			var err error
			env := o.in
			env.Now = now
			if resolved, err = d.template.ResolveIn(values, env); err != nil {
				return Refused(owner, key, rowProblem(err))
			}
		}
		if o.spec.Number > 1 {
			if n := o.page.Pages(resolved); n < o.spec.Number {
				return Refused(owner, key, Problem{Code: "no_such_page", Field: "outputs." + o.name,
					Message: fmt.Sprintf("the output %s is page %d, but with this row the template has %d", o.name, o.spec.Number, n)})
			}
		}
		spec := o.spec
		spec.Values = o.page.Shown(resolved)
		wants[i] = Want{Output: o.name, Fingerprint: Fingerprint(spec, d.epoch), Spec: spec}
	}
	p := wanting(owner, key, wants)
	p.Priority = priority
	return p
}

func sameLanguage(a, b expr.Env) bool {
	return a.Locale == b.Locale && a.Zone == b.Zone && a.Currency == b.Currency
}

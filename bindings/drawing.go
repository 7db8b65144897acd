package bindings

import (
	"fmt"
	"time"

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
	Page(size string) (*template.Page, error)
	Resolve(values map[string]any, now time.Time) (template.Values, error)
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
	spec Spec // without values
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
		page, err := pageOf(t, o.Size)
		if err != nil {
			problems = append(problems, err.At(fmt.Sprintf("outputs[%d].size", i)))
			continue
		}
		d.outputs = append(d.outputs, plannedOutput{o.Name, page, Spec{
			Template: t.Name(), Version: version, Page: page.Digest, Size: o.Size, Format: o.Format, Quality: o.Quality,
		}})
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	return d, nil
}

func pageOf(t Template, size string) (*template.Page, *problem.Error) {
	var names []string
	known := size == ""
	for _, s := range t.Sizes() {
		names = append(names, s.Name)
		known = known || s.Name == size
	}
	if !known {
		p := problem.New(problem.Invalid, "template %q has no size %q", t.Name(), size).WithSlug("unknown_size")
		return nil, suggest(p, size, names, "sizes")
	}
	page, err := t.Page(size)
	if err != nil {
		return nil, problem.New(problem.Invalid, "template %q has no page of size %q: %w", t.Name(), size, err)
	}
	return page, nil
}

// Propose is what the row of that key should become. values are those of the
// template's variables; others are ignored. The proposal has no index.
func (d *Drawing) Propose(owner Owner, key string, values map[string]any, now time.Time, priority int) Proposal {
	resolved, err := d.template.Resolve(values, now)
	if err != nil {
		return Refused(owner, key, rowProblem(err))
	}
	wants := make([]Want, len(d.outputs))
	for i, o := range d.outputs {
		spec := o.spec
		spec.Values = o.page.Shown(resolved)
		wants[i] = Want{Output: o.name, Fingerprint: Fingerprint(spec, d.epoch), Spec: spec}
	}
	p := wanting(owner, key, wants)
	p.Priority = priority
	return p
}

package bindings

import (
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// PlaceholderOf is what stands for the images of a binding until they are there:
// t, drawn with its defaults, once for each output. The error is a problem.List
// with paths relative to the binding.
func PlaceholderOf(c Config, t Template, version, epoch int64, now time.Time) ([]Want, error) {
	refuse := func(err error) error {
		var problems problem.List
		for _, p := range problem.All(err) {
			problems = append(problems, problem.New(problem.Invalid, "the template %q can't be the placeholder: %s", t.Name(), p.Message).
				WithSlug(p.Slug).At("placeholder").WithHint("it is drawn with its defaults, in the sizes and formats of the outputs"))
		}
		return problems.Err()
	}
	if t.ReadsClock() {
		return nil, refuse(problem.New(problem.Unsupported, "it reads the clock"))
	}
	drawing, err := NewDrawing(t, version, epoch, inLanguage(c.Outputs, c.Language))
	if err != nil {
		return nil, refuse(err)
	}
	p := drawing.Propose(BindingOwner(c.Name), "", nil, now, PriorityNow)
	if p.Problem != nil {
		return nil, refuse(problem.New(problem.Invalid, "%s", p.Problem.Message).WithSlug(p.Problem.Code))
	}
	return p.Wants, nil
}

package bindings

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// A fakeTemplate has the variables title (required), price (a number, required)
// and note, and the sizes default and story.
type fakeTemplate struct {
	version string // of its pages
	clock   bool
}

func (f fakeTemplate) Name() string     { return "card" }
func (f fakeTemplate) Digest() string   { return "digest of " + f.version }
func (f fakeTemplate) ReadsClock() bool { return f.clock }

func (f fakeTemplate) Vars() []template.Var {
	return []template.Var{{Name: "title", Type: "text", Required: true}, {Name: "price", Type: "number", Required: true}, {Name: "note", Type: "text"}}
}

func (f fakeTemplate) Sizes() []template.Size {
	return []template.Size{{Name: "default"}, {Name: "story"}}
}

func (f fakeTemplate) Themes() []string { return []string{"dark"} }

func (f fakeTemplate) Page(v template.View) (*template.Page, error) {
	return threeSlots(f.version + "/" + v.Size + v.Theme), nil
}

// ResolveIn prints numbers and the texts of numbers alike, as templates do.
func (f fakeTemplate) ResolveIn(values map[string]any, _ expr.Env) (template.Values, error) {
	var slots template.Values
	var problems problem.List
	for _, v := range f.Vars() {
		value := values[v.Name]
		if v.Required && (value == nil || value == "") {
			problems = append(problems, problem.New(problem.Invalid, "the variable %s is missing", v.Name).
				WithSlug("missing_variable").At("variables."+v.Name))
			continue
		}
		text := printed(value)
		if v.Type == "number" {
			if _, err := json.Number(text).Float64(); err != nil {
				problems = append(problems, problem.New(problem.Invalid, "%q is no number", text).
					WithSlug("wrong_type").At("variables."+v.Name).WithHint("give a number"))
			}
		}
		slots = append(slots, text)
	}
	return slots, problems.Err()
}

func printed(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// slots are the values of the first output that p wants.
func slots(p Proposal) []string {
	if len(p.Wants) == 0 {
		return nil
	}
	return slices.Clone(p.Wants[0].Spec.Values)
}

// threeSlots is a page of that digest which shows three values.
func threeSlots(digest string) *template.Page {
	t, err := template.Parse("three", []byte(`<p>{{ a }}{{ b }}{{ c }}</p>`), nil)
	if err != nil {
		panic(err)
	}
	page, err := t.Page(template.View{})
	if err != nil {
		panic(err)
	}
	three := *page
	three.Digest = digest
	return &three
}

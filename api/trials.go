package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
	"github.com/pictifyd/pictifyd/template/sample"
)

// Trials gives rows to try templates with.
type Trials interface {
	// RowChoices are the places that have rows for a template, those that are made
	// for it before others.
	RowChoices(ctx context.Context, template string) ([]RowChoice, error)
	// TrialRows are the rows of a place, with what they give to the variables of
	// form. A place that is not known is a problem NotFound.
	TrialRows(ctx context.Context, template string, form bindings.Template, from RowPlace) (sample.Rows, error)
	// Sketch draws a picture of which nothing is kept. A fault of the row is in
	// Sketched; an error is the machine's.
	Sketch(ctx context.Context, s Sketch) (Sketched, error)
	// SavedMap is how a binding fills variables now, and its condition.
	SavedMap(binding string) (expressions map[string]string, where string)
	// TryMap computes expressions over some rows, each by itself.
	TryMap(ctx context.Context, m MapTrial) (MapTried, error)
	// Fonts are the families that the machine has for the renderer.
	Fonts(ctx context.Context) ([]FontFamily, error)
}

// A Sketch is a picture that nobody keeps.
type Sketch struct {
	Want  bindings.Want
	Boxes bool   // where its elements are is wanted
	Dry   bool   // the picture itself is not
	Check string // the check of many rows that it is part of; it gives way to who waits for one
}

// A Sketched is how a sketch came out, or why it did not.
type Sketched struct {
	Bytes         []byte
	Ext           string
	Width, Height int
	Duration      time.Duration // in the engine
	Fitting       bindings.Fitting
	Layers        []render.LayerReport
	Boxes         []render.Box
	Known         bool // of a check: the picture was made before, and nothing was drawn
	Problem       *bindings.Problem
}

// The kinds of places that rows come from.
const (
	FromSamples = "samples" // of the template itself
	FromBinding = "binding" // as it maps them
	FromSource  = "source"  // columns are variables of the same name
	FromJob     = "job"     // as they were sent
	fromPasted  = "pasted"
)

// A RowPlace is where rows come from.
type RowPlace struct{ Kind, Name string }

// String is the place as requests spell it.
func (p RowPlace) String() string {
	if p.Name == "" {
		return p.Kind
	}
	return p.Kind + ":" + p.Name
}

// A RowChoice is a place that has rows.
type RowChoice struct {
	From  string `json:"from"` // as requests name it
	Title string `json:"title"`
	Kind  string `json:"kind"` // samples, binding, source or job
	Name  string `json:"name,omitempty"`
	Rows  int    `json:"rows"`
}

// ReadRowPlace reads where rows are to come from; nothing is the samples.
func ReadRowPlace(text string) (RowPlace, error) {
	kind, name, _ := strings.Cut(text, ":")
	switch kind {
	case "", FromSamples:
		if name == "" {
			return RowPlace{Kind: FromSamples}, nil
		}
	case FromBinding, FromSource, FromJob:
		if name != "" {
			return RowPlace{kind, name}, nil
		}
	}
	return RowPlace{}, problem.New(problem.Invalid, "no rows come from %q", text).WithSlug("unknown_place").At("from").
		WithHint("name samples, binding:NAME, source:NAME or job:ID")
}

// mayTryWith says why the asker may not see the rows of a place.
func (s *Server) mayTryWith(ctx context.Context, from RowPlace) error {
	p := asker(ctx)
	scope := BindingsRead
	switch from.Kind {
	case FromSamples:
		return nil
	case FromJob:
		scope = RendersRead
	}
	if !p.may(scope) {
		return problem.New(problem.Forbidden, "the key %q has not the scope %s", p.name, scope).WithSlug(slugScope).At("from").
			WithHint("take rows from the samples, or use another key")
	}
	seen := len(p.templates) == 0
	switch from.Kind {
	case FromBinding:
		if b, ok := s.configured(from.Name); !ok || !p.uses(b.Template) {
			return s.noBinding(from.Name)
		}
		return nil
	case FromJob:
		job, err := s.deps.Jobs.Job(ctx, from.Name)
		if err != nil {
			return err
		}
		seen = p.uses(job.Template)
	}
	for _, b := range s.deps.ConfiguredFunc() {
		seen = seen || from.Kind == FromSource && b.Source == from.Name && p.uses(b.Template)
	}
	if !seen {
		return problem.New(problem.NotFound, "there is no %s %q", from.Kind, from.Name).WithSlug(from.Kind + slugNotFound).At("from")
	}
	return nil
}

// A trial is a draft and the rows that it is tried with.
type trial struct {
	name  string
	draft draft.Draft
	form  bindings.Template
	doc   *bindings.Document // nil: it is a version as it stands
	from  string
	rows  sample.Rows
}

// draftOf is the draft of the template that r names, compiled.
func (s *Server) draftOf(r *http.Request) (*trial, error) {
	name, err := usable(r)
	if err != nil {
		return nil, err
	}
	d, err := s.deps.Drafts.Draft(r.Context(), name)
	if err != nil {
		return nil, err
	}
	t := &trial{name: name, draft: d}
	if d.Open {
		t.doc = &bindings.Document{Source: string(d.Source), Assets: d.Assets}
		t.form, err = s.deps.Easel.Compile(r.Context(), t.doc)
	} else {
		t.form, err = s.deps.CompileFunc(r.Context(), name, d.Base)
	}
	return t, err
}

// trialOf is the draft with the rows of the place that from names.
func (s *Server) trialOf(r *http.Request, from string) (*trial, error) {
	t, err := s.draftOf(r)
	if err != nil {
		return nil, err
	}
	place, err := ReadRowPlace(from)
	if err != nil {
		return nil, err
	}
	if err := s.mayTryWith(r.Context(), place); err != nil {
		return nil, err
	}
	t.from = place.String()
	t.rows, err = s.deps.Trials.TrialRows(r.Context(), t.name, t.form, place)
	return t, err
}

// examplesOf are values to show a template with.
func examplesOf(vars []template.Var) map[string]any {
	values := map[string]any{}
	for _, v := range vars {
		if v.Example != nil {
			values[v.Name] = v.Example
		} else if v.Default != nil {
			values[v.Name] = v.Default
		}
	}
	return values
}

package api

import (
	"fmt"
	"net/http"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/draft"
)

// A forecastView is what publishing a draft would do.
type forecastView struct {
	TemplateUID string                `json:"templateUid"`
	Revision    int64                 `json:"revision"`
	Base        int64                 `json:"base"`
	Images      int                   `json:"images"`    // that would be rendered
	Reused      int                   `json:"reused"`    // that would become pictures which are made already
	Unchanged   int                   `json:"unchanged"` // that stay as they are
	Held        int                   `json:"held"`      // whose change the guard holds
	FailingRows int                   `json:"failingRows"`
	Bindings    []bindingForecastView `json:"bindings"`
}

// A bindingForecastView is what publishing a draft would do to a binding.
type bindingForecastView struct {
	Name        string       `json:"name"`
	Images      int          `json:"images"`
	Reused      int          `json:"reused"`
	Unchanged   int          `json:"unchanged"`
	Held        int          `json:"held"`
	Removed     int          `json:"removed"`
	FailingRows int          `json:"failingRows"`
	Failures    []failedView `json:"failures"`        // the first of them
	Error       string       `json:"error,omitempty"` // why the binding could not work any more
	Errors      []fieldError `json:"errors,omitempty"`
}

// forecastDraft counts what publishing the draft would render.
func (s *Server) forecastDraft(w http.ResponseWriter, r *http.Request) error {
	name, err := usable(r)
	if err != nil {
		return err
	}
	return s.answerForecast(w, r, name)
}

func (s *Server) answerForecast(w http.ResponseWriter, r *http.Request, name string) error {
	f, err := s.deps.Publisher.Forecast(r.Context(), name)
	if err != nil {
		return fmt.Errorf("count what publishing %q would render: %w", name, err)
	}
	v := forecastView{TemplateUID: name, Revision: f.Revision, Base: f.Base, Bindings: []bindingForecastView{}}
	for _, b := range f.Bindings {
		v.Images, v.Reused, v.Unchanged = v.Images+b.Images, v.Reused+b.Reused, v.Unchanged+b.Unchanged
		v.Held, v.FailingRows = v.Held+b.Held, v.FailingRows+b.Failing
		v.Bindings = append(v.Bindings, viewOfForecast(b))
	}
	w.Header().Set("ETag", etagOf(f.Revision))
	return answer(w, http.StatusOK, v)
}

func viewOfForecast(b draft.BindingForecast) bindingForecastView {
	v := bindingForecastView{
		Name: b.Binding, Images: b.Images, Reused: b.Reused, Unchanged: b.Unchanged, Held: b.Held, Removed: b.Removed,
		FailingRows: b.Failing, Failures: []failedView{},
	}
	for _, f := range b.Failures {
		v.Failures = append(v.Failures, failedView{f.Key, bindings.KeyText(f.Key), f.Code, f.Error, f.Field})
	}
	if b.Error == nil {
		return v
	}
	v.Error = b.Error.Error()
	for _, e := range problem.All(b.Error) {
		v.Errors = append(v.Errors, fieldErrorOf(e))
	}
	return v
}

// publishDraft makes the draft a version; with dryRun it counts what that would
// render.
func (s *Server) publishDraft(w http.ResponseWriter, r *http.Request) error {
	name, err := usable(r)
	if err != nil {
		return err
	}
	var body struct {
		Author string
		Over   string // the digest of what stands in the way, and has been seen
		DryRun bool
	}
	if err := decodeBody(w, r, maxEdit, &body, `{"author": "Ada"}`); err != nil {
		return err
	}
	if body.DryRun {
		return s.answerForecast(w, r, name)
	}
	revision, err := mustMatch(r, "the draft")
	if err != nil {
		return err
	}
	author, err := authorOf(r, body.Author)
	if err != nil {
		return err
	}
	done, err := s.deps.Publisher.PublishDraft(r.Context(), draft.Publication{Name: name, Revision: revision, Over: body.Over, Author: author})
	if err != nil {
		return fmt.Errorf("publish the draft of %q: %w", name, err)
	}
	return answerPublished(w, http.StatusOK, done)
}

// answerPublished says which version there is now. That the folder could not be
// written is no failure: the version is there.
func answerPublished(w http.ResponseWriter, status int, done draft.Published) error {
	v := struct {
		TemplateUID string      `json:"templateUid"`
		Version     versionView `json:"version"`
		Changed     bool        `json:"changed"` // false: this was the newest version already
		FileError   string      `json:"fileError,omitempty"`
	}{TemplateUID: done.Version.Name, Version: viewOfVersion(done.Version), Changed: done.Changed}
	v.Version.HTML = ""
	if done.File != nil {
		v.FileError = done.File.Error()
	}
	w.Header().Set("ETag", etagOf(done.Version.Number))
	return answer(w, status, v)
}

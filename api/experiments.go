package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/draft"
)

// ExperimentDesk makes, changes and moves experiments, and tells how they stand.
type ExperimentDesk interface {
	// Experiments are all that there are, newest first, also those that are retired.
	Experiments(ctx context.Context) ([]experiment.Experiment, error)
	// Create makes a draft.
	Create(ctx context.Context, d experiment.Definition, author string) (experiment.Experiment, error)
	// Change gives one another definition. One that is at another revision than e is a
	// problem of slug experiment_moved.
	Change(ctx context.Context, e experiment.Experiment, d experiment.Definition) (experiment.Experiment, error)
	// Move takes one on in its life. A move that its status does not take is a problem
	// of code Conflict.
	Move(ctx context.Context, e experiment.Experiment, m ExperimentMove) (experiment.Experiment, error)
	// Forecast counts what each binding that names it would render if that variant won.
	// A variant that it has not is a problem of the request.
	Forecast(ctx context.Context, e experiment.Experiment, winner string) ([]draft.BindingForecast, error)
	// Remove deletes a draft, and retires what has run: its images are served on.
	Remove(ctx context.Context, e experiment.Experiment) error
	// Standing is how one stands now; whole has the days so far as well.
	Standing(ctx context.Context, e experiment.Experiment, whole bool) (Standing, error)
	// Assignments and Events are all of an experiment, a page at a time: behind a unit,
	// or behind a number of an event.
	Assignments(ctx context.Context, id, after string, limit int) ([]experiment.Assignment, error)
	Events(ctx context.Context, id string, after int64, limit int) ([]experiment.Kept, error)
	// EraseUnit forgets who a unit is. What it did stays counted.
	EraseUnit(ctx context.Context, id, unit string) error
}

// The moves of experiments.
const (
	MoveStart    = "start"
	MovePause    = "pause"
	MoveResume   = "resume"
	MoveComplete = "complete"
	MoveRollout  = "rollout"
)

// An ExperimentMove is what is asked of an experiment.
type ExperimentMove struct {
	Move    string
	Winner  string         // of complete: the id of a variant; "" is the one that the report suggests
	Force   bool           // of complete: although the numbers do not say so
	Weights map[string]int // of rollout: basis points by the id of the variant
	Author  string
}

// A Standing is how an experiment stands.
type Standing struct {
	Report      experiment.Report
	Counts      []experiment.Counts
	Allocations []experiment.Allocation // of a whole one
	Series      []experiment.Point      // of a whole one
	WriteKey    string
	Pictures    map[string]experiment.Picture // by variant, of those that are shown now
}

const (
	slugNoExperiment = "experiment_not_found"
	slugNoVariant    = "variant_not_found"

	// SlugExperimentMoved is of a change to what somebody else has changed meanwhile.
	SlugExperimentMoved = "experiment_moved"
)

// seesExperiment reports whether p may see an experiment: one with no other templates
// than p may use.
func (p *principal) seesExperiment(d experiment.Definition) bool {
	return !slices.ContainsFunc(d.Variants, func(v experiment.Variant) bool { return !p.uses(v.Template) })
}

// mayShow refuses a definition with templates that the asker may not use.
func mayShow(ctx context.Context, d experiment.Definition) error {
	var problems problem.List
	p := asker(ctx)
	for i, v := range d.Variants {
		if v.Template != "" && !p.uses(v.Template) {
			problems = append(problems, problem.New(problem.Forbidden, "the key %q is not for the template %q", p.name, v.Template).
				WithSlug(slugScope).At(fmt.Sprintf("variants[%d].templateUid", i)))
		}
	}
	return problems.Err()
}

// experimentOf is the experiment of the path by its id or slug, if the asker may see it.
func (s *Server) experimentOf(ctx context.Context, name string) (experiment.Experiment, error) {
	all, err := s.deps.ExperimentDesk.Experiments(ctx)
	if err != nil {
		return experiment.Experiment{}, fmt.Errorf("look up the experiment %q: %w", name, err)
	}
	var slugs []string
	for _, e := range all {
		if !asker(ctx).seesExperiment(e.Definition) {
			continue
		}
		if e.ID == name || e.Slug == name {
			return e, nil
		}
		slugs = append(slugs, e.Slug)
	}
	p := problem.New(problem.NotFound, "there is no experiment %q", name).WithSlug(slugNoExperiment)
	if near, ok := config.Nearest(name, slugs); ok {
		return experiment.Experiment{}, p.WithHint("did you mean %q?", near)
	}
	return experiment.Experiment{}, p.WithHint("GET /experiments lists them")
}

// listExperiments shows those that are not retired.
func (s *Server) listExperiments(w http.ResponseWriter, r *http.Request) error {
	status := experiment.Status(r.URL.Query().Get("status"))
	if status != "" && !slices.Contains(experimentStatuses, status) {
		return problem.New(problem.Invalid, "there is no status %q of an experiment", status).WithSlug("out_of_range").At("status").
			WithHint("draft, running, paused or completed")
	}
	all, err := s.deps.ExperimentDesk.Experiments(r.Context())
	if err != nil {
		return fmt.Errorf("list experiments: %w", err)
	}
	views := []experimentView{}
	for _, e := range all {
		if e.Retired || status != "" && e.Status != status || !asker(r.Context()).seesExperiment(e.Definition) {
			continue
		}
		st, err := s.deps.ExperimentDesk.Standing(r.Context(), e, false)
		if err != nil {
			return fmt.Errorf("tell how the experiment %q stands: %w", e.Slug, err)
		}
		views = append(views, s.viewOfExperiment(e, st))
	}
	return answer(w, http.StatusOK, experimentList{Experiments: views})
}

var experimentStatuses = []experiment.Status{experiment.Draft, experiment.Running, experiment.Paused, experiment.Completed}

func (s *Server) showExperiment(w http.ResponseWriter, r *http.Request) error {
	e, err := s.experimentOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	return s.answerExperiment(w, r, http.StatusOK, e)
}

// answerExperiment sends one as it stands now.
func (s *Server) answerExperiment(w http.ResponseWriter, r *http.Request, status int, e experiment.Experiment) error {
	st, err := s.deps.ExperimentDesk.Standing(r.Context(), e, false)
	if err != nil {
		return fmt.Errorf("tell how the experiment %q stands: %w", e.Slug, err)
	}
	w.Header().Set("ETag", etagOf(e.Revision))
	return answer(w, status, map[string]experimentView{"experiment": s.viewOfExperiment(e, st)})
}

func (s *Server) createExperiment(w http.ResponseWriter, r *http.Request) error {
	var d experiment.Definition
	if err := readExperiment(w, r, &d); err != nil {
		return err
	}
	if err := mayShow(r.Context(), d); err != nil {
		return err
	}
	p := asker(r.Context())
	e, err := s.deps.ExperimentDesk.Create(r.Context(), d, p.name)
	if err != nil {
		return fmt.Errorf("make an experiment: %w", err)
	}
	s.log.Info("experiment made over the API", slog.String("experiment", e.Slug), slog.String("by", p.name))
	w.Header().Set("Location", "/experiments/"+url.PathEscape(e.ID))
	return s.answerExperiment(w, r, http.StatusCreated, e)
}

// changeExperiment changes what the body names.
func (s *Server) changeExperiment(w http.ResponseWriter, r *http.Request) error {
	e, err := s.experimentToChange(r)
	if err != nil {
		return err
	}
	d := e.Definition
	if err := readExperiment(w, r, &d); err != nil {
		return err
	}
	if err := mayShow(r.Context(), d); err != nil {
		return err
	}
	if e, err = s.deps.ExperimentDesk.Change(r.Context(), e, d); err != nil {
		return fmt.Errorf("change the experiment %q: %w", d.Slug, err)
	}
	s.log.Info("experiment changed over the API", slog.String("experiment", e.Slug), slog.String("by", asker(r.Context()).name))
	return s.answerExperiment(w, r, http.StatusOK, e)
}

// experimentToChange is the experiment of the path, at the revision that the request
// names.
func (s *Server) experimentToChange(r *http.Request) (experiment.Experiment, error) {
	revision, err := ifMatch(r)
	if err != nil {
		return experiment.Experiment{}, err
	}
	e, err := s.experimentOf(r.Context(), r.PathValue("id"))
	if err != nil {
		return e, err
	}
	if revision > 0 && revision != e.Revision {
		return e, problem.New(problem.Conflict, "the experiment %q has been changed meanwhile: it is at revision %d, not %d", e.Slug, e.Revision, revision).
			WithSlug(SlugExperimentMoved).WithHint("read it again, then change it")
	}
	return e, nil
}

// removeExperiment deletes a draft, and takes what has run out of the list.
func (s *Server) removeExperiment(w http.ResponseWriter, r *http.Request) error {
	e, err := s.experimentToChange(r)
	if err != nil {
		return err
	}
	if err := s.deps.ExperimentDesk.Remove(r.Context(), e); err != nil {
		return fmt.Errorf("remove the experiment %q: %w", e.Slug, err)
	}
	s.log.Info("experiment removed over the API", slog.String("experiment", e.Slug), slog.String("by", asker(r.Context()).name))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

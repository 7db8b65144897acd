package api

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/copilot"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

// slugNotPublished is of an experiment on what is only in the draft.
const slugNotPublished = "not_published"

// A copilotExperiment asks for an experiment on the variants of a run.
type copilotExperiment struct {
	Slug string     `json:"slug"`                 // in the addresses of its images, unique for ever
	Name string     `json:"name,omitempty"`       // without it the run's message
	Goal *goalOrder `json:"goalConfig,omitempty"` // without it nothing is compared: impressions_only
}

const likeCopilotExperiment = `{"slug": "dark-banner", "goalConfig": {"type": "click_through", "destinationUrl": "https://shop.example/"}}`

// testRunVariants makes a draft of an experiment: the template as it is against the
// variants of the run.
func (s *Server) testRunVariants(w http.ResponseWriter, r *http.Request) error {
	run, err := s.copilotRunOf(r)
	if err != nil {
		return err
	}
	var o copilotExperiment
	if err := decodeBody(w, r, replayBody, &o, likeCopilotExperiment); err != nil {
		return err
	}
	if len(run.Variants) == 0 {
		return problem.New(problem.Conflict, "the run %s made no variants", run.ID).WithSlug("no_variants").WithHint(`ask the copilot for one, as in "Make a dark-mode variant"`)
	}
	if err := s.arePublished(r.Context(), run); err != nil {
		return err
	}
	by := asker(r.Context()).name
	e, err := s.deps.ExperimentDesk.Create(r.Context(), definitionOf(run, o), by)
	if err != nil {
		return fmt.Errorf("make an experiment of the run %s of the copilot: %w", run.ID, err)
	}
	s.log.Info("experiment made over the API", slog.String("experiment", e.Slug), slog.String("by", by), slog.String("run", run.ID))
	w.Header().Set("Location", "/experiments/"+url.PathEscape(e.ID))
	return s.answerExperiment(w, r, http.StatusCreated, e)
}

// arePublished says why the variants of a run cannot be shown: experiments show
// versions, and drafts are none.
func (s *Server) arePublished(ctx context.Context, run copilot.Run) error {
	d, err := s.deps.Drafts.Draft(ctx, run.Template)
	if err != nil {
		return err
	}
	if d.Open {
		return problem.New(problem.Conflict, "the draft of %q is not published, and an experiment shows only what is", run.Template).
			WithSlug(slugNotPublished).WithHint("publish the draft, then make the experiment")
	}
	t, err := s.deps.CompileFunc(ctx, run.Template, d.Base)
	if err != nil {
		return err
	}
	for _, v := range run.Variants {
		sized := v.Size == "" || slices.ContainsFunc(t.Sizes(), func(size template.Size) bool { return size.Name == v.Size })
		if !sized || v.Theme != "" && !slices.Contains(t.Themes(), v.Theme) {
			return problem.New(problem.Conflict, "the variant %q of the run %s is not in the published version of %q", v.Name, run.ID, run.Template).
				WithSlug(slugNotPublished).WithHint("its step was taken back, or somebody changed it since: ask the copilot again")
		}
	}
	return nil
}

// definitionOf is the experiment that o asks for.
func definitionOf(run copilot.Run, o copilotExperiment) experiment.Definition {
	d := experiment.Definition{Name: o.Name, Slug: o.Slug, Type: experiment.ABTest, Goal: experiment.Goal{Type: experiment.GoalImpressions}}
	if d.Name == "" {
		d.Name = firstLetters(run.Message, 80)
	}
	if o.Goal != nil {
		setSent(&d.Goal.Type, o.Goal.Type)
		setSent(&d.Goal.DestinationURL, o.Goal.DestinationURL)
	}
	each := experiment.Whole / (len(run.Variants) + 1)
	control := experiment.Variant{ID: "control", Name: "As it is", Template: run.Template, Size: run.Size, Weight: experiment.Whole - each*len(run.Variants), Control: true}
	d.Variants = []experiment.Variant{control}
	for i, v := range run.Variants {
		size := v.Size
		if size == "" {
			size = run.Size
		}
		d.Variants = append(d.Variants, experiment.Variant{ID: variantID(d.Variants, v.Name, i+1), Name: v.Name, Template: run.Template, Size: size, Theme: v.Theme, Weight: each})
	}
	return d
}

var notOfIDs = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

// variantID is name as an id that none of the variants has.
func variantID(taken []experiment.Variant, name string, n int) string {
	id := firstLetters(strings.Trim(notOfIDs.ReplaceAllString(name, "-"), "-"), 48)
	if id == "" || slices.ContainsFunc(taken, func(v experiment.Variant) bool { return v.ID == id }) {
		id = strings.TrimPrefix(fmt.Sprintf("%s-%d", id, n), "-")
	}
	return id
}

func firstLetters(text string, most int) string {
	letters := []rune(text)
	return string(letters[:min(len(letters), most)])
}

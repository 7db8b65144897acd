package experiment_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// trial is an experiment of two cards in a status.
func trial(status experiment.Status) experiment.Experiment {
	return experiment.Experiment{ID: "exp_trial", Revision: 1, Definition: cards(), Status: status}
}

func mustMove(t *testing.T, e experiment.Experiment, action experiment.Action, at time.Time) experiment.Experiment {
	t.Helper()
	e, err := experiment.Move(e, action, at)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestTransitions(t *testing.T) {
	allowed := map[experiment.Status]string{
		experiment.Draft: "start", experiment.Running: "pause complete rollout", experiment.Paused: "start complete rollout retire", experiment.Completed: "retire",
	}
	for status, want := range allowed {
		for _, action := range []experiment.Action{experiment.Start, experiment.Pause, experiment.Complete, experiment.Retire, experiment.Reallocate} {
			e := trial(status)
			var err error
			switch action {
			case experiment.Complete:
				_, err = experiment.Finish(e, "b", noon)
			case experiment.Reallocate:
				_, err = experiment.Rebalance(e, []int{1000, 9000})
			default:
				_, err = experiment.Move(e, action, noon)
			}
			if slices.Contains(strings.Fields(want), string(action)) {
				if err != nil {
					t.Errorf("%s %s: %v", status, action, err)
				}
				continue
			}
			var p *problem.Error
			var refused *experiment.TransitionError
			if !errors.As(err, &p) || p.Code != problem.Conflict || p.Slug != experiment.InvalidTransition || !errors.As(err, &refused) {
				t.Errorf("%s %s: %v", status, action, err)
				continue
			}
			if refused.Status != status || fmt.Sprint(refused.Allowed) != "["+want+"]" || !strings.Contains(p.Message, string(status)) {
				t.Errorf("%s %s: it says %+v, %q", status, action, refused, p.Message)
			}
		}
	}
	retired := trial(experiment.Completed)
	retired.Retired = true
	if _, err := experiment.Move(retired, experiment.Retire, noon); err == nil {
		t.Error("it was retired twice")
	}
}

func TestPausesAreNotRun(t *testing.T) {
	e := mustMove(t, trial(experiment.Draft), experiment.Start, noon)
	e = mustMove(t, e, experiment.Pause, noon.Add(2*time.Hour))
	if ran := e.RanFor(noon.Add(10 * time.Hour)); ran != 2*time.Hour {
		t.Errorf("paused it ran %v", ran)
	}
	e = mustMove(t, e, experiment.Start, noon.Add(10*time.Hour))
	if e.StartedAt != noon || e.RanFor(noon.Add(11*time.Hour)) != 3*time.Hour {
		t.Errorf("started at %v, ran %v", e.StartedAt, e.RanFor(noon.Add(11*time.Hour)))
	}
	e, err := experiment.Finish(e, "b", noon.Add(12*time.Hour))
	if err != nil || e.RanFor(noon.Add(99*time.Hour)) != 4*time.Hour || e.EndedAt != noon.Add(12*time.Hour) {
		t.Errorf("finished %+v: %v", e, err)
	}
}

func TestWinnerHasAllTraffic(t *testing.T) {
	e, err := experiment.Finish(mustMove(t, trial(experiment.Draft), experiment.Start, noon), "b", noon)
	if err != nil || e.Winner != "b" || !slices.Equal(e.Weights, []int{0, 10_000}) {
		t.Errorf("finished %+v: %v", e, err)
	}
	if _, err := experiment.Finish(trial(experiment.Running), "c", noon); problem.CodeOf(err) != problem.Invalid {
		t.Errorf("a winner that there is not: %v", err)
	}
	retired := mustMove(t, trial(experiment.Paused), experiment.Retire, noon)
	if !retired.Retired || retired.Status != experiment.Completed || retired.Winner != "a" {
		t.Errorf("retired without a winner it is %+v", retired)
	}
}

func TestStartKeepsTheWeightsThatWereMoved(t *testing.T) {
	e := mustMove(t, trial(experiment.Draft), experiment.Start, noon)
	if !slices.Equal(e.Weights, []int{5000, 5000}) {
		t.Errorf("started with %v", e.Weights)
	}
	e, err := experiment.Rebalance(e, []int{1000, 9000})
	if err != nil {
		t.Fatal(err)
	}
	e = mustMove(t, mustMove(t, e, experiment.Pause, noon), experiment.Start, noon)
	if !slices.Equal(e.Weights, []int{1000, 9000}) {
		t.Errorf("after a pause %v", e.Weights)
	}
	for _, bad := range [][]int{{10_000}, {5000, 4000}, {-1, 10_001}, {}} {
		if _, err := experiment.Rebalance(e, bad); problem.CodeOf(err) != problem.Invalid {
			t.Errorf("weights %v: %v", bad, err)
		}
	}
}

func TestWhatIsFrozenWhileItRuns(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*experiment.Definition)
		path   string // "" where it may
	}{
		"nothing":         {func(*experiment.Definition) {}, ""},
		"name":            {func(d *experiment.Definition) { d.Name = "Other" }, ""},
		"hypothesis":      {func(d *experiment.Definition) { d.Hypothesis = "Dark is better" }, ""},
		"confidence":      {func(d *experiment.Definition) { d.ConfidenceThreshold = 0.99 }, ""},
		"days":            {func(d *experiment.Definition) { d.MinimumRunDays = 14 }, ""},
		"destination":     {func(d *experiment.Definition) { d.Goal.DestinationURL = "https://shop.example/summer" }, ""},
		"more coverage":   {func(d *experiment.Definition) { d.Coverage = 10_000 }, ""},
		"less coverage":   {func(d *experiment.Definition) { d.Coverage = 4000 }, "coverage"},
		"slug":            {func(d *experiment.Definition) { d.Slug = "other" }, "slug"},
		"goal":            {func(d *experiment.Definition) { d.Goal.Type = experiment.GoalConversion }, "goalConfig.type"},
		"weights":         {func(d *experiment.Definition) { d.Variants[1].Weight = 1 }, "variants[1].weight"},
		"a theme":         {func(d *experiment.Definition) { d.Variants[1].Theme = "light" }, "variants[1].theme"},
		"another variant": {func(d *experiment.Definition) { d.Variants = append(d.Variants, experiment.Variant{ID: "c"}) }, "variants"},
		"sample size":     {func(d *experiment.Definition) { d.MinimumSampleSize = 1 }, "minimumSampleSize"},
		"bandit":          {func(d *experiment.Definition) { d.Bandit = &experiment.Bandit{Enabled: true} }, "banditConfig"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, status := range []experiment.Status{experiment.Running, experiment.Paused} {
				e := trial(status)
				e.Coverage = 5000
				after := e.Definition
				after.Variants = slices.Clone(after.Variants)
				c.change(&after)
				var paths []string
				for _, p := range experiment.CheckChange(e, after) {
					paths = append(paths, p.Path)
					if p.Code != problem.Conflict || p.Slug != experiment.FrozenField {
						t.Errorf("%s is %s %s", p.Path, p.Code, p.Slug)
					}
				}
				if want := strings.Fields(c.path); !slices.Equal(paths, want) {
					t.Errorf("%s: frozen are %q, want %q", status, paths, want)
				}
				e.Status = experiment.Draft
				if found := experiment.CheckChange(e, after); len(found) > 0 {
					t.Errorf("a draft: %v", found)
				}
			}
		})
	}
	done := trial(experiment.Completed)
	done.Coverage = 5000
	after := done.Definition
	after.Coverage = 10_000
	if found := experiment.CheckChange(done, after); len(found) != 1 {
		t.Errorf("the coverage of a completed one: %v", found)
	}
}

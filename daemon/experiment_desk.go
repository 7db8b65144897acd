package daemon

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// An experimentDesk is where experiments are managed.
type experimentDesk struct{ *Daemon }

var _ api.ExperimentDesk = experimentDesk{}

// newExperimentID is also the seed by which units are assigned.
func newExperimentID() string { return "exp_" + strings.ToLower(rand.Text()) }

// Experiments implements api.ExperimentDesk.
func (d experimentDesk) Experiments(ctx context.Context) ([]experiment.Experiment, error) {
	return d.store.Experiments(ctx)
}

// Create implements api.ExperimentDesk.
func (d experimentDesk) Create(ctx context.Context, def experiment.Definition, author string) (experiment.Experiment, error) {
	def, err := judged(def)
	if err != nil {
		return experiment.Experiment{}, err
	}
	e, err := d.store.SaveExperiment(ctx, experiment.Experiment{
		ID: d.experimentID(), Definition: def, Status: experiment.Draft, Origin: api.OfCallers, Author: author, Weights: weightsOf(def),
	})
	d.experimentMoved(def.Slug)
	return e, err
}

// judged is a definition with what was not given, or what is wrong with it.
func judged(def experiment.Definition) (experiment.Definition, error) {
	def = def.Complete()
	return def, def.Validate().Err()
}

// weightsOf are the weights that a definition begins with.
func weightsOf(def experiment.Definition) []int {
	weights := make([]int, len(def.Variants))
	for i, v := range def.Variants {
		weights[i] = v.Weight
	}
	return weights
}

// Change implements api.ExperimentDesk.
func (d experimentDesk) Change(ctx context.Context, e experiment.Experiment, def experiment.Definition) (experiment.Experiment, error) {
	if e.Origin == api.OfFile {
		return e, ofTheFile(e)
	}
	return d.redefine(ctx, e, def)
}

// redefine gives an experiment another definition, as far as its life allows.
func (d *Daemon) redefine(ctx context.Context, e experiment.Experiment, def experiment.Definition) (experiment.Experiment, error) {
	def, err := judged(def)
	if err != nil {
		return e, err
	}
	next := e
	next.Definition = def
	if err := experiment.CheckChange(e, def).Err(); err != nil {
		return e, err
	}
	if e.Status == experiment.Draft {
		next.Weights = weightsOf(def)
	}
	kept, err := d.store.SaveExperiment(ctx, next)
	if err != nil {
		return e, err
	}
	return kept, d.exhibited(ctx, kept)
}

func ofTheFile(e experiment.Experiment) error {
	return problem.New(problem.Conflict, "the experiment %q is defined in pictifyd.yaml", e.Slug).WithSlug(api.SlugOfFile).
		WithHint("change it there; over the API it can be started, paused, resumed and completed")
}

// exhibited has the public doors show what was kept, and bindings that draw by it planned
// again. Who asked for it gets it, even if he has gone.
func (d *Daemon) exhibited(ctx context.Context, e experiment.Experiment) error {
	if e.Status == experiment.Draft {
		d.experimentMoved(e.Slug) // the doors do not show it
		return nil
	}
	if err := d.reloadExperiments(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("the experiment %q is kept, and is shown so as soon as it can be read again: %w", e.Slug, err)
	}
	return nil
}

// Move implements api.ExperimentDesk.
func (d experimentDesk) Move(ctx context.Context, e experiment.Experiment, m api.ExperimentMove) (experiment.Experiment, error) {
	switch m.Move {
	case api.MoveStart:
		return d.startExperiment(ctx, e)
	case api.MoveRollout:
		return d.rollout(ctx, e, m.Weights)
	case api.MoveComplete:
		return d.complete(ctx, e, m.Winner, m.Force)
	}
	action := experiment.Action(m.Move)
	if m.Move == api.MoveResume {
		if e.Status == experiment.Draft {
			return e, e.May(experiment.Pause) // which says what a draft may do
		}
		action = experiment.Start
	}
	next, err := experiment.Move(e, action, time.Now())
	if err != nil {
		return e, err
	}
	var news []store.ExperimentNews
	if next.Status == experiment.Running {
		news = append(news, newsOf(next, sink.ExperimentStarted, experiment.Report{}))
	}
	return d.keep(ctx, next, nil, news...)
}

// keep keeps an experiment with what goes with it, and has it shown.
func (d *Daemon) keep(ctx context.Context, e experiment.Experiment, because *experiment.Allocation, news ...store.ExperimentNews) (experiment.Experiment, error) {
	kept, err := d.store.KeepExperiment(ctx, e, because, news...)
	if err != nil {
		return e, err
	}
	return kept, d.exhibited(ctx, kept)
}

// startExperiment draws what a draft shows, and then has it run.
func (d *Daemon) startExperiment(ctx context.Context, e experiment.Experiment) (experiment.Experiment, error) {
	now := time.Now()
	next, err := experiment.Move(e, experiment.Start, now)
	if err != nil {
		return e, err
	}
	if e.Status != experiment.Draft { // it goes on after a pause
		return d.keep(ctx, next, nil, newsOf(next, sink.ExperimentStarted, experiment.Report{}))
	}
	if next.Definition, err = judged(e.Definition); err != nil {
		return e, err
	}
	if err := d.exhibit.prepare(ctx, next); err != nil {
		return e, err
	}
	next.Weights = weightsOf(next.Definition)
	d.crash("experiment.prepared")
	because := experiment.Allocate(next, nil, experiment.WhyStart, now)
	return d.keep(ctx, next, &because, newsOf(next, sink.ExperimentStarted, experiment.Report{}))
}

// rollout moves the weights of new units.
func (d *Daemon) rollout(ctx context.Context, e experiment.Experiment, weights map[string]int) (experiment.Experiment, error) {
	if err := e.May(experiment.Reallocate); err != nil {
		return e, err
	}
	if e.Bandit != nil && e.Bandit.Enabled {
		return e, problem.New(problem.Conflict, "a bandit moves the weights of the experiment %q, and would move them back", e.Slug).WithSlug("bandit_moves_weights").
			WithHint("complete it with the variant that shall win")
	}
	inOrder, err := weightsByVariant(e, weights)
	if err != nil {
		return e, err
	}
	next, err := experiment.Rebalance(e, inOrder)
	if err != nil {
		return e, err
	}
	counts, err := d.store.ExperimentCounts(ctx, e.ID)
	if err != nil {
		return e, err
	}
	because := experiment.Allocate(next, counts, experiment.WhyRollout, time.Now())
	news := newsOf(next, sink.ExperimentWeightsChanged, experiment.Report{})
	news.Data.Why = experiment.WhyRollout
	return d.keep(ctx, next, &because, news)
}

// weightsByVariant are weights in the order of the variants.
func weightsByVariant(e experiment.Experiment, given map[string]int) ([]int, error) {
	var problems problem.List
	weights, sum := make([]int, len(e.Variants)), 0
	for _, id := range sortedKeys(given) {
		i := slices.IndexFunc(e.Variants, func(v experiment.Variant) bool { return v.ID == id })
		switch {
		case i < 0:
			p := noVariant(e, id)
			problems = append(problems, p.At("weights."+id))
			continue
		case given[id] < 0:
			problems = append(problems, problem.New(problem.Invalid, "a weight is not below 0").WithSlug("out_of_range").At("weights."+id))
		}
		weights[i] = given[id]
		sum += given[id]
	}
	if len(problems) == 0 && sum != experiment.Whole {
		problems = append(problems, problem.New(problem.Invalid, "the weights are %d together, not %d", sum, experiment.Whole).WithSlug("out_of_range").At("weights").
			WithHint("weights are basis points: 5000 is a half; variants that are left out get 0"))
	}
	return weights, problems.Err()
}

func noVariant(e experiment.Experiment, id string) *problem.Error {
	names := make([]string, len(e.Variants))
	for i, v := range e.Variants {
		names[i] = v.ID
	}
	p := problem.New(problem.Invalid, "the experiment %q has no variant %q", e.Slug, id).WithSlug("variant_not_found")
	if near, ok := config.Nearest(id, names); ok {
		return p.WithHint("did you mean %q?", near)
	}
	return p.WithHint("the variants are %s", list(names))
}

// complete gives one variant to all, for ever.
func (d *Daemon) complete(ctx context.Context, e experiment.Experiment, winner string, force bool) (experiment.Experiment, error) {
	if err := e.May(experiment.Complete); err != nil {
		return e, err
	}
	now := time.Now()
	report, counts, err := d.reportOn(ctx, e, now)
	if err != nil {
		return e, err
	}
	ready := report.Status == experiment.WinnerReady
	switch {
	case winner == "" && ready:
		winner = report.Best
	case winner == "" && !compares(e):
		winner = e.ControlVariant()
	}
	if winner != "" && !slices.ContainsFunc(e.Variants, func(v experiment.Variant) bool { return v.ID == winner }) {
		return e, noVariant(e, winner).At("winnerVariantId")
	}
	named := ready && winner == report.Best || !compares(e)
	if !named && !force {
		return e, tooEarly(e, winner, report)
	}
	if winner == "" {
		return e, problem.New(problem.Invalid, "the numbers name no winner, so that somebody has to").WithSlug("required").At("winnerVariantId")
	}
	next, err := experiment.Finish(e, winner, now)
	if err != nil {
		return e, err
	}
	next.ReadySince = time.Time{}
	because := experiment.Allocate(next, counts, experiment.WhyWinner, now)
	news := newsOf(next, sink.ExperimentCompleted, report)
	news.Data.Forced = !named
	return d.keep(ctx, next, &because, news)
}

// compares reports whether the variants of e compete, so that one can win.
func compares(e experiment.Experiment) bool {
	return e.Type == experiment.ABTest && e.Goal.Type != experiment.GoalImpressions
}

func tooEarly(e experiment.Experiment, winner string, report experiment.Report) error {
	why := "the numbers name no winner yet"
	if report.Status == experiment.WinnerReady {
		why = fmt.Sprintf("the numbers name %q", report.Best)
	}
	if len(report.Reasons) > 0 {
		why += ": " + strings.Join(report.Reasons, "; ")
	}
	p := problem.New(problem.Conflict, "the experiment %q can't be completed: %s", e.Slug, why).WithSlug("minimum_not_reached")
	if winner == "" {
		return p.WithHint("wait, or name the winner yourself: winnerVariantId, with force: true")
	}
	return p.WithHint("wait, or send force: true when you know better than the numbers")
}

// Remove implements api.ExperimentDesk.
func (d experimentDesk) Remove(ctx context.Context, e experiment.Experiment) error {
	switch {
	case e.Origin == api.OfFile:
		return ofTheFile(e)
	case e.Status == experiment.Draft:
		defer d.experimentMoved(e.Slug)
		return d.store.RemoveExperiment(ctx, e.ID)
	case e.Status == experiment.Paused: // to retire one picks the control, and a person says which variant stays
		return problem.New(problem.Conflict, "the experiment %q is paused", e.Slug).WithSlug(experiment.InvalidTransition).
			WithHint("complete it first: its images are embedded somewhere, and one variant has to stay")
	}
	next, err := experiment.Move(e, experiment.Retire, time.Now())
	if err != nil {
		return err
	}
	_, err = d.keep(ctx, next, nil)
	return err
}

// Assignments implements api.ExperimentDesk.
func (d experimentDesk) Assignments(ctx context.Context, id, after string, limit int) ([]experiment.Assignment, error) {
	return d.store.ExportAssignments(ctx, id, after, limit)
}

// Events implements api.ExperimentDesk.
func (d experimentDesk) Events(ctx context.Context, id string, after int64, limit int) ([]experiment.Kept, error) {
	return d.store.ExportEvents(ctx, id, after, limit)
}

// EraseUnit implements api.ExperimentDesk.
func (d experimentDesk) EraseUnit(ctx context.Context, id, unit string) error {
	if err := d.store.EraseUnit(ctx, id, unit); err != nil {
		return err
	}
	d.exhibit.units.forget(id, unit)
	return nil
}

package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// scheduleLook is how long a schedule sleeps at most: a clock may be set, and a
// machine may have slept.
const scheduleLook = time.Minute

// checkSchedule judges what the configuration of a source says about its schedule.
func checkSchedule(node config.Node, name string, cfg connectors.Config) problem.List {
	base := cfg.Base()
	_, err := base.Plan(name)
	var problems problem.List
	for _, p := range problemsOf(err) {
		placed := config.Problem(node, p.Path, p.Code, "%s", p.Message)
		placed.Hint = p.Hint
		problems = append(problems, placed)
	}
	if connectors.Streams(cfg) {
		for _, path := range []string{"every", "cron"} {
			if _, given := node.Scalar(path); given {
				problems = append(problems, config.Problem(node, path, problem.Unsupported, "a stream is not read every so often: it tells of its changes as they happen").WithHint("leave it out"))
			}
		}
		return problems
	}
	if base.Cron == "" {
		return problems
	}
	if _, given := node.Scalar("every"); given {
		problems = append(problems, config.Problem(node, "every", problem.Invalid, "a source is read every so often, or by a schedule").
			WithHint("leave out every: or cron:"))
	}
	if p, ok := cfg.(connectors.Passive); ok && p.Passive() {
		problems = append(problems, config.Problem(node, "cron", problem.Unsupported, "such a source is never read: its rows are sent").WithHint("leave it out"))
	}
	return problems
}

// keepSchedule has f read at the times of its schedule, until ctx ends.
func (d *Daemon) keepSchedule(ctx context.Context, f *feed) {
	if d.options.Once {
		f.wish.ask()
	}
	var again <-chan time.Time
	for tries := 0; ; {
		wake, err := d.fire(ctx, f, time.Now())
		if ctx.Err() != nil {
			return
		}
		d.faults.note(d.log, "schedule", f.name, err)
		wait := scheduleLook
		if tries++; err == nil {
			tries = 0
			if !wake.IsZero() {
				wait = min(wait, max(time.Until(wake), 0))
			}
		} else {
			wait = backoff.Next(tries)
		}
		select {
		case <-ctx.Done():
			return
		case rest := <-f.later:
			again = nil
			if rest > 0 && d.readForOthers(f) { // runs are put off by themselves
				again = time.After(rest)
			}
		case <-again:
			again = nil
			f.wish.ask()
		case <-time.After(wait):
		}
	}
}

// readForOthers reports whether f has no bindings, so that no run reads it: others
// join its rows.
func (d *Daemon) readForOthers(f *feed) bool { return len(d.roster().of(f.name)) == 0 }

// fire does what the schedule of f says at now, and returns when to ask again.
func (d *Daemon) fire(ctx context.Context, f *feed, now time.Time) (wake time.Time, err error) {
	last, err := d.store.ScheduledUntil(ctx, f.name, f.plan.Rule.String(), now)
	if err != nil {
		return wake, err
	}
	do := f.plan.Decide(last, now)
	if do.Pass.IsZero() {
		return do.Wake, nil
	}
	firing := store.Firing{Source: f.name, Rule: f.plan.Rule.String(), Pass: do.Pass, Back: do.Fault, Queue: f.queue}
	switch {
	case do.Fault:
		d.log.Warn("the clock was far ahead when this schedule ran last; it goes on from now", slog.String("source", f.name), slog.Time("last", last))
	case do.Run.IsZero():
		d.log.Warn("a scheduled run was missed and is let go", slog.String("source", f.name), slog.Time("scheduledFor", do.Pass))
	case d.readForOthers(f):
		if err := d.store.WantPoll(ctx, f.name); err != nil {
			return wake, err
		}
	default:
		firing.Runs = d.scheduled(f, do.Run)
	}
	fired, err := d.store.Fire(ctx, firing)
	if err != nil {
		return wake, err
	}
	if fired.Skipped {
		d.log.Warn("a scheduled run is left out: the one before goes on", slog.String("source", f.name), slog.Time("scheduledFor", do.Run))
	}
	return do.Wake, nil
}

// scheduled are the runs of f's bindings that are not paused, for a moment.
func (d *Daemon) scheduled(f *feed, at time.Time) []store.RunAsk {
	var asks []store.RunAsk
	now := d.roster()
	for _, cfg := range now.of(f.name) {
		if !now.paused[cfg.Name] {
			asks = append(asks, runAsk(cfg, batch.BySchedule, at))
		}
	}
	return asks
}

func runAsk(cfg bindings.Config, cause batch.Cause, at time.Time) store.RunAsk {
	ask := store.RunAsk{Binding: cfg.Name, Source: cfg.Source, Template: cfg.Template, Outputs: runOutputs(cfg), Cause: cause, For: at}
	if cfg.Experiment.Named() {
		ask.Test = &batch.Test{Experiment: cfg.Experiment}
	}
	return ask
}

// runOutputs are the outputs of a binding as its runs have them.
func runOutputs(cfg bindings.Config) []batch.Output {
	named, err := bindings.Outputs(cfg.Outputs, "outputs")
	if err != nil { // refused when the binding was read
		return nil
	}
	outputs := make([]batch.Output, len(named))
	for i, o := range named {
		outputs[i] = batch.Output(o)
	}
	return outputs
}

// scheduleFeed gives f the schedule of its source.
func (f *feed) scheduleFeed(base *connectors.Common) (err error) {
	f.zone, f.queue = base.Zone(), base.Overlap == connectors.OverlapQueue
	if f.plan, err = base.Plan(f.name); err != nil {
		return fmt.Errorf("schedule source %q: %w", f.name, err)
	}
	return nil
}

// momentOf is what an ordinary reading of f is for: the last time of its schedule,
// else now.
func (f *feed) momentOf(now time.Time) time.Time {
	if f.plan != nil {
		if at := f.plan.Rule.Last(time.Time{}, now); !at.IsZero() {
			return at
		}
	}
	return now.In(f.zone)
}

// clocked is cfg with what its clock shows.
func (d *Daemon) clocked(ctx context.Context, cfg bindings.Config) (bindings.Config, error) {
	if !cfg.HasClock() {
		return cfg, nil
	}
	now := time.Now()
	if every := cfg.Refresh.Std(); every > 0 {
		cfg.Clock = now.UTC().Truncate(every)
		return cfg, nil
	}
	at, err := d.store.Clock(ctx, cfg.Name)
	if err != nil {
		return cfg, err
	}
	if f := d.roster().feeds[cfg.Source]; f != nil {
		if at.IsZero() {
			at = f.momentOf(now)
		}
		at = at.In(f.zone)
	}
	cfg.Clock = at
	return cfg, nil
}

// refreshClocks has the rows of f planned again whenever a binding's refresh has
// passed, until ctx ends.
func (d *Daemon) refreshClocks(ctx context.Context, f *feed) {
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(scheduleLook / 4):
		}
		now := time.Now()
		for _, cfg := range d.roster().of(f.name) {
			if every := cfg.Refresh.Std(); every > 0 && !now.Truncate(every).Equal(last.Truncate(every)) {
				f.rebind.ask()
			}
		}
		last = now
	}
}

// runReferences checks that a binding's on_run names sinks that there are, and that
// can be told of a run. kindOf is the kind of a sink, "" for none.
func runReferences(node config.Node, b bindings.Config, kinds sink.Kinds, kindOf func(name string) string) problem.List {
	var problems problem.List
	var can []string
	for _, k := range kinds {
		if k.Runs {
			can = append(can, k.Name)
		}
	}
	for _, name := range b.OnRun {
		kind := kindOf(name)
		if kind == "" {
			problems = append(problems, config.Problem(node, "on_run", problem.Invalid, "there is no sink %q", name).WithHint("add it under sinks:"))
		} else if !slices.Contains(can, kind) {
			problems = append(problems, config.Problem(node, "on_run", problem.Unsupported, "the sink %q is of the kind %s, which can't be told of a whole run", name, kind).
				WithHint("name one of the kind %s; under sinks: it is told of each row", strings.Join(can, ", ")))
		}
	}
	return problems
}

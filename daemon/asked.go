package daemon

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// AskRun implements api.Runs.
func (d *Daemon) AskRun(ctx context.Context, binding string, cause batch.Cause, at string) (batch.Job, error) {
	now := d.roster()
	i := slices.IndexFunc(now.bindings, func(b bindings.Config) bool { return b.Name == binding })
	if i < 0 {
		return batch.Job{}, problem.New(problem.NotFound, "there is no binding %q", binding).WithSlug("binding_not_found")
	}
	cfg := now.bindings[i]
	f := now.feeds[cfg.Source]
	switch {
	case f == nil:
		return batch.Job{}, now.lacks(cfg)
	case f.stream != nil:
		return batch.Job{}, problem.New(problem.Unsupported, "the source %q is a stream: its images follow its changes, and it has no runs", cfg.Source).WithSlug("never_read").
			WithHint("POST /bindings/%s/refresh has all of it read again", binding)
	case f.passive:
		return batch.Job{}, problem.New(problem.Unsupported, "the source %q is never read: its rows are sent", cfg.Source).WithSlug("never_read").
			WithHint("have the rows sent again")
	case now.paused[binding]:
		return batch.Job{}, problem.New(problem.Conflict, "the binding %q is paused", binding).WithSlug("binding_paused").
			WithHint("resume it with POST /bindings/%s/resume", binding)
	}
	moment, err := f.askedFor(at, time.Now())
	if err != nil {
		return batch.Job{}, err
	}
	ask := runAsk(cfg, cause, moment)
	ask.Whenever = at == ""
	return d.store.AskRun(ctx, ask)
}

// askedFor is the moment that somebody names. A day is the first time that the
// schedule has on it, else its beginning; what is to come cannot be read yet.
func (f *feed) askedFor(at string, now time.Time) (time.Time, error) {
	if at == "" {
		return now.In(f.zone).Truncate(time.Millisecond), nil
	}
	moment, err := time.Parse(time.RFC3339, at)
	if err != nil {
		moment, err = time.ParseInLocation(time.DateOnly, at, f.zone)
		if err == nil && f.plan != nil {
			first := f.plan.Rule.Next(moment.Add(-time.Nanosecond))
			if first.Format(time.DateOnly) == at && !first.After(now) {
				moment = first
			}
		}
	}
	if err != nil {
		return moment, problem.New(problem.Invalid, "%q is no moment", at).At("at").WithHint("write a day, as in 2026-10-01, or a time, as in 2026-10-01T06:00:00+02:00")
	}
	if moment.After(now) {
		return moment, problem.New(problem.Invalid, "%s is to come, and what it is about cannot be read yet", at).At("at").WithSlug("out_of_range").
			WithHint("name a time that is over")
	}
	return moment.In(f.zone).Truncate(time.Millisecond), nil
}

// RunsOf implements api.Runs.
func (d *Daemon) RunsOf(ctx context.Context, names []string) (map[string]api.RunState, error) {
	last, err := d.store.LastRuns(ctx, names)
	if err != nil {
		return nil, err
	}
	done, err := d.store.Schedules(ctx)
	if err != nil {
		return nil, err
	}
	states := make(map[string]api.RunState, len(names))
	now, roster := time.Now(), d.roster()
	for _, cfg := range roster.bindings {
		var state api.RunState
		if j, ok := last[cfg.Name]; ok {
			state.Last = &j
		}
		if f := roster.feeds[cfg.Source]; f != nil && f.plan != nil && !roster.paused[cfg.Name] {
			until, known := done[cfg.Source]
			if !known {
				until = now
			}
			state.Next = f.plan.Next(until, now)
		}
		states[cfg.Name] = state
	}
	return states, nil
}

// runHook is the delivery of the end of a run.
func (d *Daemon) runHook(ctx context.Context, c store.DeliveryClaim, delivery sink.Delivery) (sink.Sink, sink.Delivery, error) {
	job, err := d.store.Job(ctx, c.Owner.Job())
	if err != nil {
		return nil, delivery, err
	}
	if !job.Status.Ended() { // it tells of its next end instead
		return nil, delivery, retry.Permanent(problem.New(problem.Conflict, "run %s is being retried, and this was of its end before", job.ID).WithSlug("job_retried"))
	}
	to, ok := d.roster().sinks[c.Sink]
	if !ok {
		return nil, delivery, problem.New(problem.NotFound, "sink %q is no longer configured", c.Sink)
	}
	if job.Origin != nil {
		delivery.Binding = job.Origin.Binding
	}
	if delivery.Data, err = d.completion(ctx, job); err != nil {
		return nil, delivery, fmt.Errorf("tell of run %s: %w", job.ID, err)
	}
	return to, delivery, nil
}

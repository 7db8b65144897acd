package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/store"
)

// runPatience are the waits after readings that failed for a scheduled run, whose
// next occasion may be a month away. Who asked for a run is told at once.
var runPatience = []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute}

// readRuns is the work of a poll turn for runs of one moment: one reading, whose
// rows become theirs. What is killed before they are accepted is read again. The
// caller is inside the gate.
func (d *Daemon) readRuns(ctx context.Context, t store.Turn, f *feed, runs []batch.Job, o bindings.ReadingOptions) error {
	at := runs[0].Origin.For.In(f.zone)
	r, err := d.reading(ctx, f, o)
	if err != nil {
		return err
	}
	r.by(runs, at)
	v := &visit{daemon: d, feed: f, reading: r, at: at}
	err = v.pay(ctx, nil)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case f.ended():
		return d.store.EndPoll(ctx, t, nil) // the feed in its place reads for the runs
	}
	f.compiled = false // by another clock
	if err != nil {
		if err := d.unreadRuns(ctx, runs, err); err != nil {
			return err
		}
		return d.endPoll(ctx, t, f, err)
	}
	read := make([]store.ReadRun, len(runs))
	for i, run := range runs {
		if read[i], err = d.stageRun(ctx, r, run); err != nil {
			return err
		}
	}
	d.crash("run.staged")
	if err := d.store.AcceptRuns(ctx, read); err != nil {
		return err
	}
	return d.endPoll(ctx, t, f, nil)
}

// unreadRuns ends runs that could not be read for, or puts them off.
func (d *Daemon) unreadRuns(ctx context.Context, runs []batch.Job, err error) error {
	var failed []store.ReadRun
	for _, run := range runs {
		o := run.Origin
		if o.Cause == batch.BySchedule && o.Tries < len(runPatience) && !retry.IsPermanent(err) {
			wait := runPatience[o.Tries]
			if asked, ok := retry.Wait(err); ok {
				wait = max(wait, asked)
			}
			if err := d.store.PutOffRuns(ctx, []string{run.ID}, err.Error(), wait); err != nil {
				return err
			}
			continue
		}
		failed = append(failed, store.ReadRun{Job: run.ID, Code: batch.SourceFailed, Failed: fmt.Sprintf("the source %q could not be read: %v", o.Source, err)})
	}
	if len(failed) == 0 {
		return nil
	}
	return d.store.AcceptRuns(ctx, failed)
}

// stageRun stages the rows of a reading that a run's binding draws, as they are
// stored, and says how many there are.
func (d *Daemon) stageRun(ctx context.Context, r *reading, run batch.Job) (store.ReadRun, error) {
	read := store.ReadRun{Job: run.ID}
	i := slices.IndexFunc(r.options.Bindings, func(b *bindings.Binding) bool { return b.Name() == run.Origin.Binding })
	if i < 0 {
		read.Failed, read.Code = d.whyUnable(run.Origin.Binding), batch.BindingUnable
		return read, nil
	}
	b := r.options.Bindings[i]
	held, reason, err := d.store.HeldBy(ctx, b.Name(), r.options.ID)
	if err != nil {
		return read, err
	}
	if held > 0 || r.closed.Complete && r.closed.Rows == 0 && reason != "" {
		read.Code = batch.GuardHeld
		read.Failed = fmt.Sprintf("the guard holds what this reading changed: %s; look at it, accept it with POST /bindings/%s/guard/accept, and run it again", reason, b.Name())
		return read, nil
	}
	read.Version, read.Outputs = b.Version(), runOutputs(b.Config())
	if !connectors.OnPurpose(r.closed.Reason) {
		read.Note = r.closed.Reason
	}
	s := stager{store: d.store, joins: d.joinsIn(ctx), binding: b, run: run, since: run.CreatedAt, some: r.closed.Rows > d.runRows}
	err = s.stage(ctx, r.source, r.closed.Has)
	read.Staged, read.Rows = s.staged, s.drawn
	return read, err
}

// whyUnable says why a binding has no runs now.
func (d *Daemon) whyUnable(binding string) string {
	d.mu.Lock()
	err := d.unable[binding]
	d.mu.Unlock()
	switch now := d.roster(); {
	case err != nil:
		return fmt.Sprintf("the binding cannot work: %v", err)
	case now.paused[binding]:
		return fmt.Sprintf("the binding is paused; resume it with POST /bindings/%s/resume, and run it again", binding)
	}
	return "the binding is no more"
}

// joinsIn is joinRows for those who know no context.
func (d *Daemon) joinsIn(ctx context.Context) func(b *bindings.Binding, rows ...map[string]any) (*bindings.Joined, error) {
	return func(b *bindings.Binding, rows ...map[string]any) (*bindings.Joined, error) {
		return d.joinRows(ctx, b, rows...)
	}
}

// runPlanner plans the rows of a run as its binding does with the template's
// version of its reading.
func (d *Daemon) runPlanner(ctx context.Context, run batch.Job, epoch int64) (*batch.Planner, error) {
	now := d.roster()
	i := slices.IndexFunc(now.bindings, func(b bindings.Config) bool { return b.Name == run.Origin.Binding })
	if i < 0 || now.bindings[i].Template != run.Template {
		d.log.Error("a run's binding is no more, or another one", slog.String("job", run.ID), slog.String("binding", run.Origin.Binding))
		return batch.NewRefusal(run, bindings.Problem{Code: "binding_changed", Message: fmt.Sprintf("the binding %q is no more, or another one, since the reading", run.Origin.Binding)}), nil
	}
	t, err := d.templates.at(ctx, run.Template, run.Version)
	if err != nil {
		return nil, err
	}
	b, err := d.compileBinding(ctx, now.bindings[i], t, run.Version, epoch, d.newestOf)
	if err != nil {
		return nil, err
	}
	zone := time.UTC
	if f := now.feeds[run.Origin.Source]; f != nil {
		zone = f.zone
	}
	at := run.Origin.For.In(zone)
	return batch.NewRunPlanner(run, b.At(at), at), nil
}

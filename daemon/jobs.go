package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/store"
)

// planSize is how many rows of a job are planned in one commit.
const planSize = 500

// planJob is the work of one plan turn: the rows of an accepted job become
// images wanted and renders to make, page by page. It goes on where the last
// commit ended. Of a job that is paused or stopped it only brings the rows in
// line with that.
func (d *Daemon) planJob(ctx context.Context, t store.Turn) error {
	if err := d.store.SteerJob(ctx, t.Job); err != nil {
		return err
	}
	job, err := d.store.Job(ctx, t.Job)
	if err != nil {
		return err
	}
	if job.Status.Ended() || job.Status == batch.Paused || job.Unread() {
		return d.store.EndPlan(ctx, t)
	}
	switch err := d.planRows(ctx, t, job); {
	case !errors.Is(err, store.ErrSteered):
		return err
	default: // it was paused or stopped meanwhile
		if err := d.store.SteerJob(ctx, t.Job); err != nil {
			return err
		}
		return d.store.EndPlan(ctx, t)
	}
}

// planRows plans the rows of job that are to be retried, then those that were
// never planned.
func (d *Daemon) planRows(ctx context.Context, t store.Turn, job batch.Job) error {
	planner, err := d.planner(ctx, job)
	if err != nil {
		return fmt.Errorf("plan job %s: %w", job.ID, err)
	}
	if planner.Resumes() {
		for r, err := range d.results(ctx, job.ID) {
			if err != nil {
				return err
			}
			if r.Index >= job.Planned {
				break
			}
			planner.Taken(r.Index, r.Key)
		}
	}
	if job.Retrying > 0 {
		if err := d.planFailedRows(ctx, job, planner); err != nil {
			return err
		}
	}
	for planned, end := job.Planned, false; !end; {
		if planned, end, err = d.planPage(ctx, t, job, planner, planned); err != nil {
			return err
		}
		d.crash("job.planned")
	}
	return nil
}

// planPage plans the rows behind the first planned ones. planned are those with
// them; with end they are all.
func (d *Daemon) planPage(ctx context.Context, t store.Turn, job batch.Job, planner *batch.Planner, before int64) (planned int64, end bool, err error) {
	leave, err := d.planning.enter(ctx)
	if err != nil {
		return before, false, err
	}
	defer leave()
	rows, err := d.store.UnplannedRows(ctx, job.ID, planSize)
	if err != nil {
		return before, false, err
	}
	planned, end = before, len(rows) < planSize
	if len(rows) > 0 {
		planned = rows[len(rows)-1].Index + 1
	}
	if err := d.joinJob(ctx, planner, rows, d.assignUnits); err != nil {
		return before, false, err
	}
	d.crash("job.assigned")
	return planned, end, d.store.PlanRows(ctx, t, job.ID, planner.Propose(rows), planned, end)
}

// joinJob tells the planner of a job what it has to know to plan rows: what a run's
// binding joins to them, which variants the units of a batch have.
func (d *Daemon) joinJob(ctx context.Context, planner *batch.Planner, rows []batch.Row, assign assignFunc) error {
	if err := planner.Join(rows, d.joinsIn(ctx)); err != nil {
		return err
	}
	meetings := planner.Meetings(rows)
	if len(meetings) == 0 {
		return nil
	}
	assigned, err := assign(ctx, meetings)
	if err == nil {
		planner.Assign(assigned)
	}
	return err
}

// planFailedRows plans the rows anew that failed in the run before.
func (d *Daemon) planFailedRows(ctx context.Context, job batch.Job, planner *batch.Planner) error {
	page := func() (end bool, err error) {
		leave, err := d.planning.enter(ctx)
		if err != nil {
			return false, err
		}
		defer leave()
		rows, err := d.store.RetriedRows(ctx, job.ID, planSize)
		if err != nil {
			return false, err
		}
		end = len(rows) < planSize
		if err := d.joinJob(ctx, planner, rows, d.assignUnits); err != nil {
			return false, err
		}
		return end, d.store.RetryRows(ctx, job.ID, planner.Propose(rows), end)
	}
	for {
		end, err := page()
		if err != nil {
			return err
		}
		d.crash("job.replanned")
		if end {
			return nil
		}
	}
}

// planner plans the rows of job with the template's version that it pinned. When
// that can't draw any more (its form was narrowed since), every row ends so.
func (d *Daemon) planner(ctx context.Context, job batch.Job) (*batch.Planner, error) {
	epoch, err := d.store.Epoch(ctx)
	if err != nil {
		return nil, err
	}
	p, err := d.plannerWith(ctx, job, epoch)
	if err == nil {
		return p, nil
	}
	if machineFault(err) {
		return nil, err
	}
	d.log.Error("a job's template cannot draw", slog.String("job", job.ID), slog.String("template", job.Template), slog.Any("err", err))
	return batch.NewRefusal(job, *asProblem(err, "template_broken")), nil
}

func (d *Daemon) plannerWith(ctx context.Context, job batch.Job, epoch int64) (*batch.Planner, error) {
	if job.Origin != nil {
		return d.runPlanner(ctx, job, epoch)
	}
	tmpl, err := d.templates.at(ctx, job.Template, job.Version)
	if err != nil {
		return nil, err
	}
	arms, err := d.armsOfJob(ctx, job, tmpl)
	if err != nil {
		return nil, err
	}
	// The clock of a batch is its acceptance.
	return batch.NewPlanner(job, tmpl, epoch, job.CreatedAt, arms)
}

// resultPage is how many results are read at a time.
const resultPage = 1000

// results are the rows of a job by index, read page by page.
func (d *Daemon) results(ctx context.Context, job string) iter.Seq2[batch.Result, error] {
	return func(yield func(batch.Result, error) bool) {
		after := int64(-1)
		for {
			page, err := d.store.Results(ctx, job, after, resultPage, "")
			if err != nil {
				yield(batch.Result{}, err)
				return
			}
			for _, r := range d.clicked(page) {
				if !yield(r, nil) {
					return
				}
				after = r.Index
			}
			if len(page) < resultPage {
				return
			}
		}
	}
}

// completion is the data of job's completion webhook.
func (d *Daemon) completion(ctx context.Context, job batch.Job) (json.RawMessage, error) {
	expires := job.CompletedAt.Add(resultsURLLife)
	urls := batch.URLs{Image: d.urls.Image, Results: d.urls.OfJob(job.ID, "results.ndjson", expires), CSV: d.urls.OfJob(job.ID, "results.csv", expires), Zip: d.urls.OfJob(job.ID, "results.zip", expires)}
	if job.Failed > 0 {
		urls.Failed = d.urls.OfJob(job.ID, "failed.csv", expires)
	}
	return batch.CompletionData(job, d.results(ctx, job.ID), urls)
}

// resultsURLLife is how long the signed addresses in a completion webhook are good for.
const resultsURLLife = 7 * 24 * time.Hour

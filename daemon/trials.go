package daemon

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/sample"
)

// trials gives rows to try templates with; it is the api's Trials.
type trials struct{ *Daemon }

// trialPage is how many rows are read at a time.
const trialPage = 200

// triedJobs is how many jobs, the newest, are looked through for those of a template.
const triedJobs = 100

// RowChoices implements api.Trials.
func (d trials) RowChoices(ctx context.Context, name string) ([]api.RowChoice, error) {
	rows, err := d.sampleRows(name)
	if err != nil {
		return nil, err
	}
	all := []api.RowChoice{{From: api.FromSamples, Title: "Sample rows", Kind: api.FromSamples, Rows: len(rows)}}
	now := d.roster()
	var bound, others []api.RowChoice
	for _, b := range now.bindings {
		if b.Template != name {
			continue
		}
		n, err := d.store.CountRows(ctx, b.Source)
		if err != nil {
			return nil, err
		}
		bound = append(bound, choiceOf(api.FromBinding, b.Name, fmt.Sprintf("Binding %s", b.Name), n))
	}
	for _, source := range now.names(ofSource) {
		n, err := d.store.CountRows(ctx, source)
		if err != nil {
			return nil, err
		}
		others = append(others, choiceOf(api.FromSource, source, fmt.Sprintf("Source %s", source), n))
	}
	jobs, err := d.store.FindJobs(ctx, batch.JobFilter{Template: name, Kind: batch.KindBatch}, triedJobs)
	if err != nil {
		return nil, err
	}
	const newest = 5
	for _, j := range jobs[:min(len(jobs), newest)] {
		others = append(others, choiceOf(api.FromJob, j.ID, "Batch of "+j.CreatedAt.UTC().Format(time.DateTime), int(j.Total)))
	}
	return append(append(all, bound...), others...), nil
}

func choiceOf(kind, name, title string, rows int) api.RowChoice {
	return api.RowChoice{From: api.RowPlace{Kind: kind, Name: name}.String(), Title: title, Kind: kind, Name: name, Rows: rows}
}

// sampleRows are those of a template's folder.
func (d trials) sampleRows(name string) ([]map[string]any, error) {
	if d.templates.dir == "" {
		return nil, nil
	}
	return template.LoadRows(os.DirFS(d.templates.dir), name)
}

// TrialRows implements api.Trials.
func (d trials) TrialRows(ctx context.Context, name string, form bindings.Template, from api.RowPlace) (sample.Rows, error) {
	switch from.Kind {
	case api.FromBinding:
		b, err := d.trialBinding(ctx, from.Name, form)
		if err != nil {
			return nil, err
		}
		return storedRows{d.Daemon, b.Config().Source, b}, nil
	case api.FromSource:
		if d.roster().feeds[from.Name] == nil {
			return nil, problem.New(problem.NotFound, "there is no source %q", from.Name).WithSlug("source_not_found").At("from")
		}
		return storedRows{d.Daemon, from.Name, nil}, nil
	case api.FromJob:
		job, err := d.store.Job(ctx, from.Name)
		return jobRows{d.Daemon, job}, err
	}
	rows, err := d.sampleRows(name)
	return sample.NewList(rows), err
}

// trialBinding is a binding as if form were its template. What it gives to variables
// that form does not have is left out.
func (d trials) trialBinding(ctx context.Context, name string, form bindings.Template) (*bindings.Binding, error) {
	cfg := d.roster().binding(name)
	if cfg.Name == "" {
		return nil, problem.New(problem.NotFound, "there is no binding %q", name).WithSlug("binding_not_found").At("from")
	}
	cfg, err := d.clocked(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return compileTrial(cfg, form)
}

// compileTrial compiles cfg for what form has in common with its template.
func compileTrial(cfg bindings.Config, form bindings.Template) (*bindings.Binding, error) {
	taken := map[string]string{}
	for _, v := range form.Vars() {
		if src, mapped := cfg.Map[v.Name]; mapped {
			taken[v.Name] = src
		}
	}
	cfg.Map, cfg.Outputs = taken, nil
	b, err := bindings.Compile(cfg, timeless{form}, 0, 0)
	if err != nil {
		return nil, fmt.Errorf("map rows of binding %q: %w", cfg.Name, err)
	}
	return b, nil
}

// timeless is a template of which only the values are wanted: whether it may read
// the clock is not asked.
type timeless struct{ bindings.Template }

func (timeless) ReadsClock() bool { return false }

// storedRows are those of a source, as a binding maps them, or as they are.
type storedRows struct {
	daemon  *Daemon
	source  string
	binding *bindings.Binding
}

// Total implements sample.Rows.
func (s storedRows) Total(ctx context.Context) (int, error) {
	return s.daemon.store.CountRows(ctx, s.source)
}

// PlaceOf implements sample.Rows.
func (s storedRows) PlaceOf(ctx context.Context, key string) (int, error) {
	normal, err := bindings.NormalKey(key)
	if err != nil {
		return 0, problem.New(problem.Invalid, "%q is not a key: %w", key, err).At("key")
	}
	if _, err := s.daemon.store.Row(ctx, s.source, normal); err != nil {
		return 0, err
	}
	return s.daemon.store.PlaceOfRow(ctx, s.source, normal)
}

// Each implements sample.Rows.
func (s storedRows) Each(ctx context.Context, at int, row func(sample.Row) bool) error {
	page, err := s.daemon.store.RowsAt(ctx, s.source, at, 1) // most ask for one
	for limit := 4; err == nil && len(page) > 0; limit = min(4*limit, trialPage) {
		if more, err := s.give(ctx, at, page, row); err != nil || !more {
			return err
		}
		at += len(page)
		page, err = s.daemon.store.Rows(ctx, s.source, page[len(page)-1].Key, limit)
	}
	return err
}

func (s storedRows) give(ctx context.Context, at int, page []bindings.StoredRow, row func(sample.Row) bool) (more bool, err error) {
	rows, err := bindings.ReadRows(page)
	if err != nil {
		return false, err
	}
	var joined *bindings.Joined
	if s.binding != nil {
		if joined, err = s.daemon.joinRows(ctx, s.binding, rows...); err != nil {
			return false, err
		}
	}
	now := time.Now()
	for i, r := range page {
		one := sample.Row{At: at + i, Key: r.Key, Columns: rows[i], Values: rows[i]}
		if s.binding != nil {
			one.Values, one.Skipped, one.Err = mappedValues(s.binding, rows[i], joined, now)
		}
		if !row(one) {
			return false, nil
		}
	}
	return true, nil
}

// mappedValues are what b makes of a row, also of one that it leaves out.
func mappedValues(b *bindings.Binding, row map[string]any, joined *bindings.Joined, now time.Time) (values map[string]any, skipped bool, err error) {
	values, ok, refused := b.Mapped(row, joined, now)
	if refused != nil {
		return values, false, problem.New(problem.Invalid, "%s", refused.Message).WithSlug(refused.Code).At(refused.Field)
	}
	if !ok {
		values, err = b.Resolve(row, joined, now)
	}
	return values, !ok, err
}

// jobRows are those that a job was sent.
type jobRows struct {
	daemon *Daemon
	job    batch.Job
}

// Total implements sample.Rows.
func (j jobRows) Total(context.Context) (int, error) { return int(j.job.Total), nil }

// PlaceOf implements sample.Rows.
func (j jobRows) PlaceOf(ctx context.Context, key string) (int, error) {
	row, _, err := j.daemon.store.JobRow(ctx, j.job.ID, key)
	return int(row.Index), err
}

// Each implements sample.Rows.
func (j jobRows) Each(ctx context.Context, at int, row func(sample.Row) bool) error {
	for after, limit := int64(at)-1, 1; ; limit = min(4*limit, trialPage) {
		page, err := j.daemon.store.Sent(ctx, j.job.ID, after, limit)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, r := range page {
			one := sample.Row{At: int(r.Index), Key: r.Key}
			if r.Error != nil {
				one.Err = problem.New(problem.Invalid, "%s", r.Error.Message).WithSlug(r.Error.Code).At(r.Error.Field)
			} else if one.Columns, one.Err = bindings.Values(r.Values); one.Err == nil {
				one.Values = one.Columns
			}
			if !row(one) {
				return nil
			}
		}
		after = page[len(page)-1].Index
	}
}

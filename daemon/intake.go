package daemon

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/egress"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/store"
)

// documentLimit is how long a document may take that a batch names.
const documentLimit = 10 * time.Minute

// documents reads what batches name as sourceUrl.
func (d *Daemon) documents() *http.Client {
	return d.guard.Client(egress.ClientOptions{Timeout: documentLimit, MaxRedirects: 3})
}

// origins gives the rows that batches name; it is the api's Origins.
type origins struct{ *Daemon }

// SourceRows implements api.Origins.
func (o origins) SourceRows(ctx context.Context, source string, row func(batch.Row) error) error {
	if _, ok := o.roster().feeds[source]; !ok {
		return problem.New(problem.NotFound, "there is no source %q", source).WithSlug("source_not_found")
	}
	return o.stored(ctx, source, func(page []bindings.StoredRow) error {
		for _, r := range page {
			if err := row(batch.Row{Key: r.Key, Values: r.Values}); err != nil {
				return err
			}
		}
		return nil
	})
}

// BindingRows implements api.Origins.
func (o origins) BindingRows(ctx context.Context, name string, row func(batch.Row) error) error {
	for _, cfg := range o.roster().bindings {
		if cfg.Name != name {
			continue
		}
		t, version, err := o.templates.newest(ctx, cfg.Template)
		if err != nil {
			return err
		}
		b, err := bindings.Compile(cfg, t, version, 0)
		if err != nil {
			return fmt.Errorf("read binding %q: %w", name, err)
		}
		return o.mapped(ctx, b, cfg.Source, row)
	}
	return problem.New(problem.NotFound, "there is no binding %q", name).WithSlug("binding_not_found")
}

// mapped hands out the rows of a source that b draws, as it maps them.
func (o origins) mapped(ctx context.Context, b *bindings.Binding, source string, row func(batch.Row) error) error {
	now := time.Now()
	return o.stored(ctx, source, func(page []bindings.StoredRow) error {
		rows, err := bindings.ReadRows(page)
		if err != nil {
			return err
		}
		joined, err := o.joinRows(ctx, b, rows...)
		if err != nil {
			return err
		}
		for i, r := range page {
			mapped, ok := mappedRow(b, r.Key, rows[i], joined, now)
			if !ok {
				continue
			}
			if err := row(mapped); err != nil {
				return err
			}
		}
		return nil
	})
}

// stored hands out the rows of a source page by page.
func (o origins) stored(ctx context.Context, source string, each func([]bindings.StoredRow) error) error {
	for after := ""; ; {
		page, err := o.store.Rows(ctx, source, after, resultPage)
		if err != nil {
			return err
		}
		if err := each(page); err != nil {
			return err
		}
		if len(page) < resultPage {
			return nil
		}
		after = page[len(page)-1].Key
	}
}

// mappedRow is a stored row as b gives it to its template; ok is false for one
// that b does not draw.
func mappedRow(b *bindings.Binding, key string, values map[string]any, joined *bindings.Joined, now time.Time) (row batch.Row, ok bool) {
	row.Key = key
	mapped, ok, refused := b.Mapped(values, joined, now)
	if refused != nil {
		row.Error = &batch.RowError{Code: refused.Code, Field: refused.Field, Message: refused.Message}
		return row, true
	}
	if !ok {
		return row, false
	}
	var err error
	if row.Values, err = json.Marshal(mapped); err != nil {
		row.Values, row.Error = nil, &batch.RowError{Code: "bad_expression", Message: "the mapped row can't be written: " + err.Error()}
	}
	return row, true
}

// sampler draws for dry runs; it is the api's Sampler.
type sampler struct{ *Daemon }

// Plan implements api.Sampler.
func (s sampler) Plan(ctx context.Context, job batch.Job) (*batch.Planner, error) {
	return s.planner(ctx, job)
}

// Assign implements api.Sampler.
func (s sampler) Assign(ctx context.Context, planner *batch.Planner, rows []batch.Row) error {
	return s.joinJob(ctx, planner, rows, s.foreseeUnits)
}

// Ask implements api.Sampler.
func (s sampler) Ask(ctx context.Context, job string, proposals []bindings.Proposal, told func(i int, e *batch.RowError)) {
	var mu sync.Mutex
	var g errgroup.Group
	g.SetLimit(2 * assetFlight)
	for i, p := range proposals {
		g.Go(func() error {
			e, ok := s.ask(ctx, job, p)
			if ok && ctx.Err() == nil {
				mu.Lock()
				defer mu.Unlock()
				told(i, e)
			}
			return nil
		})
	}
	_ = g.Wait()
}

// ask fetches what the pictures of a row show. ok is false when that says
// nothing about the row.
func (s sampler) ask(ctx context.Context, job string, p bindings.Proposal) (e *batch.RowError, ok bool) {
	for _, w := range p.Wants {
		if ctx.Err() != nil {
			return nil, false
		}
		c := claimOf(job, w)
		_, err := s.sheet(ctx, c)
		if err != nil && machineFault(err) {
			return nil, false
		}
		if err != nil {
			return rowErrorOf(s.unmade(c, store.Rendered{}, err)), true
		}
	}
	return nil, true
}

// Draw implements api.Sampler.
func (s sampler) Draw(ctx context.Context, job string, proposals []bindings.Proposal) ([]batch.Result, error) {
	results := make([]batch.Result, len(proposals))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, s.renderer.Slots()))
	var mu sync.Mutex // of the results: a row has several pictures
	for i, p := range proposals {
		results[i] = batch.Result{Index: p.Index, Key: p.Key, Done: true, Pictures: make([]batch.Picture, len(p.Wants)), Assigned: p.Assigned}
		for n, w := range p.Wants {
			g.Go(func() error {
				picture, e, err := s.drawn(ctx, job, w)
				mu.Lock()
				defer mu.Unlock()
				results[i].Pictures[n] = picture
				if e != nil {
					results[i].Error = e
				}
				return err
			})
		}
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for i := range results {
		if results[i].Error != nil {
			results[i].Pictures = nil
		}
	}
	return s.clicked(results), nil
}

// drawn makes one picture, or says why the row can have none.
func (s sampler) drawn(ctx context.Context, job string, w bindings.Want) (batch.Picture, *batch.RowError, error) {
	c := claimOf(job, w)
	sheet, err := s.sheet(ctx, c)
	if err != nil && machineFault(err) {
		return batch.Picture{}, nil, err
	}
	done, bytes := s.picture(ctx, prepared{claim: c, sheet: sheet, err: err})
	if e := rowErrorOf(done); e != nil {
		return batch.Picture{}, e, nil
	}
	hash, err := s.blobs.Put(ctx, bytes)
	if err != nil {
		return batch.Picture{}, nil, err
	}
	format, _ := render.ParseFormat(w.Spec.Format)
	return batch.Picture{
		Output: w.Output, Hash: hash, Ext: done.Ext, Format: string(format), Width: done.Width, Height: done.Height, Fitting: done.Fitting,
	}, nil, nil
}

func claimOf(job string, w bindings.Want) store.Claim {
	return store.Claim{Fingerprint: w.Fingerprint, Spec: w.Spec, Owner: bindings.JobOwner(job), Attempt: 1}
}

// rowErrorOf is why a claim has no picture; nil when it has one.
func rowErrorOf(done store.Rendered) *batch.RowError {
	switch {
	case done.Problem != nil:
		return &batch.RowError{Code: done.Problem.Code, Field: done.Problem.Field, Message: done.Problem.Message}
	case done.Retry != nil:
		return &batch.RowError{Code: "render_failed", Message: done.Retry.Error(), Retryable: true}
	}
	return nil
}

package daemon

import (
	"context"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

// A stager stages the rows of one run.
type stager struct {
	store   *store.Store
	joins   func(b *bindings.Binding, rows ...map[string]any) (*bindings.Joined, error)
	binding *bindings.Binding
	run     batch.Job
	since   time.Time
	some    bool // only rows that need another picture than before
	drawn   int64
	staged  int64
}

// stage passes the stored rows of source that has knows.
func (s *stager) stage(ctx context.Context, source string, has func(key string) bool) error {
	for after := ""; ; {
		page, err := s.store.Rows(ctx, source, after, resultPage)
		if err != nil {
			return err
		}
		last := len(page) < resultPage
		if len(page) > 0 {
			after = page[len(page)-1].Key
		}
		if err := s.page(ctx, page, has); err != nil || last {
			return err
		}
	}
}

func (s *stager) page(ctx context.Context, page []bindings.StoredRow, has func(key string) bool) error {
	page = slices.DeleteFunc(page, func(r bindings.StoredRow) bool { return !has(r.Key) })
	drawn, err := s.draws(page)
	if err != nil {
		return err
	}
	s.drawn += int64(len(drawn))
	if s.some {
		keys := make([]string, len(drawn))
		for i, r := range drawn {
			keys[i] = r.Key
		}
		redrawn, err := s.store.Redrawn(ctx, s.binding.Name(), keys, s.since)
		if err != nil {
			return err
		}
		drawn = slices.DeleteFunc(drawn, func(r bindings.StoredRow) bool { return !redrawn[r.Key] })
	}
	rows := make([]batch.Row, len(drawn))
	for i, r := range drawn {
		rows[i] = batch.Row{Index: s.staged, Key: r.Key, Values: r.Values}
		s.staged++
	}
	return s.store.StageRows(ctx, s.run.ID, rows)
}

// draws are the rows of a page that the binding has an image of.
func (s *stager) draws(page []bindings.StoredRow) ([]bindings.StoredRow, error) {
	if !s.binding.Selects() {
		return page, nil
	}
	values, err := bindings.ReadRows(page)
	if err != nil {
		return nil, err
	}
	joined, err := s.joins(s.binding, values...)
	if err != nil {
		return nil, err
	}
	var drawn []bindings.StoredRow
	for i, r := range page {
		if s.binding.Draws(values[i], joined, s.run.Origin.For) {
			drawn = append(drawn, r)
		}
	}
	return drawn, nil
}

package daemon

import (
	"context"
	"strconv"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/sample"
)

// columnRows is how many rows are looked at to know the columns of a source.
const columnRows = 2000

// TryMap implements api.Trials.
func (d trials) TryMap(ctx context.Context, m api.MapTrial) (api.MapTried, error) {
	rows, b, err := d.mapRows(ctx, m)
	if err != nil {
		return api.MapTried{}, err
	}
	done := api.MapTried{Source: b.Config().Source}
	if done.Total, err = rows.Total(ctx); err != nil {
		return done, err
	}
	columns := sample.NewColumns()
	err = rows.Each(ctx, 0, func(row sample.Row) bool {
		columns.Add(row.Columns)
		if len(m.Keys) == 0 && len(done.Rows) < api.MapRows {
			done.Rows = append(done.Rows, row)
		}
		return columns.Rows() < columnRows
	})
	if err != nil {
		return done, err
	}
	for _, key := range m.Keys {
		at, err := rows.PlaceOf(ctx, key)
		if err != nil {
			return done, err
		}
		row, ok, err := sample.One(ctx, rows, done.Total, at)
		if err != nil {
			return done, err
		}
		if ok {
			done.Rows = append(done.Rows, row)
		}
	}
	done.Columns, done.Looked = columns.All(), columns.Rows()
	return done, d.tryExpressions(ctx, b, m.Expressions, &done)
}

// mapRows are the rows that a mapping is tried on, as they are, and the binding that
// they would be of without its expressions.
func (d trials) mapRows(ctx context.Context, m api.MapTrial) (sample.Rows, *bindings.Binding, error) {
	cfg := bindings.Config{Name: "trial", Source: m.Source, Template: m.Form.Name()}
	if m.Binding != "" {
		cfg = d.roster().binding(m.Binding)
		if cfg.Name == "" {
			return nil, nil, problem.New(problem.NotFound, "there is no binding %q", m.Binding).WithSlug("binding_not_found")
		}
	}
	cfg, err := d.clocked(ctx, cfg)
	if err != nil {
		return nil, nil, err
	}
	cfg.Map, cfg.Where = nil, ""
	if cfg.Source == "" {
		cfg.Source = "pasted"
	}
	if cfg.Template == "" {
		cfg.Template = "trial"
	}
	b, err := compileTrial(cfg, m.Form)
	if err != nil {
		return nil, nil, err
	}
	if m.Rows != nil {
		list := sample.NewList(m.Rows)
		for i := range list {
			list[i].Key = strconv.Itoa(i)
		}
		return list, b, nil
	}
	if d.roster().feeds[cfg.Source] == nil {
		return nil, nil, problem.New(problem.NotFound, "there is no source %q", cfg.Source).WithSlug("source_not_found").At("source")
	}
	return storedRows{d.Daemon, cfg.Source, nil}, b, nil
}

// tryExpressions computes expressions over the rows of done.
func (d trials) tryExpressions(ctx context.Context, b *bindings.Binding, expressions []string, done *api.MapTried) error {
	columns := make([]map[string]any, len(done.Rows))
	for i, row := range done.Rows {
		columns[i] = row.Columns
	}
	joined, err := d.joinRows(ctx, b, columns...)
	if err != nil {
		return err
	}
	now := time.Now()
	done.Values = make([][]api.MapValue, len(expressions))
	for i, src := range expressions {
		done.Values[i] = make([]api.MapValue, len(columns))
		program, err := expr.Compile(src, expr.Options{})
		for j, row := range columns {
			if err != nil {
				done.Values[i][j].Err = err
				continue
			}
			done.Values[i][j].Value, done.Values[i][j].Err = b.Try(program, row, joined, now)
		}
	}
	return nil
}

// SavedMap implements api.Trials.
func (d trials) SavedMap(binding string) (expressions map[string]string, where string) {
	cfg := d.roster().binding(binding)
	return cfg.Map, cfg.Where
}

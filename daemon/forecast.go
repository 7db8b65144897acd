package daemon

import (
	"context"
	"fmt"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
)

// forecast counts what each binding of a template would render if t were its
// newest version.
func (d *Daemon) forecast(ctx context.Context, t *template.Template, version int64) ([]draft.BindingForecast, error) {
	epoch, err := d.store.Epoch(ctx)
	if err != nil {
		return nil, err
	}
	drawn, err := d.drawnByVariants(ctx, []string{t.Name()})
	if err != nil {
		return nil, err
	}
	coming := func(ctx context.Context, name string) (bindings.Template, int64, error) {
		if name == t.Name() {
			return t, version, nil
		}
		return d.newestOf(ctx, name)
	}
	var all []draft.BindingForecast
	for _, cfg := range d.roster().bindings {
		if cfg.Template != t.Name() && !drawn[cfg.Experiment.Slug] {
			continue
		}
		f := draft.BindingForecast{Binding: cfg.Name}
		var b *bindings.Binding
		own, number, err := coming(ctx, cfg.Template)
		if err == nil {
			b, err = d.compileBinding(ctx, cfg, own, number, epoch, coming)
		}
		if err != nil && machineFault(err) {
			return nil, err
		}
		if err != nil {
			f.Error = err
		} else if err := d.forecastBinding(ctx, b, cfg.Source, &f); err != nil {
			return nil, fmt.Errorf("count the images of %q: %w", cfg.Name, err)
		}
		all = append(all, f)
	}
	return all, nil
}

// forecastBinding plans the stored rows as replan does, and commits nothing.
func (d *Daemon) forecastBinding(ctx context.Context, b *bindings.Binding, source string, f *draft.BindingForecast) error {
	after := ""
	for {
		rows, err := d.store.Rows(ctx, source, after, replanPage)
		if err != nil {
			return err
		}
		proposals, err := d.proposeStored(ctx, b, rows, d.foreseeUnits)
		if err != nil {
			return err
		}
		seen, err := d.store.Foresee(ctx, b.Name(), proposals)
		if err != nil {
			return err
		}
		f.Images, f.Reused, f.Unchanged = f.Images+seen.Images, f.Reused+seen.Reused, f.Unchanged+seen.Unchanged
		f.Held, f.Removed, f.Failing = f.Held+seen.Held, f.Removed+seen.Removed, f.Failing+seen.Failing
		for _, row := range seen.FailingOf {
			if len(f.Failures) < failuresShown {
				p := row.Problem
				f.Failures = append(f.Failures, draft.Failure{Key: row.Key, Code: p.Code, Field: p.Field, Error: p.Message})
			}
		}
		if len(rows) < replanPage {
			return nil
		}
		after = rows[len(rows)-1].Key
	}
}

// failuresShown is how many rows that would fail a forecast names of a binding.
const failuresShown = 5

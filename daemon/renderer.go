package daemon

import (
	"context"
	"log/slog"
	"path/filepath"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/chrome"
)

// openRenderer opens what draws. A process without the role render draws no turns: where
// it holds the ledger it draws for those who wait, if this machine has a Chrome, and it
// goes without one.
func (d *Daemon) openRenderer(ctx context.Context) error {
	if d.options.Renderer != nil {
		d.renderer = d.options.Renderer
		return nil
	}
	draws := d.roles().Has(RoleRender)
	if !draws && d.member() {
		d.renderer = noRenderer{problem.New(problem.Unsupported, "this process has not the role render")}
		return nil
	}
	o := chrome.Options{Log: d.log}
	if d.options.Cache != "" {
		o.Pace = filepath.Join(d.options.Cache, "pace.json")
	}
	pool, err := chrome.Open(ctx, d.settings.Render, d.assets, o)
	switch {
	case err == nil:
		d.pool, d.renderer = pool, pool
		d.metrics.lanes(pool)
		return nil
	case draws || problem.CodeOf(err) != problem.Surroundings:
		return err
	}
	d.log.Warn("no pictures for those who wait, previews and drafts: this process draws with no Chrome", slog.Any("err", err))
	d.renderer = noRenderer{problem.New(problem.Surroundings, "this process has no Chrome to draw for those who wait: %w", err).
		WithHint("give the processes with the role connect a Chrome, also where others have the role render")}
	return nil
}

// noRenderer draws nothing.
type noRenderer struct{ why *problem.Error }

func (r noRenderer) Render(context.Context, render.Request) (render.Output, error) {
	return render.Output{}, r.why
}

func (r noRenderer) Slots() int { return 1 }

package daemon

import (
	"context"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Placeholder implements api.Live: the template that the binding names, drawn
// with its defaults in the size and format of the output.
func (t watchtower) Placeholder(ctx context.Context, binding, output string) (api.Drawn, error) {
	d := t.daemon
	cfg := d.roster().binding(binding)
	compiled, version, err := d.templates.newest(ctx, cfg.Placeholder)
	if err != nil {
		return api.Drawn{}, err
	}
	epoch, err := d.store.Epoch(ctx)
	if err != nil {
		return api.Drawn{}, err
	}
	wants, err := bindings.PlaceholderOf(cfg, compiled, version, epoch, time.Now())
	if err != nil {
		return api.Drawn{}, err
	}
	for _, w := range wants {
		if w.Output == output {
			return easel{d}.Draw(ctx, w, nil)
		}
	}
	return api.Drawn{}, problem.New(problem.NotFound, "the binding %q has no output %q", binding, output)
}

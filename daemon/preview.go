package daemon

import (
	"context"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// Preview says what a binding makes of a row, and changes nothing. The clock is
// now's.
func (d *Daemon) Preview(ctx context.Context, name string, of api.PreviewOf) (api.Preview, error) {
	cfg := d.roster().binding(name)
	epoch, err := d.store.Epoch(ctx)
	if err != nil {
		return api.Preview{}, err
	}
	b, err := d.compileOne(ctx, cfg, epoch)
	if err != nil {
		return api.Preview{}, err
	}
	p, row, err := d.previewRow(ctx, cfg.Source, of)
	if err != nil {
		return p, err
	}
	joined, err := d.joinRows(ctx, b, row)
	if err != nil {
		return p, err
	}
	values, _ := b.Resolve(row, joined, time.Now()) // what is wrong is the proposal's problem
	proposal := b.Propose(p.Key, row, joined, time.Now(), bindings.PriorityNow)
	p.Values, p.Problem, p.Removed, p.Wants = values, proposal.Problem, proposal.Remove, proposal.Wants
	p.Changed = !proposal.Remove
	if p.Key == "" {
		return p, nil
	}
	known, err := d.store.Known(ctx, cfg.Source, []string{p.Key}, []string{name})
	if err != nil {
		return p, err
	}
	if item, ok := known[p.Key].Items[name]; ok {
		p.Changed = item.Digest != proposal.Digest && (!item.Removed || !proposal.Remove)
	}
	return p, nil
}

// previewRow is the row that a preview is of.
func (d *Daemon) previewRow(ctx context.Context, source string, of api.PreviewOf) (p api.Preview, row map[string]any, err error) {
	if of.Row != nil {
		text, err := bindings.Canonical(of.Row)
		if err != nil {
			return p, nil, problem.New(problem.Invalid, "the row cannot be one: %w", err).At("row")
		}
		p.Row = text
		row, err = bindings.Values(text)
		return p, row, err
	}
	key, err := bindings.NormalKey(of.Key)
	if of.Key != "" && err != nil {
		return p, nil, problem.New(problem.Invalid, "%q is not a key: %w", of.Key, err).At("key")
	}
	stored, err := d.store.Row(ctx, source, key)
	if err != nil {
		return p, nil, err
	}
	p.Key, p.Row = stored.Key, stored.Values
	row, err = bindings.Values(stored.Values)
	return p, row, err
}

// RowOf is all that there is about a row of a binding, with those of its deliveries
// that may be seen.
func (d *Daemon) RowOf(ctx context.Context, name, key string, seen *sink.Seen) (api.RowHistory, error) {
	cfg := d.roster().binding(name)
	h, err := d.store.RowHistory(ctx, cfg.Source, bindings.BindingOwner(name), key, seen)
	if err != nil {
		return api.RowHistory{}, err
	}
	found := api.RowHistory{Row: h.Row, Images: h.Images, Generation: h.Generation, State: h.State, Problem: h.Problem, Assigned: h.Assigned, Deliveries: h.Deliveries}
	return found, d.explain(ctx, cfg, key, &found)
}

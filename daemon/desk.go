package daemon

import (
	"context"
	"encoding/json"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/draft"
	"github.com/pictifyd/pictifyd/template/edit"
)

// desk is where this daemon's drafts are worked on.
func (d *Daemon) desk() *draft.Desk {
	return &draft.Desk{
		Ledger: d.store, ApplyFunc: applyOps, ConflictsFunc: edit.Conflicts, CheckFunc: checkDraft, HasFileFunc: d.hasFile, DiffFunc: diffOps,
	}
}

// hasFile says why the bytes of a file cannot be had; nil where they can.
func (d *Daemon) hasFile(ctx context.Context, digest string) error {
	file, _, err := d.assets.Open(ctx, digest)
	if err != nil {
		return err
	}
	return file.Close()
}

// diffOps is by which operations one document becomes another.
func diffOps(before, after []byte) ([]json.RawMessage, error) {
	ops, err := edit.Diff(before, after)
	if err != nil {
		return nil, err
	}
	list := make([]json.RawMessage, len(ops))
	for i, op := range ops {
		if list[i], err = json.Marshal(op); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// applyOps applies operations as they are kept and sent: as JSON.
func applyOps(src []byte, raw []json.RawMessage) (draft.Result, error) {
	list, err := json.Marshal(raw)
	if err != nil {
		return draft.Result{}, err
	}
	ops, err := edit.Decode(list)
	if err != nil {
		return draft.Result{}, err
	}
	made, err := edit.Apply(src, ops)
	if err != nil {
		return draft.Result{}, inRequest(err)
	}
	r := draft.Result{Source: made.Source, Touched: made.Touched, Inverse: make([]json.RawMessage, len(made.Inverse))}
	for i, op := range made.Inverse {
		if r.Inverse[i], err = json.Marshal(op); err != nil {
			return draft.Result{}, err
		}
	}
	return r, nil
}

// inRequest makes a layer that is not found a mistake in the request: what its
// path names is there.
func inRequest(err error) error {
	problems := problem.All(err)
	for i, p := range problems {
		if p.Code == problem.NotFound {
			wrong := *p
			wrong.Code = problem.Invalid
			problems[i] = &wrong
		}
	}
	return problems
}

// publisher makes this daemon's versions.
func (d *Daemon) publisher() *publisher {
	return &publisher{store: d.store, templates: d.templates, changed: d.rebind, forecast: d.forecast, crash: d.crash}
}

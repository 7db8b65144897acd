package daemon

import (
	"encoding/json"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/draft"
	"github.com/pictifyd/pictifyd/template/edit"
)

// desk is where this daemon's drafts are worked on.
func (d *Daemon) desk() *draft.Desk {
	return &draft.Desk{Ledger: d.store, ApplyFunc: applyOps, ConflictsFunc: edit.Conflicts, CheckFunc: checkDraft}
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

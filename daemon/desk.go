package daemon

import (
	"encoding/json"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/draft"
)

// An engine changes documents by operations.
type engine struct {
	applyFunc     func(src []byte, ops []json.RawMessage) (draft.Result, error)
	conflictsFunc func(a, b []string) []string
}

// desk is where this daemon's drafts are worked on.
func (d *Daemon) desk() *draft.Desk {
	e := engine{
		applyFunc: func([]byte, []json.RawMessage) (draft.Result, error) {
			return draft.Result{}, problem.New(problem.Unsupported, "operations are not built in")
		},
		conflictsFunc: func(a, _ []string) []string { return a },
	}
	if d.options.engine != nil {
		e = *d.options.engine
	}
	return &draft.Desk{Ledger: d.store, ApplyFunc: e.applyFunc, ConflictsFunc: e.conflictsFunc, CheckFunc: checkDraft}
}

// publisher makes this daemon's versions.
func (d *Daemon) publisher() *publisher {
	return &publisher{store: d.store, templates: d.templates, changed: d.rebind, forecast: d.forecast, crash: d.crash}
}

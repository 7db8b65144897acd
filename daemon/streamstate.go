package daemon

import (
	"context"
	"errors"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/internal/problem"
)

var _ api.Streams = (*Daemon)(nil)

// StreamStates implements api.Streams. What the ledger knows of them is one look.
func (d *Daemon) StreamStates(ctx context.Context) (map[string]api.StreamState, error) {
	feeds := d.roster().feeds
	var names []string
	for name, f := range feeds {
		if f.stream != nil {
			names = append(names, name)
		}
	}
	all := make(map[string]api.StreamState, len(names))
	if len(names) == 0 {
		return all, nil
	}
	places, err := d.store.StreamPlaces(ctx, names)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		state, since, halted := feeds[name].stream.now()
		place := places[name]
		all[name] = api.StreamState{
			Phase: string(state.Phase), Since: since, HeardAt: state.HeardAt, Rows: state.Rows, OfRows: state.OfRows,
			Lag: state.Lag, Retained: state.Retained, Warning: adviceOf(state.Warning), Halted: adviceOf(halted),
			Gap: place.Gap, GapAt: place.GapAt, Gaps: place.Gaps, Resnapshot: place.Resnapshot,
		}
	}
	return all, nil
}

// adviceOf is an error for a person, with what to do about it.
func adviceOf(err error) *api.Advice {
	if err == nil {
		return nil
	}
	a := &api.Advice{Why: err.Error()}
	var p *problem.Error
	if errors.As(err, &p) {
		a.Next = p.Hint
	}
	return a
}

package daemon

import (
	"context"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/store"
)

// An arrival is rows that came outside of a reading: somebody sent them, or asked for
// them.
type arrival struct {
	rows   []connectors.Row
	faults []connectors.Fault
	// asked says that somebody waits for just these rows: the guard has no say.
	asked bool
}

// A taken says what became of an arrival.
type taken struct {
	plan   bindings.Plan
	result store.CommitResult
}

// take plans rows of f and commits them, as a reading that says nothing about
// other rows. When it returned nil they are durable. It waits for a reading of f
// that is under way; a feed that ended meanwhile is errFeedEnded.
func (d *Daemon) take(ctx context.Context, f *feed, a arrival) (taken, error) {
	if err := f.gate.enter(ctx); err != nil {
		return taken{}, err
	}
	defer f.gate.leave()
	if f.ended() {
		return taken{}, errFeedEnded
	}
	if err := d.compile(ctx, f); err != nil {
		return taken{}, err
	}
	f.stream.renumber()
	id, seq, err := d.store.BeginReading(ctx, f.name, 1)
	if err != nil {
		return taken{}, err
	}
	r, err := d.reading(ctx, f, bindings.ReadingOptions{ID: id, Seq: seq, Told: true, Settles: f.passive, Versions: f.stream != nil && f.stream.unkeyed})
	if err != nil {
		return taken{}, err
	}
	r.promote(a)
	batch := connectors.Batch{Rows: a.rows, Faults: a.faults, Closes: &connectors.Closing{}}
	plan, result, err := r.commit(ctx, batch)
	return taken{plan, result}, err
}

package daemon

import (
	"context"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
)

// reapEvery is how often rows whose grace has passed are looked for.
const reapEvery = 5 * time.Second

// reap removes, at intervals, rows that have been missing for their grace.
func (d *Daemon) reap(ctx context.Context) {
	tick := time.NewTicker(reapEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, f := range d.roster().feeds {
			err := d.reapOne(ctx, f)
			if ctx.Err() == nil {
				d.faults.note(d.log, "reap", f.name, err)
			}
		}
	}
}

// reapOne leaves a source alone while it is read: a row that the reading finds
// again must not go between its plan and its commit.
func (d *Daemon) reapOne(ctx context.Context, f *feed) error {
	if !f.gate.tryEnter() {
		return nil
	}
	defer f.gate.leave()
	grace, remove := d.graceOf(f.name)
	_, err := d.store.Reap(ctx, f.name, time.Now().Add(-grace), remove)
	return err
}

// graceOf is the longest grace among the bindings of a source, and those that
// want the images of rows that are gone removed.
func (d *Daemon) graceOf(source string) (grace time.Duration, remove []string) {
	for _, b := range d.roster().of(source) {
		grace = max(grace, b.DeleteGrace.Std())
		if b.OnDelete == bindings.Remove {
			remove = append(remove, b.Name)
		}
	}
	return grace, remove
}

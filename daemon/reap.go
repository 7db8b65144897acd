package daemon

import (
	"context"
	"sync"
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
		var busy sync.WaitGroup
		for _, f := range d.roster().feeds {
			if f.gate.tryEnter() {
				d.reapOne(ctx, f)
			} else {
				busy.Go(func() { d.reapAfter(ctx, f) })
			}
		}
		busy.Wait()
	}
}

// reapAfter waits for the reading of f that is under way, until the next look. A
// source that is read in the rhythm of the looks would be met in a reading each time.
func (d *Daemon) reapAfter(ctx context.Context, f *feed) {
	wait, cancel := context.WithTimeout(ctx, reapEvery)
	defer cancel()
	if f.gate.enter(wait) == nil {
		d.reapOne(ctx, f)
	}
}

// reapOne removes the rows of f, and leaves its gate, which the caller has entered:
// a row that a reading finds again must not go between its plan and its commit.
func (d *Daemon) reapOne(ctx context.Context, f *feed) {
	defer f.gate.leave()
	err := d.reapRows(ctx, f)
	if ctx.Err() == nil {
		d.faults.note(d.log, "reap", f.name, err)
	}
}

func (d *Daemon) reapRows(ctx context.Context, f *feed) error {
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

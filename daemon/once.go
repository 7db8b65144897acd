package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// onceCheck is how often --once looks whether anything is left to do, beside
// the store's own hints.
const onceCheck = time.Second

// once ends the daemon when every source was read and nothing is left to do.
// It returns the errors of sources that could not be read and of bindings that
// cannot work. Without --once it
// does nothing.
func (d *Daemon) once(ctx context.Context, finish func()) error {
	if !d.options.Once {
		return nil
	}
	changes, stop := d.store.Changes()
	defer stop()
	tick := time.NewTicker(onceCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changes:
		case <-tick.C:
		}
		read, failures := d.readings()
		if !read {
			continue
		}
		idle, err := d.idle(ctx)
		if err != nil {
			return err
		}
		if idle {
			finish()
			return failures
		}
	}
}

// readings reports whether every source was bound and polled at least once, what
// went wrong at the last time, and which bindings cannot work.
func (d *Daemon) readings() (all bool, failures error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	all = true
	for name, f := range d.roster().feeds {
		err, read := d.polled[name]
		if isUnread(err) && d.wereRead(f.reads) {
			read = false // it is read any moment
		}
		all = all && (read || f.passive) && f.bound.Load()
		failures = errors.Join(failures, err)
	}
	for _, name := range sortedKeys(d.unable) {
		failures = errors.Join(failures, fmt.Errorf("binding %q: %w", name, d.unable[name]))
	}
	return all, failures
}

// setPolled notes how the last poll of a source ended.
func (d *Daemon) setPolled(source string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.polled[source] = err
}

// idle reports whether nothing is left to draw or to deliver, but to sinks that are
// paused or disabled.
func (d *Daemon) idle(ctx context.Context) (bool, error) {
	c, err := d.store.Counters(ctx)
	if err != nil {
		return false, err
	}
	if follows, err := d.following(ctx); follows || err != nil {
		return false, err
	}
	open := c.RendersWaiting + c.RendersClaimed + c.DeliveriesWaiting + c.DeliveriesClaimed + c.JobsOpen
	if open == 0 || c.DeliveriesWaiting == 0 {
		return open == 0, nil
	}
	held, err := d.store.HeldDeliveries(ctx)
	return open == held, err
}

package daemon

import (
	"context"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/store"
)

// confirmEvery is between notes of what was found to be as it was.
const confirmEvery = 10 * time.Second

// confirmations are when sources were last found to be as they were, until that is
// written down.
type confirmations struct {
	mu   sync.Mutex
	seen map[string]store.Confirmation
}

func (c *confirmations) note(source string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string]store.Confirmation{}
	}
	c.seen[source] = store.Confirmation{At: at, Times: c.seen[source].Times + 1}
}

// take hands over what there is.
func (c *confirmations) take() map[string]store.Confirmation {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.seen
	c.seen = nil
	return seen
}

// keepConfirmations writes down from time to time which sources were found to be
// as they were, until ctx ends.
func (d *Daemon) keepConfirmations(ctx context.Context) {
	tick := time.NewTicker(confirmEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		seen := d.confirmed.take()
		if len(seen) == 0 {
			continue
		}
		d.faults.note(d.log, "store", "confirmations", d.store.Confirm(ctx, seen))
	}
}

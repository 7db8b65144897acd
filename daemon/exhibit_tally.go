package daemon

import (
	"context"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/experiment"
)

// tallyLimit is how many counts wait to be written down at most; while the store
// cannot be written, more are lost.
const tallyLimit = 10_000

// tallies are counts of what is no unit of its own, until they are written down.
type tallies struct {
	mu   sync.Mutex
	held map[tallyOf]*experiment.Tally
}

// A tallyOf is what counts are kept apart by.
type tallyOf struct {
	experiment, variant, channel, client string
	day                                  int64
}

// add counts t on the day of now.
func (c *tallies) add(t experiment.Tally, now time.Time) {
	t.Day = now.UTC().Truncate(24 * time.Hour)
	of := tallyOf{t.Experiment, t.Variant, t.Channel, t.Client, t.Day.Unix()}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil {
		c.held = map[tallyOf]*experiment.Tally{}
	}
	one, ok := c.held[of]
	if !ok {
		if len(c.held) >= tallyLimit {
			return
		}
		c.held[of] = &t
		return
	}
	one.Fetches += t.Fetches
	one.Suspects += t.Suspects
	one.Failures += t.Failures
}

// take takes all that there are.
func (c *tallies) take() []experiment.Tally {
	c.mu.Lock()
	held := c.held
	c.held = nil
	c.mu.Unlock()
	all := make([]experiment.Tally, 0, len(held))
	for _, t := range held {
		all = append(all, *t)
	}
	return all
}

// writeTallies writes down what was counted. What cannot be is kept for the next time.
func (x *exhibit) writeTallies(ctx context.Context) {
	counted := x.tallies.take()
	if len(counted) == 0 {
		return
	}
	err := x.daemon.store.Count(ctx, counted)
	x.daemon.faults.note(x.daemon.log, "experiments", "counts", err)
	if err == nil {
		return
	}
	for _, t := range counted {
		x.tallies.add(t, t.Day)
	}
}

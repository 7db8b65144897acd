package daemon

import (
	"sync"
	"time"
)

// confirmations are when sources were last found to be as they were, until that is
// written down.
type confirmations struct {
	mu   sync.Mutex
	seen map[string]time.Time
}

func (c *confirmations) note(source string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string]time.Time{}
	}
	c.seen[source] = at
}

// take hands over what there is.
func (c *confirmations) take() map[string]time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := c.seen
	c.seen = nil
	return seen
}

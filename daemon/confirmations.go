package daemon

import (
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/store"
)

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

package daemon

import (
	"sync"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
)

const (
	hookCalls = 1000 // that wait for one source at most
	// What is committed together at most: whoever comes meanwhile waits for it.
	groupCalls = 256
	groupRows  = 2000
)

// A call is one message to a source, on its way into the store.
type call struct {
	message connectors.Message
	done    chan struct{} // closed when taken or err is set

	taken api.HookTaken
	err   error
}

// calls are those that wait for one source, in the order in which they came.
// Whoever gets the source's gate commits as many of them as go together.
type calls struct {
	mu      sync.Mutex
	waiting []*call
}

// add reports whether there was room for c.
func (q *calls) add(c *call) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= hookCalls {
		return false
	}
	q.waiting = append(q.waiting, c)
	return true
}

// withdraw takes c back, unless somebody is committing it.
func (q *calls) withdraw(c *call) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, one := range q.waiting {
		if one == c {
			q.waiting = append(q.waiting[:i:i], q.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// next are the first of those that wait.
func (q *calls) next() []*call {
	q.mu.Lock()
	defer q.mu.Unlock()
	rows, n := 0, 0
	for n < len(q.waiting) && n < groupCalls {
		if rows += len(q.waiting[n].message.Rows); n > 0 && rows > groupRows {
			break
		}
		n++
	}
	next := q.waiting[:n:n]
	q.waiting = q.waiting[n:]
	return next
}

// alone reports whether c is committed by itself: it has so many rows that the
// guard is asked, who must not count those of other calls with them, or several
// of one key that nothing orders, which only their own call may be reproached with.
func (c *call) alone(floor int) bool {
	rows := c.message.Rows
	if len(rows) > floor {
		return true
	}
	keys := make(map[string]bool, len(rows))
	for i := range rows {
		key, err := bindings.CanonicalKey(rows[i].Key)
		if err == nil && rows[i].Version == 0 && keys[key] {
			return true
		}
		keys[key] = true
	}
	return false
}

package daemon

import (
	"cmp"
	"sync"
	"time"
)

// turnTime is about how long a turn should last: what comes new waits for the
// end of one.
const turnTime = 3 * time.Second

// A stride is how many renders a turn takes, so that it lasts about turnTime:
// turnSize of those that are made fast, fewer of those that are not.
type stride struct {
	least int // so that a turn keeps its part of the renderer busy
	first int // before it is known how fast they are made; 0: as many as a turn takes

	mu  sync.Mutex
	per time.Duration // of a turn for each of its renders, lately; 0 before the first
}

func (s *stride) size() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.per == 0 {
		return cmp.Or(s.first, turnSize)
	}
	return min(max(int(turnTime/s.per), s.least, 1), turnSize)
}

// took notes a turn.
func (s *stride) took(renders int, d time.Duration) {
	if renders == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	per := d / time.Duration(renders)
	if s.per > 0 {
		per = (3*s.per + per) / 4
	}
	s.per = max(per, 1)
}

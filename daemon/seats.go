package daemon

import (
	"context"
	"sync"
)

// seats are places for one, by name, which there are while somebody wants them.
type seats struct {
	mu sync.Mutex
	of map[string]*seat
}

type seat struct {
	gate  gate
	wants int // it, or have it
}

// take waits for the seat of that name; leave gives it back.
func (s *seats) take(ctx context.Context, name string) (leave func(), err error) {
	s.mu.Lock()
	if s.of == nil {
		s.of = map[string]*seat{}
	}
	it := s.of[name]
	if it == nil {
		it = &seat{gate: newGate()}
		s.of[name] = it
	}
	it.wants++
	s.mu.Unlock()
	gone := func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if it.wants--; it.wants == 0 {
			delete(s.of, name)
		}
	}
	if err := it.gate.enter(ctx); err != nil {
		gone()
		return nil, err
	}
	return func() {
		it.gate.leave()
		gone()
	}, nil
}

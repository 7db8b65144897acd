package assets

import (
	"context"
	"sync"
)

// hosts bounds how many requests go to one host at a time, so that a batch does
// not bring down the shop whose images it shows.
type hosts struct {
	limit int

	mu sync.Mutex

	places map[string]*places
}

type places struct {
	free  chan struct{}
	users int // inside and waiting; at zero the entry goes
}

// enter waits for a place at host; leave gives it back.
func (h *hosts) enter(ctx context.Context, host string) (leave func(), err error) {
	p := h.use(host)
	select {
	case p.free <- struct{}{}:
		return func() { <-p.free; h.release(host, p) }, nil
	case <-ctx.Done():
		h.release(host, p)
		return nil, ctx.Err()
	}
}

func (h *hosts) use(host string) *places {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, ok := h.places[host]
	if !ok {
		p = &places{free: make(chan struct{}, h.limit)}
		h.places[host] = p
	}
	p.users++
	return p
}

func (h *hosts) release(host string, p *places) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.users--; p.users == 0 {
		delete(h.places, host)
	}
}

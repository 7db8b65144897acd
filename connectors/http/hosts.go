package httppoll

import (
	"context"
	"sync"
)

// allHosts are those that the sources of this process ask.
var allHosts hosts

// hosts bounds the requests that are under way to each host. The zero value is
// ready for use.
type hosts struct {
	mu sync.Mutex

	busy map[string]*host
}

type host struct {
	requests int
	waiting  int
	freed    chan struct{} // closed when a request ends
}

// enter waits until fewer than most requests are under way to the host of that
// name. leave ends the request that it lets begin.
func (h *hosts) enter(ctx context.Context, name string, most int) (leave func(), err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := h.busy[name]
	if at == nil {
		at = &host{freed: make(chan struct{})}
		if h.busy == nil {
			h.busy = map[string]*host{}
		}
		h.busy[name] = at
	}
	for at.requests >= most {
		freed := at.freed
		at.waiting++
		h.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
		}
		h.mu.Lock()
		at.waiting--
		if ctx.Err() != nil {
			h.forget(name, at)
			return nil, ctx.Err()
		}
	}
	at.requests++
	return sync.OnceFunc(func() { h.leave(name, at) }), nil
}

func (h *hosts) leave(name string, at *host) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at.requests--
	close(at.freed)
	at.freed = make(chan struct{})
	h.forget(name, at)
}

// forget drops a host that nobody asks.
func (h *hosts) forget(name string, at *host) {
	if at.requests+at.waiting == 0 {
		delete(h.busy, name)
	}
}

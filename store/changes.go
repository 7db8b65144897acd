package store

import "sync"

// A feed tells whoever listens that something was committed.
type feed struct {
	mu        sync.Mutex
	listeners map[chan struct{}]struct{}
}

// Changes gives a token after each commit. Tokens that nobody took are one.
// stop releases the channel, which is never closed.
func (s *Store) Changes() (c <-chan struct{}, stop func()) {
	f := &s.feed
	listener := make(chan struct{}, 1)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.listeners == nil {
		f.listeners = map[chan struct{}]struct{}{}
	}
	f.listeners[listener] = struct{}{}
	return listener, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.listeners, listener)
	}
}

func (f *feed) tell() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for listener := range f.listeners {
		select {
		case listener <- struct{}{}:
		default:
		}
	}
}

package assets

import (
	"context"
	"sync"
)

// flights makes callers that want the same at a time share one attempt.
type flights struct {
	mu sync.Mutex

	calls map[string]*call
}

type call struct {
	done      chan struct{} // closed when the rest stands
	pin       Pin
	err       error
	abandoned bool // by a leader whose own context ended: it says nothing about the key
}

// do is fn's result for key, from the call that is under way if there is one.
// A caller whose leader gave up takes the lead itself.
func (f *flights) do(ctx context.Context, key string, fn func() (Pin, error)) (Pin, error) {
	for {
		c, leads := f.join(key)
		if leads {
			return f.lead(ctx, key, c, fn)
		}
		select {
		case <-ctx.Done():
			return Pin{}, ctx.Err()
		case <-c.done:
		}
		if !c.abandoned {
			return c.pin, c.err
		}
	}
}

func (f *flights) lead(ctx context.Context, key string, c *call, fn func() (Pin, error)) (Pin, error) {
	c.abandoned = true // unless fn returns
	defer f.land(key, c)
	c.pin, c.err = fn()
	c.abandoned = c.err != nil && ctx.Err() != nil
	return c.pin, c.err
}

func (f *flights) join(key string) (c *call, leads bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c, ok := f.calls[key]; ok {
		return c, false
	}
	c = &call{done: make(chan struct{})}
	f.calls[key] = c
	return c, true
}

func (f *flights) land(key string, c *call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.calls, key)
	close(c.done)
}

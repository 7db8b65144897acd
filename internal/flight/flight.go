// Package flight has work done once for all who want its result at the same
// time. It keeps no result: who comes after the end begins anew.
package flight

import (
	"context"
	"errors"
	"sync"
)

// errPanicked is what others get whose work panicked.
var errPanicked = errors.New("the work of another caller panicked")

// A Group is the works in hand, by key. The zero value is ready for use.
type Group[T any] struct {
	mu sync.Mutex

	flights map[string]*flight[T]
}

// A flight is one work and those who wait for it.
type flight[T any] struct {
	waiting int // guarded by the group
	cancel  context.CancelFunc
	done    chan struct{}

	value T
	err   error
}

// Do is the result of work, which is done by whoever comes first, in their own
// goroutine, for all who come with the same key until it ends. led says that it
// was this caller. The context of work ends when nobody waits any more; a caller
// whose ctx ends waits no more, but who leads goes on as long as others wait.
func (g *Group[T]) Do(ctx context.Context, key string, work func(ctx context.Context) (T, error)) (value T, led bool, err error) {
	if err := ctx.Err(); err != nil {
		return value, false, err
	}
	g.mu.Lock()
	if f, ok := g.flights[key]; ok {
		f.waiting++
		g.mu.Unlock()
		value, err = g.join(ctx, key, f)
		return value, false, err
	}
	alone, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	f := &flight[T]{waiting: 1, cancel: cancel, done: make(chan struct{}), err: errPanicked}
	if g.flights == nil {
		g.flights = map[string]*flight[T]{}
	}
	g.flights[key] = f
	g.mu.Unlock()

	stop := context.AfterFunc(ctx, func() { g.leave(key, f) })
	defer stop()
	defer g.end(key, f)
	f.value, f.err = work(alone)
	if ended := ctx.Err(); ended != nil && f.err != nil {
		return value, true, ended // why it ended for this caller
	}
	return f.value, true, f.err
}

// Waiting is how many wait for the work of a key now, whoever does it among them.
func (g *Group[T]) Waiting(key string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f, ok := g.flights[key]; ok {
		return f.waiting
	}
	return 0
}

func (g *Group[T]) join(ctx context.Context, key string, f *flight[T]) (value T, err error) {
	select {
	case <-f.done:
		return f.value, f.err
	case <-ctx.Done():
		g.leave(key, f)
		return value, ctx.Err()
	}
}

// leave counts one off. The last one ends the work; whoever comes then begins
// another.
func (g *Group[T]) leave(key string, f *flight[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f.waiting--; f.waiting > 0 {
		return
	}
	f.cancel()
	g.forget(key, f)
}

func (g *Group[T]) end(key string, f *flight[T]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget(key, f)
	close(f.done)
}

func (g *Group[T]) forget(key string, f *flight[T]) {
	if g.flights[key] == f {
		delete(g.flights, key)
	}
}

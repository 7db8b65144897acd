package daemon

import (
	"context"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

const (
	// convoyWaits is how many wait for a commit at most. Who comes then is told to
	// come again, so that a store that has become slow does not eat the memory.
	convoyWaits = 4096
	convoyAgain = 2 * time.Second
)

// A convoy has what many want at the same time committed together: whoever comes
// while a commit is under way waits for the next one, which is one transaction
// however many they are.
type convoy[Q, A any] struct {
	commitFunc func(ctx context.Context, asked []Q) ([]A, error) // an answer to each, in their order
	limit      int                                               // of what goes in one commit
	gate       chan struct{}                                     // held by whoever commits

	mu      sync.Mutex
	waiting []*rider[Q, A]
}

// A rider is one caller's part of a commit.
type rider[Q, A any] struct {
	asked []Q
	done  chan struct{} // closed when it is answered

	answers []A
	err     error
}

func newConvoy[Q, A any](limit int, commitFunc func(ctx context.Context, asked []Q) ([]A, error)) *convoy[Q, A] {
	return &convoy[Q, A]{commitFunc: commitFunc, limit: limit, gate: make(chan struct{}, 1)}
}

// do answers when what is asked is durable. One whose caller has gone is not
// committed, unless that has begun.
func (c *convoy[Q, A]) do(ctx context.Context, asked ...Q) ([]A, error) {
	if len(asked) == 0 {
		return nil, nil
	}
	r := &rider[Q, A]{asked: asked, done: make(chan struct{})}
	if !c.add(r) {
		return nil, retry.After(problem.New(problem.Overloaded, "too much waits to be written down").WithSlug("overloaded").
			WithHint("send it again after the seconds of Retry-After, with the same ids"), convoyAgain)
	}
	for {
		select {
		case <-r.done:
			return r.answers, r.err
		case c.gate <- struct{}{}:
			c.commit(ctx)
			<-c.gate
		case <-ctx.Done():
			if c.withdraw(r) {
				return nil, ctx.Err()
			}
			<-r.done
			return r.answers, r.err
		}
	}
}

func (c *convoy[Q, A]) add(r *rider[Q, A]) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) >= convoyWaits {
		return false
	}
	c.waiting = append(c.waiting, r)
	return true
}

// withdraw takes r back, unless somebody is committing it.
func (c *convoy[Q, A]) withdraw(r *rider[Q, A]) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, one := range c.waiting {
		if one == r {
			c.waiting = append(c.waiting[:i:i], c.waiting[i+1:]...)
			return true
		}
	}
	return false
}

// next are the first of those that wait, as many as go together.
func (c *convoy[Q, A]) next() []*rider[Q, A] {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, items := 0, 0
	for n < len(c.waiting) {
		if items += len(c.waiting[n].asked); n > 0 && items > c.limit {
			break
		}
		n++
	}
	next := c.waiting[:n:n]
	c.waiting = c.waiting[n:]
	return next
}

// commit commits the next of those that wait. The caller holds the gate.
func (c *convoy[Q, A]) commit(ctx context.Context) {
	riders := c.next()
	if len(riders) == 0 {
		return
	}
	// It is others' as well: it goes on when the caller who drives it has gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitLimit)
	defer cancel()
	err := c.together(ctx, riders)
	if err != nil && len(riders) > 1 && problem.CodeOf(err) != problem.Surroundings && ctx.Err() == nil {
		for _, r := range riders { // what one of them is at fault for the others shall not suffer
			r.err = c.together(ctx, []*rider[Q, A]{r})
			close(r.done)
		}
		return
	}
	for _, r := range riders {
		r.err = err
		close(r.done)
	}
}

// together commits what riders ask, and gives each its answers.
func (c *convoy[Q, A]) together(ctx context.Context, riders []*rider[Q, A]) error {
	var asked []Q
	for _, r := range riders {
		asked = append(asked, r.asked...)
	}
	answers, err := c.commitFunc(ctx, asked)
	if err != nil {
		return err
	}
	for _, r := range riders {
		r.answers, answers = answers[:len(r.asked):len(r.asked)], answers[len(r.asked):]
	}
	return nil
}

package daemon

import (
	"context"

	"golang.org/x/sync/semaphore"
)

// planFlight is how many jobs have a page planned at a time: while one computes,
// the other one's is written.
const planFlight = 2

// A rota lets a few work at a time. Whoever waited longest is next, so that of
// those who come again and again each has its turn.
type rota struct{ places *semaphore.Weighted }

func newRota(places int64) rota { return rota{semaphore.NewWeighted(places)} }

// enter waits for a place; leave gives it back.
func (r rota) enter(ctx context.Context) (leave func(), err error) {
	if err := r.places.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	return func() { r.places.Release(1) }, nil
}

package s3

import (
	"cmp"
	"context"

	"github.com/pictifyd/pictifyd/sink"
)

// Test puts the pictures of d, and removes them: so that whether it may do both is
// seen before a picture depends on it. What was put before a fault is removed, too.
func (b *bucket) Test(ctx context.Context, d sink.Delivery) (sink.Receipt, error) {
	objects, aliases, err := b.plan(d)
	if err != nil {
		return sink.Receipt{}, err
	}
	receipt, err := b.Deliver(ctx, d)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortLimit) // its time may be what was over
	defer cancel()
	left := b.delete(ctx, append(aliases, objects...))
	return receipt, cmp.Or(err, left)
}

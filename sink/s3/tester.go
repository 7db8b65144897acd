package s3

import (
	"context"

	"github.com/pictifyd/pictifyd/sink"
)

// Test puts the pictures of d, and removes them: so that whether it may do both is
// seen before a picture depends on it.
func (b *bucket) Test(ctx context.Context, d sink.Delivery) (sink.Receipt, error) {
	receipt, err := b.Deliver(ctx, d)
	if err != nil {
		return receipt, err
	}
	objects, aliases, err := b.plan(d)
	if err != nil {
		return receipt, err
	}
	return receipt, b.delete(ctx, append(aliases, objects...))
}

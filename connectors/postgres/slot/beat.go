package slot

import (
	"context"
	"errors"
	"time"
)

// Heartbeat writes a transaction with nothing but a message to the server's log, at
// once and then at each interval of the configuration, until ctx ends; then it
// returns nil. The stream sees the message come back (Beat), so that it can confirm
// what others wrote meanwhile, and knows that the way is open. The error is that a
// message could not be written.
func (k *Keeper) Heartbeat(ctx context.Context) error {
	return errors.ErrUnsupported
}

// Beat is when one of our own heartbeats was sent, by its message; ok is false for
// a message of somebody else.
func (k *Keeper) Beat(prefix string, content []byte) (sent time.Time, ok bool) {
	return time.Time{}, false
}

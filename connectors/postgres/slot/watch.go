package slot

import (
	"context"
	"errors"
	"time"
)

// A State is how a slot stands at its server.
type State struct {
	Retained    int64  // bytes of WAL that the server keeps for it
	Unconfirmed int64  // bytes behind what was confirmed: of those something may still be told
	WALStatus   string // reserved, extended, unreserved, lost; "" is not known
	Safe        int64  // bytes that may still be written before it may be lost; negative is without a limit
	ActivePID   int    // who reads it; 0 is nobody
	// Warning is what a person should look after, with what is to be done as its
	// hint; nil where all is well.
	Warning error
	// Dropped says that the slot was dropped, because more was kept than may be.
	Dropped bool
	// Err is why the server could not be asked; then nothing else is known.
	Err error
}

// Watch asks for the slot at once and then every interval, and tells what it
// found, until ctx ends; then it returns nil. Where a configuration says so it drops
// the slot, tells of it, and returns nil: the stream then ends by itself, and the
// next Prepare finds the gap.
func (k *Keeper) Watch(ctx context.Context, interval time.Duration, tell func(State)) error {
	return errors.ErrUnsupported
}

package slot

import (
	"context"
	"errors"
)

// Release drops our slot, ending our own stream of it, and our publication. What
// is not there is no error; what is somebody else's stays. It is for
// connectors.Streamer's Release.
func (k *Keeper) Release(ctx context.Context) error {
	return errors.ErrUnsupported
}

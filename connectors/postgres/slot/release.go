package slot

import (
	"context"

	"github.com/pictifyd/pictifyd/internal/pg"
)

// Release drops our slot, ending our own stream of it, and our publication. What
// is not there is no error; what is somebody else's stays. It is for
// connectors.Streamer's Release.
func (k *Keeper) Release(ctx context.Context) error {
	err := k.release(ctx)
	if pg.State(err) == "3D000" { // with the database went all that was in it
		return nil
	}
	return err
}

func (k *Keeper) release(ctx context.Context) error {
	if k.cfg.Slot != k.name {
		if err := k.dropSlot(ctx, k.name); err != nil {
			return err
		}
	}
	if k.cfg.Publication != k.name {
		return k.dropPublication(ctx)
	}
	return nil
}

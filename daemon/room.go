package daemon

import (
	"context"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// roomRest is after how long whoever was refused for want of disk asks again.
const roomRest = 30 * time.Second

// room says why nothing more is taken in now: less is free on the disk of the
// store or of the images than keep.min_free. It looks each time, so that intake
// goes on by itself.
func (d *Daemon) room(context.Context) error {
	least := int64(d.file().Keep.MinFree)
	if least == 0 {
		return nil
	}
	err := d.lowDisk(least)
	d.faults.note(d.log, "disk", "intake", err)
	if err != nil {
		return retry.After(err, roomRest)
	}
	return nil
}

func (d *Daemon) lowDisk(least int64) error {
	for _, disk := range []struct {
		name string
		free func() (int64, error)
	}{{"images", d.blobs.Free}, {"store", d.store.Free}} {
		free, err := disk.free()
		if err != nil || free >= least {
			continue // who cannot ask takes in; the write says what is wrong
		}
		return problem.New(problem.Surroundings, "only %d MB are free on the disk of the %s, and nothing more is taken in below %s",
			free/1e6, disk.name, config.Bytes(least)).WithSlug("disk_low").
			WithHint("make room, or set keep.min_free lower; intake goes on by itself, and what was accepted is being worked on")
	}
	return nil
}

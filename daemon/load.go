package daemon

import (
	"context"
	"math"
	"time"

	"github.com/pictifyd/pictifyd/api"
)

// failuresOf is over how long failures are counted.
const failuresOf = 24 * time.Hour

// load is how much there is to do, with what, and how fast it goes.
func (d *Daemon) load(ctx context.Context) (api.Load, error) {
	now := time.Now()
	l, err := d.store.Load(ctx, now.Add(-failuresOf))
	if err != nil {
		return api.Load{}, err
	}
	return api.Load{
		Waiting: l.Waiting, Drawing: l.Drawing, Resting: l.Resting, Failed: l.Failed, DeadLetters: l.DeadLetters, DeliveriesWaiting: l.DeliveriesWaiting,
		Pace: d.metrics.pace.now(now), Chrome: d.chromeLoad(), Disk: d.diskLoad(),
	}, nil
}

func (d *Daemon) chromeLoad() *api.ChromeLoad {
	if d.pool == nil {
		return nil
	}
	var l api.ChromeLoad
	for _, b := range d.pool.Status() {
		l.Size++
		switch {
		case b.State == "busy":
			l.Used++
		case b.Err != "":
			l.Failed++
			l.Error = b.Err
		}
	}
	return &l
}

func (d *Daemon) diskLoad() api.DiskLoad {
	l := api.DiskLoad{Free: -1, Low: d.lowDisk(int64(d.file().Keep.MinFree))}
	for _, free := range []func() (int64, error){d.blobs.Free, d.store.Free} {
		if n, err := free(); err == nil && n != math.MaxInt64 && (l.Free < 0 || n < l.Free) {
			l.Free = n
		}
	}
	if seen := d.seen.Load(); seen != nil {
		l.Files, l.Bytes, l.Superseded, l.MeasuredAt = seen.files, seen.bytes, seen.markedBytes, seen.at
	}
	return l
}

package daemon

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/pictifyd/pictifyd/store"
	"github.com/pictifyd/pictifyd/store/blob"
)

const (
	// lookEvery is how often it is looked for what is kept no longer.
	lookEvery = 30 * time.Second
	// putRestErased is as putRest, of bytes that a person had erased.
	putRestErased = time.Minute

	// goneFor is how long it is remembered that there was a job.
	goneFor = 365 * day
)

// What takes days is shorter in tests that are to see it many times.
var (
	// walkEvery is how often all bytes are looked through for those that nothing
	// shows, and walkFirst how long after the start.
	walkEvery = 6 * time.Hour
	walkFirst = 10 * time.Minute

	// putRest is how long bytes stay that were put, whatever refers to them: who
	// put them has not recorded yet where they are shown.
	putRest = day
)

// retain removes, at intervals, what the section keep says is kept no longer. It
// blocks until ctx ends.
func (d *Daemon) retain(ctx context.Context) {
	walk := time.Now().Add(walkFirst)
	d.unscrubbed.Store(true) // it may have been left so
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		now := time.Now()
		err := d.expire(ctx, now)
		if ctx.Err() == nil {
			d.faults.note(d.log, "keep", "due", err)
		}
		if !now.Before(walk) {
			walk = now.Add(walkEvery)
			_, err := d.sweep(ctx, now)
			err = errors.Join(err, d.forgetDiscarded(ctx, now), d.giveUpAbsent(ctx, now), d.store.Audit().Expire(ctx, d.file().Keep.Audit.before(now)))
			if ctx.Err() == nil {
				d.faults.note(d.log, "keep", "sweep", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-d.sweepAsked:
			walk = now
		case <-tick.C:
		}
	}
}

// expire ends the keeping of what is due.
func (d *Daemon) expire(ctx context.Context, now time.Time) error {
	keep := d.file().Keep
	if keep.Results != Forever {
		if _, err := d.store.ExpireJobs(ctx, keep.Results.before(now)); err != nil {
			return err
		}
	}
	if _, err := d.store.EmptyJobs(ctx); err != nil {
		return err
	}
	if _, err := d.removeMarked(ctx, keep.Superseded.before(now), now); err != nil {
		return err
	}
	if err := errors.Join(d.forgetMessages(ctx, now), d.forgetRuns(ctx, now)); err != nil {
		return err
	}
	return d.scrub(ctx)
}

// forgetDiscarded ends the keeping of dead letters that were discarded.
func (d *Daemon) forgetDiscarded(ctx context.Context, now time.Time) error {
	if keep := d.file().Keep.Results; keep != Forever {
		return d.store.ForgetDiscarded(ctx, keep.before(now))
	}
	return nil
}

// scrub has what was deleted leave the store's files.
func (d *Daemon) scrub(ctx context.Context) error {
	if !d.unscrubbed.Swap(false) {
		return nil
	}
	done, err := d.store.Scrub(ctx)
	if !done || err != nil {
		d.unscrubbed.Store(true)
	}
	return err
}

// removeBytes removes bytes unless another daemon may have the ledger, and show them.
func (d *Daemon) removeBytes(ctx context.Context, hash string, before time.Time) (freed int64, left bool, err error) {
	if err := d.store.Certain(); err != nil {
		return 0, true, err
	}
	return d.blobs.Remove(ctx, hash, before)
}

// removeMarked removes bytes that were marked at before or earlier, and those
// that were erased. left is how many of the latter were put so lately that they
// go with a later call.
func (d *Daemon) removeMarked(ctx context.Context, before, now time.Time) (left int, err error) {
	for after := ""; ; {
		condemned, last, err := d.store.Condemn(ctx, before, after)
		if err != nil {
			return left, err
		}
		var gone []string
		for _, c := range condemned {
			rest := putRest
			if c.Erased {
				rest = putRestErased
			}
			freed, stays, err := d.removeBytes(ctx, c.Hash, now.Add(-rest))
			if err != nil {
				return left, err
			}
			d.metrics.freed.Add(float64(freed))
			switch {
			case !stays:
				gone = append(gone, c.Hash)
			case c.Erased:
				left++
			}
		}
		if len(condemned) > 0 {
			d.crash("blobs.removed")
		}
		if err := d.store.Removed(ctx, gone); err != nil {
			return left, err
		}
		if last == "" {
			return left, nil
		}
		after = last
	}
}

// A swept counts what a sweep saw.
type swept struct {
	files, marked           int64
	bytes, markedBytes, old int64 // old: bytes removed because of keep.images
}

// A sweptAt is what the last sweep saw, and when.
type sweptAt struct {
	swept

	at time.Time
}

// sweep looks through all bytes and marks those that nothing shows any more.
func (d *Daemon) sweep(ctx context.Context, now time.Time) (swept, error) {
	began := time.Now()
	w, err := d.store.BeginSweep(ctx)
	if err != nil {
		return swept{}, err
	}
	var seen swept
	if err := d.blobs.Walk(ctx, func(page []blob.File) error { return d.sweepPage(ctx, w, page, now, &seen) }); err != nil {
		return seen, err
	}
	faults := d.file().Keep.Superseded
	if faults != Forever {
		if err := d.store.ForgetFaults(ctx, faults.before(now)); err != nil {
			return seen, err
		}
	}
	if err := d.store.ForgetJobs(ctx, now.Add(-goneFor)); err != nil {
		return seen, err
	}
	d.metrics.swept(seen, now)
	d.seen.Store(&sweptAt{seen, now})
	d.log.Debug("bytes looked through", slog.Int64("files", seen.files), slog.Int64("marked", seen.marked), slog.Duration("after", time.Since(began)))
	return seen, nil
}

func (d *Daemon) sweepPage(ctx context.Context, w *store.Sweep, page []blob.File, now time.Time, seen *swept) error {
	hashes := make([]string, len(page))
	for i, f := range page {
		hashes[i] = f.Hash
	}
	marked, err := w.Mark(ctx, hashes, now)
	if err != nil {
		return err
	}
	isMarked := make(map[string]bool, len(marked))
	for _, hash := range marked {
		isMarked[hash] = true
	}
	var old []string
	limit := d.file().Keep.Images.before(now)
	for _, f := range page {
		seen.files++
		seen.bytes += f.Size
		switch {
		case isMarked[f.Hash]:
			seen.marked++
			seen.markedBytes += f.Size
		case f.At.Before(limit):
			old = append(old, f.Hash)
		}
	}
	if d.file().Keep.Images == Forever || len(old) == 0 {
		return nil
	}
	if old, err = w.Remakable(ctx, old); err != nil {
		return err
	}
	for _, hash := range old {
		freed, _, err := d.removeBytes(ctx, hash, limit)
		if err != nil {
			return err
		}
		seen.old += freed
		d.metrics.freed.Add(float64(freed))
	}
	return nil
}

// askSweep has the next sweep begin now.
func (d *Daemon) askSweep() {
	select {
	case d.sweepAsked <- struct{}{}:
	default: // one is asked for already
	}
}

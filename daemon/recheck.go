package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pictifyd/pictifyd/assets"
	"github.com/pictifyd/pictifyd/bindings"
)

const (
	recheckLook   = time.Minute // between looks whether a binding's files are due
	recheckMost   = time.Hour   // between two passes over a binding's files
	recheckFlight = 4           // files that are asked for at a time
	recheckPage   = 500         // files after which images are made again
)

// recheck asks, at intervals, whether the remote files that images show are
// still the same, as their bindings say. It blocks until ctx ends.
func (d *Daemon) recheck(ctx context.Context) {
	if !d.settings.Render.AllowsRemote() {
		return
	}
	rounds(ctx, d.rechecked, func(ctx context.Context, b bindings.Config) {
		err := d.recheckBinding(ctx, b, d.rechecked(), time.Now())
		if ctx.Err() == nil {
			d.faults.note(d.log, "recheck", b.Name, err)
		}
	})
}

// rechecked are the bindings that have files asked for again.
func (d *Daemon) rechecked() []bindings.Config {
	return slices.DeleteFunc(slices.Clone(d.roster().bindings), func(b bindings.Config) bool { return b.Assets.Recheck == 0 })
}

// rounds calls pass for each binding, soon and then often enough that its files
// are asked for within an eighth of their time, and within an hour, of being due.
func rounds(ctx context.Context, wantsFunc func() []bindings.Config, pass func(context.Context, bindings.Config)) {
	next := map[string]time.Time{}
	tick := time.NewTicker(recheckLook)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, b := range wantsFunc() {
			if time.Now().Before(next[b.Name]) {
				continue
			}
			pass(ctx, b)
			next[b.Name] = time.Now().Add(min(b.Assets.Recheck.Std()/8, recheckMost) - recheckLook/2)
		}
	}
}

// recheckBinding asks for each file of b's images that was last asked for so
// long before now, and has the images made again that show one as it was.
func (d *Daemon) recheckBinding(ctx context.Context, b bindings.Config, wants []bindings.Config, now time.Time) error {
	names := make([]string, len(wants))
	for i, w := range wants {
		names[i] = w.Name
	}
	var page []string
	finish := func() error {
		if err := d.recheckFiles(ctx, page, now); err != nil {
			return err
		}
		page = page[:0]
		d.now.lately.forget("")
		_, err := d.store.RemakeChanged(ctx, names)
		return err
	}
	err := d.store.ShownSince(ctx, b.Name, now.Add(-b.Assets.Recheck.Std()), func(address string) error {
		page = append(page, address)
		if len(page) < recheckPage {
			return nil
		}
		return finish()
	})
	if err != nil {
		return err
	}
	return finish() // also without a file that was due: the last pass may have ended between the two
}

// recheckFiles asks for files, several at a time. One that can't be had stays as
// it is, and is not asked for again within the hour.
func (d *Daemon) recheckFiles(ctx context.Context, addresses []string, now time.Time) error {
	scope := fmt.Sprintf("recheck@%d", now.Unix()/3600)
	var g errgroup.Group
	g.SetLimit(recheckFlight)
	for _, address := range addresses {
		g.Go(func() error {
			_, err := d.assets.Recheck(ctx, address, scope)
			if err == nil || ctx.Err() != nil {
				return ctx.Err()
			}
			if machineFault(err) {
				return err
			}
			d.log.Debug("a remote file stays as it was", slog.String("reason", assets.Reason(err)))
			return nil
		})
	}
	return g.Wait()
}

// recheckOf is after how long files of an owner's images are asked for again, 0
// for never.
func (d *Daemon) recheckOf(o bindings.Owner) time.Duration {
	for _, b := range d.roster().bindings {
		if b.Name == o.Binding() {
			return b.Assets.Recheck.Std()
		}
	}
	return 0
}

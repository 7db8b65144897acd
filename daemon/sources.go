package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
)

const (
	replanPage = 500             // stored rows planned in one commit
	reapEvery  = 5 * time.Second // how often rows whose grace has passed are looked for
)

// watchSources binds every source, then keeps asking for its polls, until ctx ends.
func (d *Daemon) watchSources(ctx context.Context) error {
	names := make([]string, len(d.settings.Bindings))
	for i, b := range d.settings.Bindings {
		names[i] = b.Name
	}
	if err := d.store.DropBindings(ctx, names); err != nil {
		return err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	for _, f := range d.feeds {
		wg.Go(func() {
			if err := d.bind(ctx, f); err != nil {
				if ctx.Err() == nil {
					d.log.Error("bind a source", slog.String("source", f.name), slog.Any("err", err))
				}
				return
			}
			d.watch(ctx, f)
		})
	}
	wg.Go(func() { d.reap(ctx) })
	<-ctx.Done()
	return nil
}

// bind compiles the bindings of f with the newest versions of their templates,
// and plans the stored rows again for those that are not as they were planned.
func (d *Daemon) bind(ctx context.Context, f *feed) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	epoch, err := d.store.Epoch(ctx)
	if err != nil {
		return err
	}
	var bound []*bindings.Binding
	for _, cfg := range d.settings.Bindings {
		if cfg.Source != f.name {
			continue
		}
		t, version, err := d.templates.newest(ctx, cfg.Template)
		if err == nil {
			var b *bindings.Binding
			if b, err = bindings.Compile(cfg, t, version, epoch); err == nil {
				bound = append(bound, b)
			}
		}
		d.setUnable(cfg.Name, err)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	f.bindings = bound
	var failures []error
	for _, b := range bound {
		if err := d.replan(ctx, f, b); err != nil {
			failures = append(failures, fmt.Errorf("plan binding %q again: %w", b.Name(), err))
		}
	}
	return errors.Join(failures...)
}

// replan plans every stored row of f for b, unless b was planned as it is. What
// is killed half way starts over and finds the first half done.
func (d *Daemon) replan(ctx context.Context, f *feed, b *bindings.Binding) error {
	before, err := d.store.BindingDigest(ctx, b.Name())
	if err != nil || before == b.Digest() {
		return err
	}
	if err := d.store.SetBinding(ctx, b.Name(), f.name, before); err != nil {
		return err
	}
	after, total := "", 0
	for {
		rows, err := d.store.Rows(ctx, f.name, after, replanPage)
		if err != nil {
			return err
		}
		proposals, err := b.ProposeAll(rows, time.Now())
		if err != nil {
			return err
		}
		changed, err := d.store.Replan(ctx, b.Name(), proposals)
		if err != nil {
			return err
		}
		total += changed
		if len(rows) < replanPage {
			break
		}
		after = rows[len(rows)-1].Key
	}
	if total > 0 {
		d.log.Info("stored rows planned again", slog.String("binding", b.Name()), slog.Int("images", total))
	}
	return d.store.SetBinding(ctx, b.Name(), f.name, b.Digest())
}

// rebind plans again what hangs on templates that have a new version.
func (d *Daemon) rebind(ctx context.Context, templates []string) {
	for _, f := range d.feeds {
		uses := slices.ContainsFunc(d.settings.Bindings, func(b bindings.Config) bool {
			return b.Source == f.name && slices.Contains(templates, b.Template)
		})
		if !uses {
			continue
		}
		if err := d.bind(ctx, f); err != nil && ctx.Err() == nil {
			d.log.Error("bind a source", slog.String("source", f.name), slog.Any("err", err))
		}
	}
}

func (d *Daemon) watchTemplates(ctx context.Context) error {
	return d.templates.watch(ctx, func(names []string) { d.rebind(ctx, names) })
}

// reap removes, at intervals, rows that have been missing for their grace.
func (d *Daemon) reap(ctx context.Context) {
	tick := time.NewTicker(reapEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, f := range d.feeds {
			grace, remove := d.graceOf(f.name)
			_, err := d.store.Reap(ctx, f.name, time.Now().Add(-grace), remove)
			if ctx.Err() == nil {
				d.faults.note(d.log, "reap", f.name, err)
			}
		}
	}
}

// graceOf is the longest grace among the bindings of a source, and those that
// want the images of rows that are gone removed.
func (d *Daemon) graceOf(source string) (grace time.Duration, remove []string) {
	for _, b := range d.settings.Bindings {
		if b.Source != source {
			continue
		}
		grace = max(grace, b.DeleteGrace.Std())
		if b.OnDelete == bindings.Remove {
			remove = append(remove, b.Name)
		}
	}
	return grace, remove
}

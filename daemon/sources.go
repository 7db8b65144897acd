package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/pictifyd/pictifyd/bindings"
)

const replanPage = 500 // stored rows planned in one commit

// watchSources binds every source and keeps asking for its polls, until ctx ends.
func (d *Daemon) watchSources(ctx context.Context) error {
	if err := d.store.DropBindings(ctx, namesOf(d.roster().bindings)); err != nil {
		return err
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { d.reap(ctx) })
	wg.Go(func() { d.recheck(ctx) })
	wg.Go(func() { d.retain(ctx) })
	wg.Go(func() { d.news.tell.work(ctx) })
	wg.Go(func() { d.circles.stop.work(ctx) })
	wg.Go(func() { d.release.work(ctx) })
	d.release.ask()
	wg.Go(func() { d.keepConfirmations(ctx) })
	running := map[*feed]context.CancelFunc{}
	for {
		now := d.roster().feeds
		for f, stop := range running {
			if now[f.name] != f {
				stop()
				delete(running, f)
			}
		}
		for _, f := range now {
			if running[f] == nil {
				life, stop := context.WithCancel(ctx)
				running[f] = stop
				wg.Go(func() { d.watch(life, f) })
			}
		}
		select {
		case <-ctx.Done():
			for _, stop := range running {
				stop()
			}
			return nil
		case <-d.renewed:
		}
	}
}

func namesOf(all []bindings.Config) []string {
	names := make([]string, len(all))
	for i, b := range all {
		names[i] = b.Name
	}
	return names
}

// bind compiles the bindings of f with the newest versions of their templates,
// and plans the stored rows again for those that are not as they were planned.
func (d *Daemon) bind(ctx context.Context, f *feed) error {
	if err := f.gate.enter(ctx); err != nil {
		return err
	}
	defer f.gate.leave()
	if f.ended() {
		return nil
	}
	f.compiled = false
	if err := d.compile(ctx, f); err != nil {
		return err
	}
	var failures []error
	for _, b := range f.bindings {
		if err := d.replan(ctx, f, b); err != nil {
			failures = append(failures, fmt.Errorf("plan binding %q again: %w", b.Name(), err))
		}
	}
	if err := errors.Join(failures...); err != nil {
		return err
	}
	if err := d.rejoin(ctx, f); err != nil {
		return err
	}
	f.bound.Store(true)
	// Those that were deleted, or hang on another source by now.
	return d.store.DropBindingsOf(ctx, f.name, namesOf(d.roster().of(f.name)))
}

// compile makes the bindings of f, unless they are made. Those that cannot work,
// or are paused, are left out and planned anew when they can. The caller is inside the gate.
func (d *Daemon) compile(ctx context.Context, f *feed) error {
	if !f.numbered {
		if err := d.store.OutnumberRows(ctx, f.name); err != nil {
			return err
		}
		f.numbered = true
	}
	if f.compiled {
		return nil
	}
	epoch, err := d.store.Epoch(ctx)
	if err != nil {
		return err
	}
	var able []*bindings.Binding
	now := d.roster()
	for _, cfg := range now.of(f.name) {
		b, err := d.compileOne(ctx, cfg, epoch)
		if err == nil {
			err = d.awaited(ctx, cfg)
		}
		if err != nil && machineFault(err) {
			return err
		}
		d.setUnable(cfg.Name, err)
		if err := d.tellUnable(ctx, cfg, err); err != nil {
			return err
		}
		if err != nil || now.paused[cfg.Name] {
			if err := d.forgetPlan(ctx, cfg); err != nil {
				return err
			}
			continue
		}
		able = append(able, b)
	}
	f.bindings, f.compiled, f.confirmable = able, true, false
	return nil
}

func (d *Daemon) compileOne(ctx context.Context, cfg bindings.Config, epoch int64) (*bindings.Binding, error) {
	t, version, err := d.templates.newest(ctx, cfg.Template)
	if err == nil {
		cfg, err = d.clocked(ctx, cfg)
	}
	if err != nil {
		return nil, err
	}
	b, err := d.compileBinding(ctx, cfg, t, version, epoch, d.newestOf)
	if err == nil {
		err = d.roster().echoes(b).Err()
	}
	return b, err
}

// forgetPlan makes a binding be planned from all rows when it works again: those
// that are read meanwhile change nothing in its images.
func (d *Daemon) forgetPlan(ctx context.Context, cfg bindings.Config) error {
	digest, err := d.store.BindingDigest(ctx, cfg.Name)
	if err != nil || digest == "" {
		return err
	}
	return d.store.SetBinding(ctx, cfg.Name, cfg.Source, "")
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
		proposals, err := d.proposeStored(ctx, b, rows, d.assignUnits)
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
		d.log.Info("stored rows planned again", slog.String("binding", b.Name()), slog.Int("rows", total))
	}
	return d.store.SetBinding(ctx, b.Name(), f.name, b.Digest())
}

// watchTemplates publishes what changes in the templates folder, and has the
// feeds bound again whose templates have a new version.
func (d *Daemon) watchTemplates(ctx context.Context) error {
	return d.templates.watch(ctx, d.rebind)
}

// rebind has the feeds bound again that show these templates.
func (d *Daemon) rebind(names []string) {
	drawn, err := d.drawnByVariants(context.Background(), names)
	d.faults.note(d.log, "store", "experiments", err)
	now := d.roster()
	for _, b := range now.bindings {
		shows := slices.Contains(names, b.Template) || b.Experiment.Named() && (err != nil || drawn[b.Experiment.Slug])
		if f := now.feeds[b.Source]; f != nil && shows {
			f.rebind.ask()
		}
	}
}

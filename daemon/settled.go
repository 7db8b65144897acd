package daemon

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
)

// A settlement is the sources whose rows have changed, until whoever reads those
// rows was told.
type settlement struct {
	names map[string]bool
	tell  *errand
}

// settled is store.Options.Settled.
func (d *Daemon) settled(source string) {
	d.mu.Lock()
	d.settling.names[source] = true
	d.mu.Unlock()
	d.settling.tell.ask()
}

// follow tells who depends on the rows of sources that changed: sources that read
// them, bindings that wait for them, and bindings whose rows were planned with them.
// What is lost with the process is asked for at the start: every source is read, and
// every binding looks what changed.
func (d *Daemon) follow(ctx context.Context) error {
	d.mu.Lock()
	names := slices.Collect(maps.Keys(d.settling.names))
	waiting := maps.Clone(d.waiting)
	d.mu.Unlock()
	due, err := d.store.BindingsWithLookupChanges(ctx)
	if err != nil {
		return err
	}
	now := d.roster()
	for _, f := range now.feeds {
		if slices.ContainsFunc(f.reads, func(source string) bool { return slices.Contains(names, source) }) {
			f.wish.ask()
		}
	}
	for _, b := range now.bindings {
		f := now.feeds[b.Source]
		if f == nil {
			continue
		}
		if waiting[b.Name] && slices.ContainsFunc(b.LookupSources(), func(source string) bool { return slices.Contains(names, source) }) {
			f.bound.Store(false)
			f.rebind.ask()
		}
		if slices.Contains(due, b.Name) {
			f.rejoin.ask()
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range names {
		delete(d.settling.names, name)
	}
	return nil
}

// following reports whether a change of rows, or a first reading, has still an
// effect to come on what is planned.
func (d *Daemon) following(ctx context.Context) (bool, error) {
	due, err := d.store.BindingsWithLookupChanges(ctx)
	if err != nil {
		return false, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.settling.names) > 0 {
		return true, nil
	}
	for _, b := range d.roster().bindings {
		switch {
		case d.waiting[b.Name]:
			if d.wereRead(b.LookupSources()) {
				return true, nil
			}
		case slices.Contains(due, b.Name) && d.unable[b.Name] == nil && !d.roster().paused[b.Name]:
			return true, nil
		}
	}
	return false, nil
}

// wereRead reports whether the last poll of each source was good. d.mu is held.
func (d *Daemon) wereRead(sources []string) bool {
	for _, name := range sources {
		if err, polled := d.polled[name]; !polled || err != nil {
			return false
		}
	}
	return true
}

// awaited says why a binding has to wait for a source that it joins rows of. It is
// noted before the store is asked, so that no first reading comes between unseen.
func (d *Daemon) awaited(ctx context.Context, cfg bindings.Config) error {
	d.setWaiting(cfg.Name, len(cfg.Lookups) > 0)
	err := d.unread(ctx, cfg.LookupSources())
	if err == nil {
		d.setWaiting(cfg.Name, false)
	}
	return err
}

func (d *Daemon) setWaiting(binding string, waits bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.waiting, binding)
	if waits {
		d.waiting[binding] = true
	}
}

// lend gives a source of the operator the rows of the sources that it names.
func (d *Daemon) lend(cfg connectors.Config, env *connectors.Env) (named []string) {
	of, ok := cfg.(connectors.Dependent)
	if !ok || env.Client != nil || len(of.Sources()) == 0 {
		return nil
	}
	named = of.Sources()
	env.RowsFunc = func(ctx context.Context, source string, row func(key string, values map[string]any) error) error {
		if !slices.Contains(named, source) {
			return fmt.Errorf("read rows of source %q: the configuration of %q does not name it", source, env.Name)
		}
		return d.eachRow(ctx, source, row)
	}
	return named
}

// eachRow hands out the stored rows of a source, by key.
func (d *Daemon) eachRow(ctx context.Context, source string, row func(key string, values map[string]any) error) error {
	for after := ""; ; {
		stored, err := d.store.Rows(ctx, source, after, replanPage)
		if err != nil {
			return err
		}
		rows, err := bindings.ReadRows(stored)
		if err != nil {
			return err
		}
		for i, r := range stored {
			if err := row(r.Key, rows[i]); err != nil {
				return err
			}
			after = r.Key
		}
		if len(stored) < replanPage {
			return nil
		}
	}
}

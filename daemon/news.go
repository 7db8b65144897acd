package daemon

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/pictifyd/pictifyd/bindings"
)

// news are the sources whose rows have changed, until whoever reads those rows was
// told.
type news struct {
	tell *errand

	mu      sync.Mutex
	names   map[string]bool
	telling map[string]bool // those that are told of just now
}

func (n *news) note(source string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.names == nil {
		n.names = map[string]bool{}
	}
	n.names[source] = true
}

// begin hands out what is to be told. What changes from then on, be it the same
// source, is told the next time.
func (n *news) begin() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.names, n.telling = nil, n.names
	return sortedKeys(n.telling)
}

// end notes how the telling ended; what was not told is to be told.
func (n *news) end(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil {
		if n.names == nil {
			n.names = map[string]bool{}
		}
		maps.Copy(n.names, n.telling)
	}
	n.telling = nil
}

// pending reports whether anything is still to be told.
func (n *news) pending() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.names)+len(n.telling) > 0
}

// rowsChanged is store.Options.RowsChanged.
func (d *Daemon) rowsChanged(source string) {
	d.news.note(source)
	d.news.tell.ask()
}

// follow tells who depends on the rows of sources that changed: sources that read
// them, bindings that wait for them, and bindings whose rows were planned with them.
// What is lost with the process is asked for at the start: every source is read, and
// every binding looks what changed.
func (d *Daemon) follow(ctx context.Context) error {
	names := d.news.begin()
	err := d.tellOf(ctx, names)
	d.news.end(err)
	return err
}

// tellOf is follow for these sources.
func (d *Daemon) tellOf(ctx context.Context, names []string) error {
	d.mu.Lock()
	waiting := maps.Clone(d.waiting)
	d.mu.Unlock()
	due, err := d.store.BindingsWithLookupChanges(ctx)
	if err != nil {
		return err
	}
	now := d.roster()
	for _, f := range now.feeds {
		if slices.ContainsFunc(f.reads, func(source string) bool { return slices.Contains(names, source) }) {
			f.hint()
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
	return nil
}

// following reports whether a change of rows, or a first reading, has still an
// effect to come on what is planned.
func (d *Daemon) following(ctx context.Context) (bool, error) {
	due, err := d.store.BindingsWithLookupChanges(ctx)
	if err != nil {
		return false, err
	}
	if d.news.pending() {
		return true, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
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

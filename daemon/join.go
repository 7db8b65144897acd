package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
)

// A toPlan is rows that are to be planned.
type toPlan interface {
	// Needs are the rows of other sources that they join, and Meetings their units.
	Needs(j *bindings.Joined) bindings.Needs
	Meetings(j *bindings.Joined) []experiment.Meeting
}

// join reads from the ledger the rows of other sources that rows ask for, and what
// those ask for in turn, and has assign say which variants their units have. Whoever
// plans rows of a binding joins them here.
func join(ctx context.Context, s *store.Store, rows toPlan, assign assignFunc) (*bindings.Joined, error) {
	joined := &bindings.Joined{}
	for {
		needs := rows.Needs(joined)
		if len(needs) == 0 {
			break
		}
		for _, source := range sortedKeys(needs) {
			keys := needs.Keys(source)
			rows, err := s.RowsByKey(ctx, source, keys)
			if err != nil {
				return nil, err
			}
			if err := joined.Tell(source, keys, rows); err != nil {
				return nil, err
			}
		}
	}
	if meetings := rows.Meetings(joined); len(meetings) > 0 {
		assigned, err := assign(ctx, meetings)
		if err != nil {
			return nil, fmt.Errorf("assign the units of rows: %w", err)
		}
		joined.Assign(assigned)
	}
	return joined, nil
}

// A rowsOf is rows of one binding that are to be planned.
type rowsOf struct {
	binding *bindings.Binding
	keys    []string
	rows    []map[string]any
	now     time.Time
}

func (r rowsOf) Needs(j *bindings.Joined) bindings.Needs { return r.binding.Needs(j, r.rows...) }
func (r rowsOf) Meetings(j *bindings.Joined) []experiment.Meeting {
	return r.binding.Meetings(r.keys, r.rows, j, r.now)
}

// joinRows is join for rows of one binding that are looked at, and not planned.
func (d *Daemon) joinRows(ctx context.Context, b *bindings.Binding, rows ...map[string]any) (*bindings.Joined, error) {
	return join(ctx, d.store, rowsOf{b, make([]string, len(rows)), rows, time.Now()}, d.foreseeUnits)
}

// proposeStored plans stored rows again. assign says which variants their units have.
func (d *Daemon) proposeStored(ctx context.Context, b *bindings.Binding, stored []bindings.StoredRow, assign assignFunc) ([]bindings.Proposal, error) {
	rows, err := bindings.ReadRows(stored)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	of := rowsOf{b, make([]string, len(stored)), rows, now}
	for i, row := range stored {
		of.keys[i] = row.Key
	}
	joined, err := join(ctx, d.store, of, assign)
	if err != nil {
		return nil, err
	}
	return b.ProposeAll(stored, rows, joined, now), nil
}

// rejoin plans the rows again that join rows which have changed. Whoever reads f
// next does so after that. The caller is inside the gate.
func (d *Daemon) rejoin(ctx context.Context, f *feed) error {
	for _, b := range f.bindings {
		if err := d.rejoinOne(ctx, f, b); err != nil {
			return fmt.Errorf("plan rows of binding %q again: %w", b.Name(), err)
		}
	}
	return nil
}

// enterToRejoin is rejoin for whoever is not inside the gate.
func (d *Daemon) enterToRejoin(ctx context.Context, f *feed) error {
	if err := f.gate.enter(ctx); err != nil {
		return err
	}
	defer f.gate.leave()
	if f.ended() {
		return nil
	}
	if err := d.compile(ctx, f); err != nil {
		return err
	}
	return d.rejoin(ctx, f)
}

// rejoinOne is rejoin for one binding. Killed half way it begins anew, and what was
// noted before is judged together with the rest.
func (d *Daemon) rejoinOne(ctx context.Context, f *feed, b *bindings.Binding) error {
	changes, err := d.store.LookupChanges(ctx, b.Name())
	if err != nil || len(changes) == 0 {
		return err
	}
	w := wave{daemon: d, feed: f, binding: b}
	for _, c := range changes {
		if err := w.add(ctx, c); err != nil {
			return err
		}
	}
	if err := w.flush(ctx); err != nil {
		return err
	}
	result, err := d.store.JudgeLookups(ctx, b.Name(), changes, func(c bindings.Counts) bindings.Verdict {
		return b.JudgeLookups(c, sourcesOf(changes))
	})
	if err != nil {
		return err
	}
	if result.Promoted > 0 {
		d.log.Info("rows planned again whose lookups changed", slog.String("binding", b.Name()), slog.Int("rows", result.Promoted))
	}
	d.faults.note(d.log, "guard", f.name, d.logHeld(ctx, f, []string{b.Name()}))
	return nil
}

func sourcesOf(changes []store.LookupChange) (sources []string) {
	for _, c := range changes {
		if !slices.Contains(sources, c.Source) {
			sources = append(sources, c.Source)
		}
	}
	return sources
}

// A wave plans, page by page, the rows that join rows which have changed.
type wave struct {
	daemon  *Daemon
	feed    *feed
	binding *bindings.Binding
	keys    []string
}

// add plans the rows that join c.
func (w *wave) add(ctx context.Context, c store.LookupChange) error {
	for after := ""; ; {
		keys, err := w.daemon.store.Readers(ctx, w.binding.Name(), c, after, replanPage)
		if err != nil {
			return err
		}
		w.keys = append(w.keys, keys...)
		if len(w.keys) >= replanPage {
			if err := w.flush(ctx); err != nil {
				return err
			}
		}
		if len(keys) < replanPage {
			return nil
		}
		after = keys[len(keys)-1]
	}
}

// flush notes what the rows should become that were added.
func (w *wave) flush(ctx context.Context) error {
	slices.Sort(w.keys)
	keys := slices.Compact(w.keys)
	w.keys = nil
	if len(keys) == 0 {
		return nil
	}
	rows, err := w.daemon.store.RowsByKey(ctx, w.feed.name, keys)
	if err != nil {
		return err
	}
	proposals, err := w.daemon.proposeStored(ctx, w.binding, rows, w.daemon.assignUnits)
	if err != nil {
		return err
	}
	return w.daemon.store.NoteLookups(ctx, w.binding.Name(), proposals)
}

// slugUnread is of what waits for the first reading of a source.
const slugUnread = "lookup_unread"

// unread is why something waits for sources of which nothing is known yet; nil
// where each was read once, or is never read as a whole.
func (d *Daemon) unread(ctx context.Context, sources []string) error {
	now := d.roster()
	sources = slices.DeleteFunc(slices.Clone(sources), func(name string) bool { return now.feeds[name] != nil && now.feeds[name].passive })
	if len(sources) == 0 {
		return nil
	}
	read, err := d.store.WereRead(ctx, sources)
	if err != nil {
		return err
	}
	for _, name := range sources {
		if !read[name] {
			return problem.New(problem.Conflict, "the source %q, whose rows it needs, has not been read yet", name).WithSlug(slugUnread).
				WithHint("it goes on by itself after the first reading of %q", name)
		}
	}
	return nil
}

func isUnread(err error) bool {
	for _, p := range problemsOf(err) {
		if p.Slug == slugUnread {
			return true
		}
	}
	return false
}

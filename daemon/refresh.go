package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
)

var (
	_ api.Refresher = (*Daemon)(nil)
	_ api.Guards    = (*Daemon)(nil)
)

// findLimit is how long a source may take for one row.
const findLimit = 30 * time.Second

// RefreshRows asks the source of a binding for single rows, and takes them as
// somebody's who waits. A source that can't be asked so is read.
func (d *Daemon) RefreshRows(ctx context.Context, name string, keys []string) (api.Refreshed, error) {
	now := d.roster()
	cfg := now.binding(name)
	f := now.feeds[cfg.Source]
	switch {
	case f == nil:
		return api.Refreshed{}, now.lacks(cfg)
	case f.live != nil:
		return d.refreshRows(ctx, f, keys)
	case f.passive:
		return api.Refreshed{}, problem.New(problem.Unsupported, "the source %q can't be asked for rows: they are sent to it", f.name).
			WithHint("have them sent again; with force their images are drawn again")
	}
	if f.stream != nil {
		_, err := d.Resnapshot(ctx, f.name)
		return api.Refreshed{Reading: true}, err
	}
	return api.Refreshed{Reading: true}, d.store.WantPoll(ctx, f.name)
}

// Resnapshot has all rows of a stream be read again. The wish is durable.
func (d *Daemon) Resnapshot(ctx context.Context, source string) (streams bool, err error) {
	f := d.roster().feeds[source]
	if f == nil || f.stream == nil {
		return false, nil
	}
	if err := d.store.WantSnapshot(ctx, source); err != nil {
		return true, err
	}
	f.stream.restart()
	return true, nil
}

func (d *Daemon) refreshRows(ctx context.Context, f *feed, keys []string) (done api.Refreshed, err error) {
	for _, key := range keys {
		found, err := d.refreshRow(ctx, f, key)
		switch {
		case err != nil:
			return done, problem.New(problem.Upstream, "ask source %q for the row %q: %w", f.name, bindings.KeyText(key), causeOf(err))
		case found:
			done.Rows++
		default:
			done.Missing = append(done.Missing, key)
		}
	}
	return done, nil
}

func (d *Daemon) refreshRow(ctx context.Context, f *feed, key string) (found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, findLimit)
	defer cancel()
	return d.findNow(ctx, f, key)
}

// Redraw has images of a binding drawn again although nothing changed. What is
// asked for by key goes first.
func (d *Daemon) Redraw(ctx context.Context, name string, keys []string) (api.Refreshed, error) {
	now := d.roster()
	cfg := now.binding(name)
	if now.paused[name] {
		return api.Refreshed{}, problem.New(problem.Conflict, "the binding %q is paused", name).WithSlug("binding_paused").WithHint("POST /bindings/%s/resume first", name)
	}
	epoch, err := d.store.Epoch(ctx)
	if err != nil {
		return api.Refreshed{}, err
	}
	b, err := d.compileOne(ctx, cfg, epoch)
	if err != nil {
		return api.Refreshed{}, err
	}
	d.now.lately.forget("") // what was drawn before it was asked for is not again
	if keys == nil {
		return d.redrawAll(ctx, b)
	}
	var done api.Refreshed
	var rows []bindings.StoredRow
	for _, key := range keys {
		row, err := d.store.Row(ctx, cfg.Source, key)
		if problem.CodeOf(err) == problem.NotFound {
			done.Missing = append(done.Missing, key)
			continue
		}
		if err != nil {
			return done, err
		}
		rows = append(rows, row)
	}
	done.Images, err = d.redrawRows(ctx, b, rows, bindings.PriorityChange)
	return done, err
}

func (d *Daemon) redrawAll(ctx context.Context, b *bindings.Binding) (done api.Refreshed, err error) {
	for after := ""; ; {
		rows, err := d.store.Rows(ctx, b.Config().Source, after, replanPage)
		if err != nil {
			return done, err
		}
		n, err := d.redrawRows(ctx, b, rows, bindings.PriorityReplan)
		if done.Images += n; err != nil || len(rows) < replanPage {
			return done, err
		}
		after = rows[len(rows)-1].Key
	}
}

func (d *Daemon) redrawRows(ctx context.Context, b *bindings.Binding, rows []bindings.StoredRow, priority int) (int, error) {
	proposals, err := d.proposeStored(ctx, b, rows, d.foreseeUnits)
	if err != nil {
		return 0, err
	}
	return d.store.Redraw(ctx, b.Name(), proposals, priority)
}

// Guarded is what the guard of a binding holds, with a sample.
func (d *Daemon) Guarded(ctx context.Context, name, after string, limit int) (api.Guarded, error) {
	g := api.Guarded{Guard: d.roster().binding(name).Guard}
	var err error
	if g.Accepted, err = d.store.Ceiling(ctx, name); err != nil {
		return g, err
	}
	held, err := d.store.Held(ctx, name, after, limit)
	if err != nil {
		return g, fmt.Errorf("read what is held: %w", err)
	}
	for _, h := range held {
		row := api.HeldRow{Key: h.Key, Row: h.Row, Problem: h.Becomes.Problem}
		switch {
		case h.Gone:
			row.Becomes = becomesGone
		case h.Becomes.Remove:
			row.Becomes = becomesRemoved
		case h.Becomes.Problem != nil:
			row.Becomes = becomesFailing
		case len(h.Now) == 0:
			row.Becomes = becomesNew
		default:
			row.Becomes = becomesChanged
			for _, want := range h.Becomes.Wants {
				for _, now := range h.Now {
					if now.Output == want.Output && now.Spec.Page == want.Spec.Page {
						row.Texts = append(row.Texts, textsOf(want.Output, now.Spec.Values, want.Spec.Values)...)
					}
				}
			}
		}
		g.Sample = append(g.Sample, row)
	}
	return g, nil
}

// textsShown is how many texts of a picture are compared for people.
const textsShown = 10

// textsOf are the texts of a picture that differ. Where the pictures have not as
// many, a loop or a condition of them came out otherwise, and nothing is said of
// single texts.
func textsOf(output string, before, after []string) (texts []api.HeldText) {
	if len(before) != len(after) {
		return nil
	}
	for i := range before {
		if before[i] != after[i] && len(texts) < textsShown {
			texts = append(texts, api.HeldText{Output: output, Before: before[i], After: after[i]})
		}
	}
	return texts
}

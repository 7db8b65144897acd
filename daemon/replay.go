package daemon

import (
	"context"
	"errors"
	"fmt"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/store"
)

// replayPage is how many rows that were kept out are tried again in one commit.
const replayPage = 200

// ReplayKeptOut implements api.Streams: what was kept out of a stream is made a row
// once more, each with the number that it had when it came, so that it never takes
// the place of a newer state of its row.
func (d *Daemon) ReplayKeptOut(ctx context.Context, source string, positions []string) (done api.Replayed, err error) {
	f := d.roster().feeds[source]
	if f == nil || f.stream == nil {
		return done, problem.New(problem.Unsupported, "the source %q is no stream", source).WithSlug(api.SlugNoStream).
			WithHint("what is kept out of it is tried again with its next reading: POST /bindings/{name}/refresh")
	}
	replayer, ok := f.stream.source.(connectors.Replayer)
	if !ok {
		return done, problem.New(problem.Unsupported, "a source of the kind %s can't make a row of what it told before", f.config.Base().Kind).WithSlug(api.SlugNoReplay).
			WithHint("POST /sources/%s/resnapshot has all its rows read again", source)
	}
	for after := (bindings.KeptOut{}); ; {
		page, err := d.store.KeptOut(ctx, source, store.KeptFilter{After: after, Positions: positions, Replays: true, Limit: replayPage})
		if err != nil || len(page) == 0 {
			return done, err
		}
		after = page[len(page)-1]
		if err := d.replayPage(ctx, f, replayer, page, &done); err != nil {
			return done, err
		}
		if len(page) < replayPage {
			return done, nil
		}
	}
}

// A retrial is a page of what is tried again, while it becomes rows.
type retrial struct {
	rows   []connectors.Row
	of     []bindings.KeptOut // of each row
	broken []bindings.KeptOut
}

func (d *Daemon) replayPage(ctx context.Context, f *feed, from connectors.Replayer, page []bindings.KeptOut, done *api.Replayed) error {
	r := retrial{}
	for _, k := range page {
		row, err := from.Replay(ctx, k.Raw)
		switch {
		case err == nil:
			row.Version, row.Position = k.Seq, k.Position
			r.rows, r.of = append(r.rows, row), append(r.of, k)
		case ctx.Err() != nil:
			return ctx.Err()
		case passing(err):
			return problem.New(problem.Upstream, "try again what is at %s: %w", k.Position, err).WithHint("nothing is lost: try it again when that is mended")
		default:
			r.broken = append(r.broken, brokenBy(k, err))
		}
	}
	return d.takeAgain(ctx, f, r, done)
}

// passing reports whether err is no fault of the row.
func passing(err error) bool {
	if _, asked := retry.Wait(err); asked {
		return true
	}
	switch problem.CodeOf(err) {
	case problem.Upstream, problem.Timeout, problem.Overloaded, problem.Surroundings:
		return true
	}
	return false
}

// brokenBy is k with the reason that it has now.
func brokenBy(k bindings.KeptOut, err error) bindings.KeptOut {
	k.Detail = err.Error()
	var p *problem.Error
	if errors.As(err, &p) && p.Slug != "" {
		k.Reason = p.Slug
	}
	return k
}

// takeAgain commits the rows of a page together with the end of what they were.
func (d *Daemon) takeAgain(ctx context.Context, f *feed, page retrial, done *api.Replayed) error {
	if err := f.gate.enter(ctx); err != nil {
		return err
	}
	defer f.gate.leave()
	if f.ended() {
		return errFeedEnded
	}
	if err := d.compile(ctx, f); err != nil {
		return err
	}
	f.stream.renumber()
	id, seq, err := d.store.BeginReading(ctx, f.name, 1)
	if err != nil {
		return err
	}
	r, err := d.reading(ctx, f, bindings.ReadingOptions{ID: id, Seq: seq, Told: true, Streamed: true, Versions: true})
	if err != nil {
		return err
	}
	r.admitFunc = func(ctx context.Context, p *bindings.Plan) error {
		p.Retried, p.Quarantined = page.judged(p.Quarantined), nil
		return d.admit(ctx, f, p)
	}
	plan, result, err := r.commit(ctx, connectors.Batch{Rows: page.rows, Closes: &connectors.Closing{}})
	if err != nil {
		return fmt.Errorf("take rows of %q again: %w", f.name, err)
	}
	d.crash("stream.replayed")
	done.Replayed += result.Rows
	done.Stale += len(plan.Retried.Mended) - result.Rows
	done.StillBroken += len(plan.Retried.Broken)
	return d.lookUnkeyedInside(ctx, f)
}

// judged is what became of the page, of which the plan keeps these rows out again.
func (r retrial) judged(out []bindings.Quarantined) *bindings.Retried {
	at := make(map[string]bindings.Quarantined, len(out))
	for _, q := range out {
		at[q.Position] = q
	}
	done := &bindings.Retried{Broken: r.broken}
	for _, k := range r.of {
		if q, again := at[k.Position]; again {
			k.Reason, k.Detail = q.Reason, q.Detail
			done.Broken = append(done.Broken, k)
			continue
		}
		done.Mended = append(done.Mended, k)
	}
	return done
}

// DiscardKeptOut implements api.Streams.
func (d *Daemon) DiscardKeptOut(ctx context.Context, source string, positions []string) (int64, error) {
	n, err := d.store.DiscardKeptOut(ctx, source, positions)
	if f := d.roster().feeds[source]; err == nil && f != nil && f.stream != nil {
		err = d.lookUnkeyed(ctx, f)
	}
	return n, err
}

// lookUnkeyed looks whether something is kept out of a stream that may be a row yet,
// nobody knows which. As long as that is so, the number of each row is kept that
// comes as it was: what is tried again is older.
func (d *Daemon) lookUnkeyed(ctx context.Context, f *feed) error {
	if err := f.gate.enter(ctx); err != nil {
		return err
	}
	defer f.gate.leave()
	return d.lookUnkeyedInside(ctx, f)
}

// lookUnkeyedInside is lookUnkeyed for whoever is inside the gate.
func (d *Daemon) lookUnkeyedInside(ctx context.Context, f *feed) (err error) {
	f.stream.unkeyed, err = d.store.KeepsUnkeyed(ctx, f.name)
	return err
}

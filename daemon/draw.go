package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/store"
)

const (
	turnSize    = 100                    // renders that one turn claims at most
	recordEvery = 250 * time.Millisecond // finished pictures wait at most so long for their commit
	assetFlight = 4                      // rows of a turn whose remote assets are fetched ahead
	drawLimit   = 2 * time.Minute        // for one picture with its assets, the engine's second try included
)

// turnsOf is how many render turns are worked at a time, and how many pictures
// each of them has in the renderer. A few turns keep owners apart; the renderer
// gains by pictures of one page at a time, which are those of one turn.
func turnsOf(slots int) (turns, pictures int) {
	turns = min(slots, max(leastTurns, slots/8))
	return turns, (slots + turns - 1) / turns
}

const leastTurns = 2

// draw is the work of one render turn: claimed renders become pictures, their
// bytes are kept, their results recorded.
func (d *Daemon) draw(ctx context.Context, t store.Turn) error {
	began := time.Now()
	claims, err := d.store.ClaimRenders(ctx, t, d.stride.size())
	if err != nil {
		return err
	}
	defer func() { d.stride.took(len(claims), time.Since(began)) }()
	rows := d.tracedOf(ctx, claims)
	ahead, leave := context.WithCancel(ctx)
	pages, wait := d.prepare(ahead, claims)
	defer wait()
	pictures, drawn := d.pictures(ahead, pages)
	defer drawn()
	defer leave() // a turn that fails does not fetch and draw on
	book := book{daemon: d, turn: t, began: time.Now(), rows: rows}
	for range claims {
		p, err := book.await(ctx, pictures)
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if p.fault != nil {
			return p.fault
		}
		rows.drawn(ctx, p)
		if err := book.add(ctx, p.done, p.bytes); err != nil {
			return err
		}
	}
	return book.end(ctx)
}

// A picture is how a claim came out: rendered, with its bytes if there are any,
// or a fault of the machine.
type picture struct {
	done  store.Rendered
	bytes []byte
	fault error
	times times
}

// pictures draws pages as they come, several at a time. There is one picture
// for each; wait returns when no more is drawn.
func (d *Daemon) pictures(ctx context.Context, pages <-chan prepared) (ready <-chan picture, wait func()) {
	out := make(chan picture, cap(pages))
	_, parallel := turnsOf(d.renderer.Slots())
	var drawing sync.WaitGroup
	for range parallel {
		drawing.Go(func() {
			for page := range pages {
				if page.err != nil && machineFault(page.err) {
					out <- picture{fault: page.err}
					continue
				}
				if ctx.Err() != nil { // the turn has ended, and its claims are put back
					out <- picture{fault: ctx.Err()}
					continue
				}
				took := page.times
				took.drawing = time.Now()
				done, bytes := d.shared(ctx, page)
				took.drawn = time.Now()
				out <- picture{done: done, bytes: bytes, times: took}
			}
		})
	}
	return out, drawing.Wait
}

// A prepared is a claim with its sheet, or the reason why there is none.
type prepared struct {
	claim store.Claim
	sheet *sheet
	err   error
	times times
}

// prepare compiles the pages of claims and fetches their remote assets, a few
// rows ahead of the drawing. pages gets each claim once, as it is ready, so that
// a file that is late holds up its own row only; wait returns when all are there.
func (d *Daemon) prepare(ctx context.Context, claims []store.Claim) (pages <-chan prepared, wait func()) {
	ready := make(chan prepared, len(claims))
	var ahead sync.WaitGroup
	ahead.Go(func() {
		var g errgroup.Group
		g.SetLimit(assetFlight)
		for _, c := range claims {
			g.Go(func() error {
				began := time.Now()
				s, err := d.sheet(ctx, c)
				ready <- prepared{c, s, err, times{began: began, ready: time.Now()}}
				return nil
			})
		}
		_ = g.Wait()
		close(ready)
	})
	return ready, ahead.Wait
}

// errRemoteOff is every remote image's fault while Chrome runs without its sandbox.
var errRemoteOff = retry.Permanent(problem.New(problem.Forbidden, "remote images are off, because Chrome runs without its sandbox").
	WithSlug("asset_fetch_failed").WithHint("give Chrome its sandbox, or write render: { remote_assets: true }"))

// machineFault reports whether err says nothing about what was asked for: the
// store is away, a disk is full. The turn that met it comes again.
func machineFault(err error) bool {
	if retry.IsPermanent(err) {
		return false
	}
	code := problem.CodeOf(err)
	return code == problem.Internal || code == problem.Surroundings
}

// An assetError says which variable's file could not be had.
type assetError struct {
	variable string
	err      error
}

func (e *assetError) Error() string { return e.err.Error() }
func (e *assetError) Unwrap() error { return e.err }

// picture draws one claim. bytes are nil when it did not become a picture, or
// one that is there already.
func (d *Daemon) picture(ctx context.Context, p prepared) (done store.Rendered, bytes []byte) {
	c := p.claim
	done = store.Rendered{Fingerprint: c.Fingerprint}
	if p.err != nil {
		return d.unmade(c, done, p.err), nil
	}
	ctx, cancel := context.WithTimeout(ctx, drawLimit)
	defer cancel()
	out, err := d.render(ctx, p.sheet)
	d.metrics.rendered(c.Spec.Format, out.Duration, err)
	if err != nil {
		return d.unmade(c, done, err), nil
	}
	d.metrics.stage(stageRendered, c.Wanted)
	done.Ext = p.sheet.request.Format.Ext()
	done.Width, done.Height = out.Width, out.Height
	done.Bytes, done.Duration, done.Lane = int64(len(out.Bytes)), out.Duration, out.Lane
	done.Fitting = fittingOf(out, p.sheet.instead)
	for _, a := range p.sheet.request.Assets {
		done.Assets = append(done.Assets, a.Digest)
	}
	done.Remote = p.sheet.shown
	if size, ok := d.keeps(ctx, c, out.Bytes); ok {
		done.Hash, done.Bytes = c.Before, size
		return done, nil
	}
	return done, out.Bytes
}

// unmade says how a claim without a picture goes on: it ends as the row's
// problem, or waits for another try.
func (d *Daemon) unmade(c store.Claim, done store.Rendered, err error) store.Rendered {
	var asset *assetError
	if errors.As(err, &asset) {
		done.Problem = asProblem(err, "asset_fetch_failed")
		if asset.variable != "" {
			done.Problem.Field = "variables." + asset.variable
			done.Problem.Message = fmt.Sprintf("the image of %s could not be had: %s", asset.variable, err)
		}
		done.Problem.Lasting = retry.IsPermanent(err)
		if wait, ok := againAfter(c, err); ok {
			done.Problem = nil
			done.Retry, done.After, done.Away = err, wait, true
		} else if c.Tries > 0 {
			done.Problem.Message += fmt.Sprintf(" (tried %d times)", c.Tries+1)
		}
		return done
	}
	if retry.IsPermanent(err) {
		done.Problem = asProblem(err, "render_failed")
		return done
	}
	if errors.Is(err, context.Canceled) {
		done.Retry = err
		return done // the turn is at its end, and records nothing more
	}
	d.log.Warn("a picture is tried again", slog.String("render", c.Fingerprint), slog.Int("attempt", c.Attempt), slog.Any("err", err))
	done.Retry, done.After = err, backoff.Next(c.Attempt)
	if wait, ok := retry.Wait(err); ok {
		done.After = wait
	}
	return done
}

var backoff = retry.Backoff{Base: time.Second, Max: time.Minute}

// asProblem is what an item shows of err.
func asProblem(err error, slug string) *bindings.Problem {
	first := problem.All(err)[0]
	p := &bindings.Problem{Code: first.Kind(), Field: first.Path, Message: first.Message}
	if first.Slug == "" {
		p.Code = slug
	}
	if first.Hint != "" {
		p.Message += " (" + first.Hint + ")"
	}
	return p
}

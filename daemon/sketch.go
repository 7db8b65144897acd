package daemon

import (
	"context"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/store"
)

// checkOwner owns what a check of rows draws: nothing of it is kept, and whoever
// waits for one picture goes before.
func checkOwner(id string) bindings.Owner { return bindings.Owner("check/" + id) }

func ofCheck(o bindings.Owner) bool { return strings.HasPrefix(string(o), "check/") }

// Sketch implements api.Trials.
func (d trials) Sketch(ctx context.Context, s api.Sketch) (api.Sketched, error) {
	claim := store.Claim{Fingerprint: s.Want.Fingerprint, Spec: s.Want.Spec, Owner: store.AskerOwner, Attempt: 1}
	if s.Check != "" {
		claim.Owner = checkOwner(s.Check)
		if known, ok, err := d.store.Made(ctx, s.Want.Fingerprint); err != nil {
			return api.Sketched{}, err
		} else if ok && known.Problem == nil {
			return api.Sketched{Known: true, Width: known.Width, Height: known.Height, Fitting: known.Fitting}, nil
		}
	}
	ctx, cancel := context.WithTimeout(ctx, drawLimit)
	defer cancel()
	page, err := d.sheet(ctx, claim)
	if err != nil && machineFault(err) {
		return api.Sketched{}, err
	}
	if err != nil {
		return d.unsketched(ctx, claim, err)
	}
	page.boxes, page.dry = s.Boxes, s.Dry
	page.request.Boxes, page.request.Dry = s.Boxes, s.Dry
	out, err := d.render(ctx, page)
	if err != nil {
		return d.unsketched(ctx, claim, err)
	}
	return api.Sketched{
		Bytes: out.Bytes, Ext: page.request.Format.Ext(), Width: out.Width, Height: out.Height, Duration: out.Duration,
		Fitting: fittingOf(out, page.instead), Layers: out.Layout, Boxes: out.Boxes,
	}, nil
}

// unsketched says why there is no sketch: the row is at fault, or the machine.
func (d trials) unsketched(ctx context.Context, c store.Claim, err error) (api.Sketched, error) {
	if ctx.Err() != nil {
		return api.Sketched{}, ctx.Err()
	}
	done := d.unmade(c, store.Rendered{Fingerprint: c.Fingerprint}, err)
	if done.Problem != nil {
		return api.Sketched{Problem: done.Problem}, nil
	}
	return api.Sketched{}, retry.After(problem.New(problem.Overloaded, "the picture could not be made now: %w", done.Retry).WithSlug("render_failed").
		WithHint("ask again"), max(done.After, time.Second))
}

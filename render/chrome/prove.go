package chrome

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/png"
	"log/slog"

	"github.com/pictifyd/pictifyd/internal/pixels"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
)

// prove draws the round's row in both lanes: on a page of its own, captured by
// Chrome, which is the reference, and on the seat's stage, where rows may have
// been before. Where they agree the row gets what the stage made, and the page
// goes on there; where they don't it gets the reference, and the page stays in
// the plain lane.
func (c *round) prove(ctx context.Context) error {
	w, state := c.rows[0], unknown
	settled := false
	settle := func() {
		if !settled {
			settled = true
			c.pool.settleProof(w.key, state)
		}
	}
	defer settle()

	reference, err := openSession(ctx, c.seat.browser.root, c.pool.launcher.egress, sessionKey{pageKey: w.key})
	if err != nil {
		return err
	}
	kept := false
	defer func() {
		if !kept {
			reference.close()
		}
	}()
	still := w.request
	still.Format, still.Compression, still.MaxBytes = render.PNG, "", 0
	want, err := reference.draw(ctx, still)
	if retry.IsPermanent(err) {
		c.answer(0, render.Output{}, err)
		return nil
	}
	if err != nil {
		return err
	}
	out, got, refusal, err := c.both(ctx, w.request, still)
	if errors.Is(context.Cause(ctx), errAbandoned) || c.pool.life.Err() != nil {
		return causeOf(ctx, ctx.Err())
	}
	if err == nil {
		if err = compare(want.Bytes, got.Bytes); err == nil {
			state = agreed
			settle()
			c.answer(0, out, refusal)
			return nil
		}
		state = refused
	} else if retry.IsPermanent(err) || c.pool.proofFault(w.key) {
		state = refused
	}
	settle()
	if state == refused {
		c.pool.options.Log.Warn("a page is drawn more slowly from now on: it does not come out of the fast lane as it should",
			slog.String("page", w.key.page), slog.Any("err", err))
	}
	if ctx.Err() != nil || !c.seat.browser.alive() {
		return err
	}
	if out, err = reference.draw(ctx, w.request); err == nil { // its next rows are drawn there, too
		c.seat.clear()
		c.seat.session, kept = reference, true
	}
	c.answer(0, out, err)
	return nil
}

// both draws r on the stage, and once more as the still that is compared. refusal
// is the row's own error where r can be drawn, but not be kept within its bytes.
func (c *round) both(ctx context.Context, r, still render.Request) (out, got render.Output, refusal, err error) {
	key := sessionKey{c.rows[0].key, true}
	used := c.seat.has(key)
	s, err := c.seat.open(ctx, c.pool.launcher.egress, key)
	if err != nil {
		return out, got, nil, err
	}
	var fault error
	err = s.play(ctx, []render.Request{r, still}, func(i int, o render.Output, err error) {
		switch {
		case i == 1:
			got, fault = o, errors.Join(fault, err)
		case retry.IsPermanent(err) && r.MaxBytes > 0:
			refusal = err
		default:
			out, fault = o, errors.Join(fault, err)
		}
	})
	if errors.Is(err, errOtherBytes) && used {
		c.seat.clear()
		return c.both(ctx, r, still)
	}
	return out, got, refusal, errors.Join(err, fault)
}

// compare holds two PNGs against each other.
func compare(want, got []byte) error {
	a, err := png.Decode(bytes.NewReader(want))
	if err != nil {
		return fmt.Errorf("decode the reference: %w", err)
	}
	b, err := png.Decode(bytes.NewReader(got))
	if err != nil {
		return fmt.Errorf("decode what the stage made: %w", err)
	}
	c := pixels.Compare(a, b)
	switch {
	case !c.SameSize:
		return fmt.Errorf("it has %v pixels instead of %v", b.Bounds().Size(), a.Bounds().Size())
	case !c.SameAlpha:
		return errors.New("other parts of it are transparent")
	case !c.Agree():
		return fmt.Errorf("%.2f %% of its pixels differ, and %.0f %% of those around %v", 100*c.Share, 100*c.WorstTile, c.Worst)
	}
	return nil
}

// proofFault counts a proof of a page that came to no end because of the stage.
func (p *Pool) proofFault(k pageKey) (refuse bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ledger.of(k).fault()
}

// settleProof notes how the proof of a page ended, and lets its rows go on.
func (p *Pool) settleProof(k pageKey, s proofState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	proof := p.ledger.of(k)
	if s == unknown && proof.state == agreed { // a sample that did not come to an end
		return
	}
	proof.settle(s)
	p.dispatch()
}

package chrome

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
)

// A round is the rows of one turn in their seat.
type round struct {
	turn
	pool     *Pool
	began    time.Time
	answered []bool
	made     int

	leave   []func() bool // for each row: ends the watch over whoever waits for it; false where they gave up
	awaited atomic.Int64  // rows that somebody waits for
	end     context.CancelCauseFunc
}

// errAbandoned is why a round ends that nobody waits for any more.
var errAbandoned = errors.New("nobody waits for the picture any more")

// run draws the rows of a turn, tells each how it went, and gives the seat back.
func (p *Pool) run(t turn) {
	c := &round{turn: t, pool: p, began: time.Now(), answered: make([]bool, len(t.rows))}
	ctx, cancel := c.bounds()
	defer cancel()
	err := c.draw(ctx)
	if err == nil {
		p.release(t.seat, c.made)
		return
	}
	if errors.Is(context.Cause(ctx), errHung) {
		err = errHung
		p.endHung(t.seat)
	}
	err = p.verdict(t.seat, err)
	if c.missing() > 1 && isCrash(err) {
		err = errTogether // it may be any of them
	}
	for i := range t.rows {
		c.answer(i, render.Output{}, err)
	}
	// A tab that failed is not used again, and closing it may take a while.
	t.seat.clear()
	p.release(t.seat, c.made)
}

// bounds is the time that the round has. It ends when nobody waits for what is
// missing of it; who has an answer waits no more, and ends nothing.
func (c *round) bounds() (context.Context, context.CancelFunc) {
	bounded, stop := context.WithTimeoutCause(c.pool.life, c.pool.options.Deadline, errHung)
	ctx, cancel := context.WithCancelCause(bounded)
	c.end = cancel
	c.awaited.Store(int64(len(c.rows)))
	for _, w := range c.rows {
		c.leave = append(c.leave, context.AfterFunc(w.ctx, func() {
			if c.awaited.Add(-1) == 0 {
				cancel(errAbandoned)
			}
		}))
	}
	return ctx, func() {
		for _, leave := range c.leave {
			leave()
		}
		cancel(nil)
		stop()
	}
}

func (c *round) draw(ctx context.Context) error {
	switch c.lane {
	case staged:
		return c.together(ctx, sessionKey{c.rows[0].key, true}, (*session).play)
	case proving:
		return c.prove(ctx)
	}
	if key := c.rows[0].key; key.print {
		return c.together(ctx, sessionKey{pageKey: key}, (*session).print)
	}
	out, err := c.seat.draw(ctx, c.pool.launcher.egress, c.rows[0].request)
	if err == nil {
		c.answer(0, out, nil)
	}
	return err
}

// answer gives row i its result, once.
func (c *round) answer(i int, out render.Output, err error) {
	if c.answered[i] {
		return
	}
	c.answered[i] = true
	if c.leave[i]() && c.awaited.Add(-1) == 0 && c.missing() > 0 {
		c.end(errAbandoned)
	}
	if err == nil {
		c.made++
		out.Duration = time.Since(c.began)
		out.Stages.Turn = c.began.Sub(c.rows[i].since)
	}
	c.rows[i].result <- result{out, c.seat, err}
}

func (c *round) missing() (n int) {
	for _, answered := range c.answered {
		if !answered {
			n++
		}
	}
	return n
}

// together draws the rows in a tab of the seat that takes several.
func (c *round) together(ctx context.Context, key sessionKey, draw func(*session, context.Context, []render.Request, func(int, render.Output, error)) error) error {
	used := c.seat.has(key)
	s, err := c.seat.open(ctx, c.pool.launcher.egress, key)
	if err != nil {
		return err
	}
	requests := make([]render.Request, len(c.rows))
	for i, w := range c.rows {
		requests[i] = w.request
	}
	err = draw(s, ctx, requests, c.answer)
	switch {
	case !errors.Is(err, errOtherBytes):
		return err
	case used: // a new tab knows no bytes
		c.seat.clear()
		return c.together(ctx, key, draw)
	case len(c.rows) > 1: // they differ in them among themselves
		return errTogether
	}
	return pageFault(err)
}

// has reports whether the seat's session is the one of key.
func (st *seat) has(key sessionKey) bool { return st.session != nil && st.session.key == key }

// open is the seat's session where it is the right one, else a new one in its place.
func (st *seat) open(ctx context.Context, e *egress, key sessionKey) (*session, error) {
	if st.has(key) {
		return st.session, nil
	}
	st.clear()
	s, err := openSession(ctx, st.browser.root, e, key)
	if err != nil {
		return nil, err
	}
	st.session = s
	return s, nil
}

// draw draws r in the plain lane.
func (st *seat) draw(ctx context.Context, e *egress, r render.Request) (render.Output, error) {
	key := sessionKey{pageKey: keyOf(r)}
	used := st.has(key)
	s, err := st.open(ctx, e, key)
	if err != nil {
		return render.Output{}, err
	}
	out, err := s.draw(ctx, r)
	switch {
	case !errors.Is(err, errOtherBytes):
		return out, err
	case used: // a new tab knows no bytes
		st.clear()
		return st.draw(ctx, e, r)
	}
	return out, pageFault(err)
}

// clear closes the seat's session.
func (st *seat) clear() {
	if st.session != nil {
		st.session.close()
		st.session = nil
	}
}

// What a Chrome with a hung tab gets to show that only the tab hangs.
const (
	closeLimit  = 4 * time.Second
	answerLimit = 2 * time.Second
)

// endHung ends what hangs in a seat: the tab, or, where that does not close or
// Chrome does not answer any more, the whole browser.
func (p *Pool) endHung(st *seat) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		st.clear()
	}()
	timer := time.NewTimer(closeLimit)
	defer timer.Stop()
	select {
	case <-closed:
		if st.browser.answers(answerLimit) {
			return
		}
	case <-timer.C:
	}
	p.killFor(st)
	<-closed
}

// killFor ends a browser because of the row in a seat.
func (p *Pool) killFor(st *seat) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if st.browser.killedBy == nil {
		st.browser.killedBy = st
	}
	st.browser.proc.kill()
}

// verdict tells whose fault it is that a round failed.
func (p *Pool) verdict(st *seat, err error) error {
	if retry.IsPermanent(err) || errors.Is(err, errTogether) {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch by := st.browser.killedBy; {
	case errors.Is(err, errHung):
		return err
	case by == st:
		return errHung
	case by != nil:
		return errBystander
	case !st.browser.alive():
		return fmt.Errorf("%w: %w", errBrowserDied, err)
	}
	return err
}

package chrome

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/internal/retry"
)

// A waiter is a row that wants a seat.
type waiter struct {
	key    sessionKey
	avoid  *chromium // rather not this one
	alone  bool      // with no other row in the same browser
	answer chan turn

	bystander int // times that it went down because of another row
}

// A turn is what a waiter gets: a seat, or the reason why there is none.
type turn struct {
	seat *seat
	err  error
}

// acquire waits for a seat. The caller must release it.
func (p *Pool) acquire(ctx context.Context, w *waiter) (*seat, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	w.answer = make(chan turn, 1)
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	p.waiting = append(p.waiting, w)
	p.dispatch()
	p.mu.Unlock()
	select {
	case t := <-w.answer:
		return t.seat, t.err
	case <-ctx.Done():
		p.withdraw(w)
		return nil, ctx.Err()
	}
}

// withdraw takes back a waiter, and the seat that it may have got meanwhile.
func (p *Pool) withdraw(w *waiter) {
	p.mu.Lock()
	if at := slices.Index(p.waiting, w); at >= 0 {
		p.waiting = slices.Delete(p.waiting, at, at+1)
		for b := range p.live {
			if b.reserved == w {
				b.reserved = nil
			}
		}
		p.dispatch()
	}
	p.mu.Unlock()
	select {
	case t := <-w.answer:
		if t.seat != nil {
			p.release(t.seat, false)
		}
	default:
	}
}

// dispatch gives seats to those who wait, first come first served, and starts
// what is missing.
func (p *Pool) dispatch() {
	if p.closed {
		return
	}
	p.waiting = slices.DeleteFunc(p.waiting, func(w *waiter) bool {
		st := p.pick(w)
		if st == nil {
			return false
		}
		p.take(st, w)
		w.answer <- turn{seat: st}
		return true
	})
	p.startMissing()
	if len(p.waiting) > 0 && !p.hopeful() {
		p.refuseAll()
	}
}

// pick is the best free seat for w, nil if there is none.
func (p *Pool) pick(w *waiter) (best *seat) {
	if w.alone {
		return p.pickEmpty(w)
	}
	for _, pl := range p.places {
		b := pl.browser
		if !b.usable() || b.reserved != nil {
			continue
		}
		for _, st := range b.seats {
			if !st.busy && (best == nil || better(w, st, best)) {
				best = st
			}
		}
	}
	return best
}

// better reports whether a suits w better than b: a tab that has the page, then
// one that has none, then the one whose page was not asked for longest; among
// equals in the browser with less to do.
func better(w *waiter, a, b *seat) bool {
	if x, y := w.distance(a), w.distance(b); x != y {
		return x < y
	}
	if a.browser.busy != b.browser.busy {
		return a.browser.busy < b.browser.busy
	}
	return a.used < b.used
}

func (w *waiter) distance(st *seat) int {
	switch {
	case st.bound && st.key == w.key:
		return 0
	case !st.bound:
		return 1
	}
	return 2
}

// pickEmpty is a seat in a browser without work. If there is none, one browser
// is kept for w and gets no other row.
func (p *Pool) pickEmpty(w *waiter) *seat {
	var kept *chromium
	for _, pl := range p.places {
		b := pl.browser
		switch {
		case !b.usable():
		case b.reserved == w:
			kept = b
		case b.reserved != nil:
		case kept == nil, kept.reserved != w && w.prefers(b, kept):
			kept = b
		}
	}
	if kept == nil {
		return nil
	}
	kept.reserved = w
	if kept.busy > 0 {
		return nil
	}
	return kept.seats[0]
}

func (w *waiter) prefers(a, b *chromium) bool {
	if (a == w.avoid) != (b == w.avoid) {
		return b == w.avoid
	}
	return a.busy < b.busy
}

func (p *Pool) take(st *seat, w *waiter) {
	p.turns++
	st.busy, st.bound, st.key, st.used = true, true, w.key, p.turns
	st.browser.busy++
	p.busy++
	p.work.Add(1)
	if p.resting != nil {
		p.resting.Stop()
	}
}

// release gives a seat back. made says that a picture came of it.
func (p *Pool) release(st *seat, made bool) {
	defer p.work.Done()
	b := st.browser
	var heavy bool
	if made && p.count(b)%memoryEvery == 0 {
		heavy = privateMemory(b.proc.pid) > p.options.Memory
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	st.busy = false
	st.bound = st.session != nil
	b.busy--
	p.busy--
	if b.reserved != nil && b.busy == 0 && !slices.Contains(p.waiting, b.reserved) {
		b.reserved = nil
	}
	if made {
		p.places[b.place].fails = 0
	}
	if heavy || b.pictures >= p.options.Pictures {
		p.replace(b)
	}
	p.settleDebts(b)
	p.dispatch()
	p.rest()
	if p.closed && p.busy == 0 {
		close(p.quiet)
	}
}

// memoryEvery is after how many pictures a browser's memory is looked at.
const memoryEvery = 100

func (p *Pool) count(b *chromium) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	b.pictures++
	return b.pictures
}

// hopeful reports whether a seat will come free some time: unless every place
// is empty and its last start failed.
func (p *Pool) hopeful() bool {
	for _, pl := range p.places {
		if pl.starting || pl.browser != nil || pl.err == nil {
			return true
		}
	}
	return false
}

// refuseAll tells those who wait that no Chrome starts.
func (p *Pool) refuseAll() {
	soonest := p.places[0]
	for _, pl := range p.places {
		if pl.notBefore.Before(soonest.notBefore) {
			soonest = pl
		}
	}
	wait := max(time.Until(soonest.notBefore), 0)
	for _, w := range p.waiting {
		w.answer <- turn{err: retry.After(fmt.Errorf("no Chrome starts: %w", soonest.err), wait)}
	}
	p.waiting = nil
	p.options.Log.Error("no Chrome starts", slog.Any("err", soonest.err), slog.Duration("wait", wait))
}

package chrome

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/render"
)

// A waiter is a row that wants a seat.
type waiter struct {
	request render.Request
	key     pageKey
	ctx     context.Context // of whoever waits
	since   time.Time
	turn    chan turn   // room for one
	result  chan result // room for one

	plain  bool      // in no other lane
	staged bool      // in no other lane, without a proof
	single bool      // with no other row on the same stage
	alone  bool      // with no other row in the same browser
	avoid  *chromium // rather not this one

	bystander int // times that it went down because of another row
}

func newWaiter(ctx context.Context, r render.Request) *waiter {
	return &waiter{request: r, key: keyOf(r), ctx: ctx, turn: make(chan turn, 1), result: make(chan result, 1)}
}

// retried is w as a new waiter.
func (w *waiter) retried() *waiter {
	next := *w
	next.turn, next.result = make(chan turn, 1), make(chan result, 1)
	return &next
}

// A turn is what the first of rows gets: a seat for all of them, or the reason
// why there is none.
type turn struct {
	seat *seat
	lane lane
	rows []*waiter
	err  error
}

// A result is how a row's try ended.
type result struct {
	out  render.Output
	seat *seat
	err  error
}

// enqueue makes w wait for its turn, or for that of another row that takes it
// along. The caller must take what comes, or withdraw w.
func (p *Pool) enqueue(w *waiter) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return ErrClosed
	}
	w.since = time.Now()
	p.waiting = slices.Insert(p.waiting, p.placeOf(w), w)
	p.dispatch()
	return nil
}

// placeOf is where w waits: behind all, or, when somebody waits for it, before
// those for whom nobody does.
func (p *Pool) placeOf(w *waiter) int {
	if w.request.Urgent {
		if at := slices.IndexFunc(p.waiting, func(x *waiter) bool { return !x.request.Urgent }); at >= 0 {
			return at
		}
	}
	return len(p.waiting)
}

// acquire waits for a seat. The caller must release it.
func (p *Pool) acquire(ctx context.Context, w *waiter) (turn, error) {
	if err := ctx.Err(); err != nil {
		return turn{}, err
	}
	if err := p.enqueue(w); err != nil {
		return turn{}, err
	}
	select {
	case t := <-w.turn:
		return t, t.err
	case <-ctx.Done():
		p.withdraw(w)
		return turn{}, ctx.Err()
	}
}

// withdraw takes back a waiter. The turn that it may have got meanwhile goes on
// with the other rows.
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
	case t := <-w.turn:
		if t.seat != nil {
			go p.run(t) // the other rows are nothing to wait for
		}
	default:
	}
}

// dispatch gives seats to those who wait, in their order, and starts
// what is missing.
func (p *Pool) dispatch() {
	if p.closed {
		return
	}
	for i := 0; i < len(p.waiting); {
		w := p.waiting[i]
		l, ok := p.laneOf(w)
		if !ok {
			i++
			continue
		}
		st := p.pick(w, l)
		if st == nil {
			i++
			continue
		}
		rows := p.gather(w, l)
		p.waiting = slices.DeleteFunc(p.waiting, func(x *waiter) bool { return slices.Contains(rows, x) })
		p.take(st, l, rows)
		w.turn <- turn{seat: st, lane: l, rows: rows}
	}
	p.startMissing()
	if len(p.waiting) > 0 && !p.hopeful() {
		p.refuseAll()
	}
}

// gather is w and those who go with it: on a stage or in a print, rows of the same
// page that wait, as far as they are not better off in other seats that are free.
func (p *Pool) gather(w *waiter, l lane) []*waiter {
	rows := []*waiter{w}
	if l != staged && !w.key.print || w.single || w.alone {
		return rows
	}
	for _, x := range p.waiting {
		if x != w && x.key == w.key && !x.single && !x.alone && x.staged == w.staged {
			if lx, ok := p.laneOf(x); ok && lx == l {
				rows = append(rows, x)
			}
		}
	}
	free := max(p.freeSeats(), 1)
	share := (len(rows) + free - 1) / free
	if w.key.print {
		return firstSheets(rows[:share])
	}
	return rows[:min(share, slotsFor(w.key))]
}

func (p *Pool) freeSeats() (n int) {
	for _, pl := range p.places {
		if b := pl.browser; b.usable() && b.reserved == nil {
			for _, st := range b.seats {
				if !st.busy {
					n++
				}
			}
		}
	}
	return n
}

// pick is the best free seat for w in a lane, nil if there is none.
func (p *Pool) pick(w *waiter, l lane) (best *seat) {
	if w.alone {
		return p.pickEmpty(w)
	}
	key := sessionKey{w.key, l != plain}
	for _, pl := range p.places {
		b := pl.browser
		if !b.usable() || b.reserved != nil {
			continue
		}
		for _, st := range b.seats {
			if !st.busy && (best == nil || better(key, st, best)) {
				best = st
			}
		}
	}
	return best
}

// better reports whether a suits a row better than b: a tab that has the page,
// then one that has none, then the one whose page was not asked for longest;
// among equals in the browser with less to do.
func better(key sessionKey, a, b *seat) bool {
	if x, y := a.distance(key), b.distance(key); x != y {
		return x < y
	}
	if a.browser.busy != b.browser.busy {
		return a.browser.busy < b.browser.busy
	}
	return a.used < b.used
}

func (st *seat) distance(key sessionKey) int {
	switch {
	case st.bound && st.key == key:
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

// take gives a seat to rows of one page.
func (p *Pool) take(st *seat, l lane, rows []*waiter) {
	p.turns++
	st.busy, st.bound, st.key, st.used = true, true, sessionKey{rows[0].key, l != plain}, p.turns
	st.browser.busy++
	p.busy++
	p.work.Add(1)
	if l != plain && !rows[0].staged {
		p.ledger.of(rows[0].key).begin(l, len(rows))
	}
	if p.resting != nil {
		p.resting.Stop()
	}
}

// release gives a seat back, after it made so many pictures.
func (p *Pool) release(st *seat, made int) {
	defer p.work.Done()
	b := st.browser
	var heavy bool
	if p.count(b, made) {
		heavy = privateMemory(b.proc.pid) > p.options.Memory
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	st.busy = false
	st.bound = st.session != nil
	if st.bound {
		st.key = st.session.key
	}
	b.busy--
	p.busy--
	if b.reserved != nil && b.busy == 0 && !slices.Contains(p.waiting, b.reserved) {
		b.reserved = nil
	}
	if made > 0 {
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

// count counts pictures of b, and reports whether it is time to look at its memory.
func (p *Pool) count(b *chromium, made int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	before := b.pictures / memoryEvery
	b.pictures += made
	return b.pictures/memoryEvery > before
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
		w.turn <- turn{err: retry.After(fmt.Errorf("no Chrome starts: %w", soonest.err), wait)}
	}
	p.waiting = nil
	p.options.Log.Error("no Chrome starts", slog.Any("err", soonest.err), slog.Duration("wait", wait))
}

package chrome

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/pictifyd/pictifyd/render"
)

// newSeats is a pool of Chromes that draw nothing, to see who gets which seat.
func newSeats(browsers, tabs int) *Pool {
	p := &Pool{options: Options{Tabs: tabs}.withDefaults(), quiet: make(chan struct{}), live: map[*chromium]bool{}, stages: true}
	for i := range browsers {
		b := &chromium{place: i, lost: make(chan struct{}), proc: &process{done: make(chan struct{})}}
		for range tabs {
			b.seats = append(b.seats, &seat{browser: b})
		}
		p.places = append(p.places, &place{number: i, browser: b})
		p.live[b] = true
	}
	return p
}

// keyed is a row of a page that is drawn in the plain lane.
func keyed(page string) *waiter {
	w := newWaiter(context.Background(), render.Request{Page: page, Width: 10, Height: 10, Format: render.PNG})
	w.plain = true
	return w
}

// alone is a row on its second try.
func alone(avoid *chromium) *waiter {
	w := keyed("")
	w.alone, w.avoid = true, avoid
	return w
}

func mustAcquire(t *testing.T, p *Pool, w *waiter) *seat {
	t.Helper()
	got, err := p.acquire(t.Context(), w)
	if err != nil {
		t.Fatal(err)
	}
	return got.seat
}

// done releases a seat as after a picture, with its tab open.
func done(p *Pool, st *seat) {
	st.session = &session{key: st.key, origin: &origin{egress: &egress{}}, cancel: func() {}}
	p.release(st, 0)
}

func TestRowPrefersATabThatHasItsPage(t *testing.T) {
	p := newSeats(2, 2)
	a := mustAcquire(t, p, keyed("a"))
	b := mustAcquire(t, p, keyed("b"))
	if a.browser == b.browser {
		t.Error("the second row is in the busy browser")
	}
	done(p, a)
	done(p, b)
	if again := mustAcquire(t, p, keyed("b")); again != b {
		t.Error("the tab that has the page was not taken")
	}
	if other := mustAcquire(t, p, keyed("b")); other == a {
		t.Error("a tab with another page was taken although an empty one is free")
	}
}

func TestRowWithoutATabTakesTheLongestUnasked(t *testing.T) {
	p := newSeats(1, 2)
	a, b := mustAcquire(t, p, keyed("a")), mustAcquire(t, p, keyed("b"))
	done(p, a)
	done(p, b)
	done(p, mustAcquire(t, p, keyed("a")))
	if got := mustAcquire(t, p, keyed("c")); got != b {
		t.Error("the page that was just asked for lost its tab")
	}
}

func TestRowsWaitInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newSeats(1, 1)
		held := mustAcquire(t, p, keyed("a"))
		order := make(chan string, 2)
		for _, page := range []string{"b", "a"} {
			go func() {
				got, err := p.acquire(context.Background(), keyed(page))
				if err != nil {
					t.Error(err)
					return
				}
				order <- page
				done(p, got.seat)
			}()
			synctest.Wait()
		}
		done(p, held)
		if first, second := <-order, <-order; first != "b" || second != "a" {
			t.Errorf("the order is %s, %s", first, second)
		}
	})
}

func TestARowThatSomebodyWaitsForGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newSeats(1, 1)
		st := mustAcquire(t, p, keyed("a"))
		var order []string
		for _, page := range []string{"b", "c", "soon", "sooner"} {
			w := keyed(page)
			w.request.Urgent = len(page) > 1
			go func() {
				got, err := p.acquire(context.Background(), w)
				if err != nil {
					t.Error(err)
					return
				}
				order = append(order, page)
				done(p, got.seat)
			}()
			synctest.Wait()
		}
		done(p, st)
		synctest.Wait()
		if got := strings.Join(order, " "); got != "soon sooner b c" {
			t.Errorf("rows were drawn as %s", got)
		}
	})
}

func TestRowOnItsSecondTryIsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newSeats(2, 2)
		first := mustAcquire(t, p, keyed("a"))
		second := mustAcquire(t, p, keyed("a"))
		got := make(chan *seat)
		go func() {
			own, err := p.acquire(context.Background(), alone(first.browser))
			if err != nil {
				t.Error(err)
			}
			got <- own.seat
		}()
		synctest.Wait()
		if st := mustAcquire(t, p, keyed("b")); st.browser != first.browser {
			t.Error("a row got into the browser that is being kept")
		}
		p.release(second, 0)
		kept := <-got
		if kept.browser != second.browser || kept.browser.busy != 1 {
			t.Errorf("%d rows are in the browser of the row that should be alone", kept.browser.busy)
		}
		synctest.Wait()
		blocked, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := p.acquire(blocked, keyed("c")); !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
		p.release(kept, 0)
		if st := mustAcquire(t, p, keyed("c")); st.browser != kept.browser {
			t.Error("the browser is still kept")
		}
	})
}

func TestWithdrawnRowKeepsNoBrowser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newSeats(1, 2)
		held := mustAcquire(t, p, keyed("a"))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			_, err := p.acquire(ctx, alone(nil))
			ended <- err
		}()
		synctest.Wait()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
		mustAcquire(t, p, keyed("b"))
		p.release(held, 0)
	})
}

package chrome

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/render"
)

func TestTabOutlivesCallersThatGoWithTheirPictures(t *testing.T) {
	p := newPool(t, nil, withTabs(1))
	draw := func() {
		var all sync.WaitGroup
		for i := range 3 * p.Slots() {
			all.Go(func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel() // as soon as the picture is there
				if _, err := p.Render(ctx, card(fmt.Sprintf("<p>%d</p>", i))); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	tab := func() *session {
		for p.inHand() {
			time.Sleep(time.Millisecond)
		}
		return p.places[0].browser.seats[0].session
	}
	draw()
	before := tab()
	draw()
	if after := tab(); before == nil || after != before {
		t.Errorf("the tab was closed: %p, then %p", before, after)
	}
}

func (p *Pool) inHand() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.busy > 0
}

func TestRoundEndsWhenNobodyWaitsForWhatIsMissing(t *testing.T) {
	for name, c := range map[string]struct {
		gone, answered int
		ends           bool
	}{
		"all are answered, and go": {0, 3, false},
		"all give up":              {3, 0, true},
		"one is waited for":        {1, 1, false},
		"the others give up":       {2, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &Pool{life: t.Context(), options: Options{Deadline: time.Minute}}
				var goes []context.CancelFunc
				r := &round{pool: p, answered: make([]bool, 3)}
				for range 3 {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					goes = append(goes, cancel)
					r.rows = append(r.rows, newWaiter(ctx, render.Request{}))
				}
				ctx, release := r.bounds()
				for i := range c.answered {
					r.answer(i, render.Output{}, nil)
					goes[i]()
				}
				for i := range c.gone {
					goes[2-i]()
				}
				synctest.Wait()
				if cause := context.Cause(ctx); errors.Is(cause, errAbandoned) != c.ends {
					t.Errorf("ended with %v", cause)
				}
				release()
			})
		})
	}
}

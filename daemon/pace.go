package daemon

import (
	"slices"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/api"
)

const (
	// paceSpan is over how long the pace of drawing is told.
	paceSpan = 5 * time.Minute
	// paceKept is how many pictures are remembered for it: of more in that time the
	// newest say as much.
	paceKept = 4096
)

// A pace remembers when the newest pictures were drawn, and how long each took.
type pace struct {
	since time.Time // nothing was drawn before

	mu    sync.Mutex
	drawn []drawnAt // a ring, once it is full
	next  int
}

type drawnAt struct {
	at   time.Time
	took time.Duration
}

func (p *pace) note(at time.Time, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.drawn) < paceKept {
		p.drawn = append(p.drawn, drawnAt{at, took})
		return
	}
	p.drawn[p.next] = drawnAt{at, took}
	p.next = (p.next + 1) % paceKept
}

// now is the pace of the last minutes.
func (p *pace) now(at time.Time) api.Pace {
	p.mu.Lock()
	defer p.mu.Unlock()
	from := at.Add(-paceSpan)
	if from.Before(p.since) {
		from = p.since
	}
	if len(p.drawn) == paceKept && p.drawn[p.next].at.After(from) {
		from = p.drawn[p.next].at
	}
	var took []time.Duration
	for _, d := range p.drawn {
		if !d.at.Before(from) {
			took = append(took, d.took)
		}
	}
	is := api.Pace{Count: len(took), Span: at.Sub(from)}
	if len(took) > 0 {
		slices.Sort(took)
		is.P50, is.P95 = took[(len(took)-1)/2], took[(len(took)-1)*95/100]
	}
	return is
}

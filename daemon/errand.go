package daemon

import (
	"context"
	"time"
)

// An errand is something to do whenever it is asked for, and again until it
// works: a hint that was taken is not lost to a full disk or a database that is
// away for a while.
type errand struct {
	doFunc   func(ctx context.Context) error
	noteFunc func(err error) // hears how each try ended
	asked    chan struct{}
}

func newErrand(doFunc func(ctx context.Context) error, noteFunc func(err error)) *errand {
	return &errand{doFunc: doFunc, noteFunc: noteFunc, asked: make(chan struct{}, 1)}
}

// ask wants the errand done once more from its beginning. It never blocks;
// what is asked for twice before it begins is done once.
func (e *errand) ask() {
	select {
	case e.asked <- struct{}{}:
	default:
	}
}

// work does what is asked for until ctx ends.
func (e *errand) work(ctx context.Context) {
	tries := 0
	var again <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-e.asked:
		case <-again:
		}
		again = nil
		err := e.doFunc(ctx)
		if ctx.Err() != nil {
			return
		}
		e.noteFunc(err)
		if tries++; err == nil {
			tries = 0
			continue
		}
		again = time.After(backoff.Next(tries))
	}
}

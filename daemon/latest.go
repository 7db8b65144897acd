package daemon

import (
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
)

// latest is how the newest readings of a source went in this process, part of
// which the store is told later.
type latest struct {
	mu        sync.Mutex
	began     time.Time
	ended     time.Time
	confirmed time.Time
	failures  int64 // in a row
}

func (l *latest) begin(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.began = at
}

func (l *latest) end(at time.Time, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = at
	if l.failures++; err == nil {
		l.failures = 0
	}
}

// confirm notes that the source is as it was.
func (l *latest) confirm(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.confirmed = at
}

// over is what the store knows, with what happened since.
func (l *latest) over(is connectors.Freshness) connectors.Freshness {
	l.mu.Lock()
	defer l.mu.Unlock()
	is.BegunAt, is.EndedAt, is.ConfirmedAt = newest(is.BegunAt, l.began), newest(is.EndedAt, l.ended), newest(is.ConfirmedAt, l.confirmed)
	if !l.ended.IsZero() {
		is.Failures = l.failures
	}
	return is
}

func newest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

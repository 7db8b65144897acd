package daemon

import (
	"sync"
	"time"
)

// A pulse is how the readings of a feed went since it began. What must outlive the
// process is in the store.
type pulse struct {
	mu sync.Mutex

	beats
}

// beats are what a pulse has seen.
type beats struct {
	begun, ended time.Time
	confirmed    time.Time // the beginning of the last reading that had every row
	unchanged    int64     // readings since a row changed
	failures     int64     // readings in a row that died
}

func (p *pulse) begin(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.begun = at
}

// end notes how the reading ended that began at a time.
func (p *pulse) end(began time.Time, err error, whole, changed bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = time.Now()
	if err != nil {
		p.failures++
		return
	}
	p.failures = 0
	p.unchanged++
	if changed {
		p.unchanged = 0
	}
	if whole {
		p.confirmed = began
	}
}

func (p *pulse) now() beats {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.beats
}

// ended notes how the poll of a visit ended.
func (v *visit) ended(began time.Time, err error) {
	whole, changed, result := err == nil, false, result(err)
	if r := v.reading; r != nil {
		whole, changed = r.whole, r.changed > 0
	}
	switch {
	case err != nil:
	case v.reading == nil || v.reading.unchanged:
		result = "unchanged"
	case !whole:
		result = "incomplete"
	}
	v.feed.pulse.end(began, err, whole, changed)
	v.daemon.metrics.polled(v.feed.name, result, time.Since(began))
	if err == nil && whole {
		v.feed.live.read(began)
	}
}

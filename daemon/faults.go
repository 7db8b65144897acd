package daemon

import (
	"log/slog"
	"sync"
	"time"
)

// faultInterval is how often a fault that lasts is logged again.
const faultInterval = 10 * time.Minute

// faults logs what keeps failing once at its first occurrence and then at
// intervals, and once when it is over.
type faults struct {
	mu    sync.Mutex
	since map[string]fault
}

type fault struct {
	text   string
	first  time.Time
	logged time.Time
	count  int
}

// note records the outcome of one try at the thing that kind and name stand for.
func (f *faults) note(log *slog.Logger, kind, name string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := kind + " " + name
	known, failing := f.since[id]
	if err == nil {
		if failing {
			log.Info("works again", slog.String(kind, name), slog.Duration("after", time.Since(known.first).Round(time.Second)))
			delete(f.since, id)
		}
		return
	}
	if f.since == nil {
		f.since = map[string]fault{}
	}
	if !failing {
		known = fault{first: time.Now()}
	}
	known.count++
	if known.text != err.Error() || time.Since(known.logged) >= faultInterval {
		known.text, known.logged = err.Error(), time.Now()
		log.Warn("does not work", slog.String(kind, name), slog.Int("attempt", known.count), slog.Any("err", err))
	}
	f.since[id] = known
}

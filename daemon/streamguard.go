package daemon

import (
	"context"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

// guardSpan is how far back the guard looks whose bindings hang on a stream.
const guardSpan = time.Minute

// A minute is how many rows with images were changed or removed in the last one, by
// binding, for the guard: a stream has no readings to be judged as a whole.
type minute struct {
	mu    sync.Mutex
	of    map[string][]alteration
	lives map[string]livingAt
}

type alteration struct {
	at   time.Time
	rows int
}

// A livingAt is how many rows had images at a time.
type livingAt struct {
	at   time.Time
	rows int
}

func newMinute() minute {
	return minute{of: map[string][]alteration{}, lives: map[string]livingAt{}}
}

// sum is what was noted of a binding within the span before now.
func (m *minute) sum(binding string, now time.Time) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.of[binding]
	for len(all) > 0 && now.Sub(all[0].at) >= guardSpan {
		all = all[1:]
	}
	m.of[binding] = all
	n := 0
	for _, a := range all {
		n += a.rows
	}
	return n
}

// note adds to what was noted. What comes within a second is one.
func (m *minute) note(binding string, now time.Time, rows int) {
	if rows == 0 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.of[binding]
	if n := len(all); n > 0 && now.Sub(all[n-1].at) < time.Second {
		all[n-1].rows += rows
		return
	}
	m.of[binding] = append(all, alteration{now, rows})
}

// forget ends what was noted of a binding: a person has seen it.
func (m *minute) forget(binding string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.of, binding)
	delete(m.lives, binding)
}

// admit has the proposals of a batch be wanted as they come, but for those of
// bindings whose images changed so much within a minute that the guard is asked. It
// counts all images of a binding once a minute at most, and only when the floor is passed.
func (d *Daemon) admit(ctx context.Context, f *feed, p *bindings.Plan) error {
	m, now, altered := &f.stream.guard, time.Now(), p.Altered()
	before := map[string]int{}
	for _, b := range f.bindings {
		name, guard := b.Name(), b.Config().Guard
		before[name] = m.sum(name, now)
		m.note(name, now, altered[name])
		rows := before[name] + altered[name]
		if p.Promote[name] || rows <= guard.Floor {
			p.Promote[name] = true
			continue
		}
		live, err := d.living(ctx, m, name, now)
		if err != nil {
			return err
		}
		rows = min(rows, live) // one that changed several times is one
		if float64(rows) <= float64(guard.MaxChanged)*float64(live) {
			p.Promote[name] = true
		}
	}
	if p.Closes == nil || p.Closes.Judge == nil {
		return nil
	}
	judge := p.Closes.Judge
	p.Closes.Judge = func(binding string, c bindings.Counts) bindings.Verdict {
		if c.Gone == 0 { // it is asked about what the batch changes
			c.Changed = min(c.Changed+before[binding], max(c.Changed, c.Live))
			c.Rows = max(c.Rows, 1) // a batch without rows says nothing about those that it does not have
		}
		return judge(binding, c)
	}
	return nil
}

// living is how many rows of a binding have images, as of a minute ago at most.
func (d *Daemon) living(ctx context.Context, m *minute, binding string, now time.Time) (int, error) {
	m.mu.Lock()
	known, ok := m.lives[binding]
	m.mu.Unlock()
	if ok && now.Sub(known.at) < guardSpan {
		return known.rows, nil
	}
	live, err := d.store.LiveItems(ctx, binding)
	if err != nil {
		return 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lives[binding] = livingAt{now, live}
	return live, nil
}

// A ledger is the store as the api sees it; what a person accepts of a stream's
// changes is not counted against what comes next.
type ledger struct {
	*store.Store
	daemon *Daemon
}

// AcceptGuard implements api.Bindings.
func (l ledger) AcceptGuard(ctx context.Context, binding string) (promoted int, err error) {
	promoted, err = l.Store.AcceptGuard(ctx, binding)
	now := l.daemon.roster()
	if f := now.feeds[now.binding(binding).Source]; err == nil && f != nil && f.stream != nil {
		f.stream.guard.forget(binding)
	}
	return promoted, err
}

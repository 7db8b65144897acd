package daemon

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

const (
	// guardSpan is how far back the guard looks whose bindings hang on a stream.
	guardSpan = time.Minute

	// guardStep is how exactly: what a step had leaves at once.
	guardStep = 5 * time.Second
)

// A minute is which rows with images were changed or removed in the last one, by
// binding, for the guard: a stream has no readings to be judged as a whole. A row
// that changes a thousand times is one.
type minute struct {
	mu    sync.Mutex
	seed  maphash.Seed
	of    map[string]*alterations
	lives map[string]livingAt
}

// alterations are the rows of one binding.
type alterations struct {
	steps []step
	in    map[uint64]int // hashes of keys, by how many steps have them
}

type step struct {
	from time.Time
	keys map[uint64]struct{}
}

// A livingAt is how many rows had images at a time.
type livingAt struct {
	at   time.Time
	rows int
}

func newMinute() minute {
	return minute{seed: maphash.MakeSeed(), of: map[string]*alterations{}, lives: map[string]livingAt{}}
}

// note adds keys of a binding to those of the span before now, and returns how many
// others there are in it.
func (m *minute) note(binding string, now time.Time, keys []string) (others int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.of[binding]
	if l == nil {
		l = &alterations{in: map[uint64]int{}}
		m.of[binding] = l
	}
	l.leave(now)
	if len(keys) > 0 {
		if n := len(l.steps); n == 0 || now.Sub(l.steps[n-1].from) >= guardStep {
			l.steps = append(l.steps, step{now, map[uint64]struct{}{}})
		}
	}
	mine := map[uint64]struct{}{}
	for _, key := range keys {
		h := maphash.String(m.seed, key)
		mine[h] = struct{}{}
		newest := l.steps[len(l.steps)-1].keys
		if _, again := newest[h]; !again {
			newest[h] = struct{}{}
			l.in[h]++
		}
	}
	return len(l.in) - len(mine)
}

// leave forgets the steps that are over.
func (l *alterations) leave(now time.Time) {
	for len(l.steps) > 0 && now.Sub(l.steps[0].from) >= guardSpan {
		for h := range l.steps[0].keys {
			if l.in[h]--; l.in[h] == 0 {
				delete(l.in, h)
			}
		}
		l.steps = l.steps[1:]
	}
}

// forget ends what was noted of a binding: a person has seen it.
func (m *minute) forget(binding string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.of, binding)
	delete(m.lives, binding)
}

// admit has the proposals of a batch be wanted as they come, but for those of
// bindings of which so many images changed within a minute that the guard is asked. It
// counts all images of a binding once a minute at most, and only when the floor is passed.
func (d *Daemon) admit(ctx context.Context, f *feed, p *bindings.Plan) error {
	m, now, altered := &f.stream.guard, time.Now(), p.Altered()
	others := map[string]int{}
	for _, b := range f.bindings {
		name, guard := b.Name(), b.Config().Guard
		others[name] = m.note(name, now, altered[name])
		rows := others[name] + len(altered[name])
		if p.Promote[name] || rows <= guard.Floor {
			p.Promote[name] = true
			continue
		}
		live, err := d.living(ctx, m, name, now)
		if err != nil {
			return err
		}
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
			c.Changed += others[binding]
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

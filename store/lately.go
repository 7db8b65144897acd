package store

import (
	"sync"
	"sync/atomic"

	"github.com/pictifyd/pictifyd/bindings"
)

// latelyLimit is how many images are remembered.
const latelyLimit = 10_000

// lately remembers images that were asked for, until the next commit of
// whatever it is. While one is under way nothing is remembered or taken from
// memory, so that nobody gets an older image than the ledger has.
type lately struct {
	commits  atomic.Int64 // begun
	underway atomic.Int64
	others   atomic.Bool // commit too, which shows nowhere here

	mu     sync.RWMutex
	at     int64 // the commit since which images are
	images map[latelyKey]bindings.Image
}

type latelyKey struct{ owner, key, output, ext string }

// forbid has nothing be remembered, because others commit too, or allows it again.
func (m *lately) forbid(others bool) {
	if !others && m.others.Load() {
		_ = m.during(func() error { return nil }) // theirs
	}
	m.others.Store(others)
}

// moment is the last commit; false while one is under way, or may be.
func (m *lately) moment() (commit int64, ok bool) {
	commit = m.commits.Load() // before underway: one that begins between shows in the one or in the other
	return commit, m.underway.Load() == 0 && !m.others.Load()
}

func (m *lately) get(k latelyKey) (bindings.Image, bool) {
	now, ok := m.moment()
	if !ok {
		return bindings.Image{}, false
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.at != now {
		return bindings.Image{}, false
	}
	g, ok := m.images[k]
	return g, ok
}

// put remembers what was read after moment was before.
func (m *lately) put(k latelyKey, g bindings.Image, before int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now, ok := m.moment(); !ok || now != before {
		return
	}
	if m.images == nil || m.at != before || len(m.images) >= latelyLimit {
		m.at, m.images = before, make(map[latelyKey]bindings.Image)
	}
	m.images[k] = g
}

// during runs a commit.
func (m *lately) during(commit func() error) error {
	m.underway.Add(1)
	m.commits.Add(1)
	defer m.underway.Add(-1)
	return commit()
}

package daemon

import (
	"context"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/store"
)

const (
	latelyFor   = 10 * time.Second
	latelyLimit = 512
)

// lately remembers for a moment what callers who waited had drawn: a turn that
// had claimed the same just before need not draw it again.
type lately struct {
	mu   sync.Mutex
	made map[string]latelyMade // by fingerprint
}

type latelyMade struct {
	done  store.Rendered
	bytes []byte // until they are kept
	at    time.Time
}

func (l *lately) put(done store.Rendered, bytes []byte) {
	if done.Hash == "" && bytes == nil {
		return
	}
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.made) >= latelyLimit {
		for fingerprint, m := range l.made {
			if now.Sub(m.at) >= latelyFor {
				delete(l.made, fingerprint)
			}
		}
	}
	if l.made == nil || len(l.made) >= latelyLimit {
		l.made = map[string]latelyMade{}
	}
	l.made[done.Fingerprint] = latelyMade{done, bytes, now}
}

func (l *lately) get(fingerprint string) (latelyMade, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m, ok := l.made[fingerprint]
	return m, ok && time.Since(m.at) < latelyFor
}

// forget is for one whose bytes could not be kept; "" is for all, where the same
// fingerprint may show another file by now.
func (l *lately) forget(fingerprint string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if fingerprint == "" {
		clear(l.made)
	}
	delete(l.made, fingerprint)
}

// drawnLately is what a caller had drawn of a fingerprint just now, if its bytes
// are there.
func (d *Daemon) drawnLately(ctx context.Context, fingerprint string) (picture, bool) {
	m, ok := d.now.lately.get(fingerprint)
	if !ok || m.bytes != nil {
		return picture{done: m.done, bytes: m.bytes}, ok
	}
	file, _, err := d.blobs.Open(ctx, m.done.Hash)
	if err != nil {
		return picture{}, false
	}
	return picture{done: m.done}, file.Close() == nil
}

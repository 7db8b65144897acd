package daemon

import (
	"context"
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/store"
)

const (
	latelyFor   = 10 * time.Second
	latelyLimit = 4096 // pictures, of which only those not kept yet have their bytes
)

// lately remembers for a moment what was drawn: a turn that had claimed what
// somebody who waited had drawn just before need not draw it again, nor need
// somebody who comes while a turn's picture is being recorded.
type lately struct {
	mu   sync.Mutex
	made map[string]latelyMade // by fingerprint
}

type latelyMade struct {
	done  store.Rendered
	bytes []byte // until they are kept
	at    time.Time
	turn  bool // drawn by a turn, else for somebody who waited
}

func (l *lately) put(done store.Rendered, bytes []byte, turn bool) {
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
	l.made[done.Fingerprint] = latelyMade{done, bytes, now, turn}
}

// get is what the others drew: turns, or those who wait.
func (l *lately) get(fingerprint string, turn bool) (latelyMade, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m, ok := l.made[fingerprint]
	return m, ok && m.turn == turn && time.Since(m.at) < latelyFor
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

// drawnLately is what was drawn of a fingerprint just now, by a turn or else for
// somebody who waited, if its bytes are there.
func (d *Daemon) drawnLately(ctx context.Context, fingerprint string, turn bool) (picture, bool) {
	m, ok := d.now.lately.get(fingerprint, turn)
	if !ok || m.bytes != nil {
		return picture{done: m.done, bytes: m.bytes}, ok
	}
	file, _, err := d.blobs.Open(ctx, m.done.Hash)
	if err != nil {
		return picture{}, false
	}
	return picture{done: m.done}, file.Close() == nil
}

package postgres

import (
	"sync"
	"time"

	"github.com/pictifyd/pictifyd/internal/cures"
)

const (
	// recentLimit is how many changes are remembered one by one.
	recentLimit = 200_000
	// lastLimit is how many transactions are remembered that were told of last.
	lastLimit = 1024
	// unknownLimit is how long a backfill waits for a transaction that was under way
	// when it began, and that the stream did not tell of.
	unknownLimit = 30 * time.Second
)

// A window keeps rows that were read as they stood apart from changes that the
// stream tells of meanwhile, so that neither takes the other's place wrongly.
//
// Chunks of rows and changes meet in the stream: a chunk is held until the stream
// has come to where it was read. That alone is not enough (the visibility hole): a
// change is told of before a statement sees it, for as long as its transaction waits
// for a standby server. So a row of a chunk gives way to a change that its own
// snapshot does not see.
type window struct {
	mu      sync.Mutex
	filling bool
	pending []*chunk // in the order in which they were read
	recent  []change // told of, and not known to be seen by every snapshot to come
	flood   map[uint32]bool
	last    [lastLimit]uint32 // transactions that were told of, as a ring
	lastAt  int
	held    map[uint32]time.Time // that a chunk has to see; a time is when it is waited for no longer
}

type change struct {
	key string
	xid uint32
}

// told remembers that the stream came to a transaction.
func (w *window) told(xid uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last[w.lastAt%lastLimit] = xid
	w.lastAt++
}

// begin starts a backfill: chunks of another one are given up.
func (w *window) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.filling, w.pending, w.held = true, nil, nil
	for _, c := range w.recent {
		w.drown(c.xid)
	}
	w.recent = nil
}

// end is the end of a backfill.
func (w *window) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.filling, w.pending, w.held, w.recent, w.flood = false, nil, nil, nil, nil
}

func (w *window) drown(xid uint32) {
	if w.flood == nil {
		w.flood = map[uint32]bool{}
	}
	w.flood[xid] = true
}

// saw takes a change that the stream tells of.
func (w *window) saw(key []byte, xid uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.filling {
		return
	}
	for _, c := range w.pending {
		if at, ok := c.keys[string(key)]; ok && !c.sees(xid) {
			c.stale[at] = true
		}
	}
	if len(w.recent) >= recentLimit {
		for _, c := range w.recent {
			w.drown(c.xid)
		}
		w.recent = w.recent[:0]
	}
	if w.flood[xid] {
		return
	}
	w.recent = append(w.recent, change{string(key), xid})
}

// lost takes a change of a row whose key can't be read: no chunk is taken that does
// not see it.
func (w *window) lost(xid uint32) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.filling {
		w.drown(xid)
	}
}

// hold has chunks wait for the transactions that were under way at a moment at the
// beginning of a backfill: what they did may have been told of before.
func (w *window) hold(m snapshot, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = map[uint32]time.Time{}
	for _, id := range m.running {
		w.held[uint32(id)] = now.Add(unknownLimit)
	}
	for i := range min(w.lastAt, lastLimit) {
		if xid := w.last[i]; !m.sees(xid) {
			w.held[xid] = time.Time{}
		}
	}
}

// admits reports whether a chunk may be read at a moment.
func (w *window) admits(m snapshot, now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for xid, until := range w.held {
		if m.sees(xid) || !until.IsZero() && now.After(until) {
			delete(w.held, xid)
		}
	}
	for xid := range w.flood {
		if m.sees(xid) {
			delete(w.flood, xid)
		}
	}
	return len(w.held) == 0 && len(w.flood) == 0 || !cures.SeenChanges
}

// add takes a chunk that was read, before its message is sent. It reports false
// where so much happened meanwhile that it has to be read again.
func (w *window) add(c *chunk) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	kept := w.recent[:0]
	for _, change := range w.recent {
		if c.snapshot.sees(change.xid) {
			continue // and so does every chunk from now on
		}
		kept = append(kept, change)
		if at, ok := c.keys[change.key]; ok && cures.SeenChanges {
			c.stale[at] = true
		}
	}
	clear(w.recent[len(kept):])
	w.recent = kept
	for xid := range w.flood {
		if !c.snapshot.sees(xid) && cures.SeenChanges {
			return false
		}
	}
	w.pending = append(w.pending, c)
	return true
}

// take gives out the chunk whose message has come.
func (w *window) take(id string) *chunk {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, c := range w.pending {
		if c.id == id {
			w.pending = append(w.pending[:i:i], w.pending[i+1:]...)
			return c
		}
	}
	return nil
}

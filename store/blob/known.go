package blob

import (
	"sync"
	"time"
)

// maxKnown is how many hashes each half of known remembers: some 10 MB in all.
const maxKnown = 32 << 10

// known remembers which bytes a bucket has for certain: those that are so young
// there that nobody removes them. What was asked for lately is remembered longest.
type known struct {
	mu sync.Mutex

	new, old map[string]sight
}

// A sight is what is known of bytes.
type sight struct {
	size  int64
	until time.Time // by this process's monotonic clock
}

func newKnown() *known {
	return &known{new: map[string]sight{}, old: map[string]sight{}}
}

// add remembers bytes for as long.
func (k *known) add(hash string, size int64, last time.Duration) {
	if last <= 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.put(hash, sight{size, time.Now().Add(last)})
}

func (k *known) put(hash string, s sight) {
	if len(k.new) >= maxKnown {
		k.new, k.old = map[string]sight{}, k.new
	}
	k.new[hash] = s
}

// size is that of bytes which are there.
func (k *known) size(hash string) (int64, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, ok := k.new[hash]
	if !ok {
		if s, ok = k.old[hash]; ok {
			delete(k.old, hash)
			k.put(hash, s)
		}
	}
	if !ok || !time.Now().Before(s.until) {
		return 0, false
	}
	return s.size, true
}

func (k *known) drop(hash string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.new, hash)
	delete(k.old, hash)
}

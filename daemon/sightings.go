package daemon

import (
	"crypto/sha256"
	"sync"
	"time"
)

// sightingsLimit is how many keys of a source are remembered, at about 100 bytes
// each. Whoever tries out more makes the source be asked again, no more.
const sightingsLimit = 50_000

// A sighting is what a source last said of one row, and how asking it went since.
type sighting struct {
	at    time.Time // it was asked then; zero: never
	found bool
	err   error     // why it could not be asked since; nil when it could
	again time.Time // it is not asked before
}

// sightings remember the newest by key, in bounded memory. They are lost with the
// process: then each row is asked for once more.
type sightings struct {
	limit int

	mu         sync.Mutex
	young, old map[[16]byte]sighting // a key that is used stays with the young
}

func newSightings(limit int) *sightings {
	return &sightings{limit: max(limit/2, 1), young: map[[16]byte]sighting{}}
}

// sum stands for a key, which may be long.
func sum(key string) (short [16]byte) {
	full := sha256.Sum256([]byte(key))
	copy(short[:], full[:])
	return short
}

func (s *sightings) get(key string) sighting {
	k := sum(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.young[k]
	if !ok {
		if one, ok = s.old[k]; ok {
			s.add(k, one)
		}
	}
	return one
}

func (s *sightings) put(key string, one sighting) {
	k := sum(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(k, one)
}

// fail notes that the source could not be asked, beside what it said before.
func (s *sightings) fail(key string, err error, again time.Time) {
	k := sum(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.young[k]
	if !ok {
		one = s.old[k]
	}
	one.err, one.again = err, again
	s.add(k, one)
}

func (s *sightings) add(k [16]byte, one sighting) {
	if _, there := s.young[k]; !there && len(s.young) >= s.limit {
		s.old, s.young = s.young, map[[16]byte]sighting{}
	}
	s.young[k] = one
}

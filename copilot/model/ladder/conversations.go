package ladder

import (
	"crypto/sha256"
	"sync"

	"github.com/pictifyd/pictifyd/copilot/model"
)

// mostKnown is how many conversations are remembered; the one that was not asked
// about for longest is forgotten first, and begins on its highest rung again.
const mostKnown = 256

// conversations are told apart by what they begin with. Two that begin alike at
// once share what is learned, which does neither of them harm.
type conversations struct {
	mu    sync.Mutex
	known map[[sha256.Size]byte]*conversation
	clock int64
}

// A conversation is where one stands on the ladder.
type conversation struct {
	used int64 // guarded by conversations.mu

	mu        sync.Mutex
	at        rung
	failures  int // running
	sightless bool
}

func (s *conversations) of(r model.Request, begin rung) *conversation {
	h := sha256.New()
	h.Write([]byte(r.System))
	h.Write([]byte{0})
	if len(r.Messages) > 0 {
		h.Write([]byte(r.Messages[0].Text))
	}
	id := [sha256.Size]byte(h.Sum(nil))

	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[[sha256.Size]byte]*conversation{}
	}
	s.clock++
	c, ok := s.known[id]
	if !ok {
		if len(s.known) >= mostKnown {
			s.forget()
		}
		c = &conversation{at: begin}
		s.known[id] = c
	}
	c.used = s.clock
	return c
}

func (s *conversations) forget() {
	var oldest [sha256.Size]byte
	first := true
	for id, c := range s.known {
		if first || c.used < s.known[oldest].used {
			oldest, first = id, false
		}
	}
	delete(s.known, oldest)
}

func (c *conversation) rung() rung {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *conversation) blind() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sightless
}

// again takes a verdict, and reports whether the model is to be asked again: as
// before, without pictures (shown is whether it had any), or on the next rung. Since it only ever goes down, a
// request ends.
func (c *conversation) again(v judgement, shown bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch v {
	case good:
		c.failures = 0
		return false
	case other:
		return false
	case unseen:
		if c.sightless || !shown {
			return false
		}
		c.sightless = true
		return true
	case unable:
		return c.down()
	}
	c.failures++
	if c.failures >= patience {
		return c.down()
	}
	return v == useless
}

func (c *conversation) down() bool {
	c.failures = 0
	if c.at >= text {
		return false
	}
	c.at++
	return true
}

package daemon

import (
	"testing"
	"time"
)

func TestTurnsOfSlowPicturesAreSmall(t *testing.T) {
	for name, c := range map[string]struct {
		per  time.Duration
		want int
	}{
		"none yet":      {0, turnSize},
		"fast pictures": {5 * time.Millisecond, turnSize},
		"cards":         {60 * time.Millisecond, 50},
		"documents":     {time.Second, 4},
	} {
		s := stride{least: 4}
		for range 3 {
			s.took(10, 10*c.per)
		}
		if got := s.size(); got != c.want {
			t.Errorf("%s: a turn takes %d, want %d", name, got, c.want)
		}
	}
}

// A process that has drawn nothing yet does not know how fast it is, and leaves some to others.
func TestFirstTurnOfAProcessLeavesSomeToOthers(t *testing.T) {
	s := stride{least: 4, first: 32}
	if got := s.size(); got != 32 {
		t.Errorf("the first turn takes %d, want 32", got)
	}
	s.took(32, 32*time.Millisecond)
	if got := s.size(); got != turnSize {
		t.Errorf("the second one takes %d, want %d", got, turnSize)
	}
}

func TestOneSlowTurnDoesNotMakeAllSmall(t *testing.T) {
	s := stride{least: 4}
	for range 10 {
		s.took(100, 500*time.Millisecond)
	}
	s.took(100, 12*time.Second) // a host was slow
	for range 6 {
		s.took(100, 500*time.Millisecond)
	}
	if got := s.size(); got != turnSize {
		t.Errorf("a turn takes %d, want %d again", got, turnSize)
	}
	s.took(0, time.Minute) // one that found nothing says nothing
	if got := s.size(); got != turnSize {
		t.Errorf("a turn takes %d after an empty one", got)
	}
}

package daemon

import (
	"testing"
	"time"
)

func TestMinuteCountsRowsAndNotTheirChanges(t *testing.T) {
	m, now := newMinute(), time.Now()
	for i := range 1000 {
		if n := m.note("cards", now.Add(time.Duration(i)*time.Millisecond), []string{"A"}); n != 0 {
			t.Fatalf("beside a hot row there are %d others", n)
		}
	}
	if n := m.note("cards", now.Add(20*time.Second), []string{"B", "B"}); n != 1 {
		t.Errorf("beside B there are %d, want A", n)
	}
	if n := m.note("others", now, nil); n != 0 {
		t.Errorf("another binding has %d", n)
	}
	if n := m.note("cards", now.Add(61*time.Second), []string{"C"}); n != 1 {
		t.Errorf("a minute after A there are %d, want B", n)
	}
	if n := m.note("cards", now.Add(3*time.Minute), nil); n != 0 {
		t.Errorf("three minutes later there are %d", n)
	}
	m.note("cards", now.Add(3*time.Minute), []string{"D"})
	m.forget("cards")
	if n := m.note("cards", now.Add(3*time.Minute), nil); n != 0 {
		t.Errorf("of what a person has seen there are %d", n)
	}
}

// A row that changes again and again is one image, however often.
func TestGuardDoesNotHoldAHotRow(t *testing.T) {
	t.Parallel()
	s := newTaped(t, ", guard: { max_changed: 20%, floor: 2 }", "A", "B", "C", "D", "E", "F", "G", "H", "I", "J")
	eventually(t, "all is drawn", func() bool { return s.ready("cards") == 10 })
	for _, name := range []string{"one", "two", "three", "four", "five"} {
		s.tape.set("A", name)
		s.shows("A", name)
	}
}

package daemon

import (
	"fmt"
	"slices"
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

// heldChanges is how many changes the guard of a binding holds.
func (t *taped) heldChanges(binding string) int {
	var v struct {
		Guard struct{ Held *struct{ Changes int } }
	}
	t.get("/bindings/"+binding+"/guard", &v)
	if v.Guard.Held == nil {
		return 0
	}
	return v.Guard.Held.Changes
}

// The batch that ends a snapshot drops nothing of what the guard held before it.
func TestGuardHoldsAWholeSnapshot(t *testing.T) {
	t.Parallel()
	var rows []string
	for i := range 20 {
		rows = append(rows, fmt.Sprintf("K%02d", i))
	}
	s := newTaped(t, ", guard: { max_changed: 20%, floor: 2 }", rows...)
	eventually(t, "all is drawn", func() bool { return s.ready("cards") == 20 })
	s.stop()
	for _, key := range rows {
		s.tape.set(key, "Cup "+key)
	}
	s.tape.lose()
	s.start()
	// Four are within a fifth; the fifth change and those behind it wait.
	eventually(t, "the others are held", func() bool { return s.heldChanges("cards") == 16 })
	eventually(t, "the snapshot is over", func() bool {
		place, err := s.d.store.StreamPlace(t.Context(), "shop")
		return err == nil && !place.Snapshot && place.Gaps == 1
	})
	if n := s.heldChanges("cards"); n != 16 {
		t.Fatalf("behind the snapshot %d changes are held, want 16", n)
	}
	s.mustSend(200, "POST", "/bindings/cards/guard/accept", "")
	for _, key := range rows {
		s.shows(key, "Cup "+key)
	}
}

// A stream that never had a snapshot, such as a topic from its beginning, is guarded
// from when it has told what there was.
func TestGuardOfAStreamWithoutASnapshot(t *testing.T) {
	t.Parallel()
	tape, name := newTape(t)
	tape.plain = true
	var all []change
	for i := range 10 {
		all = append(all, change{fmt.Sprintf("K%02d", i), "Mug"})
	}
	tape.changes = slices.Clone(all)
	s := runTape(t, tape, name, ", guard: { max_changed: 20%, floor: 2 }")
	eventually(t, "all is drawn", func() bool { return s.ready("cards") == 10 })
	s.tape.set("K00", "Cup")
	s.shows("K00", "Cup")
	s.tape.do(func() {
		for _, c := range all[1:] {
			s.tape.changes = append(s.tape.changes, change{c.key, "Bowl"})
		}
	})
	eventually(t, "the changes are held", func() bool { return s.heldChanges("cards") == 9 })
}

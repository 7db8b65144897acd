package kafka

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
)

// read has what the topic holds read, and the stream stopped.
func (l *ledger) read(tb testing.TB, s *source, want string) {
	tb.Helper()
	r := l.start(tb, s, false)
	r.untilRows(tb, want)
	r.stop(tb)
}

// P20: kafka-go's Reader goes on silently where retention has passed its offset.
// sight.lost cures it. What is older is not in the topic any more, so nothing is gone.
func TestRetentionThatPassedIsAGap(t *testing.T) {
	c := newCluster(t, mustBrokers(t))
	topic := c.mustTopic(t, 2)
	s := mustSource(t, newConfig(c.brokers, topic, nil), nil)
	l := newLedger()
	c.mustWrite(t, topic, 0, put("a", 1), put("b", 1).in(1))
	l.read(t, s, "a=1 b=1")
	c.mustWrite(t, topic, 0, put("a", 2), put("lost", 1), put("c", 1), put("b", 2).in(1))
	c.mustRemove(t, topic, 0, 3)
	l.read(t, s, "a=1 b=2 c=1")
	if len(l.gaps) != 1 || !strings.Contains(l.gaps[0], "partition 0: the records at the offsets 1 to 2 were removed") || len(l.marks) > 0 {
		t.Errorf("gaps = %q and marks %v, want one gap and no snapshot", l.gaps, l.marks)
	}
	if n := len(l.told); n != 4 {
		t.Errorf("%d rows were told, want 4", n)
	}

	// While it reads: it is told as soon as the broker refuses the offset.
	r := l.start(t, s, false)
	r.until(t, "it reads", func(l *ledger) bool { return !l.state.HeardAt.IsZero() })
	c.mustWrite(t, topic, 0, put("d", 1))
	r.untilRows(t, "a=1 b=2 c=1 d=1")
	r.stop(t)

	halts := mustSource(t, newConfig(c.brokers, topic, func(c *Config) { c.OnGap = string(connectors.OnGapHalt) }), nil)
	c.mustWrite(t, topic, 0, put("e", 1), put("e", 2))
	c.mustRemove(t, topic, 0, 6)
	r = l.start(t, halts, false)
	if err := <-r.done; !connectors.IsHalt(err) || !strings.Contains(err.Error(), "offsets 5 to 5 were removed") {
		t.Errorf("stream = %v, want that it halts", err)
	}
	r = l.start(t, halts, true) // a person decides
	r.untilRows(t, "a=1 b=2 c=1 d=1 e=2")
	r.until(t, "the wish is over", func(l *ledger) bool { return len(l.marks) == 2 })
	r.stop(t)
	if want := []connectors.SnapshotMark{{Begins: true}, {Ends: true, Partial: true}}; !reflect.DeepEqual(l.marks, want) {
		t.Errorf("marks = %v, want %v", l.marks, want)
	}
}

// P20: offsets of a topic that was deleted and made anew say nothing. sight.anotherTopic
// cures it. The topic is compacted: what it does not have is gone.
func TestTopicThatIsMadeAnewIsAGap(t *testing.T) {
	c := newCluster(t, mustBrokers(t))
	topic := c.mustTopic(t, 1, "cleanup.policy=compact")
	s := mustSource(t, newConfig(c.brokers, topic, nil), nil)
	l := newLedger()
	c.mustWrite(t, topic, 0, put("a", 1), put("b", 1))
	l.read(t, s, "a=1 b=1")
	c.mustDelete(t, topic)
	c.mustMake(t, topic, 1, 1, "cleanup.policy=compact")
	c.mustWrite(t, topic, 0, put("x", 1), put("y", 1), put("b", 1), put("z", 1))
	l.read(t, s, "b=1 x=1 y=1 z=1")
	if len(l.gaps) != 1 || !strings.Contains(l.gaps[0], "was deleted and made anew") {
		t.Errorf("gaps = %q", l.gaps)
	}

	// While it reads.
	r := l.start(t, s, false)
	r.until(t, "it reads", func(l *ledger) bool { return !l.state.HeardAt.IsZero() })
	c.mustDelete(t, topic)
	c.mustMake(t, topic, 1, 1, "cleanup.policy=compact")
	c.mustWrite(t, topic, 0, put("n", 1))
	r.untilRows(t, "n=1")
	r.stop(t)
	if len(l.gaps) != 2 {
		t.Errorf("gaps = %q", l.gaps)
	}
}

// A row whose tombstone was written and removed while nobody read is found by its
// absence. sight.lost cures it.
func TestReaderThatWasAwayForLongReadsAllAnew(t *testing.T) {
	c := newCluster(t, mustBrokers(t))
	topic := c.mustTopic(t, 1, compacting...)
	s := mustSource(t, newConfig(c.brokers, topic, nil), nil)
	l := newLedger()
	c.mustWrite(t, topic, 0, put("a", 1), put("b", 1))
	r := l.start(t, s, false)
	r.untilRows(t, "a=1 b=1")
	r.until(t, "nothing is left", func(l *ledger) bool { return !l.state.HeardAt.IsZero() })
	c.mustWrite(t, topic, 0, put("c", 1)) // it is known that the end was reached before
	r.untilRows(t, "a=1 b=1 c=1")
	r.stop(t)
	c.mustRoll(t, topic, 0, tombstone("b"))
	eventually(t, "the tombstone is removed", func() error {
		c.mustRoll(t, topic, 0, put("c", 2))
		if got := c.mustOffsets(t, topic, 0); got[0] != 0 || got[1] < 4 {
			return errTooSoon
		}
		return nil
	})
	l.read(t, s, "a=1 c=2")
	if len(l.gaps) != 1 || !strings.Contains(l.gaps[0], "tombstones stay for 0s only") {
		t.Errorf("gaps = %q", l.gaps)
	}
}

// A log that was cut behind what was read of it, as by an election of a replica that was
// not in sync, has other records there now. Leaders tell by the epoch of what was read.
func TestLogThatWasCutIsAGap(t *testing.T) {
	c := newCluster(t, mustBrokers(t))
	for name, spoil := range map[string]func(*position){
		"beyond the end":   func(p *position) { p.Parts[0] = place{Next: 100, Epoch: -1} },
		"of another epoch": func(p *position) { p.Parts[0] = place{Next: 1, Epoch: 7} },
	} {
		t.Run(name, func(t *testing.T) {
			topic := c.mustTopic(t, 1)
			s := mustSource(t, newConfig(c.brokers, topic, nil), nil)
			c.mustWrite(t, topic, 0, put("a", 1), put("b", 1))
			l := newLedger()
			l.read(t, s, "a=1 b=1")
			p := parsePosition(l.cursor)
			spoil(p)
			l.cursor = p.cursor()
			c.mustWrite(t, topic, 0, put("c", 1))
			l.read(t, s, "a=1 b=1 c=1")
			if len(l.gaps) != 1 || !strings.Contains(l.gaps[0], "confirmed") {
				t.Errorf("gaps = %q", l.gaps)
			}
		})
	}
}

// What a person wishes to be read again is told again, and what is gone is found.
func TestWishToReadAllAgainFindsWhatIsGone(t *testing.T) {
	c := newCluster(t, mustBrokers(t))
	topic := c.mustTopic(t, 2, "cleanup.policy=compact")
	s := mustSource(t, newConfig(c.brokers, topic, nil), nil)
	l := newLedger()
	c.mustWrite(t, topic, 0, put("a", 1), put("b", 1).in(1))
	l.read(t, s, "a=1 b=1")
	l.rows["stray"] = connectors.Row{Key: []any{"stray"}}
	r := l.start(t, s, true)
	r.untilRows(t, "a=1 b=1")
	r.stop(t)
	if want := []connectors.SnapshotMark{{Begins: true}, {Ends: true}, {Begins: true}, {Ends: true}}; !reflect.DeepEqual(l.marks, want) || len(l.gaps) > 0 {
		t.Errorf("marks = %v, gaps %q", l.marks, l.gaps)
	}
}

// A snapshot goes on where it was after a death, and ends once.
func TestSnapshotGoesOnAfterADeath(t *testing.T) {
	c := newCluster(t, mustBrokers(t))
	topic := c.mustTopic(t, 1, "cleanup.policy=compact")
	var all []message
	for i := range 3000 {
		all = append(all, put(newKey(i), i))
	}
	c.mustWrite(t, topic, 0, all...)
	s := mustSource(t, newConfig(c.brokers, topic, nil), nil)
	l := newLedger()
	l.refuseAfter = 3
	r := l.start(t, s, false)
	if err := <-r.done; err == nil {
		t.Fatal("stream = nil, want that the ledger's error ends it")
	}
	var p position
	if err := json.Unmarshal(l.cursor, &p); err != nil || !p.Snapshot || p.Parts[0].Next != 1000 {
		t.Fatalf("cursor = %s, want one in mid-snapshot", l.cursor)
	}
	l.refuseAfter = 0
	r = l.start(t, s, false)
	r.until(t, "all rows", func(l *ledger) bool { return len(l.rows) == 3000 && len(l.marks) == 2 })
	r.stop(t)
	if len(l.told) != 3000 {
		t.Errorf("%d rows were told, want each once", len(l.told))
	}
}

// What is added is read from its start, whatever start says.
func TestPartitionsThatAreAddedAreReadFromTheirStart(t *testing.T) {
	c := newCluster(t, mustBrokers(t))
	topic := c.mustTopic(t, 1)
	s := mustSource(t, newConfig(c.brokers, topic, func(c *Config) { c.Start = Latest }), nil)
	l := newLedger()
	r := l.start(t, s, false)
	r.until(t, "it reads", func(l *ledger) bool { return !l.state.HeardAt.IsZero() })
	c.mustGrow(t, topic, 3)
	c.mustWrite(t, topic, 0, put("a", 1), put("b", 1).in(1), put("c", 1).in(2))
	r.untilRows(t, "a=1 b=1 c=1")
	r.stop(t)
	c.mustGrow(t, topic, 4)
	c.mustWrite(t, topic, 0, put("d", 1).in(3))
	l.read(t, s, "a=1 b=1 c=1 d=1")
	if len(l.gaps) > 0 || len(l.told) != 4 {
		t.Errorf("gaps %q, %d rows told", l.gaps, len(l.told))
	}
}

func TestCompactedTopicWithoutRecordsIsEmptied(t *testing.T) {
	c := newCluster(t, mustBrokers(t))
	topic := c.mustTopic(t, 2, "cleanup.policy=compact")
	l := newLedger()
	l.rows["stray"] = connectors.Row{Key: []any{"stray"}}
	l.read(t, mustSource(t, newConfig(c.brokers, topic, nil), nil), "")
	if want := []connectors.SnapshotMark{{Begins: true, Ends: true}}; !reflect.DeepEqual(l.marks, want) {
		t.Errorf("marks = %v, want %v", l.marks, want)
	}
}

func TestTopicThatIsMissingIsSaid(t *testing.T) {
	brokers := mustBrokers(t)
	l := newLedger()
	began := time.Now()
	r := l.start(t, mustSource(t, newConfig(brokers, "there-is-none", nil), nil), false)
	if err := <-r.done; err == nil || !strings.Contains(err.Error(), `there is no topic "there-is-none"`) {
		t.Errorf("stream = %v", err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

package kafka

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	segment "github.com/segmentio/kafka-go"

	"github.com/pictifyd/pictifyd/connectors"
)

// compacting are the settings of a topic that is compacted as soon as may be.
var compacting = []string{
	"cleanup.policy=compact", "segment.ms=10", "min.cleanable.dirty.ratio=0.001", "min.compaction.lag.ms=0",
	"max.compaction.lag.ms=10", "delete.retention.ms=0", "max.message.bytes=4000000",
}

// mustRoll writes, so that a new segment begins and what stood before may be compacted.
func (c *cluster) mustRoll(tb testing.TB, topic string, packed segment.Compression, messages ...message) {
	tb.Helper()
	time.Sleep(20 * time.Millisecond) // segments end by time
	c.mustWrite(tb, topic, packed, messages...)
}

// newHoley makes a topic with an empty head, holes in packed batches, and a batch of more
// than an answer has whose last records are gone.
func newHoley(tb testing.TB, c *cluster) string {
	tb.Helper()
	topic := c.mustTopic(tb, 1, compacting...)
	c.mustWrite(tb, topic, 0, put("a", 1), put("b", 1))                                                  // 0, 1
	c.mustRoll(tb, topic, 0, padded("big", 1, placeBytes+placeBytes/4), put("c", 1), put("d", 1))        // 2, 3, 4
	c.mustRoll(tb, topic, segment.Zstd, put("e", 1), put("f", 1), put("g", 1), put("h", 1), put("i", 1)) // 5 … 9
	c.mustRoll(tb, topic, segment.Gzip, put("a", 2), put("b", 2), put("c", 2), put("d", 2), put("f", 2)) // 10 … 14
	c.mustRoll(tb, topic, 0, tombstone("i"), put("j", 1), tombstone("j"))                                // 15, 16, 17
	c.mustRoll(tb, topic, 0, put("z", 1))                                                                // 18
	want := []int64{2, 5, 7, 8, 10, 11, 12, 13, 14}
	n := 0
	eventually(tb, "compaction", func() error {
		got := c.mustOffsets(tb, topic, 0)
		if len(got) >= len(want) && reflect.DeepEqual(got[:len(want)], want) && got[len(want)] > 17 {
			return nil
		}
		if n++; n%4 == 0 { // the cleaner looks when there is something new
			c.mustWrite(tb, topic, 0, put("z", n))
		}
		return fmt.Errorf("the offsets are %v", got)
	})
	return topic
}

// P1: kafka-go's Reader hangs here, as do readers that step to the offset behind the
// last record of a batch. scan cures it.
func TestCompactedTopicIsReadThroughItsHoles(t *testing.T) {
	c := newCluster(t, mustBrokers(t))
	topic := newHoley(t, c)
	l := newLedger()
	s := mustSource(t, newConfig(c.brokers, topic, nil), nil)
	r := l.start(t, s, false)
	r.until(t, "all rows", func(l *ledger) bool {
		return len(l.rows) == 10 && len(l.marks) == 2 && strings.HasPrefix(l.shown(), "a=2 b=2 big=1 c=2 d=2 e=1 f=2 g=1 h=1 z=")
	})
	r.until(t, "nothing is left", func(l *ledger) bool { return l.state.Phase == connectors.PhaseStreaming && l.state.Lag["0"] == 0 })
	c.mustWrite(t, topic, 0, tombstone("g"))
	r.until(t, "the row is gone", func(l *ledger) bool { return len(l.rows) == 9 })
	r.stop(t)
	if want := []connectors.SnapshotMark{{Begins: true}, {Ends: true}}; !reflect.DeepEqual(l.marks, want) {
		t.Errorf("marks = %v, want %v", l.marks, want)
	}
}

// P2: what a transaction that is aborted wrote is no row, nor are the marks of
// transactions; what is not committed yet comes when it is. aborted.read and isControl
// cure it.
func TestAbortedTransactionsAreNotRead(t *testing.T) {
	c := newCluster(t, mustBrokers(t))
	topic := c.mustTopic(t, 2)
	c.mustWrite(t, topic, 0, put("a", 1), put("b", 1).in(1))
	for i, commit := range []bool{false, true, false} {
		p := c.mustProducer(t, fmt.Sprintf("%s-%d", topic, i))
		p.mustWrite(t, topic, segment.Lz4, put("a", 10+i), put(fmt.Sprintf("x%d", i), i))
		p.mustWrite(t, topic, 0, put("b", 10+i).in(1))
		c.mustWrite(t, topic, 0, put("plain", i)) // between them, of nobody
		p.mustWrite(t, topic, 0, put(fmt.Sprintf("y%d", i), i))
		p.mustEnd(t, commit)
	}
	l := newLedger()
	s := mustSource(t, newConfig(c.brokers, topic, nil), nil)
	r := l.start(t, s, false)
	r.untilRows(t, "a=11 b=11 plain=2 x1=1 y1=1")
	p := c.mustProducer(t, topic+"-open")
	p.mustWrite(t, topic, 0, put("a", 20))
	c.mustWrite(t, topic, 0, put("plain", 20))
	r.until(t, "an open transaction is waited for", func(l *ledger) bool { return l.state.Lag["0"] >= 2 })
	p.mustEnd(t, true)
	r.untilRows(t, "a=20 b=11 plain=20 x1=1 y1=1")
	r.stop(t)
	if len(l.faults) > 0 {
		t.Errorf("faults %+v", l.faults)
	}
	for _, row := range l.told {
		if n := fmt.Sprint(row.Values["n"]); n == "10" || n == "12" {
			t.Errorf("told of %v, of an aborted transaction", row)
		}
	}
}

// P2: null is a delete, and an empty value is none. recordOf cures it.
func TestEmptyValueIsNoTombstone(t *testing.T) {
	c := newCluster(t, mustBrokers(t))
	topic := c.mustTopic(t, 1)
	c.mustWrite(t, topic, 0, put("a", 1), put("b", 1), message{key: "a", value: []byte{}}, tombstone("b"), put("c", 1))
	l := newLedger()
	r := l.start(t, mustSource(t, newConfig(c.brokers, topic, func(c *Config) { c.Key = nil }), nil), false)
	r.untilRows(t, "a=1 c=1")
	r.stop(t)
	if len(l.faults) != 1 || l.faults[0].Position != topic+"/0@2" {
		t.Errorf("faults = %+v, want one of the empty value", l.faults)
	}
}

// P20: it starts at the latest record, dies before the first, and something is written
// until it is back. settle cures it.
func TestStartAtLatestLosesNothingAcrossADeath(t *testing.T) {
	c := newCluster(t, mustBrokers(t))
	topic := c.mustTopic(t, 2)
	c.mustWrite(t, topic, 0, put("old", 1), put("old", 1).in(1))
	l := newLedger()
	s := mustSource(t, newConfig(c.brokers, topic, func(c *Config) { c.Start = Latest }), nil)
	r := l.start(t, s, false)
	r.until(t, "it reads", func(l *ledger) bool { return l.state.Phase == connectors.PhaseStreaming && !l.state.HeardAt.IsZero() })
	r.kill(t)
	c.mustWrite(t, topic, 0, put("a", 1), put("b", 1).in(1))
	r = l.start(t, s, false)
	c.mustWrite(t, topic, 0, put("c", 1))
	r.untilRows(t, "a=1 b=1 c=1")
	r.stop(t)
}

func TestStartAtATimeReadsFromThere(t *testing.T) {
	c := newCluster(t, mustBrokers(t))
	topic := c.mustTopic(t, 2)
	c.mustWrite(t, topic, 0, put("old", 1), put("old2", 1).in(1))
	time.Sleep(1100 * time.Millisecond) // the time is of whole seconds
	start := time.Now().UTC().Format(time.RFC3339)
	c.mustWrite(t, topic, 0, put("a", 1))
	l := newLedger()
	r := l.start(t, mustSource(t, newConfig(c.brokers, topic, func(c *Config) { c.Start = start }), nil), false)
	r.untilRows(t, "a=1")
	c.mustWrite(t, topic, 0, put("b", 1).in(1))
	r.untilRows(t, "a=1 b=1")
	r.stop(t)
}

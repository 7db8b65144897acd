package kafka

import (
	"testing"

	segment "github.com/segmentio/kafka-go"
)

func TestRowsAreReadAsTheyAreWritten(t *testing.T) {
	c := newCluster(t, mustBrokers(t))
	topic := c.mustTopic(t, 3)
	c.mustWrite(t, topic, 0, put("a", 1), put("b", 1).in(1), put("c", 1).in(2))
	l := newLedger()
	s := mustSource(t, newConfig(c.brokers, topic, nil), nil)
	r := l.start(t, s, false)
	r.untilRows(t, "a=1 b=1 c=1")
	for _, packed := range []segment.Compression{segment.Gzip, segment.Snappy, segment.Lz4, segment.Zstd} {
		n := int(packed) + 10
		c.mustWrite(t, topic, packed, put("a", n), put("b", n).in(1), put("b", n+1).in(1))
	}
	r.untilRows(t, "a=14 b=15 c=1")
	c.mustWrite(t, topic, 0, tombstone("c").in(2))
	r.untilRows(t, "a=14 b=15")
	r.until(t, "nothing is left", func(l *ledger) bool {
		return !l.state.HeardAt.IsZero() && l.state.Lag["0"] == 0 && len(l.state.Lag) == 3
	})
	r.stop(t)
	if len(l.marks) > 0 || len(l.gaps) > 0 {
		t.Errorf("marks %v, gaps %v of a topic that does not hold all rows", l.marks, l.gaps)
	}
	told := len(l.told)
	r = l.start(t, s, false)
	c.mustWrite(t, topic, 0, put("d", 1))
	r.untilRows(t, "a=14 b=15 d=1")
	r.stop(t)
	if len(l.told) != told+1 {
		t.Errorf("%d rows were told after a restart, want the new one", len(l.told)-told)
	}
}

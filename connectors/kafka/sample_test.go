package kafka

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/kafka/value"
)

// A check reads what there is from the beginning, whatever start says, ends at its
// end, and tells no group.
func TestCheckReadsTheFirstRecordsAndTellsNobody(t *testing.T) {
	c := newCluster(t, mustBrokers(t))
	topic := c.mustTopic(t, 2)
	c.mustWrite(t, topic, 0, put("a", 1), put("b", 1).in(1))
	s := mustSource(t, newConfig(c.brokers, topic, func(c *Config) { c.Start, c.Group = Latest, topic }), nil)
	l := newLedger()
	began := time.Now()
	if err := s.Poll(t.Context(), nil, l.emit); err != nil || l.shown() != "a=1 b=1" {
		t.Errorf("%q, %v", l.shown(), err)
	}
	if took := time.Since(began); took >= sampleFor {
		t.Errorf("it took %s, although all was read", took)
	}
	if err := c.wantOffsets(t, topic, -1, -1); err != nil {
		t.Error(err)
	}
}

// What keeps records from being rows is said, not only that there are none.
func TestCheckSaysWhatIsAway(t *testing.T) {
	c := newCluster(t, mustBrokers(t))
	topic := c.mustTopic(t, 1)
	c.mustWrite(t, topic, 0, message{key: "a", value: []byte{0, 0, 0, 0, 7, 2}})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := listener.Addr().String()
	listener.Close()
	for want, change := range map[string]func(*Config){
		"there is no topic":  func(c *Config) { c.Topic = topic + ".gone" },
		"connection refused": func(c *Config) { c.Brokers = []string{closed} },
		"the schema registry " + closed + " does not answer": func(c *Config) {
			c.Format, c.SchemaRegistry = "avro", &value.Registry{URL: []string{"http://" + closed}, Timeout: c.Timeout}
		},
	} {
		err := mustSource(t, newConfig(c.brokers, topic, change), nil).Poll(t.Context(), nil, func(context.Context, connectors.Batch) error { return nil })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

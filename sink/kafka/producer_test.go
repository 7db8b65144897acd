package kafka

import (
	"fmt"
	"math"
	"testing"

	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

func TestEpochsThatAreUsedUpAreFollowedByAnotherProducer(t *testing.T) {
	brokers := mustBrokers(t)
	c := newCluster(t, brokers)
	name := c.mustTopic(t, newName(), 1)
	p := newProxy(t)
	s := mustSink(t, newConfig(brokers, name, nil), p.dial)
	mustDeliver(t, s, sinktest.Completed("a", 1))
	first := s.producer
	s.partition(0).next.epoch, s.partition(0).next.sequence = math.MaxInt16, 0
	mustDeliver(t, s, sinktest.Completed("a", 2))
	p.once(lose)
	if _, err := s.Deliver(limit(t), sinktest.Completed("a", 3)); err == nil {
		t.Fatal("deliver = nil, want an error")
	}
	mustDeliver(t, s, sinktest.Completed("a", 4))
	if got := generations(c.mustLog(t, name), "cards/a"); got != "1 2 3 4" || s.producer == first {
		t.Errorf("generations = %s of producer %d, want 1 2 3 4, not of %d", got, s.producer, first)
	}
}

func TestSequenceThatIsUsedUpIsFollowedByAnotherEpoch(t *testing.T) {
	brokers := mustBrokers(t)
	c := newCluster(t, brokers)
	name := c.mustTopic(t, newName(), 1)
	s := mustSink(t, newConfig(brokers, name, nil), nil)
	mustDeliver(t, s, sinktest.Completed("a", 1))
	s.producer += 1 << 20 // of which the partition knows nothing
	s.partition(0).next = stamp{producer: s.producer, sequence: math.MaxInt32 - 1}
	for generation := range int64(4) {
		mustDeliver(t, s, sinktest.Completed("a", generation+2))
	}
	if got := generations(c.mustLog(t, name), "cards/a"); got != "1 2 3 4 5" {
		t.Errorf("generations = %s, want 1 2 3 4 5", got)
	}
	if got, want := s.partition(0).next, (stamp{producer: s.producer, epoch: 1, sequence: 2}); got != want {
		t.Errorf("the next has %+v, want %+v", got, want)
	}
}

// As after an election that lost records.
func TestBrokerThatRemembersAnotherPastIsWrittenOn(t *testing.T) {
	brokers := mustBrokers(t)
	c := newCluster(t, brokers)
	name := c.mustTopic(t, newName(), 1)
	s := mustSink(t, newConfig(brokers, name, nil), nil)
	mustDeliver(t, s, sinktest.Completed("a", 1))
	s.partition(0).next.sequence += 5
	mustDeliver(t, s, sinktest.Completed("a", 2))
	s.partition(0).next.epoch--
	mustDeliver(t, s, sinktest.Completed("a", 3))
	if got := generations(c.mustLog(t, name), "cards/a"); got != "1 2 3" {
		t.Errorf("generations = %s, want 1 2 3", got)
	}
}

func TestConnectionsAreGivenUpAtRest(t *testing.T) {
	brokers := mustBrokers(t)
	name := newCluster(t, brokers).mustTopic(t, newName(), 1)
	p := newProxy(t)
	s := mustSink(t, newConfig(brokers, name, nil), p.dial)
	mustDeliver(t, s, sinktest.Completed("a", 1))
	if p.open() == 0 {
		t.Fatal("there is no connection")
	}
	s.rest.Reset(0)
	for end := limit(t); p.open() > 0; {
		if end.Err() != nil {
			t.Fatalf("%d connections are left", p.open())
		}
	}
	mustDeliver(t, s, sinktest.Completed("a", 2))
}

// A sink that another one takes the place of is closed, also amid a delivery.
func TestClosedSinkLetsGoOfItsConnections(t *testing.T) {
	brokers := mustBrokers(t)
	name := newCluster(t, brokers).mustTopic(t, newName(), 1)
	p := newProxy(t)
	s := mustSink(t, newConfig(brokers, name, nil), p.dial)
	mustDeliver(t, s, sinktest.Completed("a", 1))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for end := limit(t); p.open() > 0; {
		if end.Err() != nil {
			t.Fatalf("%d connections are left", p.open())
		}
	}
	mustDeliver(t, s, sinktest.Completed("a", 2))
}

func BenchmarkDeliverAll(b *testing.B) {
	brokers := mustBrokers(b)
	name := newCluster(b, brokers).mustTopic(b, newName(), 6)
	s := mustSink(b, newConfig(brokers, name, nil), nil)
	ds := make([]sink.Delivery, most)
	for i := range ds {
		ds[i] = sinktest.Completed(fmt.Sprint(i), 1)
	}
	n := 0
	for b.Loop() {
		for _, o := range s.DeliverAll(b.Context(), ds) {
			if o.Err != nil {
				b.Fatal(o.Err)
			}
			n++
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "deliveries/s")
}

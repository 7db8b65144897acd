package kafka

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	segment "github.com/segmentio/kafka-go"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
)

func TestConnectionsThatAreCutOrSwallowedAreMadeAgain(t *testing.T) {
	c := newCluster(t, mustBrokers(t))
	topic := c.mustTopic(t, 2)
	p := newProxy(t)
	s := mustSource(t, newConfig(c.brokers, topic, func(c *Config) { c.Timeout = config.Duration(time.Second) }), p.dial)
	l := newLedger()
	r := l.start(t, s, false)
	c.mustWrite(t, topic, 0, put("a", 1))
	r.untilRows(t, "a=1")
	for n := range 5 {
		p.cut()
		c.mustWrite(t, topic, 0, put("a", n), put("b", n).in(1))
		r.untilRows(t, fmt.Sprintf("a=%d b=%d", n, n))
	}
	p.setHole(true)
	c.mustWrite(t, topic, 0, put("a", 9), put("b", 9).in(1))
	r.until(t, "a person is told", func(l *ledger) bool { return l.state.Warning != nil })
	p.setHole(false)
	r.untilRows(t, "a=9 b=9")
	r.until(t, "all is well again", func(l *ledger) bool { return l.state.Warning == nil && l.state.Lag["1"] == 0 })
	r.stop(t)
	if len(l.gaps)+len(l.marks)+len(l.faults) > 0 {
		t.Errorf("gaps %q, marks %v, faults %v", l.gaps, l.marks, l.faults)
	}
}

// Brokers that are away for long end the stream with the reason, and the next one goes on.
func TestBrokersThatAreAwayEndTheStreamWithTheReason(t *testing.T) {
	c := newCluster(t, mustBrokers(t))
	topic := c.mustTopic(t, 1)
	p := newProxy(t)
	s := mustSource(t, newConfig(c.brokers, topic, func(c *Config) { c.Timeout = config.Duration(time.Second) }), p.dial)
	l := newLedger()
	p.setHole(true)
	r := l.start(t, s, false)
	if err := <-r.done; err == nil || !strings.Contains(err.Error(), "no answer within 1s from "+c.brokers[0]) {
		t.Fatalf("stream = %v", err)
	}
	p.setHole(false)
	c.mustWrite(t, topic, 0, put("a", 1))
	l.read(t, s, "a=1")
}

// P20: members of the group that is told come and go, and it is nothing to the reading.
func TestGroupIsToldAndNeverAsked(t *testing.T) {
	c := newCluster(t, mustBrokers(t))
	topic := c.mustTopic(t, 2)
	c.mustWrite(t, topic, 0, put("a", 1), put("b", 1).in(1))
	s := mustSource(t, newConfig(c.brokers, topic, func(c *Config) { c.Group = topic }), nil)
	l := newLedger()
	r := l.start(t, s, false)
	r.untilRows(t, "a=1 b=1")
	eventually(t, "the group is told", func() error { return c.wantOffsets(t, topic, 1, 1) })

	other, err := segment.NewConsumerGroup(segment.ConsumerGroupConfig{ID: topic, Brokers: c.brokers, Topics: []string{topic}})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "somebody else is a member", func() error { _, err := other.Next(t.Context()); return err })
	c.mustWrite(t, topic, 0, put("a", 2))
	r.untilRows(t, "a=2 b=1")
	r.until(t, "a person is told", func(l *ledger) bool {
		return l.state.Warning != nil && strings.Contains(l.state.Warning.Error(), "somebody else reads as the consumer group")
	})
	other.Close()
	eventually(t, "the group is told again", func() error { return c.wantOffsets(t, topic, 2, 1) })
	r.until(t, "all is well again", func(l *ledger) bool { return l.state.Warning == nil })
	r.stop(t)
	if len(l.told) != 3 {
		t.Errorf("%d rows were told, want each once", len(l.told))
	}

	// What somebody else commits is nothing to it either.
	if _, err := c.client.OffsetCommit(t.Context(), &segment.OffsetCommitRequest{GroupID: topic, GenerationID: -1, Topics: map[string][]segment.OffsetCommit{topic: {{Partition: 0, Offset: 0}}}}); err != nil {
		t.Fatal(err)
	}
	c.mustWrite(t, topic, 0, put("z", 1))
	l.read(t, s, "a=2 b=1 z=1")
	if len(l.told) != 4 {
		t.Errorf("%d rows were told, want one more", len(l.told))
	}
	if err := s.Release(t.Context()); err != nil {
		t.Errorf("release = %v", err)
	}
	if err := c.wantOffsets(t, topic, -1, -1); err != nil {
		t.Errorf("after its release: %v", err)
	}
	if err := s.Release(t.Context()); err != nil {
		t.Errorf("release of what is released = %v", err)
	}
}

// wantOffsets wants those of the topic's group, by partition.
func (c *cluster) wantOffsets(tb testing.TB, topic string, want ...int64) error {
	tb.Helper()
	numbers := make([]int, len(want))
	for i := range want {
		numbers[i] = i
	}
	answer, err := c.client.OffsetFetch(tb.Context(), &segment.OffsetFetchRequest{GroupID: topic, Topics: map[string][]int{topic: numbers}})
	if err != nil {
		return err
	}
	for _, p := range answer.Topics[topic] {
		if p.CommittedOffset != want[p.Partition] {
			return fmt.Errorf("the group is at %d of partition %d, want %d", p.CommittedOffset, p.Partition, want[p.Partition])
		}
	}
	return nil
}

const script = "../../scripts/kafka.sh"

// A trio is three brokers of this package's tests alone, to be ended and frozen.
type trio struct {
	dir     string
	brokers []string
}

var startTrio = sync.OnceValues(func() (*trio, error) {
	dir, err := os.MkdirTemp(os.Getenv("PICTIFYD_TEST_FOLDER"), "pictifyd-kafka-") // make test ends what a test leaves there
	if err != nil {
		return nil, err
	}
	o := &trio{dir: dir}
	started = o
	return o, o.start("3")
})

// started is what TestMain ends.
var started *trio

func TestMain(m *testing.M) {
	code := m.Run()
	if started != nil {
		for node := 1; node <= 3; node++ {
			_ = started.signal(node, syscall.SIGCONT)
		}
		_ = exec.Command(script, "stop", started.dir).Run()
		os.RemoveAll(started.dir)
	}
	os.Exit(code)
}

func (o *trio) start(nodes ...string) error {
	out, err := exec.Command(script, append([]string{"start", o.dir}, nodes...)...).Output()
	o.brokers = strings.Split(strings.TrimSpace(string(out)), ",")
	return err
}

func (o *trio) mustStart(tb testing.TB) {
	tb.Helper()
	if err := o.start(); err != nil {
		tb.Fatal(err)
	}
}

func (o *trio) mustKill(tb testing.TB, node int) {
	tb.Helper()
	if err := exec.Command(script, "kill", o.dir, strconv.Itoa(node)).Run(); err != nil {
		tb.Fatal(err)
	}
}

func (o *trio) signal(node int, s syscall.Signal) error {
	text, err := os.ReadFile(filepath.Join(o.dir, strconv.Itoa(node), "pid"))
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	return syscall.Kill(pid, s)
}

// One of three is lost, one is frozen, all are ended: whatever was confirmed is read, in
// its order, and nothing twice but what its producer wrote twice.
func TestReadingGoesOnOverBrokersThatDieAndFreeze(t *testing.T) {
	mustBrokers(t)
	o, err := startTrio()
	if err != nil {
		t.Fatal(err)
	}
	c := newCluster(t, o.brokers)
	topic := c.mustTopic(t, 6, "min.insync.replicas=1")
	s := mustSource(t, newConfig(o.brokers, topic, func(c *Config) { c.Timeout = config.Duration(2 * time.Second) }), nil)
	l := newLedger()
	begin := func() *run {
		r := l.start(t, s, false)
		r.again = func() connectors.Streamer { return s } // as the daemon does
		return r
	}
	r := begin()
	n := 0
	goesOn := func(what string) {
		t.Helper()
		began := time.Now()
		for range 3 {
			n++
			var want []string
			for p := range 6 {
				c.mustWrite(t, topic, 0, put(fmt.Sprintf("p%d", p), n).in(p))
				want = append(want, fmt.Sprintf("p%d=%d", p, n))
			}
			r.untilRows(t, strings.Join(want, " "))
		}
		t.Logf("%s: it went on within %s", what, time.Since(began).Round(100*time.Millisecond))
	}
	goesOn("at rest")
	if err := o.signal(2, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	goesOn("one is frozen")
	if err := o.signal(2, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	goesOn("it is thawed")
	o.mustKill(t, 3)
	goesOn("one is lost")
	o.mustKill(t, 1)
	o.mustKill(t, 2)
	o.mustStart(t)
	goesOn("all were ended")
	r.stop(t)
	last := map[string]int{}
	for _, row := range l.told {
		key, is := fmt.Sprint(row.Key[0]), 0
		fmt.Sscan(fmt.Sprint(row.Values["n"]), &is)
		if is < last[key] {
			t.Errorf("%s: %d was told behind %d", key, is, last[key])
		}
		last[key] = is
	}
	if len(l.gaps)+len(l.marks)+len(l.faults) > 0 {
		t.Errorf("gaps %q, marks %v, faults %v", l.gaps, l.marks, l.faults)
	}
}

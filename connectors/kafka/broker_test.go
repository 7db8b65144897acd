package kafka

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	segment "github.com/segmentio/kafka-go"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	wire "github.com/pictifyd/pictifyd/internal/kafka"
)

// mustBrokers are those that make test starts.
func mustBrokers(tb testing.TB) []string {
	tb.Helper()
	brokers := os.Getenv("PICTIFYD_TEST_KAFKA")
	if brokers == "" {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			tb.Fatal("PICTIFYD_TEST_KAFKA is not set")
		}
		tb.Skip("PICTIFYD_TEST_KAFKA is not set: make test sets it")
	}
	return strings.Split(brokers, ",")
}

// A cluster is brokers as their operator has them.
type cluster struct {
	brokers []string
	client  *segment.Client
}

func newCluster(tb testing.TB, brokers []string) *cluster {
	transport := &segment.Transport{MetadataTTL: time.Second}
	tb.Cleanup(transport.CloseIdleConnections)
	return &cluster{brokers, &segment.Client{Addr: segment.TCP(brokers...), Timeout: 10 * time.Second, Transport: transport}}
}

// forget has the brokers asked anew about their topics.
func (c *cluster) forget() { c.client.Transport.(*segment.Transport).CloseIdleConnections() }

// mustTopic makes a topic with settings as "cleanup.policy=compact".
func (c *cluster) mustTopic(tb testing.TB, partitions int, settings ...string) string {
	tb.Helper()
	name := "goods-" + strings.ToLower(rand.Text())
	c.mustMake(tb, name, partitions, min(len(c.brokers), 3), settings...)
	return name
}

func (c *cluster) mustMake(tb testing.TB, name string, partitions, replicas int, settings ...string) {
	tb.Helper()
	wanted := segment.TopicConfig{Topic: name, NumPartitions: partitions, ReplicationFactor: replicas}
	for _, s := range settings {
		key, value, _ := strings.Cut(s, "=")
		wanted.ConfigEntries = append(wanted.ConfigEntries, segment.ConfigEntry{ConfigName: key, ConfigValue: value})
	}
	eventually(tb, "topic "+name+" is made", func() error {
		answer, err := c.client.CreateTopics(tb.Context(), &segment.CreateTopicsRequest{Topics: []segment.TopicConfig{wanted}})
		if err == nil {
			err = answer.Errors[name]
		}
		return err
	})
	c.forget()
}

func (c *cluster) mustDelete(tb testing.TB, name string) {
	tb.Helper()
	answer, err := c.client.DeleteTopics(tb.Context(), &segment.DeleteTopicsRequest{Topics: []string{name}})
	if err == nil {
		err = answer.Errors[name]
	}
	if err != nil {
		tb.Fatalf("delete topic %s: %v", name, err)
	}
}

// eventually tries until ok returns nil.
func eventually(tb testing.TB, what string, ok func() error) {
	tb.Helper()
	var err error
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if err = ok(); err == nil {
			return
		}
	}
	tb.Fatalf("%s: %v", what, err)
}

// A message is one to be written. Its value is JSON, unless it is nil.
type message struct {
	partition int
	key       string
	value     []byte
}

func put(key string, n int) message {
	return message{key: key, value: fmt.Appendf(nil, `{"id":%q,"n":%d}`, key, n)}
}

func tombstone(key string) message { return message{key: key} }

func (m message) in(partition int) message { m.partition = partition; return m }

// mustWrite writes messages as one batch for each partition, packed as asked.
func (c *cluster) mustWrite(tb testing.TB, topic string, packed segment.Compression, messages ...message) {
	tb.Helper()
	byPartition := map[int][]message{}
	for _, m := range messages {
		byPartition[m.partition] = append(byPartition[m.partition], m)
	}
	for partition, messages := range byPartition {
		eventually(tb, "write to "+topic, func() error {
			answer, err := c.client.Produce(tb.Context(), &segment.ProduceRequest{
				Topic: topic, Partition: partition, RequiredAcks: segment.RequireAll, Compression: packed, Records: recordsOf(messages),
			})
			if err == nil {
				err = answer.Error
			}
			if err != nil {
				c.forget()
			}
			return err
		})
	}
}

// recordsOf can be read once.
func recordsOf(messages []message) segment.RecordReader {
	records := make([]segment.Record, len(messages))
	for i, m := range messages {
		records[i].Key = segment.NewBytes([]byte(m.key))
		if m.value != nil {
			records[i].Value = segment.NewBytes(m.value)
		}
	}
	return segment.NewRecordReader(records...)
}

func newConfig(brokers []string, topic string, change func(*Config)) *Config {
	c := Kind.Config().(*Config)
	c.Brokers, c.Topic, c.Timeout, c.Key = brokers, topic, config.Duration(3*time.Second), config.Strings{"id"}
	if change != nil {
		change(c)
	}
	return c
}

func mustSource(tb testing.TB, c *Config, dial wire.DialFunc) *source {
	tb.Helper()
	if err := c.Validate(); err != nil {
		tb.Fatalf("validate: %v", err)
	}
	s, err := newSource(c, connectors.Env{Name: "goods", Log: slog.New(slog.DiscardHandler)}, dial)
	if err != nil {
		tb.Fatalf("new kafka source: %v", err)
	}
	return s
}

// A ledger keeps what a stream emits, as the store does: rows with the cursor.
type ledger struct {
	mu sync.Mutex

	cursor   connectors.Cursor
	rows     map[string]connectors.Row // by key, those that are there
	told     []connectors.Row          // all, in their order
	faults   []connectors.Fault
	gaps     []string
	marks    []connectors.SnapshotMark
	seen     map[string]bool // since a snapshot began; nil: none is under way
	state    connectors.StreamState
	warnings []string
	refuse   error // what Emit returns from now on

	refuseAfter int // batches that are taken until then; 0 is no limit
}

func newLedger() *ledger { return &ledger{rows: map[string]connectors.Row{}} }

func (l *ledger) emit(_ context.Context, b connectors.Batch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refuse != nil {
		return l.refuse
	}
	if l.refuseAfter == 1 {
		return errKilled
	}
	l.refuseAfter = max(l.refuseAfter-1, 0)
	mark := b.Closes.Snapshot
	if mark.Begins {
		l.seen = map[string]bool{}
	}
	for _, r := range b.Rows {
		key := fmt.Sprint(r.Key...)
		l.told = append(l.told, r)
		if r.Deleted {
			delete(l.rows, key)
			continue
		}
		l.rows[key] = r
		if l.seen != nil {
			l.seen[key] = true
		}
	}
	l.faults = append(l.faults, b.Faults...)
	for _, f := range b.Faults {
		if l.seen != nil && f.Key != nil {
			l.seen[fmt.Sprint(f.Key...)] = true
		}
	}
	if mark.Ends && mark.Partial {
		l.seen = nil
	} else if mark.Ends {
		for key := range l.rows {
			if !l.seen[key] {
				delete(l.rows, key)
			}
		}
		l.seen = nil
	}
	if mark != (connectors.SnapshotMark{}) {
		l.marks = append(l.marks, mark)
	}
	if b.Closes.Gap != "" {
		l.gaps = append(l.gaps, b.Closes.Gap)
	}
	if b.Closes.Cursor != nil {
		l.cursor = b.Closes.Cursor
	}
	return nil
}

func (l *ledger) report(s connectors.StreamState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.state = s
	if s.Warning != nil && (len(l.warnings) == 0 || l.warnings[len(l.warnings)-1] != s.Warning.Error()) {
		l.warnings = append(l.warnings, s.Warning.Error())
	}
}

// A run is a stream that runs.
type run struct {
	*ledger
	cancel context.CancelFunc
	done   chan error
	again  func() connectors.Streamer // what is streamed once more after an error; nil: nothing is
}

// start has s streamed into l, from where l is.
func (l *ledger) start(tb testing.TB, s *source, anew bool) *run {
	ctx, cancel := context.WithCancel(tb.Context())
	r := &run{ledger: l, cancel: cancel, done: make(chan error, 1)}
	l.mu.Lock()
	from := l.cursor
	l.mu.Unlock()
	go func() {
		r.done <- s.Stream(ctx, from, connectors.Stream{Emit: l.emit, Report: l.report, Resnapshot: anew})
	}()
	tb.Cleanup(func() { cancel() })
	return r
}

// stop ends the stream as a shutdown does.
func (r *run) stop(tb testing.TB) {
	tb.Helper()
	r.cancel()
	if err := <-r.done; err != nil {
		tb.Fatalf("stream: %v", err)
	}
}

// until waits for what must come.
func (r *run) until(tb testing.TB, what string, ok func(l *ledger) bool) {
	tb.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		r.mu.Lock()
		good := ok(r.ledger)
		r.mu.Unlock()
		if good {
			return
		}
		select {
		case err := <-r.done:
			if r.again == nil || err == nil || connectors.IsHalt(err) {
				tb.Fatalf("until %s: the stream ended: %v", what, err)
			}
			tb.Logf("the stream ended: %v", err)
			next := r.start(tb, r.again().(*source), false)
			r.cancel, r.done = next.cancel, next.done
		default:
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	tb.Fatalf("%s: never; %d rows %v, state %+v, gaps %q, marks %v, faults %+v", what, len(r.rows), r.shown(), r.state, r.gaps, r.marks, r.faults)
}

// untilRows waits for the rows "key=n", in the order of their keys.
func (r *run) untilRows(tb testing.TB, want string) {
	tb.Helper()
	r.until(tb, "rows "+want, func(l *ledger) bool { return l.shown() == want })
}

// shown are the rows there are. The caller holds mu.
func (l *ledger) shown() string {
	var all []string
	for key, r := range l.rows {
		all = append(all, fmt.Sprintf("%s=%v", key, r.Values["n"]))
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

var errKilled = errors.New("killed")

// kill ends the stream as a crash does: nothing that is not committed comes to be.
func (r *run) kill(tb testing.TB) {
	tb.Helper()
	r.mu.Lock()
	r.refuse = errKilled
	r.mu.Unlock()
	r.cancel()
	<-r.done
	r.mu.Lock()
	r.refuse = nil
	r.mu.Unlock()
}

var errTooSoon = errors.New("not yet")

func newKey(i int) string { return fmt.Sprintf("k%05d", i) }

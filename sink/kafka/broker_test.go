package kafka

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	segment "github.com/segmentio/kafka-go"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/sinktest"
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

func newName() string { return "images-" + strings.ToLower(rand.Text()) }

// mustTopic makes a topic with settings as "cleanup.policy=compact".
func (c *cluster) mustTopic(tb testing.TB, name string, partitions int, settings ...string) string {
	tb.Helper()
	wanted := segment.TopicConfig{Topic: name, NumPartitions: partitions, ReplicationFactor: 1}
	for _, s := range settings {
		key, value, _ := strings.Cut(s, "=")
		wanted.ConfigEntries = append(wanted.ConfigEntries, segment.ConfigEntry{ConfigName: key, ConfigValue: value})
	}
	answer, err := c.client.CreateTopics(tb.Context(), &segment.CreateTopicsRequest{Topics: []segment.TopicConfig{wanted}})
	if err == nil {
		err = answer.Errors[name]
	}
	if err != nil {
		tb.Fatalf("create topic %s: %v", name, err)
	}
	return name
}

// A stored record is one as a consumer reads it.
type stored struct {
	partition int
	offset    int64
	key       string
	value     []byte // nil is a tombstone
	headers   map[string]string
}

func (s stored) generation() int {
	n, _ := strconv.Atoi(s.headers["generation"])
	return n
}

// mustLog is all that the topic holds, each partition in its order.
func (c *cluster) mustLog(tb testing.TB, topic string) []stored {
	tb.Helper()
	c.forget()
	meta, err := c.client.Metadata(tb.Context(), &segment.MetadataRequest{Topics: []string{topic}})
	if err != nil || meta.Topics[0].Error != nil {
		tb.Fatalf("look at topic %s: %v, %v", topic, err, meta)
	}
	var all []stored
	for _, p := range meta.Topics[0].Partitions {
		for next := int64(0); ; {
			answer, err := c.client.Fetch(tb.Context(), &segment.FetchRequest{
				Topic: topic, Partition: p.ID, Offset: next, MinBytes: 1, MaxBytes: 64 << 20, MaxWait: time.Millisecond,
			})
			if err == nil {
				err = answer.Error
			}
			if isOneOf(err, passing) { // it was just made
				c.forget()
				continue
			}
			if err != nil {
				tb.Fatalf("fetch %s/%d@%d: %v", topic, p.ID, next, err)
			}
			got, err := read(answer.Records, p.ID)
			if err != nil {
				tb.Fatalf("read %s/%d: %v", topic, p.ID, err)
			}
			all = append(all, got...)
			if len(got) > 0 {
				next = got[len(got)-1].offset + 1
			}
			if next >= answer.HighWatermark {
				break
			}
		}
	}
	return all
}

func read(records segment.RecordReader, partition int) ([]stored, error) {
	var all []stored
	for {
		r, err := records.ReadRecord()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		s := stored{partition: partition, offset: r.Offset, headers: map[string]string{}}
		key, err := segment.ReadAll(r.Key)
		if err != nil {
			return nil, err
		}
		s.key = string(key)
		if r.Value != nil {
			if s.value, err = segment.ReadAll(r.Value); err != nil {
				return nil, err
			}
		}
		for _, h := range r.Headers {
			s.headers[h.Key] = string(h.Value)
		}
		all = append(all, s)
	}
}

// hash is the picture that the record's value tells of.
func (s stored) hash() string {
	var value struct {
		Data struct {
			Hash string `json:"contentHash"`
		} `json:"data"`
	}
	_ = json.Unmarshal(s.value, &value)
	return value.Data.Hash
}

// last is the record of a key that a compacted topic would keep.
func last(log []stored, key string) (found stored, ok bool) {
	for _, s := range log {
		if s.key == key && s.headers["event"] != sink.RenderFailed {
			found, ok = s, true
		}
	}
	return found, ok
}

// newConfig is a sink's configuration with what change does to it.
func newConfig(brokers []string, topic string, change func(*Config)) *Config {
	c := Kind.Config().(*Config)
	c.Brokers, c.Topic, c.Timeout = brokers, topic, config.Duration(5*time.Second)
	if change != nil {
		change(c)
	}
	return c
}

func mustSink(tb testing.TB, c *Config, dial dialFunc) *topic {
	tb.Helper()
	if err := c.Validate(); err != nil {
		tb.Fatalf("validate: %v", err)
	}
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	t, err := newTopic(c, sink.Env{Name: "events", Log: slog.New(slog.DiscardHandler)}, dial)
	if err != nil {
		tb.Fatalf("new kafka sink: %v", err)
	}
	tb.Cleanup(t.transport.CloseIdleConnections)
	return t
}

func mustDeliver(tb testing.TB, s sink.Sink, d sink.Delivery) sink.Receipt {
	tb.Helper()
	r, err := s.Deliver(limit(tb), d)
	if err != nil {
		tb.Fatalf("deliver generation %d of %q: %v", d.Generation, d.Key, err)
	}
	return r
}

// limit ends what hangs, long after it should have ended.
func limit(tb testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(tb.Context(), 30*time.Second)
	tb.Cleanup(cancel)
	return ctx
}

func removed(key string, generation int64) sink.Delivery {
	d := sinktest.Completed(key, generation)
	d.Event = sink.ImageRemoved
	return d
}

// generations are those of a key in the log, one after the other.
func generations(log []stored, key string) string {
	var all []string
	for _, s := range log {
		if s.key == key {
			all = append(all, fmt.Sprint(s.generation()))
		}
	}
	return strings.Join(all, " ")
}

package kafka

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	segment "github.com/segmentio/kafka-go"

	"github.com/pictifyd/pictifyd/connectors"
)

const benchRecords = 100_000

// newFull is a topic with 100,000 records of 200 bytes.
func newFull(tb testing.TB, c *cluster) string {
	topic := c.mustTopic(tb, 1)
	pad := strings.Repeat("x", 150)
	for first := 0; first < benchRecords; first += 1000 {
		var all []message
		for i := first; i < first+1000; i++ {
			all = append(all, message{key: newKey(i), value: fmt.Appendf(nil, `{"id":%q,"n":%d,"pad":%q}`, newKey(i), i, pad)})
		}
		c.mustWrite(tb, topic, 0, all...)
	}
	return topic
}

// perSecond reports the records per second, and the most heap that was seen.
func perSecond(b *testing.B, read func()) {
	var most uint64
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapInuse)
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	began := time.Now()
	for b.Loop() {
		read()
	}
	b.ReportMetric(float64(b.N)*benchRecords/time.Since(began).Seconds(), "records/s")
	close(done)
	<-ended
	b.ReportMetric(float64(most)/(1<<20), "heap-MB")
}

// All records become rows, and are emitted.
func BenchmarkSource(b *testing.B) {
	c := newCluster(b, mustBrokers(b))
	s := mustSource(b, newConfig(c.brokers, newFull(b, c), nil), nil)
	perSecond(b, func() {
		ctx, cancel := context.WithCancel(b.Context())
		n := 0
		emit := func(_ context.Context, batch connectors.Batch) error {
			if n += len(batch.Rows); n == benchRecords {
				cancel()
			}
			return nil
		}
		if err := s.Stream(ctx, nil, connectors.Stream{Emit: emit, Report: func(connectors.StreamState) {}}); err != nil || n != benchRecords {
			b.Fatalf("%d rows, %v", n, err)
		}
	})
}

// kafka-go's Reader, which makes no rows of the records.
func BenchmarkReader(b *testing.B) {
	c := newCluster(b, mustBrokers(b))
	topic := newFull(b, c)
	perSecond(b, func() {
		r := segment.NewReader(segment.ReaderConfig{Brokers: c.brokers, Topic: topic, MaxBytes: 8 << 20, MaxWait: 500 * time.Millisecond})
		defer r.Close()
		for range benchRecords {
			if _, err := r.ReadMessage(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}

package daemon

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/pictifyd/pictifyd/render/rendertest"
)

// A topic is one of the tests' broker, with a producer.
type topic struct {
	tb      testing.TB
	name    string
	brokers string
	client  *kafka.Client
}

func newTopic(tb testing.TB, partitions int, settings ...kafka.ConfigEntry) *topic {
	tb.Helper()
	brokers := os.Getenv("PICTIFYD_TEST_KAFKA")
	if brokers == "" {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			tb.Fatal("PICTIFYD_TEST_KAFKA is not set")
		}
		tb.Skip("PICTIFYD_TEST_KAFKA is not set: make test sets it")
	}
	transport := &kafka.Transport{MetadataTTL: time.Second}
	tb.Cleanup(transport.CloseIdleConnections)
	t := &topic{tb: tb, name: "rows-" + strings.ToLower(rand.Text()), brokers: brokers}
	t.client = &kafka.Client{Addr: kafka.TCP(strings.Split(brokers, ",")...), Timeout: 20 * time.Second, Transport: transport}
	eventually(tb, "the topic", func() bool {
		answer, err := t.client.CreateTopics(context.Background(), &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{
			{Topic: t.name, NumPartitions: partitions, ReplicationFactor: 1, ConfigEntries: settings},
		}})
		return err == nil && answer.Errors[t.name] == nil
	})
	return t
}

// put produces one record; a value of "" is a tombstone.
func (t *topic) put(partition int, key, value string) {
	t.tb.Helper()
	eventually(t.tb, "the record is written", func() bool {
		record := kafka.Record{Key: kafka.NewBytes([]byte(key))} // which a try reads to its end
		if value != "" {
			record.Value = kafka.NewBytes([]byte(value))
		}
		answer, err := t.client.Produce(context.Background(), &kafka.ProduceRequest{
			Topic: t.name, Partition: partition, RequiredAcks: kafka.RequireAll, Records: kafka.NewRecordReader(record),
		})
		return err == nil && answer.Error == nil
	})
}

func (t *topic) named(key, name string) { t.put(0, key, fmt.Sprintf(`{"name":%q}`, name)) }

// topicSite is a site of a daemon with a binding "cards" over a topic.
func (t *topic) site(more string) *replicated {
	r := &replicated{null: &rendertest.Null{}}
	r.process.tb = t.tb
	r.site = newSite(t.tb, fmt.Sprintf(`
sources: { products: { kind: kafka, brokers: [%q], topic: %s%s } }
bindings: [ { name: cards, source: products, template: card, map: { title: name }, public: true, on_delete: remove, delete_grace: 0s } ]
`, t.brokers, t.name, more))
	return r
}

func TestRecordsOfATopicBecomeImages(t *testing.T) {
	t.Parallel()
	topic := newTopic(t, 2)
	topic.named("A", "Mug A")
	topic.put(1, "B", `{"name":"Mug B"}`)
	r := topic.site("")
	_, stop := r.begin()
	r.shows("A", "Mug A")
	r.shows("B", "Mug B")
	topic.named("A", "Cup A")
	r.shows("A", "Cup A")
	topic.put(0, "C", "this is not JSON")
	topic.put(1, "B", "")
	eventually(t, "a tombstone removes", func() bool { return r.picture("/b/cards/B.png") == "" })
	eventually(t, "what can't be read is kept out", func() bool { return r.source("products").Source.Freshness.Quarantined == 1 })
	stop()
	topic.named("C", "Jug C")
	drawn := r.null.Count()
	r.begin()
	r.shows("C", "Jug C")
	eventually(t, "nothing is kept out any more", func() bool { return r.source("products").Source.Freshness.Quarantined == 0 })
	if n := r.null.Count() - drawn; n != 1 {
		t.Errorf("%d pictures were drawn for one that is new", n)
	}
}

// A record may carry no more than the key of a row that another source has.
func TestRecordsThatNameRowsHaveThemAskedFor(t *testing.T) {
	t.Parallel()
	topic := newTopic(t, 1)
	shop := newCounter(t)
	shop.change(func() { shop.titles["A"] = "Mug A" })
	r := &replicated{null: &rendertest.Null{}}
	r.process.tb = t
	r.site = newSite(t, fmt.Sprintf(`
sources:
  shop: { kind: http, url: "%s/{{ key }}", key: sku }
  news: { kind: kafka, brokers: [%q], topic: %s, format: none, refresh: shop }
bindings: [ { name: cards, source: shop, template: card, map: { title: title }, public: true, on_delete: remove } ]
`, shop.server.URL, topic.brokers, topic.name))
	r.begin()
	topic.put(0, "A", "x")
	r.shows("A", "Mug A")
	shop.change(func() { shop.titles["A"] = "Cup A" })
	topic.put(0, "A", "x")
	r.shows("A", "Cup A")
}

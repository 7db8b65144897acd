package daemon

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"
)

// A kafkaRecord is what a consumer of the pictures reads.
type kafkaRecord struct {
	key, id    string
	generation int
	hash       string // "" for a tombstone
}

// mustTopic reads all records of a topic, each partition in its order.
func mustTopic(tb testing.TB, brokers []string, topic string, partitions int) (all []kafkaRecord) {
	tb.Helper()
	client := &kafka.Client{Addr: kafka.TCP(brokers...), Timeout: 10 * time.Second, Transport: &kafka.Transport{MetadataTopics: []string{topic}}}
	defer client.Transport.(*kafka.Transport).CloseIdleConnections()
	for partition := range partitions {
		for next := int64(0); ; {
			answer, err := client.Fetch(tb.Context(), &kafka.FetchRequest{Topic: topic, Partition: partition, Offset: next, MinBytes: 1, MaxBytes: 8 << 20, MaxWait: time.Millisecond})
			if err == nil {
				err = answer.Error
			}
			if err != nil {
				tb.Logf("fetch %s/%d: %v", topic, partition, err)
				return nil // it is being made
			}
			n := 0
			for ; ; n++ {
				r, err := answer.Records.ReadRecord()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					tb.Fatal(err)
				}
				next = r.Offset + 1
				all = append(all, kafkaRecordOf(tb, r))
			}
			if next >= answer.HighWatermark {
				break
			}
		}
	}
	return all
}

func kafkaRecordOf(tb testing.TB, r *kafka.Record) (k kafkaRecord) {
	tb.Helper()
	key, err := kafka.ReadAll(r.Key)
	if err != nil {
		tb.Fatal(err)
	}
	k.key = string(key)
	if r.Value != nil {
		value, err := kafka.ReadAll(r.Value)
		if err != nil {
			tb.Fatal(err)
		}
		var told struct{ Hash string }
		if err := json.Unmarshal(value, &told); err != nil || told.Hash == "" {
			tb.Fatalf("value %s: %v", value, err)
		}
		k.hash = told.Hash
	}
	for _, h := range r.Headers {
		switch h.Key {
		case "id":
			k.id = string(h.Value)
		case "generation":
			if k.generation, err = strconv.Atoi(string(h.Value)); err != nil {
				tb.Fatal(err)
			}
		}
	}
	return k
}

// The daemon is killed once it has written and before it knows, and at any moment
// later, while rows change and go.
func TestTopicHoldsWhatTheRowsSayOverKills(t *testing.T) {
	address := os.Getenv("PICTIFYD_TEST_KAFKA")
	if address == "" {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			t.Fatal("PICTIFYD_TEST_KAFKA is not set")
		}
		t.Skip("PICTIFYD_TEST_KAFKA is not set: make test sets it")
	}
	brokers := strings.Split(address, ",")
	const rows, kept, partitions = 120, 100, 4
	topic := "rows-" + strings.ToLower(rand.Text())
	s := newSite(t, fmt.Sprintf(`
sources: { catalog: { kind: file, path: rows.csv, key: sku, every: 1h } }
sinks: { events: { kind: kafka, brokers: [%q], topic: %s, create: { partitions: %d, compact: true }, key: row.sku, value: { hash: hash, name: row.name }, compression: zstd } }
bindings:
  - { name: cards, source: catalog, template: card, map: { title: name }, sinks: [events], public: true, on_delete: remove, delete_grace: 0s, guard: { max_changed: 100%%, max_deleted: 100%% } }
`, strings.Join(brokers, `", "`), topic, partitions))
	s.write("rows.csv", csvRows(rows, "one"))
	s.start(childCrash + "=delivery.answered:1").mustDie("delivery.answered")
	p := s.start()
	for _, word := range []string{"two", "three", "four"} {
		s.write("rows.csv", csvRows(rows, word))
		eventually(t, "some are told of "+word, func() bool { return len(mustTopic(t, brokers, topic, partitions)) > 0 })
		p.kill()
		p = s.start()
	}
	s.write("rows.csv", csvRows(kept, "last"))
	var log []kafkaRecord
	eventually(t, "the topic is what the rows are", func() bool {
		log = mustTopic(t, brokers, topic, partitions)
		last := map[string]string{}
		for _, r := range log {
			last[r.key] = r.hash
		}
		if len(last) != rows {
			return false
		}
		for i := range rows {
			key := fmt.Sprintf("SKU-%03d", i)
			if tag := strings.Trim(etag(t, p.url+"/b/cards/"+key+".png"), `"`); tag != last[key] || i < kept == (tag == "") {
				return false
			}
		}
		return true
	})
	before, ids := map[string]int{}, map[string]string{}
	repeated := 0
	for _, r := range log {
		if r.generation < before[r.key] {
			t.Errorf("%s: generation %d stands behind %d", r.key, r.generation, before[r.key])
		}
		before[r.key] = r.generation
		if of := fmt.Sprint(r.key, " ", r.generation); ids[r.id] == of {
			repeated++
		} else if ids[r.id] != "" {
			t.Errorf("%s is the id of %s and of %s", r.id, ids[r.id], of)
		} else {
			ids[r.id] = of
		}
	}
	if repeated == 0 {
		t.Error("nothing was written twice: the first kill came too early")
	}
}

package kafka

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	segment "github.com/segmentio/kafka-go"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

func TestKafkaConforms(t *testing.T) {
	brokers := mustBrokers(t)
	sinktest.Run(t, func(tb testing.TB) sinktest.Subject {
		c := newCluster(tb, brokers)
		name := c.mustTopic(tb, newName(), 3)
		p := newProxy(tb)
		return sinktest.Subject{
			Sink: mustSink(tb, newConfig(brokers, name, nil), p.dial),
			Holds: func(key string) string {
				s, _ := last(c.mustLog(tb, name), "cards/"+key)
				return s.hash()
			},
			Effects: func(key string) int {
				ids := map[string]bool{}
				for _, s := range c.mustLog(tb, name) {
					if s.key == "cards/"+key {
						ids[s.headers["id"]] = true
					}
				}
				return len(ids)
			},
			Break: func(f sinktest.Fault) (func(), bool) {
				switch f {
				case sinktest.Down:
					p.setDown(true)
					return func() { p.setDown(false) }, true
				case sinktest.Hung:
					p.produce(swallow)
					return func() { p.set(nil) }, true
				}
				return nil, false
			},
		}
	})
}

func TestRecordsOfAKeyAreInOrderInThePartitionThatOtherClientsChoose(t *testing.T) {
	brokers := mustBrokers(t)
	c := newCluster(t, brokers)
	name := c.mustTopic(t, newName(), 7)
	s := mustSink(t, newConfig(brokers, name, nil), nil)
	for generation := range int64(20) {
		var ds []sink.Delivery
		for key := range 60 {
			ds = append(ds, sinktest.Completed(fmt.Sprint(key), generation+1))
		}
		for i, o := range s.DeliverAll(limit(t), ds) {
			if o.Err != nil {
				t.Fatalf("deliver %s: %v", ds[i].Key, o.Err)
			}
		}
	}
	log := c.mustLog(t, name)
	used := map[int]bool{}
	for _, r := range log {
		used[r.partition] = true
	}
	if len(log) != 1200 || len(used) != 7 {
		t.Errorf("%d records in %d partitions, want 1200 in 7", len(log), len(used))
	}
	for key := range 60 {
		if got := generations(log, fmt.Sprintf("cards/%d", key)); got != "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20" {
			t.Errorf("generations of %d: %s", key, got)
		}
	}
}

// The hashes are those that the tests of Apache Kafka's own client want.
func TestPartitionIsThatOfTheJavaClient(t *testing.T) {
	var numbers []int
	for n := range 1000 {
		numbers = append(numbers, n)
	}
	for key, hash := range map[string]int32{"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971} {
		want := int(hash&math.MaxInt32) % len(numbers)
		if got := (segment.Murmur2Balancer{}).Balance(segment.Message{Key: []byte(key)}, numbers...); got != want {
			t.Errorf("%q goes to partition %d, want %d", key, got, want)
		}
	}
}

func TestRecordHasWhatAConsumerNeeds(t *testing.T) {
	brokers := mustBrokers(t)
	c := newCluster(t, brokers)
	name := c.mustTopic(t, newName(), 1, "cleanup.policy=compact")
	s := mustSink(t, newConfig(brokers, name, func(c *Config) {
		c.Key = `row.shop + ":" + key`
		c.Value = map[string]string{"image": "url", "size": "width", "all": "outputs.card.hash"}
		c.Headers = map[string]string{"tenant": "shop-{{ row.shop }}"}
		c.Compression = "zstd"
	}), nil)
	d := sinktest.Completed("a/ü", 7)
	d.Row = map[string]any{"shop": "eu"}
	if got, want := mustDeliver(t, s, d).Ref, name+"/0@0"; got != want {
		t.Errorf("ref = %q, want %q", got, want)
	}
	gone := removed("a/ü", 8)
	gone.Row = d.Row
	mustDeliver(t, s, gone)
	mustDeliver(t, s, sink.Delivery{ID: "dlv_run", Event: sink.RunCompleted, Binding: "cards", Time: d.Time, Generation: 1, Data: json.RawMessage(`{"jobId":"j"}`)})
	log := c.mustLog(t, name)
	headers := func(event, id, generation string) map[string]string {
		return map[string]string{"event": event, "id": id, "generation": generation, "binding": "cards", "time": "2026-03-01T12:00:00Z", "content-type": "application/json", "tenant": "shop-eu"}
	}
	want := []stored{
		{0, 0, "eu:a/ü", []byte(`{"all":"hash-7","image":"https://img.example/images/hash-7.png","size":1200}`), headers("render.completed", d.ID, "7")},
		{0, 1, "eu:a/ü", nil, headers("image.removed", gone.ID, "8")},
		{0, 2, "dlv_run", []byte(`{"event":"run.completed","timestamp":"2026-03-01T12:00:00Z","data":{"jobId":"j"}}`), headers("run.completed", "dlv_run", "1")},
	}
	delete(want[1].headers, "content-type")
	delete(want[2].headers, "tenant")
	if diff := cmp.Diff(want, log, cmp.AllowUnexported(stored{})); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if log[1].value != nil {
		t.Error("the value of a removal is empty, not null")
	}
}

// The broker really compacts: what a consumer finds that comes later.
func TestCompactedTopicKeepsTheNewestPictureOfEachRow(t *testing.T) {
	brokers := mustBrokers(t)
	c := newCluster(t, brokers)
	name := c.mustTopic(t, newName(), 1, "cleanup.policy=compact", "segment.ms=100", "min.cleanable.dirty.ratio=0.01", "max.compaction.lag.ms=100")
	p := newProxy(t)
	s := mustSink(t, newConfig(brokers, name, nil), p.dial)
	for generation := range int64(5) {
		p.once(lose)
		for failed := true; failed; { // until each is there, some of them twice
			failed = false
			ds := []sink.Delivery{sinktest.Completed("a", generation+1), sinktest.Completed("b", generation+1), removed("c", generation+1)}
			for _, o := range s.DeliverAll(limit(t), ds) {
				failed = failed || o.Err != nil
			}
		}
	}
	if before := len(c.mustLog(t, name)); before != 30 {
		t.Errorf("%d records before, want each twice", before)
	}
	for ctx := limit(t); ; {
		mustDeliver(t, s, sinktest.Completed("tick", 1)) // segments end when something is written
		log := c.mustLog(t, name)
		a, _ := last(log, "cards/a")
		if generations(log, "cards/a") == "5" && generations(log, "cards/b") == "5" && a.hash() == "hash-5" {
			if gone, found := last(log, "cards/c"); found && gone.value != nil {
				t.Errorf("the one that is gone: %+v", gone)
			}
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("it is not compacted: %s", generations(log, "cards/a"))
		}
	}
}

func TestTestIsTakenAwayAgain(t *testing.T) {
	brokers := mustBrokers(t)
	c := newCluster(t, brokers)
	name := c.mustTopic(t, newName(), 3)
	s := mustSink(t, newConfig(brokers, name, func(c *Config) { c.Key = "key" }), nil)
	mustDeliver(t, s, sinktest.Completed("a", 1))
	r, err := s.Test(limit(t), sinktest.Completed("a", 2))
	if err != nil || !strings.HasPrefix(r.Ref, name+"/") {
		t.Errorf("test = %q, %v", r.Ref, err)
	}
	log := c.mustLog(t, name)
	key := "test/" + sinktest.Completed("a", 2).ID
	if got := generations(log, key); got != "2 2" || len(log) != 3 {
		t.Errorf("%d records, of the test %q", len(log), got)
	}
	if end, _ := last(log, key); end.value != nil || end.headers["test"] != "true" {
		t.Errorf("the last of the test: %+v", end)
	}
	if _, err := mustSink(t, newConfig(brokers, newName(), nil), nil).Test(limit(t), sinktest.Completed("a", 1)); err == nil {
		t.Error("a test of no topic passes")
	}
}

func TestEveryCompressionIsRead(t *testing.T) {
	brokers := mustBrokers(t)
	c := newCluster(t, brokers)
	for compression := range compressions {
		name := c.mustTopic(t, newName(), 1)
		s := mustSink(t, newConfig(brokers, name, func(c *Config) { c.Compression = compression }), nil)
		mustDeliver(t, s, sinktest.Completed("a", 1))
		if got, _ := last(c.mustLog(t, name), "cards/a"); got.hash() != "hash-1" {
			t.Errorf("%s: %+v", compression, got)
		}
	}
}

func TestRecordThatIsTooLargeHoldsUpNoOther(t *testing.T) {
	brokers := mustBrokers(t)
	c := newCluster(t, brokers)
	name := c.mustTopic(t, newName(), 1, "max.message.bytes=4000")
	s := mustSink(t, newConfig(brokers, name, func(c *Config) { c.IncludeRow = true }), nil)
	var ds []sink.Delivery
	for key := range 30 {
		ds = append(ds, sinktest.Completed(fmt.Sprint(key), 1))
	}
	ds[17].Row["text"] = strings.Repeat("x", 5000)
	for i, o := range s.DeliverAll(limit(t), ds) {
		if i != 17 {
			if o.Err != nil || o.Ref == "" {
				t.Errorf("delivery %d: %q, %v", i, o.Ref, o.Err)
			}
			continue
		}
		var p *problem.Error
		if !errors.As(o.Err, &p) || p.Slug != MessageTooBig || !retry.IsPermanent(o.Err) || !strings.Contains(p.Hint, "max.message.bytes") {
			t.Errorf("the large one: %v, want a permanent %s that names max.message.bytes", o.Err, MessageTooBig)
		}
	}
	if log := c.mustLog(t, name); len(log) != 29 {
		t.Errorf("%d records, want 29", len(log))
	}
}

// Together they are more than brokers take of a request.
func TestManyLargeRecordsAreSeveralRequests(t *testing.T) {
	brokers := mustBrokers(t)
	c := newCluster(t, brokers)
	name := c.mustTopic(t, newName(), 1)
	p := newProxy(t)
	s := mustSink(t, newConfig(brokers, name, func(c *Config) { c.IncludeRow = true }), p.dial)
	var ds []sink.Delivery
	for key := range 20 {
		d := sinktest.Completed(fmt.Sprint(key), 1)
		d.Row["text"] = strings.Repeat("x", 200<<10)
		ds = append(ds, d)
	}
	for i, o := range s.DeliverAll(limit(t), ds) {
		if want := fmt.Sprintf("%s/0@%d", name, i); o.Err != nil || o.Ref != want {
			t.Errorf("delivery %d: %q, %v, want %s", i, o.Ref, o.Err, want)
		}
	}
	if p.largest > 1<<20 {
		t.Errorf("the largest request has %d bytes", p.largest)
	}
}

func TestRecordThatCannotBeMadeHoldsUpNoOther(t *testing.T) {
	brokers := mustBrokers(t)
	c := newCluster(t, brokers)
	name := c.mustTopic(t, newName(), 1)
	s := mustSink(t, newConfig(brokers, name, func(c *Config) { c.Key = "row.sku" }), nil)
	good, bad := sinktest.Completed("a", 1), sinktest.Completed("b", 1)
	good.Row["sku"] = "A-1"
	got := s.DeliverAll(limit(t), []sink.Delivery{bad, good})
	var p *problem.Error
	if !errors.As(got[0].Err, &p) || p.Slug != RecordRefused || !retry.IsPermanent(got[0].Err) {
		t.Errorf("the one without a key: %v, want a permanent %s", got[0].Err, RecordRefused)
	}
	if got[1].Err != nil {
		t.Errorf("the other: %v", got[1].Err)
	}
}

func TestHostileValuesAreSentOrRefused(t *testing.T) {
	brokers := mustBrokers(t)
	name := newCluster(t, brokers).mustTopic(t, newName(), 1)
	for place, change := range map[string]func(c *Config){
		"key":     func(c *Config) { c.Key = "row.v" },
		"value":   func(c *Config) { c.Value = map[string]string{"v": "row.v"} },
		"headers": func(c *Config) { c.Headers = map[string]string{"v": "{{ row.v }}"} },
		"row":     func(c *Config) { c.IncludeRow = true },
	} {
		t.Run(place, func(t *testing.T) { sinktest.Hostile(t, mustSink(t, newConfig(brokers, name, change), nil)) })
	}
}

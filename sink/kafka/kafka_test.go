package kafka

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	segment "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/pictifyd/pictifyd/config"
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

// answerCode is the code in a broker's answer to records.
func answerCode(name string, answer []byte) segment.Error {
	at := 4 + 4 + 4 + 2 + len(name) + 4 + 4 // size, correlation, topics, the name, partitions, partition
	if len(answer) < at+2 {
		return -100
	}
	return segment.Error(int16(binary.BigEndian.Uint16(answer[at:])))
}

// The request was given up, its connection is gone, and only then the broker sees it.
func TestWriteThatComesLateNeverStandsBehindANewerOne(t *testing.T) {
	brokers := mustBrokers(t)
	c := newCluster(t, brokers)
	name := c.mustTopic(t, newName(), 1)
	p := newProxy(t)
	s := mustSink(t, newConfig(brokers, name, func(c *Config) { c.Timeout = config.Duration(4 * time.Second) }), p.dial)
	mustDeliver(t, s, sinktest.Completed("a", 6))
	p.once(hold)
	if _, err := s.Deliver(limit(t), sinktest.Completed("a", 7)); problem.CodeOf(err) != problem.Timeout || retry.IsPermanent(err) {
		t.Fatalf("deliver = %v, want a timeout that is not permanent", err)
	}
	mustDeliver(t, s, sinktest.Completed("a", 8))
	late := p.release()
	if len(late) != 1 || answerCode(name, late[0]) != segment.InvalidProducerEpoch {
		t.Errorf("the broker's answer to the late request is %q, want that its producer's epoch is over", late)
	}
	mustDeliver(t, s, sinktest.Completed("a", 9))
	if got := generations(c.mustLog(t, name), "cards/a"); got != "6 8 9" {
		t.Errorf("generations = %s, want 6 8 9", got)
	}
}

// The broker has it and its answer is lost: the try that follows has the same id, and
// what comes after is not taken for a repetition.
func TestAnswerThatIsLostMayRepeatARecordAndLosesNone(t *testing.T) {
	brokers := mustBrokers(t)
	c := newCluster(t, brokers)
	name := c.mustTopic(t, newName(), 1)
	p := newProxy(t)
	s := mustSink(t, newConfig(brokers, name, nil), p.dial)
	p.once(lose)
	if _, err := s.Deliver(limit(t), sinktest.Completed("a", 7)); err == nil || retry.IsPermanent(err) {
		t.Fatalf("deliver = %v, want an error that is not permanent", err)
	}
	mustDeliver(t, s, sinktest.Completed("a", 7))
	p.once(lose)
	if _, err := s.Deliver(limit(t), sinktest.Completed("a", 8)); err == nil {
		t.Fatal("deliver = nil, want an error")
	}
	mustDeliver(t, s, removed("a", 9)) // 8 is no longer true
	log := c.mustLog(t, name)
	if got := generations(log, "cards/a"); got != "7 7 8 9" || log[0].headers["id"] != log[1].headers["id"] || log[3].value != nil {
		t.Errorf("generations = %s, want 7 7 8 9, the first two with one id", got)
	}
}

// Requests are dropped, held, cut before and after their effect, while keys change.
func TestStormOfFaultsKeepsTheOrderAndTheLastState(t *testing.T) {
	brokers := mustBrokers(t)
	c := newCluster(t, brokers)
	name := c.mustTopic(t, newName(), 4)
	p := newProxy(t)
	s := mustSink(t, newConfig(brokers, name, func(c *Config) { c.Timeout = config.Duration(200 * time.Millisecond) }), p.dial)
	turns := []verdict{pass, lose, reset, hold, pass, swallow, lose, hold}
	n := 0
	p.set(func(api protocol.ApiKey) verdict {
		if api != protocol.Produce {
			return pass
		}
		n++
		return turns[n%len(turns)]
	})
	const keys, newest = 12, 8
	next := map[int]int64{}
	for round := 0; len(next) < keys || round < 200; round++ {
		var ds []sink.Delivery
		for key := range keys {
			if next[key] < newest {
				ds = append(ds, sinktest.Completed(fmt.Sprint(key), next[key]+1))
			}
		}
		if len(ds) == 0 {
			break
		}
		for i, o := range s.DeliverAll(limit(t), ds) {
			if o.Err == nil {
				var key int
				fmt.Sscan(ds[i].Key, &key)
				next[key] = ds[i].Generation
			} else if retry.IsPermanent(o.Err) {
				t.Fatalf("deliver %s: %v is permanent", ds[i].Key, o.Err)
			}
		}
	}
	late := p.release()
	log := c.mustLog(t, name)
	for key := range keys {
		before, seen := 0, map[int]bool{}
		for _, r := range log {
			if r.key != fmt.Sprintf("cards/%d", key) {
				continue
			}
			if r.generation() < before {
				t.Errorf("key %d: generation %d stands behind %d", key, r.generation(), before)
			}
			before = r.generation()
			seen[before] = true
		}
		if before != newest || len(seen) != newest {
			t.Errorf("key %d: the last of %d generations is %d, want %d of %d", key, len(seen), before, newest, newest)
		}
	}
	if len(late) == 0 {
		t.Error("no request came late")
	}
	t.Logf("%d requests, %d of them late, %d records of %d", n, len(late), len(log), keys*newest)
}

// wantFault wants an error that is tried again and says what it is.
func wantFault(tb testing.TB, err error, slug, says string) {
	tb.Helper()
	var p *problem.Error
	if !errors.As(err, &p) || p.Slug != slug || !strings.Contains(p.Error(), says) || retry.IsPermanent(err) {
		tb.Errorf("error = %v, want a %s that says %q and is not permanent", err, slug, says)
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

func TestMissingTopicIsMadeBySomebodyElseOrByCreate(t *testing.T) {
	brokers := mustBrokers(t)
	c := newCluster(t, brokers)
	name := newName()
	s := mustSink(t, newConfig(brokers, name, nil), nil)
	_, err := s.Deliver(limit(t), sinktest.Completed("a", 1))
	wantFault(t, err, TopicMissing, "create it")
	if err := s.Probe(limit(t)); problem.CodeOf(err) != problem.Surroundings {
		t.Errorf("probe = %v, want that there is no topic", err)
	}
	c.mustTopic(t, name, 2)
	mustDeliver(t, s, sinktest.Completed("a", 1))
	if err := s.Probe(limit(t)); err != nil {
		t.Errorf("probe = %v", err)
	}

	made := newName()
	s = mustSink(t, newConfig(brokers, made, func(c *Config) { c.Create = &Create{Partitions: 3, Compact: true} }), nil)
	if err := s.Probe(limit(t)); err != nil {
		t.Errorf("probe of what is to be made = %v", err)
	}
	mustDeliver(t, s, sinktest.Completed("a", 1))
	c.forget()
	meta, err := c.client.Metadata(t.Context(), &segment.MetadataRequest{Topics: []string{made}})
	if err != nil || len(meta.Topics[0].Partitions) != 3 {
		t.Errorf("topic = %+v, %v, want 3 partitions", meta, err)
	}
	settings, err := c.client.DescribeConfigs(t.Context(), &segment.DescribeConfigsRequest{
		Resources: []segment.DescribeConfigRequestResource{{ResourceType: segment.ResourceTypeTopic, ResourceName: made, ConfigNames: []string{"cleanup.policy"}}},
	})
	if err != nil || settings.Resources[0].ConfigEntries[0].ConfigValue != "compact" {
		t.Errorf("settings = %+v, %v, want compact", settings, err)
	}
}

// A topic that is deleted and made anew knows nothing of its producers.
func TestTopicThatIsMadeAnewIsWrittenOn(t *testing.T) {
	brokers := mustBrokers(t)
	c := newCluster(t, brokers)
	name := c.mustTopic(t, newName(), 1)
	s := mustSink(t, newConfig(brokers, name, nil), nil)
	mustDeliver(t, s, sinktest.Completed("a", 1))
	mustDeliver(t, s, sinktest.Completed("a", 2))
	if answer, err := c.client.DeleteTopics(t.Context(), &segment.DeleteTopicsRequest{Topics: []string{name}}); err != nil || answer.Errors[name] != nil {
		t.Fatalf("delete: %v, %v", answer, err)
	}
	_, err := s.Deliver(limit(t), sinktest.Completed("a", 3))
	wantFault(t, err, TopicMissing, name)
	for made := false; !made; { // the brokers still take it down
		answer, err := c.client.CreateTopics(t.Context(), &segment.CreateTopicsRequest{Topics: []segment.TopicConfig{{Topic: name, NumPartitions: 1, ReplicationFactor: 1}}})
		if err != nil {
			t.Fatal(err)
		}
		made = answer.Errors[name] == nil
	}
	mustDeliver(t, s, sinktest.Completed("a", 3))
	mustDeliver(t, s, sinktest.Completed("a", 4))
	if got := generations(c.mustLog(t, name), "cards/a"); got != "3 4" {
		t.Errorf("generations = %s, want 3 4", got)
	}
}

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

func TestBrokersThatAreNotThereAreSaid(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	listener.Close()
	s := mustSink(t, newConfig([]string{address}, "images", nil), nil)
	_, err = s.Deliver(limit(t), sinktest.Completed("a", 1))
	wantFault(t, err, DeliveryFailed, address)
	if err := s.Probe(limit(t)); problem.CodeOf(err) != problem.Surroundings {
		t.Errorf("probe = %v, want what is missing", err)
	}
}

// It takes the connection and says nothing, not even who it is.
func TestServerThatSaysNothingIsGivenUpInTime(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	s := mustSink(t, newConfig([]string{listener.Addr().String()}, "images", func(c *Config) { c.Timeout = config.Duration(200 * time.Millisecond) }), nil)
	_, err = s.Deliver(limit(t), sinktest.Completed("a", 1))
	if problem.CodeOf(err) != problem.Timeout || retry.IsPermanent(err) {
		t.Errorf("deliver = %v, want a timeout that is not permanent", err)
	}
}

// kafka-go sets no deadline while it authenticates.
func TestConnectionThatHangsWhileItAuthenticatesIsGivenUp(t *testing.T) {
	brokers := mustBrokers(t)
	p := newProxy(t)
	s := mustSink(t, newConfig(brokers, "images", func(c *Config) {
		c.Timeout = config.Duration(200 * time.Millisecond)
		c.SASL = &SASL{Mechanism: "plain", User: "a", Password: config.NewSecret("b")}
	}), p.dial)
	p.set(func(api protocol.ApiKey) verdict {
		if api == protocol.SaslHandshake {
			return swallow
		}
		return pass
	})
	if _, err := s.Deliver(limit(t), sinktest.Completed("a", 1)); problem.CodeOf(err) != problem.Timeout {
		t.Errorf("deliver = %v, want a timeout", err)
	}
	for end := limit(t); p.open() > 0; {
		if end.Err() != nil {
			t.Fatalf("%d connections are left", p.open())
		}
	}
}

// Another protocol's server answers in bytes that are no size of an answer.
func TestServerOfAnotherProtocolIsAnError(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
			conn.Close()
		}
	}()
	s := mustSink(t, newConfig([]string{listener.Addr().String()}, "images", func(c *Config) { c.Timeout = config.Duration(2 * time.Second) }), nil)
	if _, err := s.Deliver(limit(t), sinktest.Completed("a", 1)); err == nil || retry.IsPermanent(err) {
		t.Errorf("deliver = %v, want an error that is not permanent", err)
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

func TestValidateNamesEverySettingThatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`brokers: ["a:9092"]`:                                                                             "topic",
		`topic: t`:                                                                                        "brokers",
		`{ brokers: [a], topic: t }`:                                                                      "brokers[0]",
		`{ brokers: ["a:1", ":9092"], topic: t }`:                                                         "brokers[1]",
		`{ brokers: ["a:0"], topic: t }`:                                                                  "brokers[0]",
		`{ brokers: ["a:1"], topic: "a b" }`:                                                              "topic",
		`{ brokers: ["a:1"], topic: .. }`:                                                                 "topic",
		`{ brokers: ["a:1"], topic: t, compression: rar }`:                                                "compression",
		`{ brokers: ["a:1"], topic: t, timeout: 0s }`:                                                     "timeout",
		`{ brokers: ["a:1"], topic: t, events: [a] }`:                                                     "events[0]",
		`{ brokers: ["a:1"], topic: t, key: kee }`:                                                        "key",
		`{ brokers: ["a:1"], topic: t, key: "{{ key }}" }`:                                                "key",
		`{ brokers: ["a:1"], topic: t, value: { a: b } }`:                                                 "value.a",
		`{ brokers: ["a:1"], topic: t, headers: { id: a } }`:                                              "headers.id",
		`{ brokers: ["a:1"], topic: t, headers: { a: "{{ b }}" } }`:                                       "headers.a",
		`{ brokers: ["a:1"], topic: t, include_row: true, value: { a: url } }`:                            "include_row",
		`{ brokers: ["a:1"], topic: t, create: { partitions: -1 } }`:                                      "create.partitions",
		`{ brokers: ["a:1"], topic: t, tls: { ca: nothing } }`:                                            "tls.ca",
		`{ brokers: ["a:1"], topic: t, tls: { private_key: a } }`:                                         "tls.private_key",
		`{ brokers: ["a:1"], topic: t, tls: { certificate: a } }`:                                         "tls.certificate",
		`{ brokers: ["a:1"], topic: t, tls: { certificate: a, private_key: b } }`:                         "tls.certificate",
		`{ brokers: ["a:1"], topic: t, sasl: { user: a, password: b } }`:                                  "sasl.mechanism",
		`{ brokers: ["a:1"], topic: t, sasl: { mechanism: plain, password: b } }`:                         "sasl.user",
		`{ brokers: ["a:1"], topic: t, sasl: { mechanism: scram-sha-512, user: a } }`:                     "sasl.password",
		`{ brokers: ["a:1"], topic: t, sasl: { mechanism: scram-sha-256, user: "\u0007", password: b } }`: "sasl.user",
	} {
		problems := problem.All(decode(t, text))
		if len(problems) != 1 || problems[0].Path != want {
			t.Errorf("%s: %v, want one problem of %s", text, problems, want)
		}
	}
	for _, text := range []string{
		`{ brokers: ["a:1", "[::1]:2"], topic: a.b_c-D, create: {}, tls: {}, key: row.sku, value: { a: outputs }, headers: { x: "a {{ key }}" }, compression: lz4 }`,
	} {
		if err := decode(t, text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func decode(tb testing.TB, text string) error {
	tb.Helper()
	node, err := config.Parse("pictifyd.yaml", []byte(text), config.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return node.Decode(Kind.Config())
}

// What is given without a word about its inside is there all the same.
func TestEmptySectionsAreThere(t *testing.T) {
	node, err := config.Parse("pictifyd.yaml", []byte(`{ brokers: ["a:1"], topic: t, create: {}, tls: {} }`), config.Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := Kind.Config().(*Config)
	if err := node.Decode(c); err != nil || c.Create == nil || c.TLS == nil || c.SASL != nil {
		t.Errorf("create %v, tls %v, sasl %v, %v", c.Create, c.TLS, c.SASL, err)
	}
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

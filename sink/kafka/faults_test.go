package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	segment "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/pictifyd/pictifyd/config"
	wire "github.com/pictifyd/pictifyd/internal/kafka"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/sinktest"
)

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
		c.SASL = &wire.SASL{Mechanism: "plain", User: "a", Password: config.NewSecret("b")}
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

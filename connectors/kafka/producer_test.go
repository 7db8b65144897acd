package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"time"

	segment "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/pictifyd/pictifyd/config"
	wire "github.com/pictifyd/pictifyd/internal/kafka"
)

// A transaction is a producer's with a transactional id, and one transaction after the
// other.
type transaction struct {
	c        *cluster
	id       string
	session  segment.ProducerSession
	sequence map[string]int32
}

func (c *cluster) mustProducer(tb testing.TB, id string) *transaction {
	tb.Helper()
	t := &transaction{c: c, id: id, sequence: map[string]int32{}}
	eventually(tb, "a producer id", func() error {
		answer, err := c.client.InitProducerID(tb.Context(), &segment.InitProducerIDRequest{TransactionalID: id, TransactionTimeoutMs: 60_000, ProducerID: -1, ProducerEpoch: -1})
		if err == nil {
			err = answer.Error
		}
		if err == nil {
			t.session = *answer.Producer
		}
		return err
	})
	return t
}

// mustWrite writes messages of one partition within the transaction.
func (t *transaction) mustWrite(tb testing.TB, topic string, packed segment.Compression, messages ...message) {
	tb.Helper()
	partition := messages[0].partition
	eventually(tb, "add to the transaction", func() error {
		answer, err := t.c.client.AddPartitionsToTxn(tb.Context(), &segment.AddPartitionsToTxnRequest{
			TransactionalID: t.id, ProducerID: t.session.ProducerID, ProducerEpoch: t.session.ProducerEpoch,
			Topics: map[string][]segment.AddPartitionToTxn{topic: {{Partition: partition}}},
		})
		if err == nil {
			err = answer.Topics[topic][0].Error
		}
		return err
	})
	place := fmt.Sprintf("%s/%d", topic, partition)
	batch := t.encode(tb, packed, t.sequence[place], messages)
	eventually(tb, "write in the transaction", func() error {
		answer, err := t.c.client.RawProduce(tb.Context(), &segment.RawProduceRequest{
			Topic: topic, Partition: partition, RequiredAcks: segment.RequireAll, TransactionalID: t.id,
			RawRecords: protocol.RawRecordSet{Reader: bytes.NewReader(batch)},
		})
		if err == nil {
			err = answer.Error
		}
		return err
	})
	t.sequence[place] += int32(len(messages))
}

// encode is a batch of the producer. kafka-go writes those of none.
func (t *transaction) encode(tb testing.TB, packed segment.Compression, sequence int32, messages []message) []byte {
	tb.Helper()
	var records []protocol.Record
	for _, m := range messages {
		r := protocol.Record{Key: protocol.NewBytes([]byte(m.key))}
		if m.value != nil {
			r.Value = protocol.NewBytes(m.value)
		}
		records = append(records, r)
	}
	var out bytes.Buffer
	set := protocol.RecordSet{Version: 2, Attributes: protocol.Attributes(packed) | protocol.Transactional, Records: protocol.NewRecordReader(records...)}
	if _, err := set.WriteTo(&out); err != nil {
		tb.Fatal(err)
	}
	b := out.Bytes()[4:]
	binary.BigEndian.PutUint64(b[43:], uint64(t.session.ProducerID))
	binary.BigEndian.PutUint16(b[51:], uint16(t.session.ProducerEpoch))
	binary.BigEndian.PutUint32(b[53:], uint32(sequence))
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
	return out.Bytes()
}

// mustEnd commits, or aborts. Brokers since Kafka 4 have the producer go on with another
// epoch then.
func (t *transaction) mustEnd(tb testing.TB, commit bool) {
	tb.Helper()
	eventually(tb, "end the transaction", func() error {
		answer, err := t.c.client.EndTxn(tb.Context(), &segment.EndTxnRequest{
			TransactionalID: t.id, ProducerID: t.session.ProducerID, ProducerEpoch: t.session.ProducerEpoch, Committed: commit,
		})
		if err == nil {
			err = answer.Error
		}
		return err
	})
}

// mustOffsets are those of the records that a partition still has, control records too.
func (c *cluster) mustOffsets(tb testing.TB, topic string, number int32) []int64 {
	tb.Helper()
	connection := wire.Connection{Brokers: c.brokers, ClientID: "test", Timeout: config.Duration(5 * time.Second)}
	client, err := connection.Open(topic, nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer client.Close()
	found, err := client.Look(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	p := found.Partitions[number]
	var all []int64
	for next := int64(0); ; {
		answers, err := client.Fetch(tb.Context(), p.Leader, found.ID, []wire.Place{{Partition: p, Offset: next, ReadEpoch: -1, MaxBytes: 32 << 20}}, 32<<20, time.Millisecond)
		if err != nil || answers[0].Err != nil {
			tb.Fatalf("fetch: %v, %+v", err, answers)
		}
		for rest := answers[0].Batches; len(rest) > 0; {
			var b wire.Batch
			if b, rest, err = wire.NextBatch(rest); err != nil {
				tb.Fatal(err)
			}
			if err := b.Records(64<<20, func(r wire.Record) error { all = append(all, r.Offset); return nil }); err != nil {
				tb.Fatal(err)
			}
			next = b.Last + 1
		}
		if next >= answers[0].End {
			return all
		}
	}
}

// mustRemove removes the records of a partition before an offset, as retention does.
func (c *cluster) mustRemove(tb testing.TB, topic string, partition int, before int64) {
	tb.Helper()
	eventually(tb, "remove records", func() error {
		q := &removal{topic: topic, partition: int32(partition), before: before}
		_, err := c.client.Transport.RoundTrip(tb.Context(), c.client.Addr, q)
		if err == nil && q.code != 0 {
			err = q.code
		}
		if err != nil {
			c.forget()
		}
		return err
	})
}

// A removal is a DeleteRecords request, which kafka-go does not have.
type removal struct {
	topic     string
	partition int32
	before    int64
	code      segment.Error
}

func (*removal) ApiKey() protocol.ApiKey { return protocol.DeleteRecords } //nolint:staticcheck // kafka-go calls it so

func (r *removal) Broker(cluster protocol.Cluster) (protocol.Broker, error) {
	return protocol.Broker{ID: cluster.Topics[r.topic].Partitions[r.partition].Leader}, nil
}

func (*removal) Required(map[protocol.ApiKey]int16) bool { return true }

func (r *removal) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	b := make([]byte, 4)
	b = binary.BigEndian.AppendUint16(b, uint16(protocol.DeleteRecords))
	b = append(b, 0, 0, 0, 0, 0, 1, 0, 0) // version 0, number 1, no name
	b = binary.BigEndian.AppendUint32(b, 1)
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.topic)))
	b = append(b, r.topic...)
	b = binary.BigEndian.AppendUint32(b, 1)
	b = binary.BigEndian.AppendUint32(b, uint32(r.partition))
	b = binary.BigEndian.AppendUint64(b, uint64(r.before))
	b = binary.BigEndian.AppendUint32(b, 5000)
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	if _, err := rw.Write(b); err != nil {
		return nil, err
	}
	var size [4]byte
	if _, err := io.ReadFull(rw, size[:]); err != nil {
		return nil, err
	}
	answer := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(rw, answer); err != nil {
		return nil, err
	}
	if len(answer) < 2 {
		return nil, errors.New("short answer")
	}
	r.code = segment.Error(int16(binary.BigEndian.Uint16(answer[len(answer)-2:])))
	return r, nil
}

func (c *cluster) mustGrow(tb testing.TB, topic string, partitions int) {
	tb.Helper()
	answer, err := c.client.CreatePartitions(tb.Context(), &segment.CreatePartitionsRequest{Topics: []segment.TopicPartitionsConfig{{Name: topic, Count: int32(partitions)}}})
	if err == nil {
		err = answer.Errors[topic]
	}
	if err != nil {
		tb.Fatalf("add partitions: %v", err)
	}
	c.forget()
}

func padded(key string, n, size int) message {
	return message{key: key, value: fmt.Appendf(nil, `{"id":%q,"n":%d,"pad":%q}`, key, n, strings.Repeat("x", size))}
}

package kafka

import (
	"bytes"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	segment "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// A turn is held by one at a time, as a mutex that a context can give up on.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) give() { <-t }

// A partition is what its leader knows of us as a producer.
type partition struct {
	turn turn // one request at a time

	next stamp
}

// mayHaveTakenEffect are the answers after which the records may be there, or still come.
var mayHaveTakenEffect = []segment.Error{
	segment.Unknown, segment.RequestTimedOut, segment.NetworkException, segment.NotEnoughReplicasAfterAppend,
}

// passing are refusals that end by themselves, mostly at once: leaders have moved, or were
// just found. Nothing was written then.
var passing = []segment.Error{
	segment.NotLeaderForPartition, segment.LeaderNotAvailable, segment.GroupLoadInProgress, segment.NotController, segment.FencedLeaderEpoch,
}

// again is how long passing refusals are waited for, each time, before they are failures.
var again = []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond}

// strange are the refusals of a broker that remembers another past of ours than we do:
// the partition was made anew, or its records were lost.
var strange = []segment.Error{
	segment.OutOfOrderSequenceNumber, segment.DuplicateSequenceNumber, segment.UnknownProducerId, segment.InvalidProducerEpoch,
}

func isOneOf(err error, errs []segment.Error) bool {
	var e segment.Error
	return errors.As(err, &e) && slices.Contains(errs, e)
}

// write appends the records to the partition of that number, all of them or none, and
// returns the offset of the first. After an error it may be that they are there.
func (t *topic) write(ctx context.Context, number int, records []segment.Message) (int64, error) {
	p := t.partition(number)
	if err := p.turn.take(ctx); err != nil {
		return 0, err
	}
	defer p.turn.give()
	if err := ctx.Err(); err != nil { // kafka-go might send it all the same
		return 0, err
	}
	for try := 0; ; try++ {
		offset, err := t.append(ctx, p, number, records)
		switch {
		case err == nil || try == len(again):
			return offset, err
		case isOneOf(err, strange): // we are another producer now
		case isOneOf(err, passing):
			if err := t.lookAgain(ctx, again[try]); err != nil {
				return 0, err
			}
		default:
			return 0, err
		}
	}
}

// lookAgain waits, and has the brokers asked anew who leads.
func (t *topic) lookAgain(ctx context.Context, wait time.Duration) error {
	t.transport.CloseIdleConnections()
	select {
	case <-time.After(wait):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *topic) append(ctx context.Context, p *partition, number int, records []segment.Message) (int64, error) {
	producer, err := t.producerID(ctx)
	if err != nil {
		return 0, err
	}
	if p.next.producer != producer {
		p.next = stamp{producer: producer}
	}
	batch, err := encode(records, t.compression, p.next)
	if err != nil {
		return 0, err
	}
	answer, err := t.client.RawProduce(ctx, &segment.RawProduceRequest{
		Topic: t.name, Partition: number, RequiredAcks: segment.RequireAll,
		RawRecords: protocol.RawRecordSet{Reader: bytes.NewReader(batch)},
	})
	switch {
	case err != nil:
		t.newEpoch(p)
		return 0, err
	case errors.Is(answer.Error, segment.InvalidProducerEpoch): // the next might be one that it knows, too
		t.forgetProducer(producer)
		return 0, answer.Error
	case isOneOf(answer.Error, mayHaveTakenEffect), isOneOf(answer.Error, strange):
		t.newEpoch(p)
		return 0, answer.Error
	case answer.Error != nil:
		return 0, answer.Error
	}
	if p.next.sequence > math.MaxInt32-int32(len(records)) {
		t.newEpoch(p)
	} else {
		p.next.sequence += int32(len(records))
	}
	return answer.BaseOffset, nil
}

// newEpoch has the broker refuse what is under way to p, once it has anything newer.
func (t *topic) newEpoch(p *partition) {
	if p.next.epoch == math.MaxInt16 {
		t.forgetProducer(p.next.producer)
		return
	}
	p.next.epoch++
	p.next.sequence = 0
}

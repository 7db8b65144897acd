package kafka

import (
	"context"
	"fmt"

	segment "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/initproducerid"
)

// producerRequest asks any broker for a producer id. kafka-go's own type would look
// for the coordinator of a transaction first, and by that make the topic of these.
type producerRequest initproducerid.Request

// ApiKey is that of the type it is made from.
func (*producerRequest) ApiKey() protocol.ApiKey { return protocol.InitProducerId } //nolint:revive,staticcheck // kafka-go calls it so

// producerID is who we are to the brokers, asked for once.
func (t *topic) producerID(ctx context.Context) (int64, error) {
	if err := t.asking.take(ctx); err != nil {
		return 0, err
	}
	defer t.asking.give()
	if t.known {
		return t.producer, nil
	}
	ctx, cancel := context.WithTimeout(ctx, t.timeout)
	defer cancel()
	r, err := t.transport.RoundTrip(ctx, t.client.Addr, &producerRequest{ProducerID: -1, ProducerEpoch: -1})
	if err != nil {
		return 0, fmt.Errorf("get a producer id: %w", err)
	}
	answer, ok := r.(*initproducerid.Response)
	if !ok {
		return 0, fmt.Errorf("get a producer id: the answer is a %T", r)
	}
	if answer.ErrorCode != 0 {
		return 0, fmt.Errorf("get a producer id: %w", segment.Error(answer.ErrorCode))
	}
	t.producer, t.known = answer.ProducerID, true
	return t.producer, nil
}

// forgetProducer has the next write ask for another id than that one.
func (t *topic) forgetProducer(id int64) {
	t.asking <- struct{}{}
	defer t.asking.give()
	t.known = t.known && t.producer != id
}

package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	segment "github.com/segmentio/kafka-go"

	wire "github.com/pictifyd/pictifyd/internal/kafka"
	"github.com/pictifyd/pictifyd/sink"
)

const (
	most   = 500                  // deliveries of a call
	linger = 5 * time.Millisecond // for others, so that they share a request
	// batchBytes of records go into a request at most, well below the size of a batch
	// that brokers allow by default; a longer record goes alone.
	batchBytes = 512 << 10
	// idle is when connections are given up, with the goroutine that keeps looking
	// where the partitions are.
	idle = 30 * time.Second
)

// topic is where the records go.
type topic struct {
	name        string
	shown       string // the brokers
	shape       shape
	create      *Create
	compression segment.Compression
	timeout     time.Duration
	client      *segment.Client
	transport   *segment.Transport
	balancer    segment.Murmur2Balancer
	log         *slog.Logger

	rest *time.Timer // gives up the connections

	asking   turn // guards the two below, over requests
	producer int64
	known    bool

	mu         sync.Mutex
	partitions map[int]*partition
}

type dialFunc = wire.DialFunc

func newTopic(c *Config, env sink.Env, dial dialFunc) (*topic, error) {
	shape, problems := c.shape()
	if err := problems.Err(); err != nil {
		return nil, err
	}
	t := &topic{
		name: c.Topic, shown: c.Shown(), shape: shape, create: c.Create,
		compression: compressions[c.Compression], timeout: c.Timeout.Std(), log: env.Log,
		asking: newTurn(), partitions: map[int]*partition{},
	}
	var err error
	if t.transport, err = c.Transport(c.Topic, dial); err != nil {
		return nil, err
	}
	t.client = &segment.Client{Addr: segment.TCP(c.Brokers...), Timeout: t.timeout, Transport: t.transport}
	t.rest = time.AfterFunc(idle, t.transport.CloseIdleConnections)
	return t, nil
}

// Close gives up the connections, which a delivery that is under way makes again.
func (t *topic) Close() error {
	t.rest.Stop()
	t.transport.CloseIdleConnections()
	return nil
}

// Batch implements sink.Batcher.
func (t *topic) Batch() (int, time.Duration) { return most, linger }

// Deliver writes d.
func (t *topic) Deliver(ctx context.Context, d sink.Delivery) (sink.Receipt, error) {
	o := t.DeliverAll(ctx, []sink.Delivery{d})[0]
	return o.Receipt, o.Err
}

// A written is a record on its way, and which of the deliveries it is.
type written struct {
	segment.Message
	at int
}

// DeliverAll writes ds, to all partitions at the same time.
func (t *topic) DeliverAll(ctx context.Context, ds []sink.Delivery) []sink.Outcome {
	outcomes := make([]sink.Outcome, len(ds))
	var records []written
	for i, d := range ds {
		m, err := t.shape.record(d)
		if err != nil {
			outcomes[i].Err = err
			continue
		}
		records = append(records, written{m, i})
	}
	t.send(ctx, records, outcomes)
	return outcomes
}

// Test writes d under a key that no row has, and takes it away again: what is left of
// it is a tombstone.
func (t *topic) Test(ctx context.Context, d sink.Delivery) (sink.Receipt, error) {
	m, err := t.shape.record(d)
	if err != nil {
		return sink.Receipt{}, err
	}
	m.Key = []byte("test/" + d.ID)
	m.Headers = append(m.Headers, segment.Header{Key: "test", Value: []byte("true")})
	end := m
	end.Value = nil
	outcomes := make([]sink.Outcome, 2)
	t.send(ctx, []written{{m, 0}, {end, 1}}, outcomes)
	return outcomes[0].Receipt, cmp.Or(outcomes[0].Err, outcomes[1].Err)
}

// send writes the records, and says in outcomes what came of them.
func (t *topic) send(ctx context.Context, records []written, outcomes []sink.Outcome) {
	defer t.rest.Reset(idle)
	numbers, err := t.numbers(ctx)
	if err != nil {
		t.fail(ctx, records, outcomes, err)
		return
	}
	perPartition := map[int][]written{}
	for _, r := range records {
		number := t.balancer.Balance(r.Message, numbers...)
		perPartition[number] = append(perPartition[number], r)
	}
	var wg sync.WaitGroup
	for number, records := range perPartition {
		wg.Go(func() { t.writeAll(ctx, number, records, outcomes) })
	}
	wg.Wait()
}

// writeAll writes the records of one partition, in requests that brokers take. Once one
// fails without a word about its records, the rest is not tried: each would wait as long.
func (t *topic) writeAll(ctx context.Context, number int, records []written, outcomes []sink.Outcome) {
	for len(records) > 0 {
		n := fit(records)
		if err := t.writeSome(ctx, number, records[:n], outcomes); err != nil {
			t.fail(ctx, records[n:], outcomes, err)
			return
		}
		records = records[n:]
	}
}

// fit is how many of the records go into one request.
func fit(records []written) int {
	total := 0
	for i, r := range records {
		if total += weight(r.Message); total > batchBytes && i > 0 {
			return i
		}
	}
	return len(records)
}

// writeSome writes the records and says so in outcomes. What is too large together is
// written by halves. It returns an error if others would fail too.
func (t *topic) writeSome(ctx context.Context, number int, records []written, outcomes []sink.Outcome) error {
	messages := make([]segment.Message, len(records))
	for i, r := range records {
		messages[i] = r.Message
	}
	offset, err := t.write(ctx, number, messages)
	switch {
	case err == nil:
		for i, r := range records {
			outcomes[r.at].Ref = fmt.Sprintf("%s/%d@%d", t.name, number, offset+int64(i))
		}
		return nil
	case isOneOf(err, tooLarge) && len(records) > 1:
		half := len(records) / 2
		if err := t.writeSome(ctx, number, records[:half], outcomes); err != nil {
			t.fail(ctx, records[half:], outcomes, err)
			return err
		}
		return t.writeSome(ctx, number, records[half:], outcomes)
	}
	t.fail(ctx, records, outcomes, err)
	if isOneOf(err, tooLarge) {
		return nil
	}
	return err
}

// fail ends the records with err. What was known of the brokers may be why, and is
// asked for anew.
func (t *topic) fail(ctx context.Context, records []written, outcomes []sink.Outcome, err error) {
	if len(records) == 0 {
		return
	}
	if !isOneOf(err, tooLarge) {
		t.transport.CloseIdleConnections()
	}
	for _, r := range records {
		outcomes[r.at].Err = t.explain(ctx, err, weight(r.Message))
	}
}

// numbers are those of the topic's partitions.
func (t *topic) numbers(ctx context.Context) ([]int, error) {
	found, err := t.look(ctx)
	if err == nil && isOneOf(found.Error, missing) && t.create != nil {
		found, err = t.make(ctx)
	}
	switch {
	case err != nil:
		return nil, err
	case found.Error != nil:
		return nil, found.Error
	case len(found.Partitions) == 0:
		return nil, segment.LeaderNotAvailable
	}
	numbers := make([]int, len(found.Partitions))
	for i, p := range found.Partitions {
		numbers[i] = p.ID
	}
	slices.Sort(numbers)
	return numbers, nil
}

// look is what the brokers say of the topic, or said a few seconds ago.
func (t *topic) look(ctx context.Context) (segment.Topic, error) {
	if err := ctx.Err(); err != nil {
		return segment.Topic{}, err
	}
	answer, err := t.client.Metadata(ctx, &segment.MetadataRequest{Topics: []string{t.name}})
	if err != nil {
		return segment.Topic{}, err
	}
	for _, found := range answer.Topics {
		if found.Name == t.name {
			return found, nil
		}
	}
	return segment.Topic{}, segment.UnknownTopicOrPartition
}

// make makes the topic, unless somebody just did.
func (t *topic) make(ctx context.Context) (segment.Topic, error) {
	wanted := segment.TopicConfig{Topic: t.name, NumPartitions: t.create.Partitions, ReplicationFactor: t.create.Replication}
	if wanted.NumPartitions == 0 {
		wanted.NumPartitions = -1
	}
	if wanted.ReplicationFactor == 0 {
		wanted.ReplicationFactor = -1
	}
	if t.create.Compact {
		wanted.ConfigEntries = []segment.ConfigEntry{{ConfigName: "cleanup.policy", ConfigValue: "compact"}}
	}
	answer, err := t.client.CreateTopics(ctx, &segment.CreateTopicsRequest{Topics: []segment.TopicConfig{wanted}})
	if err != nil {
		return segment.Topic{}, fmt.Errorf("create the topic: %w", err)
	}
	for err := range maps.Values(answer.Errors) {
		if err != nil && !errors.Is(err, segment.TopicAlreadyExists) {
			return segment.Topic{}, fmt.Errorf("create the topic: %w", err)
		}
	}
	t.log.Info("topic created", "topic", t.name)
	found, err := t.look(ctx)
	for try := 0; err == nil && isOneOf(found.Error, missing) && try < len(again); try++ {
		if err = t.lookAgain(ctx, again[try]); err == nil {
			found, err = t.look(ctx)
		}
	}
	return found, err
}

func (t *topic) partition(number int) *partition {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.partitions[number]
	if p == nil {
		p = &partition{turn: newTurn()}
		t.partitions[number] = p
	}
	return p
}

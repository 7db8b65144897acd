package kafka

import (
	"context"
	"errors"
	"io"
	"os"

	segment "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// The slugs of this package's problems.
const (
	TopicMissing   = "kafka_topic_missing"
	Refused        = "kafka_refused"
	MessageTooBig  = "kafka_message_too_large"
	NotReplicated  = "kafka_not_replicated"
	DeliveryFailed = "kafka_delivery_failed"
)

var (
	tooLarge = []segment.Error{segment.MessageSizeTooLarge, segment.RecordListTooLarge}
	missing  = []segment.Error{segment.UnknownTopicOrPartition}
)

// explain is why a record of that size was not written. All but what is wrong with the
// record itself is tried again, since brokers are mended while deliveries wait.
func (t *topic) explain(ctx context.Context, err error, size int) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var code segment.Error
	if errors.As(err, &code) {
		return t.explainCode(code, err, size)
	}
	upstream := problem.New(problem.Upstream, "%w, from %s", err, t.shown).WithSlug(DeliveryFailed)
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return problem.New(problem.Timeout, "no answer within %s from %s", t.timeout, t.shown).WithSlug(DeliveryFailed)
	case errors.Is(err, protocol.ErrNoLeader):
		return problem.New(problem.Upstream, "a partition of topic %q has no leader", t.name).WithSlug(NotReplicated).WithHint("look whether its brokers run")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return upstream.WithHint("if it is always so: is it a listener that wants tls or sasl, or wants them not?")
	}
	return upstream
}

func (t *topic) explainCode(code segment.Error, err error, size int) error {
	said := func(slug, format string, args ...any) *problem.Error {
		return problem.New(problem.Upstream, format, args...).WithSlug(slug)
	}
	switch code { //nolint:exhaustive // the others speak for themselves
	case segment.MessageSizeTooLarge, segment.RecordListTooLarge:
		return retry.Permanent(problem.New(problem.TooLarge, "a record of %d bytes is more than topic %q takes", size, t.name).
			WithSlug(MessageTooBig).WithHint("raise the topic's max.message.bytes, or make the value smaller; then replay the delivery"))
	case segment.InvalidRecord:
		return retry.Permanent(said(Refused, "topic %q refuses the record: %w", t.name, err))
	case segment.UnknownTopicOrPartition:
		return said(TopicMissing, "there is no topic %q at %s", t.name, t.shown).
			WithHint("create it, or let the sink do so: create: { partitions: 6, replication: 3 }")
	case segment.NotEnoughReplicas, segment.NotEnoughReplicasAfterAppend:
		return said(NotReplicated, "too few replicas of topic %q are in sync: fewer than its min.insync.replicas", t.name).
			WithHint("look whether its brokers run")
	case segment.TopicAuthorizationFailed:
		return said(Refused, "the user may not write to topic %q", t.name).WithHint("let it WRITE and DESCRIBE the topic, and CREATE it for create")
	case segment.ClusterAuthorizationFailed:
		return said(Refused, "the user may not be a producer: %w", err).
			WithHint("let it WRITE to the topic; brokers before 2.8 want IDEMPOTENT_WRITE on the cluster too")
	case segment.SASLAuthenticationFailed:
		return said(Refused, "%s refuses user or password", t.shown).WithHint("look at sasl.user and sasl.password")
	case segment.UnsupportedSASLMechanism, segment.IllegalSASLState:
		return said(Refused, "%s does not speak this sasl.mechanism", t.shown)
	}
	return said(DeliveryFailed, "topic %q: %w", t.name, err)
}

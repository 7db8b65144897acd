package kafka

import (
	"context"
	"errors"
	"io"
	"os"

	segment "github.com/segmentio/kafka-go"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// The slugs of this package's problems.
const (
	TopicMissing = "kafka_topic_missing"
	Refused      = "kafka_refused"
	NoLeader     = "kafka_no_leader"
	Unreadable   = "kafka_unreadable"
	Stalled      = "kafka_stalled"
	Gap          = "kafka_gap"
	GroupInUse   = "kafka_group_in_use"
)

// explain is why the topic could not be read, for a person.
func (s *source) explain(err error) error {
	var known *problem.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	var code segment.Error
	if errors.As(err, &code) {
		return s.explainCode(code, err)
	}
	shown := s.cfg.Shown()
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return problem.New(problem.Timeout, "no answer within %s from %s", s.cfg.Timeout, shown).WithSlug(Unreadable).
			WithHint("look whether the brokers run, and can be reached from here at the addresses that they advertise")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return problem.New(problem.Upstream, "%w, from %s", err, shown).WithSlug(Unreadable).
			WithHint("if it is always so: is it a listener that wants tls or sasl, or wants them not?")
	}
	return problem.New(problem.Upstream, "topic %q can't be read from %s: %w", s.cfg.Topic, shown, err).WithSlug(Unreadable).
		WithHint("look whether the brokers run, and whether brokers has their hosts and ports; each has to be reachable at the address that it advertises")
}

func (s *source) explainCode(code segment.Error, err error) error {
	said := func(slug, format string, args ...any) *problem.Error {
		return problem.New(problem.Upstream, format, args...).WithSlug(slug)
	}
	switch code { //nolint:exhaustive // the others speak for themselves
	case segment.UnknownTopicOrPartition, unknownTopicID, inconsistentTopicID:
		return said(TopicMissing, "there is no topic %q at %s", s.cfg.Topic, s.cfg.Shown()).
			WithHint("look at topic and brokers; or create it: reading starts once it is there")
	case segment.LeaderNotAvailable, segment.ReplicaNotAvailable, segment.BrokerNotAvailable:
		return said(NoLeader, "a partition of topic %q has no leader", s.cfg.Topic).WithHint("look whether its brokers run")
	case segment.TopicAuthorizationFailed:
		return said(Refused, "the user may not read topic %q", s.cfg.Topic).WithHint("let it READ, DESCRIBE and DESCRIBE_CONFIGS the topic")
	case segment.SASLAuthenticationFailed:
		return said(Refused, "%s refuses user or password", s.cfg.Shown()).WithHint("look at sasl.user and sasl.password")
	case segment.UnsupportedSASLMechanism, segment.IllegalSASLState:
		return said(Refused, "%s does not speak this sasl.mechanism", s.cfg.Shown()).
			WithHint("take one that the listener has; or leave sasl out, where it wants none")
	}
	return said(Unreadable, "topic %q: %w", s.cfg.Topic, err)
}

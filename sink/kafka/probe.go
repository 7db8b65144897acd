package kafka

import (
	"context"

	segment "github.com/segmentio/kafka-go"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// Probe asks the brokers for the topic and the leaders of its partitions. A topic that
// the sink would make may be missing.
func (t *topic) Probe(ctx context.Context) error {
	defer t.transport.CloseIdleConnections()
	found, err := t.look(ctx)
	if err == nil {
		err = found.Error
	}
	if isOneOf(err, missing) && t.create != nil {
		return nil
	}
	for i := 0; err == nil && i < len(found.Partitions); i++ {
		if p := found.Partitions[i]; p.Leader.Host == "" {
			err = segment.LeaderNotAvailable
		}
	}
	if err == nil {
		return nil
	}
	err = t.explain(ctx, err, 0)
	p, ok := err.(*problem.Error) //nolint:errorlint // explain wraps only what is permanent
	if !ok {
		return err
	}
	p.Code = problem.Surroundings
	return p
}

package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// sampleFor is how long a check reads at most: longer than an outage has to last
// before it is told.
const sampleFor = quiet + 3*time.Second

// errSampled ends a sample at the end of the topic.
var errSampled = errors.New("all of the topic was read")

// Poll implements connectors.Poller, for a check: the first records that the topic has.
// No group is told.
func (s *source) Poll(ctx context.Context, _ connectors.Cursor, emit connectors.Emit) error {
	cfg := *s.cfg
	cfg.Start, cfg.Group = Earliest, ""
	sampled := *s
	sampled.cfg = &cfg
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	late := time.AfterFunc(sampleFor, func() { end(context.DeadlineExceeded) })
	defer late.Stop()
	some, last := false, connectors.StreamState{}
	err := sampled.Stream(ctx, nil, connectors.Stream{
		Emit: func(ctx context.Context, b connectors.Batch) error {
			some = some || len(b.Rows)+len(b.Wakes)+len(b.Faults) > 0
			return emit(ctx, b)
		},
		Report: func(now connectors.StreamState) {
			last = now
			if now.Phase == connectors.PhaseStreaming && now.Warning == nil && !now.HeardAt.IsZero() && !lags(now) {
				end(errSampled)
			}
		},
	})
	switch why := context.Cause(ctx); {
	case err != nil || some || why == nil || errors.Is(why, errSampled):
		return err
	case last.Warning != nil:
		return last.Warning
	case last.HeardAt.IsZero() && errors.Is(why, context.DeadlineExceeded):
		return problem.New(problem.Timeout, "no answer within %s from %s", sampleFor, s.cfg.Shown()).WithSlug(Unreadable).
			WithHint("look whether the brokers run, and can be reached from here at the addresses that they advertise")
	}
	return nil
}

func lags(s connectors.StreamState) bool {
	for _, lag := range s.Lag {
		if lag > 0 {
			return true
		}
	}
	return false
}

package kafka

import (
	"context"
	"errors"
	"time"

	segment "github.com/segmentio/kafka-go"
	"golang.org/x/sync/errgroup"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/kafka/value"
	"github.com/pictifyd/pictifyd/connectors/stream"
	"github.com/pictifyd/pictifyd/internal/cures"
	wire "github.com/pictifyd/pictifyd/internal/kafka"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A source is a topic that is read.
type source struct {
	cfg     *Config
	env     connectors.Env
	dial    wire.DialFunc
	decoder *value.Decoder
	stall   time.Duration
}

var (
	_ connectors.Streamer = (*source)(nil)
	_ connectors.Replayer = (*source)(nil)
	_ connectors.Adviser  = (*source)(nil)
)

func newSource(c *Config, env connectors.Env, dial wire.DialFunc) (*source, error) {
	decoder, err := value.New(c.Config, c.Key, env)
	if err != nil {
		return nil, err
	}
	return &source{cfg: c, env: env, dial: dial, decoder: decoder, stall: stallAfter}, nil
}

// Advise implements connectors.Adviser: the brokers are asked as at the beginning of
// a stream.
func (s *source) Advise(ctx context.Context) (advice problem.List, err error) {
	client, err := s.cfg.Open(s.cfg.Topic, s.dial)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	t := &streaming{source: s, client: client}
	if _, err := t.look(ctx, nil, nil); err != nil {
		return nil, err
	}
	return problem.All(t.settings), nil
}

// Replay implements connectors.Replayer.
func (s *source) Replay(ctx context.Context, raw []byte) (connectors.Row, error) {
	return s.decoder.Replay(ctx, raw)
}

var _ connectors.Adviser = (*source)(nil)

// Stream implements connectors.Streamer.
func (s *source) Stream(ctx context.Context, from connectors.Cursor, lent connectors.Stream) error {
	lent.Report(connectors.StreamState{Phase: connectors.PhaseConnecting})
	client, err := s.cfg.Open(s.cfg.Topic, s.dial)
	if err != nil {
		return err
	}
	defer client.Close()
	m := newMirror(client, s.cfg.Topic, s.cfg.Group)
	t := &streaming{
		source: s, client: client, mirror: m, lent: lent, anew: lent.Resnapshot,
		collector: stream.NewCollector(lent.Emit, stream.Options{CommittedFunc: m.committed}),
	}
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() error { return t.collector.Run(inner) })
	group.Go(func() error { return t.run(inner, parsePosition(from)) })
	group.Go(func() error { m.run(inner); return nil })
	err = group.Wait()
	if ctx.Err() != nil {
		err = nil
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	m.tell(last)
	return err
}

// Release implements connectors.Streamer: nothing is kept for a reader but what its
// group was told, which is taken back where that is possible.
func (s *source) Release(ctx context.Context) error {
	if s.cfg.Group == "" {
		return nil
	}
	client, err := s.cfg.Open(s.cfg.Topic, s.dial)
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := newMirror(client, s.cfg.Topic, s.cfg.Group).forget(ctx); err != nil {
		s.env.Log.Info("the consumer group's offsets are left as they are", "source", s.env.Name, "group", s.cfg.Group, "err", err)
	}
	return nil
}

// A streaming is one call of Stream.
type streaming struct {
	*source
	client    *wire.Client
	collector *stream.Collector
	mirror    *mirror
	lent      connectors.Stream
	anew      bool
	settings  error // why those of the topic are not known
}

// run reads from at on until ctx ends, through all that happens to the topic.
func (t *streaming) run(ctx context.Context, at *position) error {
	cut, ranges := map[int32]bool{}, map[int32]int{}
	for {
		seen, err := t.look(ctx, at, cut)
		if err != nil {
			return err
		}
		p, err := t.settle(ctx, at, seen)
		if err != nil {
			return err
		}
		r := newReader(p.from, seen.topic, time.Now())
		r.client, r.decoder, r.collector, r.log, r.explain = t.client, t.decoder, t.collector, t.env.Log, t.explain
		r.timeout, r.ranges, r.stall = t.cfg.Timeout.Std(), ranges, t.stall
		err = t.read(ctx, r)
		if !errors.Is(err, errAgain) || ctx.Err() != nil {
			return err
		}
		last := r.position()
		at, cut = &last, r.cut
	}
}

// read runs r, and reports how it fares.
func (t *streaming) read(ctx context.Context, r *reader) error {
	ctx, cancel := context.WithCancel(ctx)
	var reports errgroup.Group
	reports.Go(func() error {
		for {
			t.report(r)
			if !sleep(ctx, reportEvery) {
				return nil
			}
		}
	})
	err := r.run(ctx)
	cancel()
	_ = reports.Wait()
	t.report(r)
	return err
}

const reportEvery = time.Second

func (t *streaming) report(r *reader) {
	s := r.state(time.Now())
	for _, err := range []error{t.mirror.worry(), t.settings} {
		if s.Warning == nil {
			s.Warning = err
		}
	}
	t.lent.Report(s)
}

// settle decides where to read on, and has it committed before anything is read, so
// that "latest" stays the place that it was (P20).
func (t *streaming) settle(ctx context.Context, at *position, seen sight) (plan, error) {
	p := newPlan(at, seen, t.cfg.Start, t.anew)
	if p.gap != "" {
		if connectors.GapPolicy(t.cfg.OnGap) == connectors.OnGapHalt {
			return p, connectors.Halt(problem.New(problem.Conflict, "topic %q has a gap: %s", t.cfg.Topic, p.gap).WithSlug(Gap).
				WithHint("have the source read anew, or set on_gap: resnapshot, to go on with what the topic has"))
		}
		t.env.Log.Warn("gap", "source", t.env.Name, "topic", t.cfg.Topic, "reason", p.gap)
	}
	told := at == nil || t.anew || p.gap != "" || len(p.from.Parts) != len(at.Parts)
	t.anew = false
	if !told || !cures.KafkaStart && at == nil && !p.mark.Begins {
		return p, nil
	}
	part := stream.Part{Closes: connectors.Closing{Cursor: p.from.cursor(), Snapshot: p.mark, Gap: p.gap}}
	if err := t.collector.Add(ctx, part); err != nil {
		return p, err
	}
	return p, t.collector.Flush(ctx)
}

// look is what the brokers have. While leaders are chosen it waits.
func (t *streaming) look(ctx context.Context, at *position, cut map[int32]bool) (sight, error) {
	for try, end := 1, time.Now().Add(t.cfg.Timeout.Std()); ; try++ {
		seen, err := t.lookOnce(ctx, at)
		seen.cut = cut
		if err == nil || ctx.Err() != nil {
			return seen, err
		}
		if !isOneOf(err, moved) || try > 3 && isOneOf(err, missing) || time.Now().After(end) || !sleep(ctx, resting.Next(min(try, 5))) {
			return seen, t.explain(err)
		}
		t.client.Forget()
	}
}

var missing = []segment.Error{segment.UnknownTopicOrPartition, unknownTopicID, inconsistentTopicID}

// untold are the refusals of brokers to say how a topic is set.
var untold = []segment.Error{segment.TopicAuthorizationFailed, segment.ClusterAuthorizationFailed, segment.UnsupportedVersion}

func (t *streaming) lookOnce(ctx context.Context, at *position) (s sight, err error) {
	s.at = time.Now()
	if s.topic, err = t.client.Look(ctx); err != nil {
		return s, err
	}
	s.settings, err = t.client.Settings(ctx)
	if err != nil && !isOneOf(err, untold) {
		return s, err
	}
	if !s.settings.Known {
		t.settings = problem.New(problem.Forbidden, "whether topic %q is compacted can't be seen: it is read as one that does not hold all rows", t.cfg.Topic).
			WithSlug(Refused).WithHint("let the user DESCRIBE_CONFIGS the topic")
	} else {
		t.settings = nil
	}
	if s.logStarts, err = t.client.OffsetsOf(ctx, wire.LogStart, s.topic.Partitions); err != nil {
		return s, err
	}
	if s.logEnds, err = t.client.OffsetsOf(ctx, wire.LogEnd, s.topic.Partitions); err != nil {
		return s, err
	}
	if at != nil {
		return s, nil
	}
	switch name, start, _ := t.cfg.start(); name {
	case Earliest:
		s.begin = s.logStarts
	case Latest:
		s.begin = s.logEnds
	default:
		if s.begin, err = t.client.OffsetsOf(ctx, start.UnixMilli(), s.topic.Partitions); err != nil {
			return s, err
		}
		for number, offset := range s.begin {
			if offset < 0 { // there is nothing from then on
				s.begin[number] = s.logEnds[number]
			}
		}
	}
	return s, nil
}

package kafka

import (
	"context"
	"errors"
	"sync"
	"time"

	segment "github.com/segmentio/kafka-go"

	"github.com/pictifyd/pictifyd/connectors"
	wire "github.com/pictifyd/pictifyd/internal/kafka"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	mirrorEvery = time.Second     // a group is told at most
	mirrorAgain = 3 * time.Second // after it could not be told
)

// A mirror tells a consumer group how far reading came, for tools that show it. What
// the group says is never read: neither that somebody else commits in it, nor that its
// members change, is anything to a reader.
type mirror struct {
	client *wire.Client
	topic  string
	group  string // "": nobody is told
	news   chan struct{}

	mu      sync.Mutex
	latest  connectors.Cursor
	warning error
}

func newMirror(client *wire.Client, topic, group string) *mirror {
	return &mirror{client: client, topic: topic, group: group, news: make(chan struct{}, 1)}
}

// committed notes what was committed.
func (m *mirror) committed(c connectors.Cursor) {
	if m.group == "" {
		return
	}
	m.mu.Lock()
	m.latest = c
	m.mu.Unlock()
	select {
	case m.news <- struct{}{}:
	default:
	}
}

// run tells the group until ctx ends.
func (m *mirror) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.news:
		}
		wait := mirrorEvery
		if !m.tell(ctx) {
			wait = mirrorAgain
		}
		if !sleep(ctx, wait) {
			return
		}
	}
}

// tell tells the group what was committed last, if that is news. Where it could not, it
// reports false, and it is news still.
func (m *mirror) tell(ctx context.Context) bool {
	m.mu.Lock()
	cursor := m.latest
	m.latest = nil
	m.mu.Unlock()
	at := parsePosition(cursor)
	if at == nil {
		return true
	}
	err := m.commit(ctx, at)
	if ctx.Err() == nil {
		m.mu.Lock()
		m.warning = err
		m.mu.Unlock()
	}
	if err == nil {
		return true
	}
	m.mu.Lock()
	if m.latest == nil {
		m.latest = cursor
	}
	m.mu.Unlock()
	select {
	case m.news <- struct{}{}:
	default:
	}
	return false
}

func (m *mirror) commit(ctx context.Context, at *position) error {
	var offsets []segment.OffsetCommit
	for number, p := range at.Parts {
		offsets = append(offsets, segment.OffsetCommit{Partition: int(number), Offset: p.Next, Metadata: "pictifyd"})
	}
	answer, err := m.client.Admin.OffsetCommit(ctx, &segment.OffsetCommitRequest{
		GroupID: m.group, GenerationID: -1, Topics: map[string][]segment.OffsetCommit{m.topic: offsets},
	})
	if err == nil {
		for _, p := range answer.Topics[m.topic] {
			if p.Error != nil {
				err = p.Error
			}
		}
	}
	switch {
	case err == nil:
		return nil
	case isOneOf(err, inUse):
		return problem.New(problem.Conflict, "somebody else reads as the consumer group %q: it is not told how far reading came", m.group).
			WithSlug(GroupInUse).WithHint("give this source a group of its own; reading does not depend on it")
	case errors.Is(err, segment.GroupAuthorizationFailed):
		return problem.New(problem.Forbidden, "the user may not commit offsets of the consumer group %q", m.group).
			WithSlug(Refused).WithHint("let it READ the group, or leave group out; reading does not depend on it")
	}
	return problem.New(problem.Upstream, "the consumer group %q could not be told how far reading came: %w", m.group, err).WithSlug(Unreadable)
}

// inUse are the refusals to one who is no member of a group that has some.
var inUse = []segment.Error{segment.UnknownMemberId, segment.IllegalGeneration, segment.RebalanceInProgress, segment.InconsistentGroupProtocol}

func (m *mirror) worry() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.warning
}

// forget removes the topic's offsets from the group.
func (m *mirror) forget(ctx context.Context) error {
	t, err := m.client.Look(ctx)
	if err != nil {
		return err
	}
	numbers := make([]int, len(t.Partitions))
	for i, p := range t.Partitions {
		numbers[i] = int(p.Number)
	}
	_, err = m.client.Admin.OffsetDelete(ctx, &segment.OffsetDeleteRequest{GroupID: m.group, Topics: map[string][]int{m.topic: numbers}})
	return err
}

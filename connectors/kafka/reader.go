package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	segment "github.com/segmentio/kafka-go"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/kafka/value"
	"github.com/pictifyd/pictifyd/connectors/stream"
	"github.com/pictifyd/pictifyd/internal/cures"
	wire "github.com/pictifyd/pictifyd/internal/kafka"
	"github.com/pictifyd/pictifyd/internal/retry"
)

const (
	// fetchWait is how long a leader waits for something to come. An answer is sent at
	// once when something does.
	fetchWait = 500 * time.Millisecond
	// fetchBytes are in the answers of all leaders together at most, but for a batch
	// that has more.
	fetchBytes = 8 << 20
	// placeBytes are of one partition, so that a full one leaves room for the others.
	placeBytes = 1 << 20
	// mostBytes is where asking for more of one partition ends.
	mostBytes = 512 << 20

	partRows  = 1000
	partBytes = 1 << 20

	lookEvery = 5 * time.Second // for leaders and partitions, beside what fails
	// keepEvery is how often a position is committed that has moved without rows.
	keepEvery = 5 * time.Second
)

// errAgain says that what the brokers have is to be looked at anew.
var errAgain = errors.New("look again")

// A laterError says that a record can't be decoded now.
type laterError struct{ error }

func (e laterError) Unwrap() error { return e.error }

var resting = retry.Backoff{Base: 100 * time.Millisecond, Max: 10 * time.Second}

// A reader reads the partitions of a topic from where a plan says.
type reader struct {
	client    *wire.Client
	decoder   *value.Decoder
	collector *stream.Collector
	log       *slog.Logger
	topic     wire.Topic
	timeout   time.Duration
	explain   func(error) error
	stall     time.Duration // after which a partition that does not go on is told of

	wake chan struct{} // asks for a look at who leads

	adding sync.Mutex // held while something is added, so that cursors stand in order
	kept   time.Time  // when a cursor was added last

	mu sync.Mutex

	at        position
	parts     map[int32]*partition
	following map[int32]bool // leaders that are asked
	turn      int            // which partition stands first
	cut       map[int32]bool
	ranges    map[int32]int // how often an offset was refused
	unseen    error         // why nobody says who leads
}

// A partition is what is known of one while it is read.
type partition struct {
	wire.Partition
	maxBytes  int32
	end       int64 // as its leader said last; -1 is not known
	committed int64
	heard     time.Time // when nothing was left to be read
	moved     time.Time // when it went on, or had not to
	open      time.Time // since when all that is left is of transactions under way
	empty     int       // answers that had nothing of what should be there
	rests     time.Time // until then
	tries     int       // that failed
	why       error     // it rests
}

func newReader(at position, topic wire.Topic, now time.Time) *reader {
	r := &reader{
		topic: topic, at: at, parts: map[int32]*partition{}, following: map[int32]bool{},
		wake: make(chan struct{}, 1), cut: map[int32]bool{}, ranges: map[int32]int{}, stall: stallAfter, kept: now,
	}
	for _, p := range topic.Partitions {
		r.parts[p.Number] = &partition{Partition: p, maxBytes: placeBytes, end: -1, committed: -1, moved: now}
	}
	return r
}

// run reads until ctx ends, or there is something to be looked at anew.
func (r *reader) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var loops sync.WaitGroup
	defer loops.Wait()
	defer cancel(nil)
	looked := time.Now()
	for {
		for _, leader := range r.strangers() {
			loops.Go(func() {
				if err := r.follow(ctx, leader); err != nil {
					cancel(err)
				}
			})
		}
		wait := lookEvery
		if r.lastLook() != nil {
			wait = time.Second
		}
		select {
		case <-ctx.Done():
			if err := context.Cause(ctx); !errors.Is(err, context.Canceled) {
				return err
			}
			return nil
		case <-time.After(wait):
		case <-r.wake:
			if !sleep(ctx, 50*time.Millisecond) { // many wake at once
				continue
			}
		}
		err := r.lookAgain(ctx)
		switch {
		case err == nil:
			looked = time.Now()
		case errors.Is(err, errAgain):
			return err
		case ctx.Err() == nil && time.Since(looked) > max(r.timeout, 10*time.Second):
			return r.explain(err)
		}
	}
}

// strangers are leaders that nobody asks yet; they are asked from now on.
func (r *reader) strangers() []int32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []int32
	for _, p := range r.parts {
		if p.Leader >= 0 && !r.following[p.Leader] {
			r.following[p.Leader] = true
			found = append(found, p.Leader)
		}
	}
	return found
}

func (r *reader) lastLook() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.unseen
}

// lookAgain asks who leads the partitions.
func (r *reader) lookAgain(ctx context.Context) error {
	t, err := r.client.Look(ctx)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unseen = err
	if err != nil {
		return err
	}
	same := t.Cluster == r.topic.Cluster && t.ID == r.topic.ID
	for _, found := range t.Partitions {
		p := r.parts[found.Number]
		if p == nil {
			same = false
			continue
		}
		if p.Leader != found.Leader || p.Epoch < found.Epoch {
			p.Partition, p.rests = found, time.Time{}
		}
	}
	if !same || len(t.Partitions) != len(r.parts) {
		return errAgain
	}
	return nil
}

// lookSoon has the leaders looked at, once it is the reader's turn.
func (r *reader) lookSoon() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// follow reads what one leader has, until it leads nothing any more.
func (r *reader) follow(ctx context.Context, leader int32) error {
	for ctx.Err() == nil {
		places, room, rest := r.places(leader, time.Now())
		if places == nil && rest < 0 {
			return nil
		}
		if places == nil {
			sleep(ctx, rest)
			continue
		}
		asked := time.Now()
		answers, err := r.client.Fetch(ctx, leader, r.topic.ID, places, room, fetchWait)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			r.log.Debug("fetch failed", "leader", leader, "err", err)
			for _, p := range places {
				r.rest(p.Number, r.explain(err), 0)
			}
			r.lookSoon()
			continue
		}
		for _, f := range answers {
			if err := r.take(ctx, f, f.Number == places[0].Number, asked); err != nil {
				return err
			}
		}
	}
	return nil
}

// places are what to ask a leader for: another partition stands first each time, since
// it is the first that is answered whatever its size. Without any, rest is how long to
// wait; -1 is that the leader leads nothing, and is followed no more.
func (r *reader) places(leader int32, now time.Time) (places []wire.Place, room int32, rest time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	rest = -1
	room = max(fetchBytes/int32(len(r.following)), placeBytes)
	for number, p := range r.parts {
		if p.Leader != leader {
			continue
		}
		if wait := p.rests.Sub(now); wait > 0 {
			if rest < 0 || wait < rest {
				rest = min(wait, fetchWait)
			}
			continue
		}
		at := r.at.Parts[number]
		places = append(places, wire.Place{Partition: p.Partition, Offset: at.Next, ReadEpoch: at.Epoch, MaxBytes: p.maxBytes})
		room = max(room, p.maxBytes)
	}
	if places == nil {
		if rest < 0 {
			delete(r.following, leader)
		}
		return nil, 0, rest
	}
	slices.SortFunc(places, func(a, b wire.Place) int { return int(a.Number) - int(b.Number) })
	r.turn++
	first := r.turn % len(places)
	return slices.Concat(places[first:], places[:first]), room, 0
}

// rest leaves a partition alone for a while that grows, or for wait.
func (r *reader) rest(number int32, why error, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.parts[number]
	p.tries++
	if wait == 0 {
		wait = resting.Next(p.tries)
	}
	p.rests, p.why = time.Now().Add(wait), why
}

// take reads an answer about one partition. An error ends the reading.
func (r *reader) take(ctx context.Context, f wire.Fetched, first bool, asked time.Time) error {
	if f.Cut >= 0 {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.cut[f.Number] = true
		return errAgain
	}
	if f.Err != nil {
		return r.refused(f)
	}
	r.mu.Lock()
	p, from := r.parts[f.Number], r.at.Parts[f.Number]
	p.end, p.committed = f.End, f.Committed
	r.mu.Unlock()

	c := chunk{r: r, number: f.Number}
	s := scanner{topic: r.topic.Name, next: from.Next, epoch: from.Epoch}
	s.record = func(v value.Record) error { return c.record(ctx, &s, v) }
	s.skip = func(first, last int64, err error) error { return c.skip(ctx, &s, first, last, err) }
	err := s.scan(f)
	if s.next == from.Next && err == nil && len(f.Batches) == 0 && first {
		s.next = r.hole(p, f, s.next)
	}
	ended := s.next >= f.Committed && err == nil
	if ended {
		c.heard = asked
	}
	if added := c.add(ctx, s.next, s.epoch); added != nil {
		return added
	}
	return r.taken(p, f, s, from.Next, asked, err)
}

// taken notes how a partition fares after an answer.
func (r *reader) taken(p *partition, f wire.Fetched, s scanner, from int64, asked time.Time, err error) error {
	var later laterError
	var stuck errStuck
	switch {
	case errors.As(err, &later):
		wait, _ := retry.Wait(err)
		r.rest(p.Number, later.error, wait)
		return nil
	case errors.As(err, &stuck):
		r.rest(p.Number, fmt.Errorf("partition %d can't be read on yet: %w", p.Number, stuck.error), 0)
	case err != nil:
		return r.explain(err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.next > from {
		p.moved, p.empty, p.maxBytes = time.Now(), 0, placeBytes
	} else if len(f.Batches) > 0 && s.whole == 0 && p.maxBytes < mostBytes {
		p.maxBytes *= 2 // what is too large for an answer is no reason to step over it
	}
	if err != nil {
		return nil
	}
	p.tries, p.why = 0, nil
	delete(r.ranges, p.Number)
	if s.next < f.Committed {
		return nil
	}
	p.heard, p.moved = asked, asked
	switch {
	case f.End == f.Committed:
		p.open = time.Time{}
	case p.open.IsZero():
		p.open = asked
	}
	return nil
}

// hole is where to read on where a leader has nothing of what should be there: all of it
// was compacted away, batches and all (P1). The partition was first in the request, so
// that its answer would have had a batch of any size; it is asked twice.
func (r *reader) hole(p *partition, f wire.Fetched, next int64) int64 {
	if next >= f.Committed {
		return next
	}
	p.empty++
	if p.empty < 2 || !cures.KafkaHoles {
		return next
	}
	r.log.Debug("nothing is left here", "partition", p.Number, "from", next, "to", f.Committed)
	return f.Committed
}

// moved are refusals that end with a look at who leads now.
var moved = []segment.Error{
	segment.NotLeaderForPartition, segment.LeaderNotAvailable, segment.ReplicaNotAvailable, segment.FencedLeaderEpoch,
	segment.UnknownLeaderEpoch, segment.OffsetNotAvailable, segment.KafkaStorageError, segment.UnknownTopicOrPartition,
	unknownTopicID, inconsistentTopicID,
}

const outOfRange = segment.OffsetOutOfRange

// Codes that kafka-go has no names for.
const (
	unknownTopicID      segment.Error = 100
	inconsistentTopicID segment.Error = 103
)

func isOneOf(err error, errs []segment.Error) bool {
	var e segment.Error
	return errors.As(err, &e) && slices.Contains(errs, e)
}

// refused is what follows from a leader's refusal.
func (r *reader) refused(f wire.Fetched) error {
	switch {
	case errors.Is(f.Err, outOfRange):
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.ranges[f.Number]++; r.ranges[f.Number] > 2 { // although it stands between start and end
			r.cut[f.Number] = true
		}
		return errAgain
	case isOneOf(f.Err, moved):
		r.rest(f.Number, r.explain(f.Err), 0)
		r.lookSoon()
		return nil
	case isOneOf(f.Err, []segment.Error{segment.TopicAuthorizationFailed}):
		return r.explain(f.Err)
	}
	r.rest(f.Number, r.explain(f.Err), 0)
	return nil
}

// sleep reports false if ctx ended before.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// A chunk is what was read of a partition and is added at once.
type chunk struct {
	r      *reader
	number int32
	rows   []connectors.Row
	faults []connectors.Fault
	wakes  [][]any // keys of rows of another source
	bytes  int
	heard  time.Time // when nothing was left behind it; zero is that something was
}

// record adds what v says. It stands at s.next, or behind it.
func (c *chunk) record(ctx context.Context, s *scanner, v value.Record) error {
	d, err := c.r.decoder.Decode(ctx, v)
	if err != nil {
		return laterError{err}
	}
	if c.size() >= partRows || c.bytes >= partBytes || d.Truncated {
		if err := c.add(ctx, s.next, s.epoch); err != nil {
			return err
		}
	}
	for _, f := range d.Faults {
		f.Behind = len(c.rows)
		c.faults = append(c.faults, f)
	}
	c.rows = append(c.rows, d.Rows...)
	c.wakes = append(c.wakes, d.Wakes...)
	c.bytes += 2*(len(v.Key)+len(v.Value)) + 200
	if d.Truncated {
		return c.r.emptied(ctx, c.number, v.Offset+1)
	}
	return nil
}

func (c *chunk) size() int { return len(c.rows) + len(c.faults) + len(c.wakes) }

// skip sets aside offsets whose records can't be read.
func (c *chunk) skip(_ context.Context, s *scanner, first, last int64, err error) error {
	reason := "bad_record"
	var large *wire.TooLargeError
	if errors.As(err, &large) {
		reason = "too_large"
	}
	position := value.Record{Topic: s.topic, Partition: int(c.number), Offset: first}.Position()
	if last > first {
		position += fmt.Sprintf("-%d", last)
	}
	c.faults = append(c.faults, connectors.Fault{Position: position, Reason: reason, Detail: err.Error()})
	return nil
}

// add commits the chunk, with next as the offset to be read next, and begins another.
func (c *chunk) add(ctx context.Context, next int64, epoch int32) error {
	r := c.r
	r.adding.Lock()
	defer r.adding.Unlock()
	r.mu.Lock()
	at := r.at.Parts[c.number]
	moved := at.Next != next
	at.Next, at.Epoch = next, epoch
	if !c.heard.IsZero() {
		at.Heard = c.heard.Unix()
	}
	r.at.Parts[c.number] = at
	ends, partial := r.at.Snapshot && r.at.complete(), r.at.Partial
	cursor := r.at.cursor()
	r.mu.Unlock()
	if now := time.Now(); c.size() > 0 || moved && now.Sub(r.kept) > keepEvery || now.Sub(r.kept) > keepHeard {
		p := stream.Part{Rows: c.rows, Faults: c.faults, Wakes: c.wakes, Bytes: c.bytes, Closes: connectors.Closing{Cursor: cursor}}
		if err := r.collector.Add(ctx, p); err != nil {
			return err
		}
		r.kept = now
	}
	c.rows, c.faults, c.wakes, c.bytes = nil, nil, nil, 0
	if ends {
		return r.mark(ctx, connectors.SnapshotMark{Ends: true, Partial: partial})
	}
	return nil
}

// keepHeard is how often it is committed that nothing was left to read, so that a reader
// that was not away for long is known as one.
const keepHeard = 10 * time.Minute

// emptied says that all rows that there were are gone, and that next is to be read next.
func (r *reader) emptied(ctx context.Context, number int32, next int64) error {
	r.adding.Lock()
	defer r.adding.Unlock()
	r.mu.Lock()
	at := r.at.Parts[number]
	at.Next = next
	r.at.Parts[number] = at
	r.mu.Unlock()
	return r.mark(ctx, connectors.SnapshotMark{Begins: true, Ends: true})
}

// mark ends the snapshot that is under way. The caller holds adding.
func (r *reader) mark(ctx context.Context, m connectors.SnapshotMark) error {
	r.mu.Lock()
	r.at.Snapshot, r.at.Partial = false, false
	for number, at := range r.at.Parts {
		at.From, at.Target = 0, 0
		r.at.Parts[number] = at
	}
	cursor := r.at.cursor()
	r.mu.Unlock()
	r.kept = time.Now()
	return r.collector.Add(ctx, stream.Part{Closes: connectors.Closing{Cursor: cursor, Snapshot: m}})
}

// position is how far was added.
func (r *reader) position() position {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at.clone()
}

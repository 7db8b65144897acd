package kafka

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/cures"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	stallAfter = 30 * time.Second
	// openAfter is as long as brokers let a transaction be open by default.
	openAfter = 15 * time.Minute
	// quiet is what an outage of a partition may last before a person is told.
	quiet = 5 * time.Second
)

// state is how the stream fares.
func (r *reader) state(now time.Time) connectors.StreamState {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := connectors.StreamState{Phase: connectors.PhaseStreaming, Lag: map[string]int64{}}
	if r.at.Snapshot {
		s.Phase = connectors.PhaseSnapshot
	}
	var warnings []error
	if r.unseen != nil {
		warnings = append(warnings, r.explain(r.unseen))
	}
	for i, number := range slices.Sorted(maps.Keys(r.parts)) {
		p, at := r.parts[number], r.at.Parts[number]
		if r.at.Snapshot {
			s.Rows += min(at.Next, at.Target) - at.From
			s.OfRows += at.Target - at.From
		}
		if p.end >= 0 {
			s.Lag[strconv.Itoa(int(number))] = max(p.end-at.Next, 0)
		}
		if i == 0 || p.heard.Before(s.HeardAt) {
			s.HeardAt = p.heard
		}
		if err := r.worry(p, at, now); err != nil {
			warnings = append(warnings, err)
		}
	}
	switch len(warnings) {
	case 0:
	case 1:
		s.Warning = warnings[0]
	default:
		s.Warning = problem.New(problem.Upstream, "%w; and %d more", warnings[0], len(warnings)-1)
	}
	return s
}

// worry is what a person should look after at a partition.
func (r *reader) worry(p *partition, at place, now time.Time) error {
	switch {
	case p.why != nil && now.Sub(p.moved) > quiet:
		return p.why
	case r.stalled(p, at, now):
		return problem.New(problem.Upstream, "partition %d has not gone on for %s at offset %d, although it ends at %d",
			p.Number, now.Sub(p.moved).Round(time.Second), at.Next, p.end).WithSlug(Stalled).
			WithHint("look into the broker's log; a damaged batch ends with the next one that is written")
	case !p.open.IsZero() && now.Sub(p.open) > openAfter:
		return problem.New(problem.Upstream, "a transaction in partition %d has been open for %s, and all behind offset %d waits for its end",
			p.Number, now.Sub(p.open).Round(time.Minute), at.Next).WithSlug(Stalled).
			WithHint("find its producer with kafka-transactions.sh find-hanging, and abort it")
	}
	return nil
}

// stalled reports whether a partition does not go on although there is more (P1). Its
// leader may answer, or not.
func (r *reader) stalled(p *partition, at place, now time.Time) bool {
	if !cures.KafkaStalled || now.Sub(p.moved) < r.stall {
		return false
	}
	return p.committed < 0 || at.Next < p.committed
}

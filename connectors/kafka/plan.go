package kafka

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/cures"
	wire "github.com/pictifyd/pictifyd/internal/kafka"
)

// A sight is what the brokers have, as of now.
type sight struct {
	topic     wire.Topic
	settings  wire.Settings
	logStarts map[int32]int64
	logEnds   map[int32]int64
	begin     map[int32]int64 // where reading starts for the first time
	cut       map[int32]bool  // logs that were cut behind what was read of them
	at        time.Time
}

// A plan is how to read on.
type plan struct {
	from position
	mark connectors.SnapshotMark
	gap  string // why something may have been missed
}

// newPlan decides where to read on, with what the ledger has and what the brokers have.
// old is nil where nothing was read yet. anew is that a person wants all of it read again.
func newPlan(old *position, s sight, start string, anew bool) plan {
	switch {
	case old == nil && start == Earliest:
		return s.reread(s.settings.Compacted)
	case old == nil && !anew:
		p := plan{from: newPosition(s.topic)}
		for number, offset := range s.begin {
			p.from.Parts[number] = place{Next: offset, Epoch: -1}
		}
		return p
	case anew:
		return s.reread(true)
	}
	if why := s.anotherTopic(old); why != "" {
		p := s.reread(s.settings.Compacted)
		p.gap = why
		return p
	}
	p := plan{from: old.clone()}
	var gaps []string
	for _, part := range s.topic.Partitions {
		number := part.Number
		at, known := old.Parts[number]
		if !known { // added meanwhile
			at = place{Next: s.logStarts[number], Epoch: -1}
			if old.Snapshot {
				at.From, at.Target = at.Next, s.logEnds[number]
			}
		}
		if why := s.lost(number, at); why != "" {
			gaps = append(gaps, why)
			at = place{Next: s.logStarts[number], Epoch: -1}
		}
		p.from.Parts[number] = at
	}
	for number := range old.Parts {
		if _, there := s.logStarts[number]; !there {
			gaps = append(gaps, fmt.Sprintf("partition %d is no more", number))
			delete(p.from.Parts, number)
		}
	}
	if len(gaps) == 0 {
		return p
	}
	slices.Sort(gaps)
	why := strings.Join(gaps, "; ")
	if s.settings.Compacted {
		p = s.reread(true)
	}
	p.gap = why
	return p
}

// reread is all of the topic, from its beginning, as a snapshot or as what comes.
func (s sight) reread(snapshot bool) plan {
	p := plan{from: newPosition(s.topic)}
	for number, offset := range s.logStarts {
		at := place{Next: offset, Epoch: -1}
		if snapshot {
			at.From, at.Target = offset, s.logEnds[number]
		}
		p.from.Parts[number] = at
	}
	if !snapshot {
		return p
	}
	p.from.Snapshot, p.from.Partial = true, !s.settings.Compacted
	p.mark.Begins = true
	if p.from.complete() {
		p.mark.Ends, p.mark.Partial = true, p.from.Partial
		p.from.Snapshot, p.from.Partial = false, false
	}
	return p
}

// anotherTopic is why nothing that was read is of this topic; "" where it is this one.
func (s sight) anotherTopic(old *position) string {
	switch id := s.topic.ID.String(); {
	case !cures.KafkaIdentity: // P20
		return ""
	case old.Topic != s.topic.Name:
		return fmt.Sprintf("topic %q was read before, and is not any more", old.Topic)
	case old.Cluster != "" && s.topic.Cluster != "" && old.Cluster != s.topic.Cluster:
		return fmt.Sprintf("topic %q was read in the cluster %s before, and these brokers are of %s", old.Topic, old.Cluster, s.topic.Cluster)
	case old.ID != "" && id != "" && old.ID != id:
		return fmt.Sprintf("topic %q was deleted and made anew", old.Topic)
	}
	return ""
}

// lost is why something of a partition can't be read any more; "" where all can.
func (s sight) lost(number int32, at place) string {
	start, end := s.logStarts[number], s.logEnds[number]
	switch {
	case !cures.KafkaGap: // P20
		return ""
	case at.Next < start:
		return fmt.Sprintf("partition %d: the records at the offsets %d to %d were removed before they were read", number, at.Next, start-1)
	case at.Next > end:
		return fmt.Sprintf("partition %d: it was read up to offset %d, and ends at %d now: records that were confirmed are lost", number, at.Next, end)
	case s.cut[number]:
		return fmt.Sprintf("partition %d: records before offset %d are others than those that were read: confirmed ones are lost", number, at.Next)
	case cures.KafkaTombstones && s.settings.Compacted && s.settings.Known && at.Next < end && at.sinceHeard(s.at) > time.Duration(s.settings.Retention)*time.Millisecond:
		return fmt.Sprintf("partition %d: it was last read to its end %s ago, and tombstones stay for %s only",
			number, at.sinceHeard(s.at).Round(time.Second), time.Duration(s.settings.Retention)*time.Millisecond)
	}
	return ""
}

package kafka

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	wire "github.com/pictifyd/pictifyd/internal/kafka"
)

// A position is how far all partitions of a topic were read.
type position struct {
	Cluster string          `json:"cluster,omitempty"`
	Topic   string          `json:"topic"`
	ID      string          `json:"id,omitempty"` // of the topic; brokers before 2.8 have none
	Parts   map[int32]place `json:"partitions"`
	// Snapshot: all rows are being read, up to the Target of each partition.
	Snapshot bool `json:"snapshot,omitempty"`
	Partial  bool `json:"partial,omitempty"` // the topic does not hold all of them any more
}

// A place is how far a partition was read.
type place struct {
	Next   int64 `json:"next"`            // the offset to be read next
	Epoch  int32 `json:"epoch"`           // of the leader that wrote what was read last; -1 is not known
	Target int64 `json:"until,omitempty"` // of a snapshot: where it ends here
	From   int64 `json:"from,omitempty"`  // of a snapshot: where it began here
	// Heard is when nothing was left to read, in seconds: what is to be read was
	// written later.
	Heard int64 `json:"heard,omitempty"`
}

func newPosition(t wire.Topic) position {
	return position{Cluster: t.Cluster, Topic: t.Name, ID: t.ID.String(), Parts: map[int32]place{}}
}

// parsePosition is nil where nothing was read yet, and where a cursor is not ours.
func parsePosition(c connectors.Cursor) *position {
	var p position
	if json.Unmarshal(c, &p) != nil || p.Topic == "" || p.Parts == nil {
		return nil
	}
	return &p
}

func (p *position) cursor() connectors.Cursor {
	c, err := json.Marshal(p)
	if err != nil {
		panic(err) // numbers and texts
	}
	return c
}

func (p *position) clone() position {
	c := *p
	c.Parts = maps.Clone(p.Parts)
	return c
}

// complete reports whether a snapshot has come to its end everywhere.
func (p *position) complete() bool {
	for _, at := range p.Parts {
		if at.Next < at.Target {
			return false
		}
	}
	return true
}

// sinceHeard is for how long there may have been something to read here; 0 is not known.
func (p place) sinceHeard(now time.Time) time.Duration {
	if p.Heard == 0 {
		return 0
	}
	return now.Sub(time.Unix(p.Heard, 0))
}

package kafka

import (
	"context"
	"time"

	segment "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// A Place is where to read on in a partition.
type Place struct {
	Partition
	Offset int64
	// ReadEpoch is that of the leader that wrote what was read last; -1 is not known.
	// A log that was cut since is found by it.
	ReadEpoch int32
	MaxBytes  int32 // of the answer; a batch that is larger comes whole, if it is the first
}

// A Fetched is what a leader has of a partition.
type Fetched struct {
	Number    int32
	Err       error
	End       int64 // of what replicas have confirmed
	Committed int64 // End, or where a transaction begins that is under way
	LogStart  int64 // -1 is not known
	Aborted   []Aborted
	Batches   []byte // one after the other, the last of which may be cut off
	// Cut is where the log and what was read part ways: it was cut, and has been
	// written anew from there. -1 is that it was not.
	Cut int64
}

// An Aborted is a transaction that was given up. Its first record is at Offset.
type Aborted struct {
	Producer int64
	Offset   int64
}

// Fetch asks a leader for what stands at the places, in that order, waiting for
// something to come. No more than maxBytes are answered, or one batch that is larger.
// A partition that the leader says nothing of is not in the answer.
func (c *Client) Fetch(ctx context.Context, leader int32, topic TopicID, places []Place, maxBytes int32, wait time.Duration) ([]Fetched, error) {
	var all []Fetched
	var code segment.Error
	q := &question{
		api:   protocol.Fetch,
		least: 4,
		version: func(highest int16) (int16, bool) {
			if highest >= 13 && topic != (TopicID{}) {
				return 13, true
			}
			return min(highest, 11), false
		},
		write: func(version int16, e *encoder) {
			e.int32(-1) // no replica
			e.int32(int32(wait.Milliseconds()))
			e.int32(1)
			e.int32(maxBytes)
			e.int8(int8(segment.ReadCommitted))
			if version >= 7 {
				e.int32(0) // no session
				e.int32(-1)
			}
			e.length(1)
			if version >= 13 {
				e.b = append(e.b, topic[:]...)
			} else {
				e.string(c.topic)
			}
			e.length(len(places))
			for _, p := range places {
				writePlace(version, e, p)
			}
			e.end()
			if version >= 7 {
				e.length(0) // forgotten
			}
			if version >= 11 {
				e.string("") // our rack
			}
			e.end()
		},
		read: func(version int16, d *decoder) {
			d.int32()
			if version >= 7 {
				code = segment.Error(d.int16())
				d.int32()
			}
			d.each(func() {
				if version >= 13 {
					d.take(16)
				} else {
					d.string()
				}
				d.each(func() { all = append(all, readFetched(version, d)) })
				d.tags(nil)
			})
		},
	}
	if err := c.ask(ctx, leader, wait, q); err != nil {
		return nil, err
	}
	if code != 0 {
		return nil, code
	}
	return all, nil
}

func writePlace(version int16, e *encoder, p Place) {
	e.int32(p.Number)
	if version >= 9 {
		e.int32(p.Epoch)
	}
	e.int64(p.Offset)
	if version >= 12 {
		e.int32(p.ReadEpoch)
	}
	if version >= 5 {
		e.int64(-1)
	}
	e.int32(p.MaxBytes)
	e.end()
}

func readFetched(version int16, d *decoder) Fetched {
	f := Fetched{Number: d.int32(), LogStart: -1, Cut: -1}
	if code := d.int16(); code != 0 {
		f.Err = segment.Error(code)
	}
	f.End, f.Committed = d.int64(), d.int64()
	if version >= 5 {
		f.LogStart = d.int64()
	}
	d.each(func() {
		f.Aborted = append(f.Aborted, Aborted{Producer: d.int64(), Offset: d.int64()})
		d.tags(nil)
	})
	if version >= 11 {
		d.int32() // the replica that it would rather have asked
	}
	f.Batches = d.bytes()
	d.tags(func(tag uint64, d *decoder) {
		if tag == divergingEpoch {
			d.int32()
			f.Cut = d.int64()
		}
	})
	return f
}

// divergingEpoch is the tag by which a leader says that a log was cut.
const divergingEpoch = 0

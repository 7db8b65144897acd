package kafka

import (
	"context"

	segment "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// The offsets of a partition that have names.
const (
	LogStart int64 = -2
	LogEnd   int64 = -1 // that of committed transactions
)

// Offsets asks the leader of partitions for the offset of each that is at a time, in
// milliseconds, or has a name. -1 is that there is no record at the time or later.
func (c *Client) Offsets(ctx context.Context, leader int32, at int64, partitions []Partition) (map[int32]int64, error) {
	found := map[int32]int64{}
	var failed error
	q := &question{
		api:     protocol.ListOffsets,
		least:   1,
		version: func(highest int16) (int16, bool) { return min(highest, 5), false },
		write: func(version int16, e *encoder) {
			e.int32(-1) // no replica
			if version >= 2 {
				e.int8(int8(segment.ReadCommitted))
			}
			e.length(1)
			e.string(c.topic)
			e.length(len(partitions))
			for _, p := range partitions {
				e.int32(p.Number)
				if version >= 4 {
					e.int32(p.Epoch)
				}
				e.int64(at)
			}
		},
		read: func(version int16, d *decoder) {
			if version >= 2 {
				d.int32()
			}
			d.each(func() {
				d.string()
				d.each(func() {
					number, code := d.int32(), d.int16()
					d.int64()
					offset := d.int64()
					if version >= 4 {
						d.int32()
					}
					if code != 0 {
						failed = segment.Error(code)
					}
					found[number] = offset
				})
			})
		},
	}
	if err := c.ask(ctx, leader, 0, q); err != nil {
		return nil, err
	}
	return found, failed
}

// OffsetsOf asks all leaders.
func (c *Client) OffsetsOf(ctx context.Context, at int64, partitions []Partition) (map[int32]int64, error) {
	led := map[int32][]Partition{}
	for _, p := range partitions {
		if p.Leader < 0 {
			return nil, segment.LeaderNotAvailable
		}
		led[p.Leader] = append(led[p.Leader], p)
	}
	all := map[int32]int64{}
	for leader, ps := range led {
		found, err := c.Offsets(ctx, leader, at, ps)
		if err != nil {
			return nil, err
		}
		for _, p := range ps {
			offset, ok := found[p.Number]
			if !ok {
				return nil, segment.UnknownTopicOrPartition
			}
			all[p.Number] = offset
		}
	}
	return all, nil
}

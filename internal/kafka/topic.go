package kafka

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strings"

	segment "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// A TopicID tells topics of one name apart.
type TopicID [16]byte

// String is as Kafka's own tools write it; "" where the brokers have none.
func (id TopicID) String() string {
	if id == (TopicID{}) {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// A Topic is what the brokers say of one.
type Topic struct {
	Cluster    string
	Name       string
	ID         TopicID // zero where brokers are older than 2.8
	Partitions []Partition
}

// A Partition is a part of a topic, and who leads it.
type Partition struct {
	Number int32
	Leader int32 // a broker; -1 where there is none
	Epoch  int32 // of the leader; -1 is not known
}

// Look asks whichever broker answers for the topic.
func (c *Client) Look(ctx context.Context) (Topic, error) {
	var t Topic
	code := segment.UnknownTopicOrPartition
	q := &question{
		api:   protocol.Metadata,
		least: 4,
		version: func(highest int16) (int16, bool) {
			if highest >= 10 {
				return 10, true
			}
			return min(highest, 7), false
		},
		write: func(version int16, e *encoder) {
			e.length(1)
			if version >= 10 {
				e.int64(0)
				e.int64(0)
			}
			e.string(c.topic)
			e.end()
			e.int8(0) // makes no topic
			if version >= 8 {
				e.int8(0)
				e.int8(0)
			}
			e.end()
		},
		read: func(version int16, d *decoder) { t, code = readTopic(version, d) },
	}
	if err := c.ask(ctx, anyBroker, 0, q); err != nil {
		return Topic{}, err
	}
	if code != 0 {
		return t, code
	}
	slices.SortFunc(t.Partitions, func(a, b Partition) int { return cmp.Compare(a.Number, b.Number) })
	return t, nil
}

func readTopic(version int16, d *decoder) (Topic, segment.Error) {
	var t Topic
	code := segment.UnknownTopicOrPartition
	d.int32()       // throttled
	d.each(func() { // brokers, which kafka-go knows
		d.int32()
		d.string()
		d.int32()
		d.string()
		d.tags(nil)
	})
	t.Cluster = d.string()
	d.int32() // the controller
	d.each(func() {
		code = segment.Error(d.int16())
		t.Name = d.string()
		if version >= 10 {
			copy(t.ID[:], d.take(16))
		}
		d.int8()
		d.each(func() { t.Partitions = append(t.Partitions, readPartition(version, d)) })
		if version >= 8 {
			d.int32()
		}
		d.tags(nil)
	})
	return t, code
}

func readPartition(version int16, d *decoder) Partition {
	d.int16() // says only that there is no leader, or replicas are missing
	p := Partition{Number: d.int32(), Leader: d.int32(), Epoch: -1}
	if version >= 7 {
		p.Epoch = d.int32()
	}
	lists := 2
	if version >= 5 {
		lists = 3
	}
	for range lists {
		d.each(func() { d.int32() })
	}
	d.tags(nil)
	return p
}

// Settings are those of the topic that decide what a reader may miss.
type Settings struct {
	Known     bool  // false: we may not ask
	Compacted bool  // and nothing is removed for its age
	Retention int64 // ms that tombstones stay
}

// Settings asks for the topic's settings.
func (c *Client) Settings(ctx context.Context) (Settings, error) {
	answer, err := c.Admin.DescribeConfigs(ctx, &segment.DescribeConfigsRequest{Resources: []segment.DescribeConfigRequestResource{{
		ResourceType: segment.ResourceTypeTopic, ResourceName: c.topic, ConfigNames: []string{"cleanup.policy", "delete.retention.ms"},
	}}})
	if err != nil {
		return Settings{}, err
	}
	var s Settings
	for _, r := range answer.Resources {
		if r.Error != nil {
			return s, r.Error
		}
		for _, entry := range r.ConfigEntries {
			switch entry.ConfigName {
			case "cleanup.policy":
				s.Known = true
				s.Compacted = strings.TrimSpace(entry.ConfigValue) == "compact"
			case "delete.retention.ms":
				s.Retention = number(entry.ConfigValue)
			}
		}
	}
	return s, nil
}

func number(text string) int64 {
	var n int64
	for _, r := range text {
		if r < '0' || r > '9' || n > 1<<58 {
			return 0
		}
		n = n*10 + int64(r-'0')
	}
	return n
}

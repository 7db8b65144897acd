package value

import (
	"encoding/json"
	"errors"
	"time"
)

// maxRaw is how long what a fault keeps of its record may be.
const maxRaw = 256 << 10

// A raw is a record as a Fault keeps it, in JSON.
type raw struct {
	Topic     string   `json:"topic"`
	Partition int      `json:"partition"`
	Offset    int64    `json:"offset"`
	Time      int64    `json:"time"` // in milliseconds
	Key       []byte   `json:"key"`  // null is null
	Value     []byte   `json:"value"`
	Headers   []Header `json:"headers,omitempty"`
	Element   *int     `json:"element,omitempty"` // that is at fault; none: all of it
}

// rawOf is a record as a Fault keeps it; nil where that is too much.
func rawOf(r Record, element *int) []byte {
	if len(r.Key)+len(r.Value) > maxRaw {
		return nil
	}
	text, err := json.Marshal(raw{
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: r.Time.UnixMilli(), Key: r.Key, Value: r.Value, Headers: r.Headers, Element: element,
	})
	if err != nil || len(text) > maxRaw {
		return nil
	}
	return text
}

// recordOf reads what rawOf wrote.
func recordOf(text []byte) (r Record, element *int, err error) {
	var of raw
	if err := json.Unmarshal(text, &of); err != nil {
		return r, nil, errors.New("this is no record that was set aside")
	}
	return Record{
		Topic: of.Topic, Partition: of.Partition, Offset: of.Offset, Time: time.UnixMilli(of.Time).UTC(), Key: of.Key, Value: of.Value, Headers: of.Headers,
	}, of.Element, nil
}

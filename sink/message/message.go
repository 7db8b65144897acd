// Package message is the JSON in which receivers are told of a delivery: the body
// of a webhook, the value of a Kafka record.
package message

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/pictifyd/pictifyd/sink"
)

// message is what a receiver reads.
type message struct {
	Event     string    `json:"event"`
	Timestamp time.Time `json:"timestamp"`
	Data      any       `json:"data"`
}

// rowData is the data of an event about one row. The picture itself stands
// twice: receivers of one output want it flat, others by its name.
type rowData struct {
	DeliveryID string `json:"deliveryId"`
	Binding    string `json:"binding"`
	Key        string `json:"key"`
	Generation int64  `json:"generation"`

	URL    string `json:"url,omitempty"`
	Hash   string `json:"contentHash,omitempty"`
	Width  int    `json:"width,omitempty"`
	Height int    `json:"height,omitempty"`
	Format string `json:"format,omitempty"`

	Variant  string `json:"variant,omitempty"`
	ClickURL string `json:"clickUrl,omitempty"`

	Outputs []sink.Output  `json:"outputs"`
	Row     map[string]any `json:"row,omitempty"`
	// Truncated says that the row was too large to be sent along.
	Truncated bool `json:"truncated,omitempty"`
}

// Encode is d as {event, timestamp, data}: the same bytes at every try. The row's
// columns are in it if includeRow says so, unless it were more than most bytes
// with them.
func Encode(d sink.Delivery, includeRow bool, most int64) ([]byte, error) {
	b := message{Event: d.Event, Timestamp: d.Time.UTC(), Data: d.Data}
	if d.Data != nil {
		return b.encode()
	}
	data := dataOf(d, includeRow)
	b.Data = data
	text, err := b.encode()
	if err != nil || int64(len(text)) <= most || data.Row == nil {
		return text, err
	}
	data.Row, data.Truncated = nil, true
	b.Data = data
	return b.encode()
}

func (b message) encode() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false) // & in addresses stays legible
	if err := enc.Encode(b); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

func dataOf(d sink.Delivery, includeRow bool) rowData {
	data := rowData{
		DeliveryID: d.ID,
		Binding:    d.Binding,
		Key:        d.Key,
		Generation: d.Generation,
		Outputs:    d.Outputs,
		Variant:    d.Variant,
		ClickURL:   d.ClickURL,
	}
	if data.Outputs == nil {
		data.Outputs = []sink.Output{}
	}
	if includeRow {
		data.Row = d.Row
	}
	for _, o := range d.Outputs {
		if o.Error == "" && o.URL != "" {
			data.URL, data.Hash, data.Width, data.Height, data.Format = o.URL, o.Hash, o.Width, o.Height, o.Format
			break
		}
	}
	return data
}

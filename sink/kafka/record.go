package kafka

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"time"

	segment "github.com/segmentio/kafka-go"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/sink/fields"
	"github.com/pictifyd/pictifyd/sink/message"
)

// RecordRefused is the slug of a record that a row's values make impossible.
const RecordRefused = "kafka_record_refused"

// own are the headers that each record has, and that of tests.
var own = []string{"event", "id", "generation", "binding", "time", "content-type", "test"}

// A shape is what records are made of.
type shape struct {
	key        *expr.Program // nil is BINDING/KEY
	value      []member      // none is what a webhook sends
	headers    []header
	includeRow bool
}

type member struct {
	name    string
	program *expr.Program
}

type header struct {
	name string
	text *expr.Interpolation
}

// record is d as it is written. Its value is null, a tombstone, if the picture is gone.
func (s shape) record(d sink.Delivery) (segment.Message, error) {
	values := fields.Of(d)
	env := expr.Env{Now: d.Time}
	key, err := s.keyOf(d, values, env)
	if err != nil {
		return segment.Message{}, err
	}
	m := segment.Message{Key: key, Headers: []segment.Header{
		{Key: "event", Value: []byte(d.Event)},
		{Key: "id", Value: []byte(d.ID)},
		{Key: "generation", Value: strconv.AppendInt(nil, d.Generation, 10)},
		{Key: "binding", Value: []byte(d.Binding)},
		{Key: "time", Value: d.Time.UTC().AppendFormat(nil, time.RFC3339Nano)},
	}}
	if d.Event != sink.ImageRemoved {
		if m.Value, err = s.valueOf(d, values, env); err != nil {
			return segment.Message{}, err
		}
		m.Headers = append(m.Headers, segment.Header{Key: "content-type", Value: []byte("application/json")})
	}
	if d.Data != nil {
		return m, nil // of no row, so that there is nothing to read
	}
	for _, h := range s.headers {
		text, err := h.text.Fill(values, env, func(text string) string { return text })
		if err != nil {
			return segment.Message{}, refused("header %s: %w", h.name, err)
		}
		m.Headers = append(m.Headers, segment.Header{Key: h.name, Value: []byte(text)})
	}
	return m, nil
}

// keyOf is never empty: a compacted topic takes no record without a key. What is about
// no row has a key of its own, its delivery's id.
func (s shape) keyOf(d sink.Delivery, values map[string]any, env expr.Env) ([]byte, error) {
	switch {
	case d.Data != nil:
		return []byte(d.ID), nil
	case s.key == nil:
		return []byte(d.Binding + "/" + d.Key), nil
	}
	v, err := s.key.Eval(values, env)
	if err != nil {
		return nil, refused("key: %w", err)
	}
	text := expr.Text(v)
	if text == "" {
		return nil, refused("the key is empty")
	}
	return []byte(text), nil
}

func (s shape) valueOf(d sink.Delivery, values map[string]any, env expr.Env) ([]byte, error) {
	if len(s.value) == 0 || d.Data != nil {
		value, err := message.Encode(d, s.includeRow, math.MaxInt64)
		if err != nil {
			return nil, refused("value: %w", err)
		}
		return value, nil
	}
	object := make(map[string]any, len(s.value))
	for _, m := range s.value {
		v, err := m.program.Eval(values, env)
		if err != nil {
			return nil, refused("value.%s: %w", m.name, err)
		}
		object[m.name] = v
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(object); err != nil {
		return nil, refused("value: %w", err)
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

func refused(format string, args ...any) error {
	return retry.Permanent(problem.New(problem.Invalid, format, args...).WithSlug(RecordRefused).
		WithHint("change the expression or the row, and replay the delivery"))
}

// weight is about how many bytes m has.
func weight(m segment.Message) int {
	n := len(m.Key) + len(m.Value) + 32
	for _, h := range m.Headers {
		n += len(h.Key) + len(h.Value) + 4
	}
	return n
}

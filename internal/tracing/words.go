package tracing

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// An Attribute is one thing that is known of a span.
type Attribute = attribute.KeyValue

// Text is an attribute that is a text.
func Text(name, value string) Attribute { return attribute.String(name, value) }

// Number is an attribute that is a number.
func Number(name string, value int64) Attribute { return attribute.Int64(name, value) }

// A Kind says on which side of a call a span is.
type Kind = trace.SpanKind

// The kinds of spans.
const (
	Inside = trace.SpanKindInternal // of pictifyd itself
	Client = trace.SpanKindClient   // it waits for somebody else
	Server = trace.SpanKindServer   // somebody else waits for it
)

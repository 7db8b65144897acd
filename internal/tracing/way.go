package tracing

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/trace"
)

// A Way is that of one row, from the change that gave its images another generation to the
// last of those that are told of it.
type Way struct {
	Owner      string // as the ledger names it: binding/NAME, job/ID
	Index      int64  // of a job's row
	Key        string
	Generation int64
}

// sum is what the ids follow from.
func (w Way) sum() [32]byte {
	return sha256.Sum256([]byte(strings.Join([]string{
		"pictifyd row", w.Owner, strconv.FormatInt(w.Index, 10), w.Key, strconv.FormatInt(w.Generation, 10),
	}, "\x00")))
}

// ids are those of the trace and of its first span.
func (w Way) ids() (id trace.TraceID, first trace.SpanID) {
	sum := w.sum()
	copy(id[:], sum[:16])
	copy(first[:], sum[16:24])
	return id, first
}

// TraceID is the id of the trace as tools show it: 32 hexadecimal digits.
func (w Way) TraceID() string {
	id, _ := w.ids()
	return id.String()
}

type wayKey struct{}

// An idGenerator makes the ids of a row's first span follow from its way, and all others by chance.
type idGenerator struct{}

// NewIDs implements sdktrace.IDGenerator.
func (idGenerator) NewIDs(ctx context.Context) (id trace.TraceID, span trace.SpanID) {
	if w, ok := ctx.Value(wayKey{}).(Way); ok {
		return w.ids()
	}
	for !id.IsValid() {
		binary.NativeEndian.PutUint64(id[:8], rand.Uint64())
		binary.NativeEndian.PutUint64(id[8:], rand.Uint64())
	}
	return id, idGenerator{}.NewSpanID(ctx, id)
}

// NewSpanID implements sdktrace.IDGenerator.
func (idGenerator) NewSpanID(context.Context, trace.TraceID) (span trace.SpanID) {
	for !span.IsValid() {
		binary.NativeEndian.PutUint64(span[:], rand.Uint64())
	}
	return span
}

package poll

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A batch is emitted once it has so many elements, or once they took so many
// bytes in the document: a few large rows must not add up to gigabytes.
const (
	batchElements = 500
	batchBytes    = 8 << 20
)

// A Reading collects elements into batches and emits them. Close ends it; a
// reading that is left without Close died, and closed nothing.
type Reading struct {
	key   []string
	emit  connectors.Emit
	batch connectors.Batch
	bytes int64
	rows  int
	fault *connectors.Fault // the first one
}

// NewReading begins a reading of a source with these key columns.
func NewReading(key []string, emit connectors.Emit) *Reading {
	return &Reading{key: key, emit: emit}
}

// Copy emits what d has until its end. When d breaks off, what came before is
// emitted and the error returned. A document in which every element is a fault
// was not understood, and is an error too: closed as complete, it would say that
// the source has no rows.
func (r *Reading) Copy(ctx context.Context, d Decoder) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		element, err := d.Next()
		switch {
		case errors.Is(err, io.EOF):
			return r.understood()
		case err != nil:
			return errors.Join(err, r.flush(ctx))
		}
		if err := r.add(ctx, element); err != nil {
			return err
		}
	}
}

// Close emits what is left, together with the closing.
func (r *Reading) Close(ctx context.Context, c connectors.Closing) error {
	r.batch.Closes = &c
	return r.send(ctx)
}

// Unchanged closes a reading that found the state of the cursor before. A nil
// cursor keeps that one.
func Unchanged(ctx context.Context, emit connectors.Emit, cursor connectors.Cursor) error {
	closing := connectors.Closing{Complete: true, Unchanged: true, Cursor: cursor}
	return emit(ctx, connectors.Batch{Closes: &closing})
}

func (r *Reading) add(ctx context.Context, e Element) error {
	if e.Fault != nil {
		if r.fault == nil {
			r.fault = e.Fault
		}
		r.batch.Faults = append(r.batch.Faults, *e.Fault)
	} else {
		r.rows++
		r.batch.Rows = append(r.batch.Rows, connectors.Row{
			Key:      connectors.KeyOf(r.key, e.Values),
			Values:   e.Values,
			Position: e.Position,
		})
	}
	r.bytes += e.Size
	if len(r.batch.Rows)+len(r.batch.Faults) < batchElements && r.bytes < batchBytes {
		return nil
	}
	return r.flush(ctx)
}

func (r *Reading) flush(ctx context.Context) error {
	if len(r.batch.Rows)+len(r.batch.Faults) == 0 {
		return nil
	}
	return r.send(ctx)
}

func (r *Reading) send(ctx context.Context) error {
	if err := r.emit(ctx, r.batch); err != nil {
		return err
	}
	clear(r.batch.Rows)
	clear(r.batch.Faults)
	r.batch.Rows, r.batch.Faults, r.bytes = r.batch.Rows[:0], r.batch.Faults[:0], 0
	return nil
}

func (r *Reading) understood() error {
	if r.rows > 0 || r.fault == nil {
		return nil
	}
	return problem.New(problem.Invalid, "no element could be read as a row; %s", describe(*r.fault)).
		WithHint("see that the format, the delimiter and the rows path fit the document")
}

func describe(f connectors.Fault) string {
	return fmt.Sprintf("%s: %s", f.Position, f.Detail)
}

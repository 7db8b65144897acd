package poll

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

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
	rows  int               // of the document that is read now
	fault *connectors.Fault // the first one of it

	several bool // documents, not each of which has all columns
	changes bool // it is not of all rows
	copied  bool
	absent  []string // columns of Numbers that no document had
	header  []string // of the last one
}

// NewReading begins a reading of a source with these key columns.
func NewReading(key []string, emit connectors.Emit) *Reading {
	return &Reading{key: key, emit: emit}
}

// OfSeveral says that the reading has several documents, and that a column of
// Numbers need not be in each of them.
func (r *Reading) OfSeveral() *Reading {
	r.several = true
	return r
}

// OfChanges says that the reading is not of all rows: where none of them could be read, the
// others may well be as they should.
func (r *Reading) OfChanges() *Reading {
	r.changes = true
	return r
}

// Copy emits what d has until its end, and closes d where that can be. When d
// breaks off, what came before is emitted and the error returned. A document in which every element is a fault
// was not understood, and is an error too: closed as complete, it would say that
// the source has no rows.
func (r *Reading) Copy(ctx context.Context, d Decoder) (err error) {
	if c, ok := d.(io.Closer); ok {
		defer func() { err = errors.Join(err, c.Close()) }()
	}
	if err := r.begin(d); err != nil {
		return err
	}
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

// numbered is a Decoder of tables.
type numbered interface {
	missingNumbers() (missing, header []string)
}

func (r *Reading) begin(d Decoder) error {
	r.rows, r.fault = 0, nil
	t, ok := d.(numbered)
	if !ok {
		return nil
	}
	missing, header := t.missingNumbers()
	if !r.copied || !r.several {
		r.copied, r.absent = true, missing
	}
	r.header = header
	r.absent = slices.DeleteFunc(slices.Clone(r.absent), func(column string) bool { return !slices.Contains(missing, column) })
	if r.several {
		return nil
	}
	return r.allNumbers()
}

func (r *Reading) allNumbers() error {
	if len(r.absent) > 0 {
		return problem.New(problem.Invalid, "column %q of numbers is in no header; there are %s", r.absent[0], connectors.Quoted(r.header)).
			At("numbers.columns").WithHint("correct the columns of numbers, or the header")
	}
	return nil
}

// Close emits what is left, together with the closing.
func (r *Reading) Close(ctx context.Context, c connectors.Closing) error {
	if err := r.allNumbers(); err != nil {
		return err
	}
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
		r.batch.Faults = append(r.batch.Faults, r.keyed(e))
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

// keyed is the fault of e with the key of its row, where its cells tell it: the row
// is there, although something else of it can't be read.
func (r *Reading) keyed(e Element) connectors.Fault {
	f := *e.Fault
	if f.Key == nil && e.Values != nil {
		f.Key = connectors.KeyOf(r.key, e.Values)
	}
	return f
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
	if r.rows > 0 || r.fault == nil || r.changes {
		return nil
	}
	return problem.New(problem.Invalid, "no element could be read as a row; %s", describe(*r.fault)).
		WithHint("see that the format, the delimiter and the rows path fit the document")
}

func describe(f connectors.Fault) string {
	return fmt.Sprintf("%s: %s", f.Position, f.Detail)
}

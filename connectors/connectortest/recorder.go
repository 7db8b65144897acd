package connectortest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/pictifyd/pictifyd/connectors"
)

// A Recorder keeps what a poller emits, and what of it breaks the contract. The
// zero Recorder accepts everything.
type Recorder struct {
	Rows    []connectors.Row
	Faults  []connectors.Fault
	Closing *connectors.Closing // nil while the reading is open
	Batches int

	// Refuse, if set, is asked before a batch is kept; its error is what Emit returns.
	Refuse func(ctx context.Context, b connectors.Batch) error

	broken  []string
	refused bool
}

// Emit is a connectors.Emit.
func (r *Recorder) Emit(ctx context.Context, b connectors.Batch) error {
	if r.Closing != nil {
		r.breaks("a batch after the closing")
	}
	if r.refused {
		r.breaks("a batch after one that was refused")
	}
	if r.Refuse != nil {
		if err := r.Refuse(ctx, b); err != nil {
			r.refused = true
			return err
		}
	}
	r.Batches++
	r.keep(b)
	return nil
}

func (r *Recorder) keep(b connectors.Batch) {
	if b.Reading != "" {
		r.breaks("batch %d names its reading; the daemon does", r.Batches)
	}
	if b.Closes == nil && len(b.Rows)+len(b.Faults) == 0 {
		r.breaks("batch %d is empty", r.Batches)
	}
	for _, row := range b.Rows {
		r.judge(row)
	}
	for _, f := range b.Faults {
		if f.Reason == "" || f.Detail == "" || f.Position == "" {
			r.breaks("a fault that does not say what and where: %+v", f)
		}
	}
	r.Rows = append(r.Rows, b.Rows...)
	r.Faults = append(r.Faults, b.Faults...)
	if b.Closes == nil {
		return
	}
	closing := *b.Closes
	closing.Cursor = slices.Clone(closing.Cursor)
	r.Closing = &closing
	if closing.Unchanged && len(r.Rows) > 0 {
		r.breaks("an unchanged reading with %d rows", len(r.Rows))
	}
	if closing.Complete != (closing.Reason == "") {
		r.breaks("a closing that is complete=%v with reason %q", closing.Complete, closing.Reason)
	}
}

func (r *Recorder) judge(row connectors.Row) {
	if row.Position == "" {
		r.breaks("a row without a position: %v", row.Key)
	}
	if row.Values == nil && !row.Deleted {
		r.breaks("%s: a row without values", row.Position)
	}
	for name, value := range row.Values {
		if bad := foreign(value); bad != "" {
			r.breaks("%s: column %q holds %s", row.Position, name, bad)
		}
	}
}

func (r *Recorder) breaks(format string, args ...any) {
	r.broken = append(r.broken, fmt.Sprintf(format, args...))
}

// foreign names the first type in value, at any depth, that rows do not hold.
func foreign(value any) string {
	switch v := value.(type) {
	case nil, bool, string, json.Number:
		return ""
	case []any:
		for _, element := range v {
			if bad := foreign(element); bad != "" {
				return bad
			}
		}
		return ""
	case map[string]any:
		for _, element := range v {
			if bad := foreign(element); bad != "" {
				return bad
			}
		}
		return ""
	}
	return fmt.Sprintf("a %T", value)
}

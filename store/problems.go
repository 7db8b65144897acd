package store

import (
	"encoding/json"
	"strings"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
)

// The problems that the store itself finds.
const (
	codeCrashed = "render_crashed" // processes died over it
	codeFailed  = "render_failed"  // the machine could not make it
)

// retryable reports whether a render that failed so may succeed when it is
// wanted again: what is at fault is the machine or a remote file, not the row.
func retryable(code string) bool {
	return code == codeCrashed || code == codeFailed || code == batch.RowCancelled || strings.HasPrefix(code, "asset_")
}

// problemOf reads a problem column.
func problemOf(text string) (*bindings.Problem, error) {
	if text == "" {
		return nil, nil
	}
	p := new(bindings.Problem)
	return p, json.Unmarshal([]byte(text), p)
}

// problemText is p for a problem column; "" for nil.
func problemText(p *bindings.Problem) string {
	if p == nil {
		return ""
	}
	return encode(bindings.Problem{Code: clean(p.Code), Field: clean(p.Field), Message: clean(p.Message), Lasting: p.Lasting})
}

// fittingText is f for the layout column; "" where there is nothing to say.
func fittingText(f bindings.Fitting) string {
	if f.Empty() {
		return ""
	}
	return encode(f)
}

// rowError is p as a job's row shows it.
func rowError(p *bindings.Problem) *batch.RowError {
	if p == nil {
		return nil
	}
	return &batch.RowError{Code: p.Code, Field: p.Field, Message: p.Message, Retryable: retryable(p.Code) && !p.Lasting}
}

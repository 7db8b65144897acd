package httppoll

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// readOne emits an answer that is one object as the row of the key One.
func (s *source) readOne(ctx context.Context, a answer, cursor connectors.Cursor, emit connectors.Emit) error {
	if _, err := formatOf(poll.Layout{Format: poll.JSON}, a); err != nil {
		return s.name(err)
	}
	dec := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(a.body, []byte("\xef\xbb\xbf"))))
	dec.UseNumber()
	var values map[string]any
	if err := dec.Decode(&values); err != nil {
		return s.name(notOne(err))
	}
	if values == nil {
		return s.name(notOne(errors.New("it is null")))
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return s.name(notOne(errors.New("there is more after the object")))
	}
	row := connectors.Row{Key: []any{s.cfg.One}, Values: values, Position: "$"}
	return emit(ctx, connectors.Batch{Rows: []connectors.Row{row}, Closes: &connectors.Closing{Complete: true, Cursor: cursor}})
}

func notOne(err error) error {
	return problem.New(problem.Upstream, "the answer is not one JSON object: %w", err).WithSlug("not_rows").
		WithHint("leave one out, and name key columns, where it is a list of rows")
}

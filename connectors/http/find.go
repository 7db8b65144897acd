package httppoll

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/poll"
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Find implements connectors.Finder.
func (a asked) Find(ctx context.Context, key []string) (connectors.Row, bool, error) {
	row, found, err := a.find(ctx, key)
	switch statusOf(err) {
	case http.StatusNotFound, http.StatusGone:
		return connectors.Row{}, false, nil
	}
	return row, found, err
}

func (s *source) find(ctx context.Context, key []string) (row connectors.Row, found bool, err error) {
	if len(key) != len(s.cfg.Key) {
		return row, false, problem.New(problem.Invalid, "the key has %d parts, not %d", len(key), len(s.cfg.Key))
	}
	values := map[string]any{}
	for i, column := range s.cfg.Key {
		values[column] = key[i]
	}
	if len(key) == 1 {
		values[keyName] = key[0]
	}
	r, err := s.form.fill(values, env(time.Now()))
	if err != nil {
		return row, false, err
	}
	var kept spill
	defer func() {
		if closeErr := kept.Close(); err == nil {
			err = closeErr
		}
	}()
	answer, err := s.fetch(ctx, r, validator{}, &kept)
	if err != nil {
		return row, false, err
	}
	text, err := kept.bytes(answer.offset, answer.size)
	if err == nil {
		row, found, err = s.rowOf(answer, text, key)
	}
	if err != nil {
		err = fmt.Errorf("%s %s: %w", r.method, display(r.url), err)
	}
	return row, found, err
}

// rowOf is the row in an answer that is an object or a list of one.
func (s *source) rowOf(a answer, text []byte, key []string) (row connectors.Row, found bool, err error) {
	if _, err := formatOf(poll.Layout{Format: poll.JSON}, a, text[:min(len(text), lookAhead)]); err != nil {
		return row, false, err
	}
	values, at, err := s.onlyObject(text)
	if err != nil || values == nil {
		return row, false, err
	}
	row = connectors.Row{Values: values, Position: at}
	for i, column := range s.cfg.Key {
		switch has := values[column]; {
		case has == nil:
			values[column] = key[i]
		case expr.Text(has) != key[i]:
			return row, false, problem.New(problem.Upstream, "the answer has the %s %q, not the one that was asked for", column, expr.Text(has)).
				WithSlug(NotRows).WithHint("see that the address answers by %s", column)
		}
		row.Key = append(row.Key, key[i])
	}
	return row, true, nil
}

// onlyObject is the one object at the rows path, nil where the source says that
// there is none: null, or an empty list.
func (s *source) onlyObject(text []byte) (values map[string]any, at string, err error) {
	at = rootOf(s.cfg.Rows)
	if values, err := s.objectAt(text); err != nil || values != nil {
		return values, at, err
	}
	if raw, err := poll.Find(text, s.cfg.Rows); err == nil && string(raw) == "null" {
		return nil, at, nil
	}
	// A list, or what the decoder has the words for.
	d, err := s.cfg.Decoder(poll.JSON, bytes.NewReader(text), nil)
	if err != nil {
		return nil, at, err
	}
	reading := poll.NewReading(s.cfg.Key, func(_ context.Context, b connectors.Batch) error {
		for _, row := range b.Rows {
			if values != nil {
				return problem.New(problem.Upstream, "the answer has more than one row for one key").WithSlug(NotRows).
					WithHint("see that the address answers by %s", s.cfg.Key[0])
			}
			values, at = row.Values, row.Position
		}
		return nil
	})
	if err := reading.Copy(context.Background(), d); err != nil {
		return nil, at, err
	}
	err = reading.Close(context.Background(), connectors.Closing{})
	return values, at, err
}

package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// RowNotFound is the slug of a row that no source has.
const RowNotFound = "row_not_found"

// Row is the stored row of a source with that canonical key; "" is the first.
func (s *Store) Row(ctx context.Context, source, key string) (bindings.StoredRow, error) {
	if key == "" {
		rows, err := s.Rows(ctx, source, "", 1)
		if err == nil && len(rows) == 0 {
			err = problem.New(problem.NotFound, "the source %q has no rows", source).WithSlug(RowNotFound).
				WithHint("it may not have been read yet; or give a row")
		}
		if err != nil {
			return bindings.StoredRow{}, err
		}
		return rows[0], nil
	}
	row := bindings.StoredRow{Key: key}
	var data string
	var missing sql.NullInt64
	err := s.reader().row(ctx, `SELECT version, data, digest, missing_since FROM source_rows WHERE source = $1 AND key = $2 AND gone = 0`,
		source, clean(key)).Scan(&row.Version, &data, &row.Digest, &missing)
	if errors.Is(err, sql.ErrNoRows) {
		return row, problem.New(problem.NotFound, "the source %q has no row %q", source, bindings.KeyText(key)).WithSlug(RowNotFound).
			WithHint("keys stand percent-encoded in paths, their columns joined by commas")
	}
	row.Values, row.Missing = []byte(data), missing.Valid
	return row, wrap(err, "read row %s of %q", key, source)
}

// A RowHistory is all that there is about a row of a binding: as it is stored, as
// it is drawn, and who was told of it.
type RowHistory struct {
	Row        *bindings.StoredRow // nil: it is gone
	State      string              // waiting, ready, failed, removed; "" when it never had an image
	Generation int64
	Problem    *bindings.Problem
	Assigned   bindings.Assigned // as which variant of an experiment it is drawn
	Images     []bindings.Image
	Deliveries []sink.Record // newest first
}

// historyLimit is how many deliveries of a row are told.
const historyLimit = 100

// RowHistory is what there is about a row; nothing at all is a problem NotFound.
func (s *Store) RowHistory(ctx context.Context, source string, owner bindings.Owner, key string, seen *sink.Seen) (RowHistory, error) {
	var h RowHistory
	row, missing := s.Row(ctx, source, key)
	if missing == nil {
		h.Row = &row
	} else if problem.CodeOf(missing) != problem.NotFound {
		return h, missing
	}
	var text, assigned string
	err := s.reader().row(ctx, `SELECT state, generation, problem, assigned FROM items WHERE owner = $1 AND idx = 0 AND key = $2 AND generation > 0`,
		string(owner), clean(key)).Scan(&h.State, &h.Generation, &text, &assigned)
	switch {
	case errors.Is(err, sql.ErrNoRows) && h.Row == nil:
		return h, missing
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return h, wrap(err, "read the item of row %s", key)
	}
	h.Problem, err = problemOf(text)
	if err := errors.Join(err, decode(assigned, &h.Assigned)); err != nil {
		return h, err
	}
	if h.Images, err = collect(ctx, s.reader(), imagesOfRow, []any{string(owner), clean(key)}, scanImage); err != nil {
		return h, wrap(err, "read the images of row %s", key)
	}
	h.Deliveries, err = s.Deliveries(ctx, sink.Selection{Binding: owner.Binding(), Key: key, Seen: seen}, sink.Place{}, historyLimit)
	return h, wrap(err, "read the deliveries of row %s", key)
}

package store

import (
	"context"

	"github.com/pictifyd/pictifyd/bindings"
)

// CountRows is how many rows of source are stored.
func (s *Store) CountRows(ctx context.Context, source string) (n int, err error) {
	err = s.reader().row(ctx, `SELECT count(*) FROM source_rows WHERE source = $1 AND gone = 0`, clean(source)).Scan(&n)
	return n, wrap(err, "count rows of %q", source)
}

// RowsAt are the stored rows of source by key, from the one at that place on; the
// first has place 0. Whoever reads on does so behind a key, see Rows.
func (s *Store) RowsAt(ctx context.Context, source string, at, limit int) ([]bindings.StoredRow, error) {
	all, err := collect(ctx, s.reader(), `SELECT key, version, data, digest, missing_since FROM source_rows
		WHERE source = $1 AND gone = 0 ORDER BY key LIMIT $3 OFFSET $2`, []any{clean(source), at, limit}, scanRow)
	return all, wrap(err, "read rows of %q", source)
}

// PlaceOfRow is how many stored rows of source have a lesser key: the place of
// the row of that key, if there is one.
func (s *Store) PlaceOfRow(ctx context.Context, source, key string) (at int, err error) {
	err = s.reader().row(ctx, `SELECT count(*) FROM source_rows WHERE source = $1 AND key < $2 AND gone = 0`, clean(source), clean(key)).Scan(&at)
	return at, wrap(err, "find the place of a row of %q", source)
}

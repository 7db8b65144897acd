package store

import (
	"context"
	"database/sql"

	"github.com/pictifyd/pictifyd/bindings"
)

// Known is what the ledger knows of keys of a source, for these bindings. Keys
// of which it knows nothing are not in the answer. The rows come without their values.
func (s *Store) Known(ctx context.Context, source string, keys []string, names []string) (map[string]bindings.Known, error) {
	known := make(map[string]bindings.Known, len(keys))
	r := s.reader()
	err := pages(keys, 2*pageSize, func(keys []string) error {
		if err := knownRows(ctx, r, known, source, keys); err != nil {
			return err
		}
		for _, name := range names {
			if err := knownItems(ctx, r, known, keys, name); err != nil {
				return err
			}
		}
		return nil
	})
	return known, wrap(err, "look up rows of %q", source)
}

func knownRows(ctx context.Context, r reader, known map[string]bindings.Known, source string, keys []string) error {
	return r.each(ctx, `SELECT key, version, digest, missing_since FROM source_rows
		WHERE source = $1 AND key IN list($2) AND gone = 0`, []any{source, list(keys)},
		func(scan func(...any) error) error {
			row := new(bindings.StoredRow)
			var missing sql.NullInt64
			if err := scan(&row.Key, &row.Version, &row.Digest, &missing); err != nil {
				return err
			}
			row.Missing = missing.Valid
			known[row.Key] = bindings.Known{Row: row, Items: map[string]bindings.ItemState{}}
			return nil
		})
}

// knownItems makes the owner depend on the key: a Postgres that has not counted
// the table yet takes one owner's items to be few, and would compare each of
// them with each key.
func knownItems(ctx context.Context, r reader, known map[string]bindings.Known, keys []string, binding string) error {
	return r.each(ctx, `SELECT i.key, i.digest, i.proposed_digest, i.proposed_in, i.state FROM texts($2) AS e CROSS JOIN items AS i
		WHERE i.owner = CASE WHEN e.value IS NULL THEN '' ELSE CAST($1 AS TEXT) END AND i.idx = 0 AND i.key = e.value`,
		[]any{string(bindings.BindingOwner(binding)), list(keys)}, func(scan func(...any) error) error {
			var key, state string
			var item bindings.ItemState
			if err := scan(&key, &item.Digest, &item.Proposed, &item.ProposedIn, &state); err != nil {
				return err
			}
			item.Removed = state == stateRemoved
			k, ok := known[key]
			if !ok {
				k.Items = map[string]bindings.ItemState{}
				known[key] = k
			}
			k.Items[binding] = item
			return nil
		})
}

// Rows are the stored rows of source whose key comes after after, with their
// values, by key.
func (s *Store) Rows(ctx context.Context, source, after string, limit int) ([]bindings.StoredRow, error) {
	all, err := collect(ctx, s.reader(), `SELECT key, version, data, digest, missing_since FROM source_rows
		WHERE source = $1 AND key > $2 AND gone = 0 ORDER BY key LIMIT $3`, []any{clean(source), clean(after), limit},
		scanRow)
	return all, wrap(err, "read rows of %q", source)
}

// storeRows takes the rows that are newer than what is there. stale are the
// keys of those that are older.
func (t *tx) storeRows(ctx context.Context, source string, rows []bindings.RowChange) (stored int, stale map[string]bool, err error) {
	stale = map[string]bool{}
	err = pages(rows, pageSize, func(page []bindings.RowChange) error {
		latest := map[string]int{} // a row stands once in a statement
		for i, r := range page {
			if before, again := latest[r.Key]; !again || page[before].Version <= r.Version {
				latest[r.Key] = i
			}
		}
		var live, gone [][]any
		for i, r := range page {
			switch {
			case latest[r.Key] != i:
			case r.Gone:
				gone = append(gone, []any{r.Key, r.Version})
			default:
				live = append(live, []any{r.Key, r.Version, string(r.Values), r.Digest})
			}
		}
		upserted, err := t.upsertRows(ctx, source, live)
		if err != nil {
			return err
		}
		retired, err := t.retireRows(ctx, source, gone)
		if err != nil {
			return err
		}
		stored += int(upserted + retired)
		if int(upserted+retired) == len(live)+len(gone) {
			return nil
		}
		return t.staleRows(ctx, source, append(live, gone...), stale)
	})
	return stored, stale, err
}

// upsertRows writes rows that are newer than what is there. One of the same
// version ends an absence, and returns after a delete of that version, but
// changes no values.
func (t *tx) upsertRows(ctx context.Context, source string, rows [][]any) (int64, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	return t.exec(ctx, `INSERT INTO source_rows (source, key, version, data, digest)
		SELECT CAST($1 AS TEXT), e.value->>0, CAST(e.value->>1 AS BIGINT), e.value->>2, e.value->>3 FROM rows($2) AS e WHERE true
		ON CONFLICT (source, key) DO UPDATE SET
			data = CASE WHEN excluded.version > source_rows.version OR source_rows.gone = 1 THEN excluded.data ELSE source_rows.data END,
			digest = CASE WHEN excluded.version > source_rows.version OR source_rows.gone = 1 THEN excluded.digest ELSE source_rows.digest END,
			version = excluded.version, missing_since = NULL, gone = 0
		WHERE excluded.version > source_rows.version OR (excluded.version = source_rows.version
			AND (source_rows.gone = 1 OR source_rows.missing_since IS NOT NULL))`, source, table(rows))
}

// retireRows takes the source's word that rows are gone. Their versions stay, so
// that nothing older returns, and their values, for the deliveries that tell of it.
func (t *tx) retireRows(ctx context.Context, source string, rows [][]any) (int64, error) {
	if len(rows) == 0 {
		return 0, nil
	}
	return t.exec(ctx, `INSERT INTO source_rows (source, key, version, data, digest, gone)
		SELECT CAST($1 AS TEXT), e.value->>0, CAST(e.value->>1 AS BIGINT), '', '', 1 FROM rows($2) AS e WHERE true
		ON CONFLICT (source, key) DO UPDATE SET gone = 1, version = excluded.version, missing_since = NULL
		WHERE excluded.version >= source_rows.version`, source, table(rows))
}

// staleRows notes which of rows are older than what is there.
func (t *tx) staleRows(ctx context.Context, source string, rows [][]any, stale map[string]bool) error {
	return t.each(ctx, `SELECT r.key FROM rows($2) AS e CROSS JOIN source_rows AS r
		WHERE r.source = $1 AND r.key = e.value->>0 AND r.version > CAST(e.value->>1 AS BIGINT)`, []any{source, table(rows)}, func(scan func(...any) error) error {
		var key string
		err := scan(&key)
		stale[key] = true
		return err
	})
}

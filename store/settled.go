package store

import (
	"context"

	"github.com/pictifyd/pictifyd/bindings"
)

// Settled is what there is of the rows of source before a reading, for these bindings.
func (s *Store) Settled(ctx context.Context, source string, names []string) (*bindings.Settled, error) {
	settled, err := settledOf(ctx, s.reader(), source, names)
	return settled, wrap(err, "look through the rows of %q", source)
}

func settledOf(ctx context.Context, r reader, source string, names []string) (*bindings.Settled, error) {
	var count int
	if err := r.row(ctx, `SELECT count(*) FROM source_rows WHERE source = $1`, source).Scan(&count); err != nil {
		return nil, err
	}
	settled := bindings.NewSettled(count)
	if err := r.each(ctx, `SELECT key, digest FROM source_rows WHERE source = $1 AND gone = 0 AND missing_since IS NULL`, []any{source},
		func(scan func(...any) error) error {
			var key, digest string
			err := scan(&key, &digest)
			settled.Add(key, digest)
			return err
		}); err != nil {
		return nil, err
	}
	for _, name := range names {
		if err := r.each(ctx, `SELECT key FROM items WHERE owner = $1 AND proposed_digest <> ''`, []any{string(bindings.BindingOwner(name))},
			func(scan func(...any) error) error {
				var key string
				err := scan(&key)
				settled.Open(key)
				return err
			}); err != nil {
			return nil, err
		}
	}
	return settled, nil
}

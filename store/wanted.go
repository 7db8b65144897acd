package store

import (
	"context"

	"github.com/pictifyd/pictifyd/bindings"
)

// Wanted are the pictures that the images of a binding's row wait for, in the
// order of its outputs.
func (s *Store) Wanted(ctx context.Context, binding, key string) ([]bindings.Want, error) {
	wants, err := collect(ctx, s.reader(), `SELECT g.output, g.fingerprint, r.spec FROM images AS g JOIN renders AS r ON r.fingerprint = g.fingerprint
		WHERE g.owner = $1 AND g.idx = 0 AND g.key = $2 AND g.state = 'waiting' ORDER BY g.place`,
		[]any{string(bindings.BindingOwner(binding)), clean(key)}, func(scan func(...any) error) (w bindings.Want, err error) {
			var spec string
			if err := scan(&w.Output, &w.Fingerprint, &spec); err != nil {
				return w, err
			}
			err = decode(spec, &w.Spec)
			return w, err
		})
	return wants, wrap(err, "read what row %s of %q waits for", key, binding)
}

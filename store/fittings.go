package store

import (
	"context"

	"github.com/pictifyd/pictifyd/bindings"
)

// Of an image that waits, the render is not the one that is shown.
const fittingsOfRows = `SELECT g.key, g.output, r.layout FROM images AS g CROSS JOIN renders AS r
	WHERE g.owner = $1 AND g.idx = 0 AND g.key IN list($2) AND g.state = 'ready'
	AND r.fingerprint = g.fingerprint AND r.layout <> '' ORDER BY g.key, g.place`

// Fittings say how the texts of the pictures of a binding's rows came out, by
// key. Pictures whose texts are as they were set have none.
func (s *Store) Fittings(ctx context.Context, binding string, keys []string) ([]bindings.OutputFitting, error) {
	all, err := collect(ctx, s.reader(), fittingsOfRows, []any{string(bindings.BindingOwner(binding)), list(keys)},
		func(scan func(...any) error) (f bindings.OutputFitting, err error) {
			var text string
			if err := scan(&f.Key, &f.Output, &text); err != nil {
				return f, err
			}
			return f, decode(text, &f.Fitting)
		})
	return all, wrap(err, "read how texts of binding %s came out", binding)
}

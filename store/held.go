package store

import (
	"context"

	"github.com/pictifyd/pictifyd/bindings"
)

// A HeldItem is a row of whose images the guard holds a change.
type HeldItem struct {
	Key     string
	Becomes bindings.Proposal
	Now     []HeldImage // its images as they are; none: it is new
	Row     []byte      // its columns, as they are by now; nil: it is gone
	Gone    bool        // its removal is held
}

// A HeldImage is an image as it is.
type HeldImage struct {
	Output string
	Spec   bindings.Spec // of the picture; zero where it is not known any more
}

// Held are rows of a binding of whose images the guard holds something, by key
// behind after: at most limit of changes, and as many of removals.
func (s *Store) Held(ctx context.Context, binding, after string, limit int) ([]HeldItem, error) {
	owner := bindings.BindingOwner(binding)
	r := s.reader()
	items, err := collect(ctx, r, `SELECT i.key, i.proposed_digest, i.proposed, COALESCE(r.data, '') FROM items AS i
		JOIN bindings AS b ON b.name = $2 LEFT JOIN source_rows AS r ON r.source = b.source AND r.key = i.key AND r.gone = 0
		WHERE i.owner = $1 AND i.idx = 0 AND i.proposed_digest <> '' AND i.key > $3 ORDER BY i.key LIMIT $4`,
		[]any{string(owner), binding, clean(after), limit}, func(scan func(...any) error) (h HeldItem, err error) {
			var text, row string
			if err := scan(&h.Key, &h.Becomes.Digest, &text, &row); err != nil {
				return h, err
			}
			var n noted
			err = decode(text, &n)
			h.Becomes.Owner, h.Becomes.Key = owner, h.Key
			h.Becomes.Wants, h.Becomes.Problem, h.Becomes.Remove = n.Wants, n.Problem, n.Remove
			if row != "" {
				h.Row = []byte(row)
			}
			return h, err
		})
	if err != nil {
		return nil, wrap(err, "read what the guard of %q holds", binding)
	}
	gone, err := collect(ctx, r, `SELECT r.key, r.data FROM source_rows AS r JOIN bindings AS b ON b.source = r.source
		JOIN sources AS s ON s.name = b.source JOIN items AS i ON i.owner = $1 AND i.idx = 0 AND i.key = r.key
		WHERE b.name = $2 AND b.held_removal > 0 AND r.gone = 0 AND (r.missing_since IS NOT NULL OR s.emptied = 1)
			AND i.generation > 0 AND i.state <> 'removed' AND r.key > $3 ORDER BY r.key LIMIT $4`,
		[]any{string(owner), binding, clean(after), limit}, func(scan func(...any) error) (h HeldItem, err error) {
			var row string
			err = scan(&h.Key, &row)
			h.Row, h.Gone = []byte(row), true
			return h, err
		})
	if err != nil {
		return nil, wrap(err, "read what the guard of %q holds", binding)
	}
	items = append(items, gone...)
	return items, wrap(s.heldImages(ctx, owner, items), "read the images of %q", binding)
}

// heldImages adds the images as they are.
func (s *Store) heldImages(ctx context.Context, owner bindings.Owner, items []HeldItem) error {
	var keys []string
	for _, h := range items {
		keys = append(keys, h.Key)
	}
	if len(keys) == 0 {
		return nil
	}
	now := map[string][]HeldImage{}
	if err := s.reader().each(ctx, `SELECT g.key, g.output, COALESCE(r.spec, '') FROM texts($2) AS e CROSS JOIN images AS g
		LEFT JOIN renders AS r ON r.fingerprint = g.fingerprint
		WHERE g.owner = CASE WHEN e.value IS NULL THEN '' ELSE CAST($1 AS TEXT) END AND g.idx = 0 AND g.key = e.value AND g.state <> 'removed'
		ORDER BY g.key, g.output`, []any{string(owner), list(keys)}, func(scan func(...any) error) error {
		var key, spec string
		var g HeldImage
		if err := scan(&key, &g.Output, &spec); err != nil {
			return err
		}
		err := decode(spec, &g.Spec)
		now[key] = append(now[key], g)
		return err
	}); err != nil {
		return err
	}
	for i := range items {
		items[i].Now = now[items[i].Key]
	}
	return nil
}

// Ceiling is how many removals of a binding a person has accepted that did not
// come yet.
func (s *Store) Ceiling(ctx context.Context, binding string) (n int, err error) {
	err = s.reader().row(ctx, `SELECT COALESCE(max(ceiling), 0) FROM bindings WHERE name = $1`, binding).Scan(&n)
	return n, wrap(err, "read the guard of %q", binding)
}

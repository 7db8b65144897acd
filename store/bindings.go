package store

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
)

// registerBinding makes sure that the binding is known as one of source.
func (t *tx) registerBinding(ctx context.Context, binding, source string) error {
	_, err := t.exec(ctx, `INSERT INTO bindings (name, source) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET source = excluded.source, gone = 0
		WHERE bindings.source <> excluded.source OR bindings.gone = 1`, binding, source)
	return err
}

// FirstReadings says of which bindings no reading was closed yet.
func (s *Store) FirstReadings(ctx context.Context, names []string) (map[string]bool, error) {
	first := make(map[string]bool, len(names))
	for _, name := range names {
		first[name] = true
	}
	err := s.reader().each(ctx, `SELECT name FROM bindings WHERE read_once = 1 AND name IN list($1)`,
		[]any{list(names)}, func(scan func(...any) error) error {
			var name string
			err := scan(&name)
			delete(first, name)
			return err
		})
	return first, wrap(err, "look for first readings")
}

// BindingDigest is what the binding was last planned with; "" before.
func (s *Store) BindingDigest(ctx context.Context, binding string) (string, error) {
	var digest string
	err := s.reader().row(ctx, `SELECT digest FROM bindings WHERE name = $1`, binding).Scan(&digest)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return digest, wrap(err, "read binding %q", binding)
}

// SetBinding registers the binding on its source and remembers what it is
// planned with. A binding that was planned from the rows of a source that has
// been read is past its first reading.
func (s *Store) SetBinding(ctx context.Context, binding, source, digest string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		if err := t.registerBinding(ctx, binding, source); err != nil {
			return err
		}
		// Held are what of it is still another picture.
		if _, err := t.exec(ctx, `UPDATE bindings SET held_changes = (SELECT count(*) FROM items WHERE owner = $2 AND proposed_digest <> '')
			WHERE name = $1 AND held_changes > 0`, binding, string(bindings.BindingOwner(binding))); err != nil {
			return err
		}
		_, err := t.exec(ctx, `UPDATE bindings SET digest = $2, read_once = CASE WHEN $2 <> '' AND EXISTS
			(SELECT 1 FROM sources AS s WHERE s.name = bindings.source AND s.read_at IS NOT NULL) THEN 1 ELSE read_once END
			WHERE name = $1`, binding, digest)
		return err
	})
	return wrap(err, "register binding %q", binding)
}

// DropBindings marks all bindings but those of keep as gone. Their items are
// kept and not shown; one that returns is planned again.
func (s *Store) DropBindings(ctx context.Context, keep []string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		if _, err := t.exec(ctx, `UPDATE bindings SET gone = 1, digest = '' WHERE gone = 0 AND name NOT IN list($1)`, list(keep)); err != nil {
			return err
		}
		_, err := t.exec(ctx, `UPDATE bindings SET gone = 0 WHERE gone = 1 AND name IN list($1)`, list(keep))
		return err
	})
	return wrap(err, "drop bindings")
}

// Replan makes proposals of a binding wanted at once, without the guard: a
// person changed what they follow from. Items whose row changed in a reading that
// is held, or was not judged, stay so: the new proposal takes the place of theirs.
func (s *Store) Replan(ctx context.Context, binding string, proposals []bindings.Proposal) (changed int, err error) {
	if len(proposals) == 0 {
		return 0, nil
	}
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		reads := readsOf(proposals)
		if err := t.lockRows(ctx, "", reads); err != nil {
			return err
		}
		if err := t.noteReads(ctx, binding, reads); err != nil {
			return err
		}
		free, err := t.proposeAgain(ctx, proposals)
		if err == nil {
			changed, err = t.promote(ctx, free)
		}
		return err
	})
	return changed, wrap(err, "plan binding %q again", binding)
}

// proposeAgain replaces open proposals by those for the same items. free are the
// proposals for items that have none.
func (t *tx) proposeAgain(ctx context.Context, proposals []bindings.Proposal) (free []bindings.Proposal, err error) {
	open := map[itemID]string{}
	err = pages(proposals, pageSize, func(page []bindings.Proposal) error {
		var rows [][]any
		for _, p := range page {
			rows = append(rows, idOf(p).cells())
		}
		return t.each(ctx, `SELECT i.owner, i.idx, i.key, i.proposed_in FROM rows($1) AS e CROSS JOIN items AS i
			WHERE i.owner = e.value->>0 AND i.idx = CAST(e.value->>1 AS BIGINT) AND i.key = e.value->>2 AND i.proposed_digest <> ''`,
			[]any{table(rows)}, func(scan func(...any) error) error {
				var id itemID
				var reading string
				err := scan(&id.owner, &id.idx, &id.key, &reading)
				open[id] = reading
				return err
			})
	})
	if err != nil {
		return nil, err
	}
	again := map[string][]bindings.Proposal{}
	for _, p := range proposals {
		if reading, ok := open[idOf(p)]; ok {
			again[reading] = append(again[reading], p)
		} else {
			free = append(free, p)
		}
	}
	for _, reading := range slices.Sorted(maps.Keys(again)) {
		if err := t.note(ctx, reading, latestOfEach(again[reading])); err != nil {
			return nil, err
		}
	}
	return free, nil
}

// AcceptGuard makes wanted what the guard holds now. Held removals are not done
// here, but as many as are held are no longer held by the next readings.
func (s *Store) AcceptGuard(ctx context.Context, binding string) (promoted int, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		var err error
		if promoted, err = t.promoteNoted(ctx, binding, ""); err != nil {
			return err
		}
		// An emptied source marked nothing as absent, so it is done now.
		if _, err := t.exec(ctx, `UPDATE source_rows SET missing_since = $2 WHERE missing_since IS NULL AND gone = 0
			AND source IN (SELECT b.source FROM bindings AS b JOIN sources AS s ON s.name = b.source WHERE b.name = $1 AND s.emptied = 1)`,
			binding, millis(t.now)); err != nil {
			return err
		}
		_, err = t.exec(ctx, `UPDATE bindings SET ceiling = CASE WHEN held_removal > 0 THEN held_removal ELSE ceiling END,
			held_changes = 0, held_removal = 0, held_reason = '' WHERE name = $1`, binding)
		return err
	})
	return promoted, wrap(err, "accept what the guard of %q holds", binding)
}

// Reap takes rows that have been absent since before a moment, unless the guard
// of a binding holds their removal. The items that bindings of remove have of
// them become removed, those of other bindings stay.
func (s *Store) Reap(ctx context.Context, source string, missingBefore time.Time, remove []string) (int, error) {
	total := 0
	for {
		due, err := s.reapable(ctx, s.reader(), source, missingBefore)
		if err != nil || len(due) == 0 {
			return total, wrap(err, "look for rows of %q that are gone", source)
		}
		reaped := 0
		err = s.write(ctx, func(ctx context.Context, t *tx) error {
			var err error
			reaped, err = t.reap(ctx, source, missingBefore, remove)
			return err
		})
		if err != nil || reaped == 0 {
			return total, wrap(err, "remove rows of %q", source)
		}
		total += reaped
	}
}

// reapable is a page of the keys whose time has come.
func (s *Store) reapable(ctx context.Context, r reader, source string, missingBefore time.Time) ([]string, error) {
	return collect(ctx, r, `SELECT r.key FROM source_rows AS r WHERE r.source = $1 AND r.missing_since IS NOT NULL AND r.missing_since <= $2
		AND NOT EXISTS (SELECT 1 FROM bindings AS b JOIN items AS i ON i.owner = 'binding/' || b.name AND i.idx = 0 AND i.key = r.key
			WHERE b.source = $1 AND b.gone = 0 AND b.held_removal > 0 AND i.generation > 0 AND i.state <> 'removed')
		ORDER BY r.key LIMIT $3`, []any{source, millis(missingBefore), pageSize}, text1)
}

// removedDigest is the wanted state of items whose row was absent for its grace.
const removedDigest = "removed"

func (t *tx) reap(ctx context.Context, source string, missingBefore time.Time, remove []string) (int, error) {
	if err := t.lockRows(ctx, source, nil); err != nil {
		return 0, err
	}
	keys, err := t.store.reapable(ctx, t.reader, source, missingBefore)
	if err != nil {
		return 0, err
	}
	var gone []bindings.Proposal
	for _, binding := range remove {
		for _, key := range keys {
			gone = append(gone, bindings.Proposal{Owner: bindings.BindingOwner(binding), Key: key, Remove: true, Digest: removedDigest})
		}
	}
	// Before the rows go: the deliveries that tell of it carry their values.
	if _, err := t.promote(ctx, gone); err != nil {
		return 0, err
	}
	n, err := t.exec(ctx, `DELETE FROM source_rows WHERE source = $1 AND key IN list($2)`, source, list(keys))
	if err != nil {
		return 0, err
	}
	t.settles(source)
	if err := t.rowsChanged(ctx, source, keys); err != nil {
		return 0, err
	}
	return int(n), t.dropReads(ctx, source, keys)
}

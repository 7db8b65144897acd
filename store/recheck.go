package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
)

// The addresses that images of a binding show, each once and in order.
const pinsShown = `SELECT DISTINCT p.id, p.url FROM images AS g CROSS JOIN render_pins AS u CROSS JOIN asset_pins AS p
	WHERE g.owner = $1 AND g.state = 'ready' AND u.fingerprint = g.fingerprint AND p.id = u.pin
		AND p.checked_at <= $2 AND p.id > $3 ORDER BY p.id LIMIT $4`

// ShownSince calls f for the address of each remote file that images of the
// binding show and whose server was last asked at before or earlier.
func (s *Store) ShownSince(ctx context.Context, binding string, before time.Time, f func(address string) error) error {
	const page = 5000
	type pin struct{ id, address string }
	for after := ""; ; {
		pins, err := collect(ctx, s.reader(), pinsShown, []any{string(bindings.BindingOwner(binding)), millis(before), after, page},
			func(scan func(...any) error) (p pin, err error) { return p, scan(&p.id, &p.address) })
		if err != nil {
			return wrap(err, "look for the remote files of %s", binding)
		}
		for _, p := range pins {
			if err := f(p.address); err != nil {
				return err
			}
			after = p.id
		}
		if len(pins) < page {
			return nil
		}
	}
}

// RemakeChanged has the images of these bindings made again that show remote
// files as they no longer are. They are served as before until then. Their sinks
// are told when something else is to be seen. It returns how many items that are.
func (s *Store) RemakeChanged(ctx context.Context, names []string) (items int, err error) {
	owners := make([]string, len(names))
	for i, name := range names {
		owners[i] = string(bindings.BindingOwner(name))
	}
	for {
		found, moved := 0, 0
		err := s.write(ctx, func(ctx context.Context, t *tx) error {
			var err error
			found, moved, err = t.remakeChanged(ctx, owners)
			return err
		})
		items += moved
		if err != nil || found < pageSize || moved == 0 {
			return items, wrap(err, "make images again whose files have changed")
		}
	}
}

const (
	// The pictures that show a remote file as it no longer is.
	stalePictures = `SELECT DISTINCT u.fingerprint FROM images AS g CROSS JOIN render_pins AS u CROSS JOIN asset_pins AS p
		WHERE g.owner IN list($1) AND g.state = 'ready' AND u.fingerprint = g.fingerprint AND p.id = u.pin AND p.digest <> u.digest LIMIT $2`
	// The images that are such a picture.
	staleImages = `SELECT owner, idx, key, output, fingerprint FROM images
		WHERE owner IN list($1) AND state = 'ready' AND fingerprint IN list($2) ORDER BY owner, idx, key, output`
)

// A staleImage is an image that is to be made again.
type staleImage struct {
	itemID
	output, fingerprint string
}

// remakeChanged has a page of pictures made again, with all images of theirs: a
// picture is known to be stale only until then.
func (t *tx) remakeChanged(ctx context.Context, owners []string) (found, moved int, err error) {
	pictures, err := collect(ctx, t.reader, stalePictures, []any{list(owners), pageSize}, text1)
	if err != nil || len(pictures) == 0 {
		return 0, 0, err
	}
	found = len(pictures)
	if pictures, err = t.wantAgain(ctx, pictures, bindings.Owner(owners[0])); err != nil {
		return 0, 0, err
	}
	stale, err := collect(ctx, t.reader, staleImages, []any{list(owners), list(pictures)}, func(scan func(...any) error) (g staleImage, err error) {
		return g, scan(&g.owner, &g.idx, &g.key, &g.output, &g.fingerprint)
	})
	if err != nil {
		return 0, 0, err
	}
	t.wantRenders = true
	err = pages(byItem(stale), pageSize, func(page [][]staleImage) error {
		n, err := t.reopen(ctx, slices.Concat(page...))
		moved += n
		return err
	})
	return found, moved, err
}

// byItem is stale images, which are in order, item by item.
func byItem(stale []staleImage) (items [][]staleImage) {
	for i, g := range stale {
		if i == 0 || g.itemID != stale[i-1].itemID {
			items = append(items, nil)
		}
		items[len(items)-1] = append(items[len(items)-1], g)
	}
	return items
}

// wantAgain makes renders wait, and returns those that do. What they gave stays
// where it is shown, also in images that are not made again.
func (t *tx) wantAgain(ctx context.Context, fingerprints []string, owner bindings.Owner) ([]string, error) {
	slices.Sort(fingerprints)
	again, err := collect(ctx, t.reader, `UPDATE renders SET state = 'waiting', attempts = 0, tries = 0, due_at = 0, ended_at = NULL, problem = '', hash = '',
			owner = $2, priority = $3 WHERE fingerprint IN list($1) AND state IN ('done', 'failed') RETURNING fingerprint`,
		[]any{list(fingerprints), string(owner), bindings.PriorityChange}, text1)
	if err != nil {
		return nil, err
	}
	_, err = t.exec(ctx, `DELETE FROM render_pins WHERE fingerprint IN list($1)`, list(again))
	return again, err
}

// reopen makes stale images wait, with their items at a new generation. They are
// in order.
func (t *tx) reopen(ctx context.Context, stale []staleImage) (items int, err error) {
	var ids [][]any
	for _, of := range byItem(stale) {
		ids = append(ids, of[0].cells())
	}
	generations := map[itemID]int64{}
	if err := t.each(ctx, `SELECT owner, idx, key, generation FROM items WHERE (owner, idx, key) IN
			(SELECT e.value->>0, CAST(e.value->>1 AS BIGINT), e.value->>2 FROM rows($1) AS e) AND state <> 'removed'
		ORDER BY owner, idx, key FOR UPDATE`, []any{table(ids)}, func(scan func(...any) error) error {
		var id itemID
		var generation int64
		err := scan(&id.owner, &id.idx, &id.key, &generation)
		generations[id] = generation
		return err
	}); err != nil {
		return 0, err
	}
	var images [][]any
	for _, g := range stale {
		if generation, ok := generations[g.itemID]; ok {
			images = append(images, g.cells(g.output, g.fingerprint, generation+1))
		}
	}
	if err := t.keepPast(ctx, ids); err != nil {
		return 0, err
	}
	waiting := map[itemID]int{}
	if err := t.each(ctx, `UPDATE images SET state = 'waiting', problem = '', generation = CAST(e.value->>5 AS BIGINT) FROM rows($1) AS e
		WHERE images.owner = e.value->>0 AND images.idx = CAST(e.value->>1 AS BIGINT) AND images.key = e.value->>2
			AND images.output = e.value->>3 AND images.fingerprint = e.value->>4 AND images.state = 'ready'
		RETURNING images.owner, images.idx, images.key`, []any{table(images)}, func(scan func(...any) error) error {
		var id itemID
		err := scan(&id.owner, &id.idx, &id.key)
		waiting[id]++
		return err
	}); err != nil {
		return 0, err
	}
	var rows [][]any
	for _, id := range slices.SortedFunc(maps.Keys(waiting), compareItems) {
		rows = append(rows, id.cells(waiting[id]))
	}
	if len(rows) == 0 {
		return 0, nil
	}
	again, err := collect(ctx, t.reader, `UPDATE items SET generation = generation + 1, pending = pending + CAST(e.value->>3 AS BIGINT), state = 'waiting' FROM rows($1) AS e
		WHERE items.owner = e.value->>0 AND items.idx = CAST(e.value->>1 AS BIGINT) AND items.key = e.value->>2
		RETURNING items.owner, items.idx, items.key, generation, digest`, []any{table(rows)}, scanChanged)
	t.noteRenewed(again, false)
	return len(rows), err
}

// recordShown keeps which remote files the pictures show that are recorded now,
// for the first time or again.
func (t *tx) recordShown(ctx context.Context, done []Rendered) error {
	var rows [][]any
	for _, r := range done {
		if r.Problem != nil || r.Retry != nil {
			continue
		}
		seen := map[string]bool{} // a file may be in one picture twice
		for _, f := range r.Remote {
			if !seen[f.Address] {
				rows = append(rows, []any{r.Fingerprint, pinID(f.Address), f.Digest})
			}
			seen[f.Address] = true
		}
	}
	return pages(rows, pageSize, func(page [][]any) error {
		_, err := t.exec(ctx, `INSERT INTO render_pins (fingerprint, pin, digest)
			SELECT e.value->>0, e.value->>1, e.value->>2 FROM rows($1) AS e
			WHERE EXISTS (SELECT 1 FROM renders AS r WHERE r.fingerprint = e.value->>0 AND r.state <> 'done')
			ON CONFLICT (fingerprint, pin) DO UPDATE SET digest = excluded.digest`, table(page))
		return err
	})
}

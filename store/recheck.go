package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/sink"
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
// are told when something else is to be seen. It returns how many items that
// are. Items with outputs on their way are left for the next time.
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

// The images that show a remote file as it no longer is.
const staleImages = `SELECT DISTINCT g.owner, g.idx, g.key, g.output, g.fingerprint FROM images AS g CROSS JOIN render_pins AS u CROSS JOIN asset_pins AS p
	CROSS JOIN items AS i
	WHERE g.owner IN list($1) AND g.state = 'ready' AND u.fingerprint = g.fingerprint AND p.id = u.pin AND p.digest <> u.digest
		AND i.owner = g.owner AND i.idx = g.idx AND i.key = g.key AND i.state IN ('ready', 'failed') LIMIT $2`

// A staleImage is an image that is to be made again.
type staleImage struct {
	itemID
	output, fingerprint string
}

func (t *tx) remakeChanged(ctx context.Context, owners []string) (found, moved int, err error) {
	stale, err := collect(ctx, t.reader, staleImages, []any{list(owners), pageSize}, func(scan func(...any) error) (g staleImage, err error) {
		return g, scan(&g.owner, &g.idx, &g.key, &g.output, &g.fingerprint)
	})
	if err != nil || len(stale) == 0 {
		return 0, 0, err
	}
	found = len(stale)
	again, err := t.wantAgain(ctx, stale)
	if err != nil {
		return 0, 0, err
	}
	stale = slices.DeleteFunc(stale, func(g staleImage) bool { return !again[g.fingerprint] })
	moved, err = t.reopen(ctx, stale)
	t.wantRenders = true
	return found, moved, err
}

// wantAgain makes the renders of stale images wait. What they gave stays where
// it is shown, also in images that are not made again.
func (t *tx) wantAgain(ctx context.Context, stale []staleImage) (again map[string]bool, err error) {
	owners := map[string]bindings.Owner{}
	for _, g := range stale {
		owners[g.fingerprint] = g.owner
	}
	var rows [][]any
	for _, f := range slices.Sorted(maps.Keys(owners)) {
		rows = append(rows, []any{f, string(owners[f]), bindings.PriorityChange})
	}
	again = map[string]bool{}
	if err := t.each(ctx, `UPDATE renders SET state = 'waiting', attempts = 0, due_at = 0, ended_at = NULL, problem = '', hash = '',
			owner = e.value->>1, priority = CAST(e.value->>2 AS BIGINT) FROM rows($1) AS e
		WHERE fingerprint = e.value->>0 AND state IN ('done', 'failed') RETURNING fingerprint`, []any{table(rows)}, func(scan func(...any) error) error {
		var f string
		err := scan(&f)
		again[f] = true
		return err
	}); err != nil {
		return nil, err
	}
	_, err = t.exec(ctx, `DELETE FROM render_pins WHERE fingerprint IN list($1)`, list(slices.Sorted(maps.Keys(again))))
	return again, err
}

// reopen makes stale images wait, with their items at a new generation.
func (t *tx) reopen(ctx context.Context, stale []staleImage) (items int, err error) {
	slices.SortFunc(stale, func(a, b staleImage) int {
		return cmp.Or(compareItems(a.itemID, b.itemID), cmp.Compare(a.output, b.output))
	})
	var ids [][]any
	for i, g := range stale {
		if i == 0 || g.itemID != stale[i-1].itemID {
			ids = append(ids, g.cells())
		}
	}
	if len(ids) == 0 {
		return 0, nil
	}
	generations := map[itemID]int64{}
	if err := t.each(ctx, `SELECT owner, idx, key, generation FROM items WHERE (owner, idx, key) IN
			(SELECT e.value->>0, CAST(e.value->>1 AS BIGINT), e.value->>2 FROM rows($1) AS e) AND state IN ('ready', 'failed')
		ORDER BY owner, idx, key FOR UPDATE`, []any{table(ids)}, func(scan func(...any) error) error {
		var id itemID
		var generation int64
		err := scan(&id.owner, &id.idx, &id.key, &generation)
		generations[id] = generation
		return err
	}); err != nil {
		return 0, err
	}
	showed, err := t.shown(ctx, ids)
	if err != nil {
		return 0, err
	}
	var images [][]any
	for _, g := range stale {
		if generation, ok := generations[g.itemID]; ok {
			images = append(images, g.cells(g.output, g.fingerprint, generation+1))
		}
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
		rows = append(rows, id.cells(waiting[id], showed[id]))
	}
	if len(rows) == 0 {
		return 0, nil
	}
	// An item that had failed is told of as such whatever it shows.
	_, err = t.exec(ctx, `UPDATE items SET generation = generation + 1, pending = pending + CAST(e.value->>3 AS BIGINT), state = 'waiting',
			showed = CASE WHEN state = 'ready' THEN e.value->>4 ELSE '' END FROM rows($1) AS e
		WHERE items.owner = e.value->>0 AND items.idx = CAST(e.value->>1 AS BIGINT) AND items.key = e.value->>2`, table(rows))
	return len(rows), err
}

// shown is what each item shows: JSON, output to hash.
func (t *tx) shown(ctx context.Context, items [][]any) (map[itemID]string, error) {
	hashes := map[itemID]map[string]string{}
	if err := t.each(ctx, `SELECT g.owner, g.idx, g.key, g.output, g.hash FROM rows($1) AS e CROSS JOIN images AS g
		WHERE g.owner = e.value->>0 AND g.idx = CAST(e.value->>1 AS BIGINT) AND g.key = e.value->>2`, []any{table(items)}, func(scan func(...any) error) error {
		var id itemID
		var output, hash string
		err := scan(&id.owner, &id.idx, &id.key, &output, &hash)
		if hashes[id] == nil {
			hashes[id] = map[string]string{}
		}
		hashes[id][output] = hash
		return err
	}); err != nil {
		return nil, err
	}
	texts := make(map[itemID]string, len(hashes))
	for id, of := range hashes {
		texts[id] = encode(of)
	}
	return texts, nil
}

// compareShown leaves out of endings the items that were made again and show
// what they showed before, and gives those that don't an edition of their own, or
// their sinks would take them for what they know.
func (t *tx) compareShown(ctx context.Context, endings []ending, showed map[itemID]string) ([]ending, error) {
	if len(showed) == 0 {
		return endings, nil
	}
	var rows [][]any
	for _, id := range slices.SortedFunc(maps.Keys(showed), compareItems) {
		rows = append(rows, id.cells())
	}
	shown, err := t.shown(ctx, rows)
	if err != nil {
		return nil, err
	}
	var news []ending
	for _, e := range endings {
		before, again := showed[e.itemID]
		switch {
		case !again || e.event != sink.RenderCompleted:
		case before == shown[e.itemID]:
			continue
		default:
			e.edition = "@" + strconv.FormatInt(e.generation, 10)
		}
		news = append(news, e)
	}
	_, err = t.exec(ctx, `UPDATE items SET showed = '' FROM rows($1) AS e
		WHERE items.owner = e.value->>0 AND items.idx = CAST(e.value->>1 AS BIGINT) AND items.key = e.value->>2`, table(rows))
	return news, err
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

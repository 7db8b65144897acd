package store

import (
	"context"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/sink"
)

// erasedAt is the moment of the marks of bytes that a person had erased: long ago.
const erasedAt = 0

// A Sweep looks for bytes that nothing shows, page by page.
type Sweep struct {
	store     *Store
	templates map[string]bool // digests of their files
}

// BeginSweep begins one.
func (s *Store) BeginSweep(ctx context.Context) (*Sweep, error) {
	files, err := templateFiles(ctx, s.reader())
	return &Sweep{s, files}, wrap(err, "read the files of templates")
}

// templateFiles are the digests of the files of all versions and drafts.
func templateFiles(ctx context.Context, r reader) (map[string]bool, error) {
	digests := map[string]bool{}
	err := r.each(ctx, `SELECT assets FROM templates UNION SELECT assets FROM drafts`, nil, func(scan func(...any) error) error {
		var text string
		if err := scan(&text); err != nil {
			return err
		}
		var assets map[string]string
		err := decode(text, &assets)
		for _, digest := range assets {
			digests[digest] = true
		}
		return err
	})
	return digests, err
}

// Mark notes of which of these bytes nothing is shown any more, from at on, and
// ends the marks of those that are shown. It returns those that are marked. A
// page with no news writes nothing.
func (w *Sweep) Mark(ctx context.Context, hashes []string, at time.Time) (marked []string, err error) {
	r := w.store.reader()
	fresh, returned, marked, err := w.judge(ctx, r, hashes)
	if err == nil && len(fresh)+len(returned) > 0 {
		err = w.store.write(ctx, func(ctx context.Context, t *tx) error {
			if fresh, returned, marked, err = w.judge(ctx, t.reader, hashes); err != nil {
				return err
			}
			if err := t.mark(ctx, fresh, millis(at)); err != nil {
				return err
			}
			return t.unmark(ctx, returned)
		})
	}
	return append(marked, fresh...), wrap(err, "mark bytes that nothing shows")
}

// judge says which of hashes want a mark, which have one that is wrong, and
// which one that is right.
func (w *Sweep) judge(ctx context.Context, r reader, hashes []string) (fresh, returned, marked []string, err error) {
	shown, err := r.shown(ctx, hashes)
	if err != nil {
		return nil, nil, nil, err
	}
	before := map[string]bool{}
	if err := r.each(ctx, `SELECT hash FROM blob_marks WHERE hash IN list($1)`, []any{list(hashes)}, func(scan func(...any) error) error {
		var hash string
		err := scan(&hash)
		before[hash] = true
		return err
	}); err != nil {
		return nil, nil, nil, err
	}
	for _, hash := range hashes {
		switch needed := shown[hash] || w.templates[hash]; {
		case needed && before[hash]:
			returned = append(returned, hash)
		case !needed && before[hash]:
			marked = append(marked, hash)
		case !needed:
			fresh = append(fresh, hash)
		}
	}
	return fresh, returned, marked, nil
}

// shownBytes are those of some hashes that an image or an experiment shows, or that a
// remote file stands for.
const shownBytes = `SELECT hash FROM images WHERE hash IN list($1) AND hash <> '' AND state <> 'removed'
	UNION SELECT digest FROM asset_pins WHERE digest IN list($1)
	UNION SELECT hash FROM experiment_pictures WHERE hash IN list($1)`

func (r reader) shown(ctx context.Context, hashes []string) (map[string]bool, error) {
	shown := map[string]bool{}
	err := r.each(ctx, shownBytes, []any{list(hashes)}, func(scan func(...any) error) error {
		var hash string
		err := scan(&hash)
		shown[hash] = true
		return err
	})
	return shown, err
}

func (t *tx) mark(ctx context.Context, hashes []string, at int64) error {
	if len(hashes) == 0 {
		return nil
	}
	slices.Sort(hashes)
	_, err := t.exec(ctx, `INSERT INTO blob_marks (hash, marked_at) SELECT e.value, CAST($2 AS BIGINT) FROM texts($1) AS e WHERE true
		ON CONFLICT (hash) DO UPDATE SET marked_at = excluded.marked_at WHERE excluded.marked_at < blob_marks.marked_at`, list(hashes), at)
	return err
}

// unmark ends the marks of bytes that are shown. It comes after the renders that
// give them are locked: see Condemn.
func (t *tx) unmark(ctx context.Context, hashes []string) error {
	if len(hashes) == 0 {
		return nil
	}
	_, err := t.exec(ctx, `DELETE FROM blob_marks WHERE hash IN list($1)`, list(hashes))
	return err
}

// A Condemned is bytes that may be removed.
type Condemned struct {
	Hash   string
	Erased bool // a person asked for it
}

// Condemn gives up a page of bytes, those behind the hash after, that have been
// marked since before or that were erased: nothing shows them, no delivery that
// is still to go out names them, and their renders are forgotten with this
// commit. Whoever wants such a picture from now on has it made anew, and puts its
// bytes again: they may be removed unless they were put after the moment of this
// call, or so shortly before it that the put may not be recorded yet. Bytes are
// condemned again until Removed says that they are gone. last is the hash to go
// on behind, "" at the end.
func (s *Store) Condemn(ctx context.Context, before time.Time, after string) (condemned []Condemned, last string, err error) {
	due, err := collect(ctx, s.reader(), `SELECT hash FROM blob_marks WHERE marked_at <= $1 AND hash > $2 ORDER BY hash LIMIT $3`,
		[]any{millis(before), after, pageSize}, text1)
	if err != nil || len(due) == 0 {
		return nil, "", wrap(err, "look for bytes to remove")
	}
	if len(due) == pageSize {
		last = due[len(due)-1]
	}
	if due, err = s.undelivered(ctx, due); err != nil || len(due) == 0 {
		return nil, last, wrap(err, "look for deliveries that name bytes")
	}
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		condemned, err = t.condemn(ctx, due, before)
		return err
	})
	if err == nil {
		s.crash("blobs.condemned")
	}
	return condemned, last, wrap(err, "give up bytes")
}

// undelivered leaves out the hashes that open deliveries name, dead letters
// among them. As long as bytes are marked no image shows them, so that no
// delivery begins to name them: what is not named now is not named later.
func (s *Store) undelivered(ctx context.Context, hashes []string) ([]string, error) {
	free := make(map[string]bool, len(hashes))
	for _, hash := range hashes {
		free[hash] = true
	}
	err := s.reader().each(ctx, `SELECT outputs FROM deliveries WHERE state IN ('waiting', 'claimed', 'dead') AND outputs <> ''`, nil,
		func(scan func(...any) error) error {
			var text string
			if err := scan(&text); err != nil {
				return err
			}
			var outputs []sink.Output
			err := decode(text, &outputs)
			for _, o := range outputs {
				delete(free, o.Hash)
			}
			return err
		})
	return slices.DeleteFunc(hashes, func(hash string) bool { return !free[hash] }), err
}

// condemn locks renders, then marks, as everybody does who gives an image its
// bytes: of the two at once either finds what the other did.
func (t *tx) condemn(ctx context.Context, hashes []string, before time.Time) ([]Condemned, error) {
	if _, err := t.exec(ctx, `SELECT 1 FROM renders WHERE hash IN list($1) AND hash <> '' ORDER BY fingerprint FOR UPDATE`, list(hashes)); err != nil {
		return nil, err
	}
	var condemned []Condemned
	var marked []string
	if err := t.each(ctx, `SELECT hash, marked_at FROM blob_marks WHERE hash IN list($1) AND marked_at <= $2 ORDER BY hash FOR UPDATE`,
		[]any{list(hashes), millis(before)}, func(scan func(...any) error) error {
			var hash string
			var at int64
			err := scan(&hash, &at)
			condemned, marked = append(condemned, Condemned{hash, at == erasedAt}), append(marked, hash)
			return err
		}); err != nil {
		return nil, err
	}
	shown, err := t.shown(ctx, marked)
	if err != nil {
		return nil, err
	}
	files, err := templateFiles(ctx, t.reader)
	if err != nil {
		return nil, err
	}
	needed := func(hash string) bool { return shown[hash] || files[hash] }
	condemned = slices.DeleteFunc(condemned, func(c Condemned) bool { return needed(c.Hash) })
	if err := t.unmark(ctx, slices.DeleteFunc(slices.Clone(marked), func(hash string) bool { return !needed(hash) })); err != nil {
		return nil, err
	}
	return condemned, t.forgetBytes(ctx, slices.DeleteFunc(marked, needed))
}

// forgetBytes drops the renders that gave bytes, and the bytes from images that
// are removed.
func (t *tx) forgetBytes(ctx context.Context, hashes []string) error {
	if len(hashes) == 0 {
		return nil
	}
	dropped, err := collect(ctx, t.reader, `DELETE FROM renders WHERE hash IN list($1) AND hash <> '' AND state IN ('done', 'failed') RETURNING fingerprint`,
		[]any{list(hashes)}, text1)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, `UPDATE images SET hash = '' WHERE hash IN list($1) AND hash <> '' AND state = 'removed'`, list(hashes)); err != nil {
		return err
	}
	if err := t.forgetPast(ctx, dropped, hashes); err != nil {
		return err
	}
	_, err = t.dropPins(ctx, dropped)
	return err
}

// forgetPast forgets what images were before, where neither its render nor its
// bytes are kept any more.
func (t *tx) forgetPast(ctx context.Context, fingerprints, hashes []string) error {
	_, err := t.exec(ctx, `DELETE FROM past_images WHERE (fingerprint IN list($1) OR hash IN list($2))
		AND NOT EXISTS (SELECT 1 FROM renders AS r WHERE r.fingerprint = past_images.fingerprint)
		AND NOT EXISTS (SELECT 1 FROM renders AS h WHERE h.hash = past_images.hash AND h.hash <> '')`, list(fingerprints), list(hashes))
	return err
}

// keepPast notes what the images of items are, before they become something else.
func (t *tx) keepPast(ctx context.Context, items [][]any) error {
	if len(items) == 0 {
		return nil
	}
	_, err := t.exec(ctx, `INSERT INTO past_images (owner, idx, key, fingerprint, hash, output, generation, rendered_at, ext, width, height)
		SELECT g.owner, g.idx, g.key, g.fingerprint, g.hash, g.output, CASE WHEN g.state = 'ready' THEN g.generation ELSE 0 END,
			g.rendered_at, g.ext, g.width, g.height FROM rows($1) AS e CROSS JOIN images AS g
		WHERE g.owner = e.value->>0 AND g.idx = CAST(e.value->>1 AS BIGINT) AND g.key = e.value->>2
			AND NOT EXISTS (SELECT 1 FROM images AS d WHERE d.owner = g.owner AND d.idx = g.idx AND d.key = g.key
				AND d.fingerprint = g.fingerprint AND d.hash = g.hash AND d.place < g.place)
		ON CONFLICT (owner, idx, key, fingerprint, hash) DO UPDATE SET output = excluded.output, generation = excluded.generation,
			rendered_at = excluded.rendered_at, ext = excluded.ext, width = excluded.width, height = excluded.height
			WHERE excluded.generation > past_images.generation`, table(items))
	return err
}

// dropPins forgets which remote files pictures showed, and the files that no
// other picture shows. It returns the digests of those.
func (t *tx) dropPins(ctx context.Context, fingerprints []string) (digests []string, err error) {
	if len(fingerprints) == 0 {
		return nil, nil
	}
	pins, err := collect(ctx, t.reader, `DELETE FROM render_pins WHERE fingerprint IN list($1) RETURNING pin`, []any{list(fingerprints)}, text1)
	if err != nil || len(pins) == 0 {
		return nil, err
	}
	return collect(ctx, t.reader, `DELETE FROM asset_pins WHERE id IN list($1)
		AND NOT EXISTS (SELECT 1 FROM render_pins AS u WHERE u.pin = asset_pins.id) RETURNING digest`, []any{list(pins)}, text1)
}

// Removed ends the marks of bytes that are no longer there.
func (s *Store) Removed(ctx context.Context, hashes []string) error {
	if len(hashes) == 0 {
		return nil
	}
	err := s.write(ctx, func(ctx context.Context, t *tx) error { return t.unmark(ctx, hashes) })
	return wrap(err, "note that bytes are removed")
}

// remakable are those of some bytes that can be made again whenever somebody
// wants them, and that only images of bindings show.
const remakableBytes = `SELECT DISTINCT hash FROM renders AS r WHERE hash IN list($1) AND hash <> '' AND state = 'done'
	AND NOT EXISTS (SELECT 1 FROM images AS g WHERE g.hash = r.hash AND g.hash <> '' AND g.owner LIKE 'job/%')
	AND NOT EXISTS (SELECT 1 FROM asset_pins AS p WHERE p.digest = r.hash)
	AND NOT EXISTS (SELECT 1 FROM experiment_pictures AS x WHERE x.hash = r.hash)`

// Remakable leaves out the bytes that must stay although Remake exists: those of
// templates, of remote files, of results, of experiments, and of deliveries that are
// still to go out.
func (w *Sweep) Remakable(ctx context.Context, hashes []string) ([]string, error) {
	found, err := collect(ctx, w.store.reader(), remakableBytes, []any{list(hashes)}, text1)
	found = slices.DeleteFunc(found, func(hash string) bool { return w.templates[hash] })
	if err != nil || len(found) == 0 {
		return nil, wrap(err, "look for bytes that can be made again")
	}
	found, err = w.store.undelivered(ctx, found)
	return found, wrap(err, "look for deliveries that name bytes")
}

// ForgetFaults forgets renders that failed, and remote files that no picture
// shows, since before or earlier.
func (s *Store) ForgetFaults(ctx context.Context, before time.Time) error {
	for _, statement := range []string{
		`DELETE FROM renders WHERE fingerprint IN (SELECT fingerprint FROM renders WHERE state = 'failed' AND hash = '' AND ended_at <= $1 LIMIT $2)`,
		`DELETE FROM asset_pins WHERE id IN (SELECT p.id FROM asset_pins AS p WHERE p.checked_at <= $1 AND p.fetched_at <= $1
			AND NOT EXISTS (SELECT 1 FROM render_pins AS u WHERE u.pin = p.id) LIMIT $2)`,
	} {
		for more := true; more; {
			if err := s.write(ctx, func(ctx context.Context, t *tx) error {
				n, err := t.exec(ctx, statement, millis(before), pageSize)
				more = n == pageSize
				return err
			}); err != nil {
				return wrap(err, "forget renders that failed")
			}
		}
	}
	return nil
}

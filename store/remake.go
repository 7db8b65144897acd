package store

import (
	"context"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
)

// remakeRest is how long a picture that could not be made again is left alone.
const remakeRest = time.Minute

// The index leaves out what has no hash; SQLite wants to be told so.
const (
	rendersOfHash = `SELECT fingerprint, state, COALESCE(ended_at, 0) FROM renders WHERE hash = $1 AND hash <> ''`
	rehashImages  = `UPDATE images SET hash = $2 WHERE hash = $1 AND hash <> ''`
)

// Remake has the picture made again whose bytes of that hash have vanished. It
// is served as before then, and nobody is told. making is false when no render
// is known to give these bytes, or it could not be made again just now.
func (s *Store) Remake(ctx context.Context, hash string) (making bool, err error) {
	// Anybody can ask for any hash: only one that is known is worth a write.
	if hash == "" {
		return false, nil
	}
	now := time.Now()
	lost, making, err := remakable(ctx, s.reader(), hash, now)
	if err != nil || lost == "" {
		return making, wrap(err, "look for the render of %s", hash)
	}
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.exec(ctx, `UPDATE renders SET state = 'waiting', attempts = 0, tries = 0, due_at = 0, ended_at = NULL, problem = '', priority = $2
			WHERE fingerprint = $1 AND state IN ('done', 'failed')`, lost, bindings.PriorityNow)
		t.wantRenders = n > 0
		return err
	})
	return err == nil, wrap(err, "make %s again", hash)
}

// remakable is the fingerprint of a render that gave the bytes, unless one that
// does is on its way.
func remakable(ctx context.Context, r reader, hash string, now time.Time) (lost string, making bool, err error) {
	err = r.each(ctx, rendersOfHash, []any{clean(hash)},
		func(scan func(...any) error) error {
			var f, state string
			var ended int64
			err := scan(&f, &state, &ended)
			switch {
			case state == "done" || state == stateFailed && ended < millis(now.Add(-remakeRest)):
				lost = f
			case state != stateFailed:
				making = true
			}
			return err
		})
	if making {
		lost = ""
	}
	return lost, making, err
}

// replaceBytes gives images that showed bytes which vanished those that were
// made in their place, should they be others.
func (t *tx) replaceBytes(ctx context.Context, done []Rendered, fingerprints []string) error {
	vanished := map[string]string{}
	if err := pages(fingerprints, pageSize, func(page []string) error {
		return t.each(ctx, `SELECT fingerprint, hash FROM renders WHERE fingerprint IN list($1) AND hash <> '' AND state <> 'done'`,
			[]any{list(page)}, func(scan func(...any) error) error {
				var f, hash string
				err := scan(&f, &hash)
				vanished[f] = hash
				return err
			})
	}); err != nil {
		return err
	}
	for _, d := range done {
		before, ok := vanished[d.Fingerprint]
		if !ok || d.Hash == "" || d.Hash == before {
			continue
		}
		if _, err := t.exec(ctx, rehashImages, before, d.Hash); err != nil {
			return err
		}
	}
	return nil
}

package store

import (
	"context"
	"slices"

	"github.com/pictifyd/pictifyd/bindings"
)

// The images of some rows of a binding that have ended, each with its picture.
const endedImages = `SELECT i.owner, i.idx, i.key, i.output, i.fingerprint, i.state FROM texts($2) AS e CROSS JOIN images AS i
	WHERE i.owner = CASE WHEN e.value IS NULL THEN '' ELSE CAST($1 AS TEXT) END AND i.idx = 0 AND i.key = e.value AND i.state IN ('ready', 'failed')
	ORDER BY i.owner, i.idx, i.key, i.output`

// Redraw has the images of a binding made again that are what proposals want, under
// the same fingerprints, at a new generation. They are served as before until then.
// What is on its way already, and what the guard holds, stays so. It returns how
// many images that are.
func (s *Store) Redraw(ctx context.Context, binding string, proposals []bindings.Proposal, priority int) (images int, err error) {
	err = pages(proposals, pageSize, func(page []bindings.Proposal) error {
		return s.write(ctx, func(ctx context.Context, t *tx) error {
			n, err := t.redraw(ctx, binding, page, priority)
			images += n
			return err
		})
	})
	return images, wrap(err, "draw images of %q again", binding)
}

func (t *tx) redraw(ctx context.Context, binding string, page []bindings.Proposal, priority int) (int, error) {
	owner := bindings.BindingOwner(binding)
	ended, failed, err := t.ended(ctx, owner, page)
	if err != nil || len(ended) == 0 {
		return 0, err
	}
	// A picture that nobody knows how to make any more is made known again.
	renders := wantedBy(page)
	var fingerprints []string
	for _, g := range ended {
		fingerprints = append(fingerprints, g.fingerprint)
	}
	slices.Sort(fingerprints)
	fingerprints = slices.Compact(fingerprints)
	for f := range renders {
		if _, shown := slices.BinarySearch(fingerprints, f); !shown {
			delete(renders, f)
		}
	}
	if err := t.insertRenders(ctx, renders); err != nil {
		return 0, err
	}
	if _, err := t.wantAgain(ctx, fingerprints, owner); err != nil {
		return 0, err
	}
	if _, err := t.exec(ctx, `UPDATE renders SET priority = $2 WHERE fingerprint IN list($1) AND state = 'waiting'`, list(fingerprints), priority); err != nil {
		return 0, err
	}
	if err := t.unfail(ctx, failed); err != nil {
		return 0, err
	}
	t.wantRenders = true
	_, err = t.reopen(ctx, ended)
	return len(ended), err
}

// ended are the images that page wants and that have ended; failed are those of
// them that could not be made.
func (t *tx) ended(ctx context.Context, owner bindings.Owner, page []bindings.Proposal) (ended, failed []staleImage, err error) {
	keys := make([]string, len(page))
	wanted := map[staleImage]bool{}
	for i, p := range page {
		keys[i] = p.Key
		for _, w := range p.Wants {
			wanted[staleImage{itemID{owner, 0, clean(p.Key)}, w.Output, w.Fingerprint}] = true
		}
	}
	err = t.each(ctx, endedImages, []any{string(owner), list(keys)}, func(scan func(...any) error) error {
		var g staleImage
		var state string
		if err := scan(&g.owner, &g.idx, &g.key, &g.output, &g.fingerprint, &state); err != nil || !wanted[g] {
			return err
		}
		ended = append(ended, g)
		if state == stateFailed {
			failed = append(failed, g)
		}
		return nil
	})
	return ended, failed, err
}

// unfail takes images off the failures of their items.
func (t *tx) unfail(ctx context.Context, failed []staleImage) error {
	for _, of := range byItem(failed) {
		if _, err := t.exec(ctx, `UPDATE items SET failures = failures - $4, problem = '' WHERE owner = $1 AND idx = $2 AND key = $3`,
			string(of[0].owner), of[0].idx, of[0].key, len(of)); err != nil {
			return err
		}
	}
	var rows [][]any
	for _, g := range failed {
		rows = append(rows, g.cells(g.output, g.fingerprint))
	}
	if len(rows) == 0 {
		return nil
	}
	_, err := t.exec(ctx, `UPDATE images SET state = 'ready' FROM rows($1) AS e WHERE images.owner = e.value->>0
		AND images.idx = CAST(e.value->>1 AS BIGINT) AND images.key = e.value->>2 AND images.output = e.value->>3 AND images.state = 'failed'`, table(rows))
	return err
}

package store

import (
	"context"
	"maps"
	"slices"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/sink"
)

// A wantedRender is a picture that an image should have.
type wantedRender struct {
	spec     bindings.Spec
	owner    bindings.Owner
	priority int
	row      int // of the first proposal that asks
}

// wantedBy are the pictures that proposals ask for, each with who asks soonest.
func wantedBy(proposals []bindings.Proposal) map[string]wantedRender {
	renders := map[string]wantedRender{}
	for row, p := range proposals {
		for _, w := range p.Wants {
			if before, ok := renders[w.Fingerprint]; !ok || p.Priority < before.priority {
				renders[w.Fingerprint] = wantedRender{w.Spec, p.Owner, p.Priority, row}
			}
		}
	}
	return renders
}

// insertRenders makes sure that each picture has its render: one that nobody
// has asked for yet waits. It comes before anything else is written: all
// transactions lock renders, then items, then images, each in order, and a
// render that another one is about to end or to drop is known to be so below.
func (t *tx) insertRenders(ctx context.Context, renders map[string]wantedRender) error {
	var all [][]any
	first := t.places
	for _, f := range slices.Sorted(maps.Keys(renders)) {
		r := renders[f]
		all = append(all, []any{f, encode(r.spec), r.spec.Group(), r.spec.Format, string(r.owner), r.priority, first + r.row})
		t.places = max(t.places, first+r.row+1)
	}
	return pages(all, pageSize, func(page [][]any) error {
		_, err := t.exec(ctx, `INSERT INTO renders (fingerprint, spec, page, format, owner, priority, place, state, created_at)
			SELECT e.value->>0, e.value->>1, e.value->>2, e.value->>3, e.value->>4, CAST(e.value->>5 AS BIGINT), CAST(e.value->>6 AS BIGINT),
				'waiting', CAST($2 AS BIGINT)
			FROM rows($1) AS e WHERE true
			ON CONFLICT (fingerprint) DO UPDATE SET priority = excluded.priority, owner = excluded.owner,
				state = CASE WHEN renders.state = 'held' THEN 'waiting' ELSE renders.state END
			WHERE renders.state = 'waiting' AND excluded.priority < renders.priority OR renders.state = 'held'
				OR renders.state = 'claimed' AND renders.owner IN `+pausedOwners, table(page), millis(t.now))
		return err
	})
}

// settleKnown ends the images whose renders ended before they were wanted.
func (t *tx) settleKnown(ctx context.Context, fingerprints []string, renders map[string]wantedRender) error {
	var done, again []string
	failed := map[string]string{}
	if err := pages(fingerprints, pageSize, func(page []string) error {
		return t.each(ctx, `SELECT fingerprint, state, problem FROM renders
			WHERE fingerprint IN list($1) AND state IN ('done', 'failed')`, []any{list(page)},
			func(scan func(...any) error) error {
				var f, state, text string
				if err := scan(&f, &state, &text); err != nil {
					return err
				}
				p, err := problemOf(text)
				switch {
				case err != nil:
					return err
				case state == "done":
					done = append(done, f)
				case p != nil && retryable(p.Code):
					again = append(again, f)
				default:
					failed[f] = text
				}
				return nil
			})
	}); err != nil {
		return err
	}
	if err := t.makeAgain(ctx, again, renders); err != nil {
		return err
	}
	return t.settle(ctx, done, failed)
}

func (t *tx) makeAgain(ctx context.Context, fingerprints []string, renders map[string]wantedRender) error {
	var again [][]any
	for _, f := range fingerprints {
		again = append(again, []any{f, string(renders[f].owner), renders[f].priority})
	}
	if len(again) == 0 {
		return nil
	}
	_, err := t.exec(ctx, `UPDATE renders SET state = 'waiting', attempts = 0, tries = 0, due_at = 0, ended_at = NULL, problem = '',
		owner = e.value->>1, priority = CAST(e.value->>2 AS BIGINT) FROM rows($1) AS e
		WHERE fingerprint = e.value->>0 AND state = 'failed'`, table(again))
	return err
}

// settle gives renders that ended to the images that wait for them, and ends
// the items that have their last output so.
func (t *tx) settle(ctx context.Context, done []string, failed map[string]string) error {
	if err := t.lockItems(ctx, slices.AppendSeq(slices.Clone(done), maps.Keys(failed))); err != nil {
		return err
	}
	outputs := map[itemID]*ended{}
	shown := map[string]bool{}
	count := func(id itemID, failure int64) {
		if outputs[id] == nil {
			outputs[id] = new(ended)
		}
		outputs[id].outputs++
		outputs[id].failures += failure
	}
	if err := pages(done, pageSize, func(page []string) error {
		if err := t.noteShown(ctx, page); err != nil {
			return err
		}
		// Both tables are looked up by what ended: of all that waits there may be far more.
		return t.each(ctx, `UPDATE images SET state = 'ready', hash = r.hash, ext = r.ext, format = r.format, width = r.width,
				height = r.height, rendered_at = CAST($2 AS BIGINT) FROM renders AS r
			WHERE r.fingerprint IN list($1) AND images.fingerprint IN list($1) AND images.fingerprint = r.fingerprint AND images.state = 'waiting'
			RETURNING images.owner, images.idx, images.key, images.hash`, []any{list(page), millis(t.now)}, func(scan func(...any) error) error {
			var id itemID
			var hash string
			err := scan(&id.owner, &id.idx, &id.key, &hash)
			count(id, 0)
			shown[hash] = true
			return err
		})
	}); err != nil {
		return err
	}
	if err := pages(slices.Sorted(maps.Keys(shown)), pageSize, func(page []string) error { return t.unmark(ctx, page) }); err != nil {
		return err
	}
	var causes [][]any
	for _, f := range slices.Sorted(maps.Keys(failed)) {
		causes = append(causes, []any{f, failed[f]})
	}
	if err := pages(causes, pageSize, func(page [][]any) error {
		return t.each(ctx, `UPDATE images SET state = 'failed', problem = e.value->>1 FROM rows($1) AS e
			WHERE images.fingerprint = e.value->>0 AND images.state = 'waiting' RETURNING images.owner, images.idx, images.key`, []any{table(page)},
			func(scan func(...any) error) error {
				var id itemID
				err := scan(&id.owner, &id.idx, &id.key)
				count(id, 1)
				return err
			})
	}); err != nil {
		return err
	}
	return t.endOutputs(ctx, outputs)
}

// lockItems locks the items whose images wait for renders that ended, before
// the images are written. SQLite has one writer and needs none of it.
func (t *tx) lockItems(ctx context.Context, fingerprints []string) error {
	if !t.dialect.postgres {
		return nil
	}
	return pages(fingerprints, pageSize, func(page []string) error {
		_, err := t.exec(ctx, `SELECT 1 FROM items WHERE (owner, idx, key) IN (SELECT g.owner, g.idx, g.key FROM images AS g
			WHERE g.fingerprint IN list($1) AND g.state = 'waiting') ORDER BY owner, idx, key FOR UPDATE`, list(page))
		return err
	})
}

// An ended counts the outputs of an item that ended in one transaction.
type ended struct{ outputs, failures int64 }

// endOutputs counts ended outputs off their items. The last one ends the item.
func (t *tx) endOutputs(ctx context.Context, outputs map[itemID]*ended) error {
	var rows [][]any
	for _, id := range slices.SortedFunc(maps.Keys(outputs), compareItems) {
		rows = append(rows, id.cells(outputs[id].outputs, outputs[id].failures))
	}
	var endings []ending
	if err := pages(rows, pageSize, func(page [][]any) error {
		return t.each(ctx, `UPDATE items SET pending = pending - CAST(e.value->>3 AS BIGINT), failures = failures + CAST(e.value->>4 AS BIGINT),
				state = CASE WHEN pending > CAST(e.value->>3 AS BIGINT) THEN state
					WHEN failures + CAST(e.value->>4 AS BIGINT) > 0 THEN 'failed' ELSE 'ready' END
			FROM rows($1) AS e
			WHERE items.owner = e.value->>0 AND items.idx = CAST(e.value->>1 AS BIGINT) AND items.key = e.value->>2
			RETURNING items.owner, items.idx, items.key, generation, digest, pending, failures`, []any{table(page)}, func(scan func(...any) error) error {
			e := ending{event: sink.RenderCompleted}
			var pending, failures int64
			if err := scan(&e.owner, &e.idx, &e.key, &e.generation, &e.digest, &pending, &failures); err != nil {
				return err
			}
			if failures > 0 {
				e.event = sink.RenderFailed
			}
			if pending == 0 {
				endings = append(endings, e)
			}
			return nil
		})
	}); err != nil {
		return err
	}
	return t.end(ctx, endings)
}

func compareItems(a, b itemID) int {
	return inOrder(bindings.Proposal{Owner: a.owner, Index: a.idx, Key: a.key}, bindings.Proposal{Owner: b.owner, Index: b.idx, Key: b.key})
}

// An ending is an item whose last output ended, or that was removed.
type ending struct {
	changedItem
	event string
}

// end plans what follows from the end of items: deliveries for those of
// bindings, counts for those of jobs.
func (t *tx) end(ctx context.Context, endings []ending) error {
	var bound []ending
	jobs := map[string]*ended{}
	for _, e := range endings {
		id := e.owner.Job()
		if id == "" {
			bound = append(bound, e)
			continue
		}
		if jobs[id] == nil {
			jobs[id] = new(ended)
		}
		jobs[id].outputs++
		if e.event != sink.RenderCompleted {
			jobs[id].failures++
		}
	}
	ids := slices.Sorted(maps.Keys(jobs))
	if err := t.planRowEvents(ctx, ids, endings); err != nil {
		return err
	}
	if err := t.tellRowsOfBatches(ctx, ids, endings); err != nil {
		return err
	}
	for _, id := range ids {
		if err := t.count(ctx, id, jobs[id].outputs-jobs[id].failures, jobs[id].failures); err != nil {
			return err
		}
	}
	if err := t.noteEnded(ctx, bound); err != nil {
		return err
	}
	return pages(bound, pageSize, func(page []ending) error { return t.planDeliveries(ctx, page) })
}

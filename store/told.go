package store

import (
	"context"
	"slices"

	"github.com/pictifyd/pictifyd/bindings"
)

// keptQuarantine is how many rows that were kept out a source has that is told of
// its rows, where no reading ever replaces them.
const keptQuarantine = 1000

// closeTold ends a reading of rows that came outside of a turn. It says nothing
// about rows that it does not have, nor about the last whole reading.
func (t *tx) closeTold(ctx context.Context, p bindings.Plan, result *CommitResult) error {
	if err := t.turnQuarantine(ctx, p); err != nil {
		return err
	}
	if err := t.judgeTold(ctx, p, result); err != nil {
		return err
	}
	if err := t.recountHeld(ctx, p.Source); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `UPDATE sources SET told_at = $2 WHERE name = $1`, p.Source, millis(p.Closes.At)); err != nil {
		return err
	}
	if !p.Closes.Settles {
		return nil
	}
	if _, err := t.exec(ctx, `UPDATE bindings SET read_once = 1 WHERE source = $1 AND gone = 0 AND read_once = 0`, p.Source); err != nil {
		return err
	}
	return t.stirSource(ctx, p.Source)
}

// judgeTold asks the guard about the bindings that were not promoted as they came.
// Where all were, it counts no images: rows may come by the thousand a second.
func (t *tx) judgeTold(ctx context.Context, p bindings.Plan, result *CommitResult) error {
	open := slices.ContainsFunc(p.Proposals, func(q bindings.Proposal) bool { return !p.Promote[q.Owner.Binding()] })
	if !open {
		return nil
	}
	bound, err := t.boundTo(ctx, p.Source)
	if err != nil {
		return err
	}
	for _, b := range bound {
		if p.Promote[b.name] {
			continue
		}
		if err := t.judge(ctx, p, b, false, result); err != nil {
			return err
		}
	}
	return nil
}

// recountHeld counts again what the guard holds of rows of a source, where it holds
// something: of a row that came anew, or is gone, it holds nothing any more.
func (t *tx) recountHeld(ctx context.Context, source string) error {
	n, err := t.exec(ctx, `UPDATE bindings SET held_changes = (SELECT count(*) FROM items AS i
		WHERE i.owner = 'binding/' || bindings.name AND i.proposed_digest <> '') WHERE source = $1 AND held_changes > 0`, source)
	if err != nil || n == 0 {
		return err
	}
	_, err = t.exec(ctx, `UPDATE bindings SET held_reason = '' WHERE source = $1 AND held_changes = 0 AND held_removal = 0`, source)
	return err
}

// turnQuarantine forgets what was kept out before of the keys that came now, and
// the oldest of more than is kept.
func (t *tx) turnQuarantine(ctx context.Context, p bindings.Plan) error {
	if err := t.endKeptOut(ctx, p); err != nil || len(p.Quarantined) == 0 {
		return err
	}
	var count int64
	if err := t.row(ctx, `SELECT count(*) FROM quarantine WHERE source = $1`, p.Source).Scan(&count); err != nil || count <= keptQuarantine {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM quarantine WHERE source = $1 AND reading <> $2`, p.Source, p.Reading)
	return err
}

package store

import (
	"context"
	"fmt"
	"slices"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
)

// closeReading ends a reading: what is absent, what the guard says of each
// binding, and the cursor.
func (t *tx) closeReading(ctx context.Context, p bindings.Plan, result *CommitResult) error {
	c := p.Closes
	if _, err := t.exec(ctx, `INSERT INTO sources (name) VALUES ($1) ON CONFLICT (name) DO NOTHING`, p.Source); err != nil {
		return err
	}
	if c.Unchanged {
		return t.closeSource(ctx, p, false)
	}
	if c.Stream != nil {
		return t.closeStream(ctx, p, result)
	}
	if c.Told {
		return t.closeTold(ctx, p, result)
	}
	if err := t.endQuarantine(ctx, p); err != nil {
		return err
	}
	bound, err := t.boundTo(ctx, p.Source)
	if err != nil {
		return err
	}
	emptied, err := t.emptied(ctx, p, bound)
	if err != nil {
		return err
	}
	var missing []string
	if c.Complete && !emptied {
		if missing, err = t.markMissing(ctx, p); err != nil {
			return err
		}
	}
	for _, b := range bound {
		if err := t.judge(ctx, p, b, emptied, result); err != nil {
			return err
		}
	}
	if err := t.endPast(ctx, p, missing, result.Held); err != nil {
		return err
	}
	return t.closeSource(ctx, p, emptied)
}

// endQuarantine forgets what was kept out before: of a reading of changes only the rows
// that are in it.
func (t *tx) endQuarantine(ctx context.Context, p bindings.Plan) error {
	if p.Closes.Reason != connectors.OfChanges {
		_, err := t.exec(ctx, `DELETE FROM quarantine WHERE source = $1 AND reading <> $2`, p.Source, p.Reading)
		return err
	}
	keys, err := collect(ctx, t.reader, `SELECT DISTINCT key FROM quarantine WHERE source = $1 AND reading <> $2 AND key <> ''`, []any{p.Source, p.Reading}, text1)
	if err != nil {
		return err
	}
	keys = slices.DeleteFunc(keys, func(key string) bool { return !p.Closes.Has(key) })
	return pages(keys, pageSize, func(page []string) error {
		_, err := t.exec(ctx, `DELETE FROM quarantine WHERE source = $1 AND reading <> $2 AND key IN list($3)`, p.Source, p.Reading, list(page))
		return err
	})
}

// closeSource notes that the source was read.
func (t *tx) closeSource(ctx context.Context, p bindings.Plan, emptied bool) error {
	c := p.Closes
	position := ""
	if c.Cursor != nil {
		position = encodeCursor(c.Cursor)
	}
	if _, err := t.exec(ctx, `UPDATE sources SET read_at = $2, position = CASE WHEN $3 = 0 THEN position ELSE $4 END WHERE name = $1`,
		p.Source, millis(c.At), flag(c.Cursor != nil), position); err != nil {
		return err
	}
	if err := t.noteCurrent(ctx, p); err != nil {
		return err
	}
	if !c.Unchanged && c.Reason != connectors.OfChanges { // which says nothing of the last reading of all rows
		if _, err := t.exec(ctx, `UPDATE sources SET complete = $2, reason = $3, emptied = $4, unclosed = '' WHERE name = $1`,
			p.Source, flag(c.Complete), clean(c.Reason), flag(emptied)); err != nil {
			return err
		}
	}
	if _, err := t.exec(ctx, `UPDATE bindings SET read_once = 1 WHERE source = $1 AND gone = 0 AND read_once = 0`, p.Source); err != nil {
		return err
	}
	return t.stirSource(ctx, p.Source)
}

// A boundBinding is a binding with what a person has accepted for it.
type boundBinding struct {
	name    string
	ceiling int // so many removals
	live    int
}

// boundTo are the bindings of source, with the count of their live items.
func (t *tx) boundTo(ctx context.Context, source string) ([]boundBinding, error) {
	return collect(ctx, t.reader, `SELECT b.name, b.ceiling, (SELECT count(*) FROM items AS i
			WHERE i.owner = 'binding/' || b.name AND i.idx = 0 AND i.generation > 0 AND i.state <> 'removed')
		FROM bindings AS b WHERE b.source = $1 AND b.gone = 0 ORDER BY b.name`, []any{source},
		func(scan func(...any) error) (b boundBinding, err error) {
			return b, scan(&b.name, &b.ceiling, &b.live)
		})
}

// emptied reports whether a complete reading has no rows where there were some,
// and somebody still has to accept that.
func (t *tx) emptied(ctx context.Context, p bindings.Plan, bound []boundBinding) (bool, error) {
	if !p.Closes.Complete || p.Closes.Rows > 0 {
		return false, nil
	}
	var had int64
	if err := t.row(ctx, `SELECT count(*) FROM (SELECT 1 FROM source_rows WHERE source = $1 AND gone = 0 LIMIT 1) AS r`, p.Source).Scan(&had); err != nil || had == 0 {
		return false, err
	}
	for _, b := range bound {
		if b.ceiling == 0 || b.ceiling < b.live {
			return true, nil
		}
	}
	return len(bound) == 0, nil
}

// markMissing notes since when rows are absent from complete readings, and returns
// those that are so for the first time.
func (t *tx) markMissing(ctx context.Context, p bindings.Plan) (missing []string, err error) {
	if p.Closes.Whole {
		return nil, t.markBack(ctx, p)
	}
	var back []string
	if err := t.each(ctx, `SELECT key, CASE WHEN missing_since IS NULL THEN 0 ELSE 1 END FROM source_rows
		WHERE source = $1 AND gone = 0`, []any{p.Source}, func(scan func(...any) error) error {
		var key string
		var marked int64
		if err := scan(&key, &marked); err != nil {
			return err
		}
		switch has := p.Closes.Has(key); {
		case !has && marked == 0:
			missing = append(missing, key)
		case has && marked == 1:
			back = append(back, key)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	if err := t.missSince(ctx, p.Source, missing, millis(p.Closes.At)); err != nil {
		return nil, err
	}
	return missing, t.missSince(ctx, p.Source, back, nil)
}

// markBack ends the absence of rows where none is newly absent.
func (t *tx) markBack(ctx context.Context, p bindings.Plan) error {
	missing, err := collect(ctx, t.reader, `SELECT key FROM source_rows WHERE source = $1 AND missing_since IS NOT NULL AND gone = 0`, []any{p.Source}, text1)
	if err != nil {
		return err
	}
	back := slices.DeleteFunc(missing, func(key string) bool { return !p.Closes.Has(key) })
	return t.missSince(ctx, p.Source, back, nil)
}

// missSince notes since when rows are absent; nil ends it.
func (t *tx) missSince(ctx context.Context, source string, keys []string, since any) error {
	return pages(keys, pageSize, func(page []string) error {
		_, err := t.exec(ctx, `UPDATE source_rows SET missing_since = CAST($3 AS BIGINT)
			WHERE source = $1 AND key IN list($2)`, source, list(page), since)
		return err
	})
}

// judge asks the guard about one binding's part of the reading, and does what it says.
func (t *tx) judge(ctx context.Context, p bindings.Plan, b boundBinding, emptied bool, result *CommitResult) error {
	counts, err := t.counts(ctx, p, b)
	if err != nil {
		return err
	}
	var v bindings.Verdict
	if p.Closes.Judge != nil {
		v = p.Closes.Judge(b.name, counts)
	}
	accepted := counts.Gone
	if emptied {
		v.HoldChanges, v.HoldRemoval = true, true
		if v.Reason == "" {
			v.Reason = fmt.Sprintf("the source has no rows any more, and there are images of %d", counts.Live)
		}
		accepted = counts.Live
	}
	// What a person accepted is a ceiling: more than that is asked again.
	if accepted > 0 && accepted <= b.ceiling {
		v.HoldRemoval = false
		v.HoldChanges = v.HoldChanges && counts.Rows > 0
	}
	if p.Closes.Complete {
		if err := t.dropProposals(ctx, p, b.name); err != nil {
			return err
		}
	}
	if !v.HoldChanges {
		promoted, err := t.promoteNoted(ctx, b.name, p.Reading)
		if err != nil {
			return err
		}
		result.Promoted += promoted
	}
	before, err := t.heldOf(ctx, b.name)
	if err != nil {
		return err
	}
	if err := t.hold(ctx, p, b, v, counts, accepted, result); err != nil {
		return err
	}
	return t.tellTripped(ctx, b.name, before)
}

// counts is what the reading would do to the images of b.
func (t *tx) counts(ctx context.Context, p bindings.Plan, b boundBinding) (bindings.Counts, error) {
	c := bindings.Counts{Live: b.live, Rows: p.Closes.Rows}
	owner := string(bindings.BindingOwner(b.name))
	var err error
	if c.Changed, err = t.changedBy(ctx, owner, p.Reading); err != nil || !p.Closes.Complete {
		return c, err
	}
	err = t.row(ctx, `SELECT count(*) FROM source_rows AS r JOIN items AS i ON i.owner = $2 AND i.idx = 0 AND i.key = r.key
		WHERE r.source = $1 AND r.missing_since IS NOT NULL AND i.generation > 0 AND i.state <> 'removed'`, p.Source, owner).Scan(&c.Gone)
	return c, err
}

// dropProposals forgets what older readings proposed for rows that this one does
// not have. What they proposed for a row that is there still holds: this reading
// could not say more of it, because it is broken, or stands there as it was before.
func (t *tx) dropProposals(ctx context.Context, p bindings.Plan, binding string) error {
	keys, err := collect(ctx, t.reader, `SELECT key FROM items WHERE owner = $1 AND proposed_digest <> '' AND proposed_in <> $2`,
		[]any{string(bindings.BindingOwner(binding)), p.Reading}, text1)
	if err != nil {
		return err
	}
	keys = slices.DeleteFunc(keys, p.Closes.Has)
	return pages(keys, pageSize, func(page []string) error {
		var rows [][]any
		for _, key := range page {
			rows = append(rows, itemID{bindings.BindingOwner(binding), 0, key}.cells())
		}
		return t.forget(ctx, table(rows))
	})
}

// hold writes down what waits for a person.
func (t *tx) hold(ctx context.Context, p bindings.Plan, b boundBinding, v bindings.Verdict, c bindings.Counts, removal int, result *CommitResult) error {
	var held int
	if err := t.row(ctx, `SELECT count(*) FROM items WHERE owner = $1 AND proposed_digest <> ''`,
		string(bindings.BindingOwner(b.name))).Scan(&held); err != nil {
		return err
	}
	result.Held += held
	if !p.Closes.Complete { // it says nothing about removals
		_, err := t.exec(ctx, `UPDATE bindings SET held_changes = CAST($2 AS BIGINT),
			held_reason = CASE WHEN $3 = 1 THEN $4 WHEN CAST($2 AS BIGINT) = 0 AND held_removal = 0 THEN '' ELSE held_reason END WHERE name = $1`,
			b.name, held, flag(v.HoldChanges && held > 0), v.Reason)
		return err
	}
	if !v.HoldRemoval {
		removal = 0
	}
	reason := v.Reason
	switch {
	case held == 0 && removal == 0:
		reason = ""
	case reason == "":
		reason = "rows that changed before could not be read again"
	}
	ceiling := b.ceiling
	if c.Gone == 0 && removal == 0 && c.Rows > 0 || removal > 0 {
		ceiling = 0
	}
	_, err := t.exec(ctx, `UPDATE bindings SET held_changes = $2, held_removal = $3, held_reason = $4, ceiling = $5 WHERE name = $1`,
		b.name, held, removal, reason, ceiling)
	return err
}

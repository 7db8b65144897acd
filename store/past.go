package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pictifyd/pictifyd/bindings"
)

const (
	pastReadings = 50       // of a source, that are remembered
	pastRows     = 200      // of one reading, with their values
	pastValues   = 64 << 10 // bytes of a row; of larger ones only the count
)

// A rowsBefore is how the rows of a batch were before it was stored.
type rowsBefore struct {
	past    pastOf
	digests map[string]string
	values  map[string]string // of those that may be kept
}

// pastOf is the record of a reading, as far as batches need it.
type pastOf struct {
	seq   int64 // 0: there is none yet
	kept  int64
	fresh bool // the source had no rows before it
}

// asked reports whether p is of a reading that the source was asked for. Rows that are
// sent come by the thousand a second, each call a reading: of those nothing is remembered.
func asked(p bindings.Plan) bool {
	return p.Closes == nil || !p.Closes.Told && p.Closes.Stream == nil && !p.Closes.Unchanged
}

// rowsBefore looks up what is there of the rows that p is about to store. It costs a look
// for each row that changes, none for those that are as they were.
func (t *tx) rowsBefore(ctx context.Context, p bindings.Plan) (b rowsBefore, err error) {
	if len(p.Rows) == 0 || !asked(p) {
		return b, nil
	}
	if b.past, err = t.pastOf(ctx, p.Source, p.Reading); err != nil {
		return b, err
	}
	b.digests, b.values = map[string]string{}, map[string]string{}
	if b.past.seq == 0 {
		var some int64
		if err := t.row(ctx, `SELECT count(*) FROM (SELECT 1 FROM source_rows WHERE source = $1 LIMIT 1) AS r`, p.Source).Scan(&some); err != nil {
			return b, err
		}
		b.past.fresh = some == 0
	}
	if b.past.fresh {
		return b, nil
	}
	keys := make([]string, len(p.Rows))
	for i, r := range p.Rows {
		keys[i] = r.Key
	}
	if err := pages(keys, pageSize, func(page []string) error {
		return t.each(ctx, `SELECT key, digest FROM source_rows WHERE source = $1 AND key IN list($2) AND gone = 0 AND missing_since IS NULL`, []any{p.Source, list(page)}, func(scan func(...any) error) error {
			var key, digest string
			err := scan(&key, &digest)
			b.digests[key] = digest
			return err
		})
	}); err != nil {
		return b, err
	}
	left := pastRows - b.past.kept
	var wanted []string
	for _, r := range p.Rows {
		if digest, there := b.digests[r.Key]; there && (r.Gone || digest != r.Digest) && int64(len(wanted)) < left {
			wanted = append(wanted, r.Key)
		}
	}
	b.values, err = t.valuesOf(ctx, p.Source, wanted)
	return b, err
}

// valuesOf are the values of rows, by key; those of too large ones are not among them.
func (t *tx) valuesOf(ctx context.Context, source string, keys []string) (map[string]string, error) {
	values := map[string]string{}
	if len(keys) == 0 {
		return values, nil
	}
	err := t.each(ctx, `SELECT key, data FROM source_rows WHERE source = $1 AND key IN list($2)`, []any{source, list(keys)}, func(scan func(...any) error) error {
		var key, data string
		err := scan(&key, &data)
		if len(data) <= pastValues {
			values[key] = data
		}
		return err
	})
	return values, err
}

func (t *tx) pastOf(ctx context.Context, source, reading string) (p pastOf, err error) {
	var fresh int64
	err = t.row(ctx, `SELECT seq, kept, fresh FROM source_readings WHERE source = $1 AND reading = $2`, source, reading).Scan(&p.seq, &p.kept, &fresh)
	p.fresh = fresh == 1
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return p, err
}

// notePast remembers what a batch has changed, in the transaction that stores it. stale
// are the rows that were not stored.
func (t *tx) notePast(ctx context.Context, p bindings.Plan, b rowsBefore, stale map[string]bool) error {
	if b.digests == nil {
		return nil
	}
	counts := map[string]int64{}
	var rows [][]any
	left := pastRows - b.past.kept
	latest := map[string]bindings.RowChange{}
	for _, r := range p.Rows {
		if before, again := latest[r.Key]; !again || before.Version <= r.Version {
			latest[r.Key] = r
		}
	}
	for _, r := range p.Rows {
		last, first := latest[r.Key]
		if !first || stale[r.Key] {
			continue
		}
		delete(latest, r.Key)
		digest, there := b.digests[r.Key]
		change, before, after := bindings.RowChanged, b.values[r.Key], string(last.Values)
		switch {
		case !there && last.Gone, there && !last.Gone && digest == last.Digest:
			continue
		case last.Gone:
			change, after = bindings.RowRemoved, ""
		case !there:
			change = bindings.RowAdded
		}
		counts[change]++
		if int64(len(rows)) < left && len(after) <= pastValues && (before != "" || !there) {
			rows = append(rows, []any{r.Key, change, before, after})
		}
	}
	if len(counts) == 0 {
		return nil
	}
	if b.past.seq == 0 {
		if err := t.beginPast(ctx, p.Source, p.Reading, &b.past); err != nil {
			return err
		}
	}
	return t.addPast(ctx, p.Source, b.past, counts, rows)
}

// beginPast begins the record of a reading, and ends those that never did.
func (t *tx) beginPast(ctx context.Context, source, reading string, past *pastOf) error {
	if _, err := t.exec(ctx, `UPDATE source_readings SET ended_at = $2, error = 'it was cut off' WHERE source = $1 AND ended_at IS NULL`, source, millis(t.now)); err != nil {
		return err
	}
	if err := t.row(ctx, `SELECT COALESCE(max(seq), 0) + 1 FROM source_readings WHERE source = $1`, source).Scan(&past.seq); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `INSERT INTO source_readings (source, seq, reading, fresh, began_at)
		VALUES ($1, $2, $3, $4, COALESCE((SELECT begun_at FROM sources WHERE name = $1), CAST($5 AS BIGINT)))`,
		source, past.seq, reading, flag(past.fresh), millis(t.now)); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM source_readings WHERE source = $1 AND seq <= $2`, source, past.seq-pastReadings)
	return err
}

// addPast adds changes to the record of a reading. The first ones take the place of those
// of the reading before.
func (t *tx) addPast(ctx context.Context, source string, past pastOf, counts map[string]int64, rows [][]any) error {
	var some int64
	if err := t.row(ctx, `SELECT added + changed + removed FROM source_readings WHERE source = $1 AND seq = $2`, source, past.seq).Scan(&some); err != nil {
		return err
	}
	if some == 0 {
		if _, err := t.exec(ctx, `DELETE FROM source_changes WHERE source = $1`, source); err != nil {
			return err
		}
	}
	if len(rows) > 0 {
		if _, err := t.exec(ctx, `INSERT INTO source_changes (source, key, change, before, after)
			SELECT CAST($1 AS TEXT), e.value->>0, e.value->>1, e.value->>2, e.value->>3 FROM rows($2) AS e WHERE true
			ON CONFLICT (source, key) DO UPDATE SET change = excluded.change, after = excluded.after`, source, table(rows)); err != nil {
			return err
		}
	}
	_, err := t.exec(ctx, `UPDATE source_readings SET added = added + $3, changed = changed + $4, removed = removed + $5, kept = kept + $6 WHERE source = $1 AND seq = $2`,
		source, past.seq, counts[bindings.RowAdded], counts[bindings.RowChanged], counts[bindings.RowRemoved], len(rows))
	return err
}

// endPast ends the record of a reading that closes. One that changed nothing and went as
// the one before it leaves none.
func (t *tx) endPast(ctx context.Context, p bindings.Plan, missing []string, held int) error {
	c := p.Closes
	past, err := t.pastOf(ctx, p.Source, p.Reading)
	if err != nil {
		return err
	}
	var faults int64
	if err := t.row(ctx, `SELECT count(*) FROM quarantine WHERE source = $1 AND reading = $2`, p.Source, p.Reading).Scan(&faults); err != nil {
		return err
	}
	guard := ""
	if held > 0 {
		if guard, err = t.heldOfSource(ctx, p.Source); err != nil {
			return err
		}
	}
	if past.seq == 0 && len(missing) == 0 {
		var same int64
		if err := t.row(ctx, `SELECT count(*) FROM source_readings WHERE source = $1 AND seq = (SELECT max(seq) FROM source_readings WHERE source = $1)
			AND ended_at IS NOT NULL AND error = '' AND complete = $2 AND reason = $3 AND faults = $4 AND held = $5`,
			p.Source, flag(c.Complete), clean(c.Reason), faults, guard).Scan(&same); err != nil || same == 1 {
			return err
		}
	}
	if past.seq == 0 {
		if err := t.beginPast(ctx, p.Source, p.Reading, &past); err != nil {
			return err
		}
	}
	if err := t.missPast(ctx, p.Source, past, missing); err != nil {
		return err
	}
	_, err = t.exec(ctx, `UPDATE source_readings SET ended_at = $3, seen = $4, faults = $5, complete = $6, reason = $7, held = $8, error = '' WHERE source = $1 AND seq = $2`,
		p.Source, past.seq, millis(t.now), c.Rows, faults, flag(c.Complete), clean(c.Reason), guard)
	return err
}

// missPast adds the rows that a reading did not have any more.
func (t *tx) missPast(ctx context.Context, source string, past pastOf, missing []string) error {
	if len(missing) == 0 {
		return nil
	}
	some := missing[:min(int64(len(missing)), max(pastRows-past.kept, 0))]
	values, err := t.valuesOf(ctx, source, some)
	if err != nil {
		return err
	}
	var rows [][]any
	for _, key := range some {
		if before, ok := values[key]; ok {
			rows = append(rows, []any{key, bindings.RowRemoved, before, ""})
		}
	}
	return t.addPast(ctx, source, past, map[string]int64{bindings.RowRemoved: int64(len(missing))}, rows)
}

// heldOfSource is what the guard holds of the bindings of a source, as JSON.
func (t *tx) heldOfSource(ctx context.Context, source string) (string, error) {
	held := map[string]bindings.PastHeld{}
	err := t.each(ctx, `SELECT name, held_changes, held_removal, held_reason FROM bindings WHERE source = $1 AND gone = 0 AND (held_changes > 0 OR held_removal > 0)`,
		[]any{source}, func(scan func(...any) error) error {
			var name string
			var h bindings.PastHeld
			err := scan(&name, &h.Changes, &h.Removals, &h.Reason)
			held[name] = h
			return err
		})
	if err != nil || len(held) == 0 {
		return "", err
	}
	return encode(held), nil
}

// failPast remembers why a source could not be read, once for several times in a row.
func (t *tx) failPast(ctx context.Context, source, message string) error {
	n, err := t.exec(ctx, `UPDATE source_readings SET ended_at = $2, error = $3 WHERE source = $1 AND ended_at IS NULL`, source, millis(t.now), message)
	if err != nil || n > 0 {
		return err
	}
	var same int64
	if err := t.row(ctx, `SELECT count(*) FROM source_readings WHERE source = $1 AND seq = (SELECT max(seq) FROM source_readings WHERE source = $1)
		AND error = $2`, source, message).Scan(&same); err != nil || same == 1 {
		return err
	}
	var past pastOf
	if err := t.beginPast(ctx, source, "", &past); err != nil {
		return err
	}
	_, err = t.exec(ctx, `UPDATE source_readings SET ended_at = $3, error = $4 WHERE source = $1 AND seq = $2`, source, past.seq, millis(t.now), message)
	return err
}

// PastReadings are the newest readings of a source that changed something or did not go
// as the one before them, newest first.
func (s *Store) PastReadings(ctx context.Context, source string, limit int) ([]bindings.PastReading, error) {
	all, err := collect(ctx, s.reader(), `SELECT seq, began_at, ended_at, seen, added, changed, removed, faults, complete, reason, error, held
		FROM source_readings WHERE source = $1 ORDER BY seq DESC LIMIT $2`, []any{clean(source), limit}, func(scan func(...any) error) (r bindings.PastReading, err error) {
		var began, ended sql.NullInt64
		var complete int64
		var held string
		if err := scan(&r.ID, &began, &ended, &r.Rows, &r.Added, &r.Changed, &r.Removed, &r.Faults, &complete, &r.Reason, &r.Error, &held); err != nil {
			return r, err
		}
		r.BeganAt, r.EndedAt, r.Complete = moment(began), moment(ended), complete == 1
		if held != "" {
			err = decode(held, &r.Held)
		}
		return r, err
	})
	return all, wrap(err, "list the readings of %q", source)
}

// RowChanges are at most limit rows that the last reading changed which changed any.
func (s *Store) RowChanges(ctx context.Context, source string, limit int) (c bindings.RowChanges, err error) {
	source = clean(source)
	var ended, before sql.NullInt64
	var total int64
	err = s.reader().row(ctx, `SELECT r.seq, r.ended_at, r.added + r.changed + r.removed, (SELECT b.ended_at FROM source_readings AS b
			WHERE b.source = r.source AND b.seq < r.seq AND b.added + b.changed + b.removed > 0 ORDER BY b.seq DESC LIMIT 1)
		FROM source_readings AS r WHERE r.source = $1 AND r.added + r.changed + r.removed > 0 ORDER BY r.seq DESC LIMIT 1`, source).Scan(&c.Reading, &ended, &total, &before)
	if errors.Is(err, sql.ErrNoRows) {
		return c, nil
	}
	if err != nil {
		return c, wrap(err, "find the last change of %q", source)
	}
	c.EndedAt, c.Before = moment(ended), moment(before)
	c.Rows, err = collect(ctx, s.reader(), `SELECT key, change, before, after FROM source_changes WHERE source = $1 ORDER BY key LIMIT $2`, []any{source, limit},
		func(scan func(...any) error) (r bindings.PastRow, err error) {
			var before, after string
			err = scan(&r.Key, &r.Change, &before, &after)
			if before != "" {
				r.Before = []byte(before)
			}
			if after != "" {
				r.After = []byte(after)
			}
			return r, err
		})
	c.More = max(total-int64(len(c.Rows)), 0)
	return c, wrap(err, "read the last change of %q", source)
}

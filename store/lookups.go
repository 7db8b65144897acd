package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pictifyd/pictifyd/bindings"
)

// RowsByKey are the stored rows of source with these keys, with their values, by
// key. Keys without a row are not in the answer.
func (s *Store) RowsByKey(ctx context.Context, source string, keys []string) ([]bindings.StoredRow, error) {
	var all []bindings.StoredRow
	err := pages(keys, 2*pageSize, func(page []string) error {
		rows, err := collect(ctx, s.reader(), `SELECT key, version, data, digest, missing_since FROM source_rows
			WHERE source = $1 AND key IN list($2) AND gone = 0 ORDER BY key`, []any{clean(source), list(page)}, scanRow)
		all = append(all, rows...)
		return err
	})
	return all, wrap(err, "read rows of %q", source)
}

func scanRow(scan func(...any) error) (row bindings.StoredRow, err error) {
	var data string
	var missing sql.NullInt64
	err = scan(&row.Key, &row.Version, &data, &row.Digest, &missing)
	row.Values, row.Missing = []byte(data), missing.Valid
	return row, err
}

// WereRead says of which sources a reading was closed at least once.
func (s *Store) WereRead(ctx context.Context, sources []string) (map[string]bool, error) {
	read := map[string]bool{}
	names, err := collect(ctx, s.reader(), `SELECT name FROM sources WHERE read_at IS NOT NULL AND name IN list($1)`, []any{list(sources)}, text1)
	for _, name := range names {
		read[name] = true
	}
	return read, wrap(err, "look which sources were read")
}

// A LookupChange is a row of another source that is no longer as rows of a binding
// were planned with it.
type LookupChange struct {
	Source, Key string

	mark int64
}

// lookupsDue are changes of sources whose reading is closed: of one that goes on
// nobody can say yet how much it changes.
const lookupsDue = ` FROM lookup_changes AS c LEFT JOIN sources AS s ON s.name = c.source WHERE COALESCE(s.unclosed, '') = ''`

// LookupChanges are the changes after which rows of the binding are to be planned
// again.
func (s *Store) LookupChanges(ctx context.Context, binding string) ([]LookupChange, error) {
	all, err := collect(ctx, s.reader(), `SELECT c.source, c.key, c.mark`+lookupsDue+` AND c.binding = $1 ORDER BY c.source, c.key`, []any{binding},
		func(scan func(...any) error) (c LookupChange, err error) { return c, scan(&c.Source, &c.Key, &c.mark) })
	return all, wrap(err, "look what changed for the lookups of %q", binding)
}

// BindingsWithLookupChanges are those of which LookupChanges has some.
func (s *Store) BindingsWithLookupChanges(ctx context.Context) ([]string, error) {
	names, err := collect(ctx, s.reader(), `SELECT DISTINCT c.binding`+lookupsDue+` ORDER BY c.binding`, nil, text1)
	return names, wrap(err, "look what changed for lookups")
}

const readersOf = `SELECT key FROM lookup_reads WHERE source = $1 AND read_key = $2 AND binding = $3 AND key > $4 ORDER BY key LIMIT $5`

// Readers are the rows of a binding, by key after after, that were planned with a
// row that changed.
func (s *Store) Readers(ctx context.Context, binding string, c LookupChange, after string, limit int) ([]string, error) {
	keys, err := collect(ctx, s.reader(), readersOf, []any{c.Source, c.Key, binding, after, limit}, text1)
	return keys, wrap(err, "look which rows of %q join a row of %q", binding, c.Source)
}

// NoteLookups keeps what rows of a binding should become after rows that they
// join changed, until JudgeLookups. What a reading proposed and the guard holds, or
// has not judged, stays with that reading.
func (s *Store) NoteLookups(ctx context.Context, binding string, proposals []bindings.Proposal) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		reads := readsOf(proposals)
		if err := t.lockRows(ctx, "", reads); err != nil {
			return err
		}
		if err := t.noteReads(ctx, binding, reads); err != nil {
			return err
		}
		free, err := t.proposeAgain(ctx, proposals)
		if err != nil {
			return err
		}
		id, err := t.lookupsID(ctx, binding)
		if err != nil {
			return err
		}
		return t.note(ctx, id, latestOfEach(free))
	})
	if err == nil {
		s.crash("lookups.noted")
	}
	return wrap(err, "plan rows of %q again", binding)
}

// lookupsID names what is noted until the next judgement; after a crash it is the
// same, so that the guard is shown all of it.
func (t *tx) lookupsID(ctx context.Context, binding string) (string, error) {
	var n int64
	err := t.row(ctx, `SELECT lookups FROM bindings WHERE name = $1 FOR UPDATE`, binding).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return fmt.Sprintf("%s~%d", binding, n), err
}

// JudgeLookups ends the planning after changes: the guard is asked about all that
// was noted, which becomes wanted or is held. The changes are done with it, but for
// those that came again meanwhile.
func (s *Store) JudgeLookups(ctx context.Context, binding string, changes []LookupChange, judge func(bindings.Counts) bindings.Verdict) (result CommitResult, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		result = CommitResult{}
		if err := t.judgeLookups(ctx, binding, judge, &result); err != nil {
			return err
		}
		return pages(changes, pageSize, func(page []LookupChange) error {
			rows := make([][]any, len(page))
			for i, c := range page {
				rows[i] = []any{c.Source, c.Key, c.mark}
			}
			_, err := t.exec(ctx, `DELETE FROM lookup_changes WHERE binding = $2 AND (source, key, mark) IN
				(SELECT e.value->>0, e.value->>1, CAST(e.value->>2 AS BIGINT) FROM rows($1) AS e)`, table(rows), binding)
			return err
		})
	})
	if err == nil {
		s.crash("lookups.judged")
	}
	return result, wrap(err, "judge the changes of what %q joins", binding)
}

func (t *tx) judgeLookups(ctx context.Context, binding string, judge func(bindings.Counts) bindings.Verdict, result *CommitResult) error {
	id, err := t.lookupsID(ctx, binding)
	if err != nil {
		return err
	}
	owner := string(bindings.BindingOwner(binding))
	c := bindings.Counts{Rows: 1} // the binding's own source has not lost its rows
	if err := t.row(ctx, `SELECT count(*) FROM items WHERE owner = $1 AND idx = 0 AND generation > 0 AND state <> 'removed'`, owner).Scan(&c.Live); err != nil {
		return err
	}
	if c.Changed, err = t.changedBy(ctx, owner, id); err != nil {
		return err
	}
	v := judge(c)
	if !v.HoldChanges {
		if result.Promoted, err = t.promoteNoted(ctx, binding, id); err != nil {
			return err
		}
	}
	if err := t.row(ctx, `SELECT count(*) FROM items WHERE owner = $1 AND proposed_digest <> ''`, owner).Scan(&result.Held); err != nil {
		return err
	}
	before, err := t.heldOf(ctx, binding)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, `UPDATE bindings SET lookups = lookups + 1, held_changes = CAST($2 AS BIGINT),
		held_reason = CASE WHEN $3 = 1 THEN $4 WHEN CAST($2 AS BIGINT) = 0 AND held_removal = 0 THEN '' ELSE held_reason END WHERE name = $1`,
		binding, result.Held, flag(v.HoldChanges), v.Reason); err != nil {
		return err
	}
	return t.tellTripped(ctx, binding, before)
}

// changedBy counts the live items that a reading would change.
func (t *tx) changedBy(ctx context.Context, owner, reading string) (n int, err error) {
	return n, t.row(ctx, `SELECT count(*) FROM items WHERE owner = $1 AND proposed_in = $2 AND proposed_digest <> ''
		AND generation > 0 AND state <> 'removed' AND proposed_digest <> digest`, owner, reading).Scan(&n)
}

// readsOf are what proposals of one binding were planned with.
func readsOf(proposals []bindings.Proposal) []bindings.RowReads {
	reads := make([]bindings.RowReads, len(proposals))
	for i, p := range proposals {
		reads[i] = bindings.RowReads{Owner: p.Owner, Key: p.Key, Reads: p.Reads}
	}
	return reads
}

// noteReadsOf keeps what the rows of a plan were planned with.
func (t *tx) noteReadsOf(ctx context.Context, reads []bindings.RowReads) error {
	of := map[string][]bindings.RowReads{}
	for _, r := range reads {
		name := r.Owner.Binding()
		of[name] = append(of[name], r)
	}
	for _, binding := range slices.Sorted(maps.Keys(of)) {
		if err := t.noteReads(ctx, binding, of[binding]); err != nil {
			return err
		}
	}
	return nil
}

// noteReads keeps what rows of a binding were planned with. Where that is not as
// it is now, because another commit came between, it is a change at once.
func (t *tx) noteReads(ctx context.Context, binding string, reads []bindings.RowReads) error {
	var known int64
	joins := slices.ContainsFunc(reads, func(r bindings.RowReads) bool { return r.Reads != nil })
	if !joins { // it may have done so before
		err := t.row(ctx, `SELECT count(*) FROM lookup_sources WHERE binding = $1`, binding).Scan(&known)
		if err != nil || known == 0 {
			return err
		}
	}
	if err := pages(reads, pageSize, func(page []bindings.RowReads) error { return t.writeReads(ctx, binding, page) }); err != nil {
		return err
	}
	planned := map[string]map[string]string{} // by source and key: the digest
	var outdated [][2]string
	for _, r := range reads {
		for _, read := range r.Reads {
			of := planned[read.Source]
			if of == nil {
				of = map[string]string{}
				planned[read.Source] = of
			}
			if digest, twice := of[read.Key]; twice && digest != read.Digest {
				outdated = append(outdated, [2]string{read.Source, read.Key})
			}
			of[read.Key] = read.Digest
		}
	}
	for _, source := range slices.Sorted(maps.Keys(planned)) {
		stale, err := t.stale(ctx, source, planned[source])
		if err != nil {
			return err
		}
		for _, o := range outdated {
			if o[0] == source {
				stale = append(stale, o[1])
			}
		}
		if _, err := t.exec(ctx, `INSERT INTO lookup_sources (source, binding) VALUES ($1, $2) ON CONFLICT (source, binding) DO NOTHING`, source, binding); err != nil {
			return err
		}
		if err := t.markReaders(ctx, source, stale); err != nil {
			return err
		}
	}
	return nil
}

// writeReads makes the reads of rows those of page, and changes nothing where they
// are.
func (t *tx) writeReads(ctx context.Context, binding string, page []bindings.RowReads) error {
	keys, rows := make([]string, len(page)), [][]any{} // not null: nothing is unlike that
	for i, r := range page {
		keys[i] = r.Key
		for _, read := range r.Reads {
			rows = append(rows, []any{r.Key, read.Source, read.Key})
		}
	}
	text := table(rows)
	if _, err := t.exec(ctx, `DELETE FROM lookup_reads WHERE binding = $1 AND key IN list($2)
		AND (key, source, read_key) NOT IN (SELECT e.value->>0, e.value->>1, e.value->>2 FROM rows($3) AS e)`, binding, list(keys), text); err != nil || len(rows) == 0 {
		return err
	}
	_, err := t.exec(ctx, `INSERT INTO lookup_reads (binding, key, source, read_key)
		SELECT CAST($1 AS TEXT), e.value->>0, e.value->>1, e.value->>2 FROM rows($2) AS e WHERE true
		ON CONFLICT (source, read_key, binding, key) DO NOTHING`, binding, text)
	return err
}

// stale are the keys of rows that are not as rows were planned with them.
func (t *tx) stale(ctx context.Context, source string, planned map[string]string) (stale []string, err error) {
	err = pages(slices.Sorted(maps.Keys(planned)), pageSize, func(page []string) error {
		now := map[string]string{}
		if err := t.each(ctx, `SELECT key, digest FROM source_rows WHERE source = $1 AND key IN list($2) AND gone = 0`, []any{source, list(page)},
			func(scan func(...any) error) error {
				var key, digest string
				err := scan(&key, &digest)
				now[key] = digest
				return err
			}); err != nil {
			return err
		}
		for _, key := range page {
			if now[clean(key)] != planned[key] {
				stale = append(stale, key)
			}
		}
		return nil
	})
	return stale, err
}

const markReaders = `INSERT INTO lookup_changes (binding, source, key, mark)
	SELECT l.binding, l.source, e.value, 1 FROM texts($2) AS e CROSS JOIN lookup_sources AS l
	WHERE l.source = $1 AND EXISTS (SELECT 1 FROM lookup_reads AS r WHERE r.source = $1 AND r.read_key = e.value AND r.binding = l.binding)
	ON CONFLICT (binding, source, key) DO UPDATE SET mark = lookup_changes.mark + 1`

// markReaders has the rows planned again that were planned with rows of source.
func (t *tx) markReaders(ctx context.Context, source string, keys []string) error {
	return pages(merge(keys, nil), pageSize, func(page []string) error {
		n, err := t.exec(ctx, markReaders, source, list(page))
		if n > 0 {
			t.announce("")
		}
		return err
	})
}

// markChanged has the rows planned again that were planned with rows of source,
// which changed now.
func (t *tx) markChanged(ctx context.Context, source string, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	var read int64
	if err := t.row(ctx, `SELECT count(*) FROM lookup_sources WHERE source = $1`, source).Scan(&read); err != nil || read == 0 {
		return err
	}
	return t.markReaders(ctx, source, keys)
}

// followRows keeps what the rows of a plan were planned with, and has rows planned
// again that were planned with those. stale are the keys that the store did not take.
func (t *tx) followRows(ctx context.Context, p bindings.Plan, stale map[string]bool) error {
	var changed, gone []string
	for _, r := range p.Rows {
		if stale[r.Key] {
			continue
		}
		changed = append(changed, r.Key)
		if r.Gone {
			gone = append(gone, r.Key)
		}
	}
	if err := t.markChanged(ctx, p.Source, changed); err != nil {
		return err
	}
	if err := t.dropReads(ctx, p.Source, gone); err != nil {
		return err
	}
	return t.noteReadsOf(ctx, slices.DeleteFunc(slices.Clone(p.Reads), func(r bindings.RowReads) bool { return stale[r.Key] }))
}

// announceWith tells of a source whose rows are other ones when its reading closes
// with p, or are whole for the first time.
func (t *tx) announceWith(ctx context.Context, p bindings.Plan, changed bool) error {
	if !changed && !p.Closes.Told {
		var open int64
		err := t.row(ctx, `SELECT count(*) FROM sources WHERE name = $1 AND read_at IS NOT NULL AND unclosed = ''`, p.Source).Scan(&open)
		if err != nil {
			return err
		}
		changed = open == 0
	}
	if changed {
		t.announce(p.Source)
	}
	return nil
}

// dropReads forgets what rows of source were planned with, which are no more.
func (t *tx) dropReads(ctx context.Context, source string, keys []string) error {
	return pages(keys, pageSize, func(page []string) error {
		_, err := t.exec(ctx, `DELETE FROM lookup_reads WHERE key IN list($2) AND binding IN
			(SELECT l.binding FROM lookup_sources AS l JOIN bindings AS b ON b.name = l.binding WHERE b.source = $1)`, source, list(page))
		return err
	})
}

// forgetLookups forgets what a binding joined.
func (t *tx) forgetLookups(ctx context.Context, binding string) error {
	for _, table := range []string{"lookup_reads", "lookup_sources", "lookup_changes"} {
		if _, err := t.exec(ctx, `DELETE FROM `+table+` WHERE binding = $1`, binding); err != nil {
			return err
		}
	}
	return nil
}

// lockRows keeps commits apart that change rows of a source and that are planned
// with rows of it: the later one sees what the other did. SQLite has one writer.
func (t *tx) lockRows(ctx context.Context, source string, reads []bindings.RowReads) error {
	if !t.dialect.postgres {
		return nil
	}
	names := []string{}
	if source != "" {
		names = append(names, source)
	}
	for _, r := range reads {
		for _, read := range r.Reads {
			if !slices.Contains(names, read.Source) {
				names = append(names, read.Source)
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	if _, err := t.exec(ctx, `INSERT INTO sources (name) SELECT e.value FROM texts($1) AS e WHERE true ON CONFLICT (name) DO NOTHING`, list(names)); err != nil {
		return err
	}
	return t.each(ctx, `SELECT name FROM sources WHERE name IN list($1) ORDER BY name FOR UPDATE`, []any{list(names)}, func(scan func(...any) error) error {
		_, err := text1(scan)
		return err
	})
}

// announce calls Options.RowsChanged for source when t is committed.
func (t *tx) announce(source string) {
	if f := t.store.rowsChanged; f != nil {
		t.after = append(t.after, func() { f(source) })
	}
}

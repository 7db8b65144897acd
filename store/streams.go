package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/connectors"
)

// A StreamPlace is where a stream stands.
type StreamPlace struct {
	Cursor     connectors.Cursor
	Snapshot   bool // one is under way
	Resnapshot bool // somebody wants all rows to be read again
	Gap        string
	GapAt      time.Time
	Gaps       int64
}

const streamPlaces = `SELECT name, CASE WHEN unclosed = '' THEN position ELSE '' END, snapshot_seq, resnapshot, gap, gap_at, gaps FROM sources`

func scanPlace(scan func(...any) error) (name string, p StreamPlace, err error) {
	var position string
	var snapshot, wish int64
	var at sql.NullInt64
	if err := scan(&name, &position, &snapshot, &wish, &p.Gap, &at, &p.Gaps); err != nil {
		return name, p, err
	}
	p.Snapshot, p.Resnapshot, p.GapAt = snapshot > 0, wish > 0, moment(at)
	p.Cursor, err = decodeCursor(position)
	return name, p, err
}

// StreamPlace is where the stream of source stands; nothing is known of one that
// never ran.
func (s *Store) StreamPlace(ctx context.Context, source string) (StreamPlace, error) {
	_, p, err := scanPlace(s.reader().row(ctx, streamPlaces+` WHERE name = $1`, source).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return StreamPlace{}, nil
	}
	return p, wrap(err, "find the place of the stream %q", source)
}

// StreamPlaces are where the streams of sources stand, by name.
func (s *Store) StreamPlaces(ctx context.Context, sources []string) (map[string]StreamPlace, error) {
	all := make(map[string]StreamPlace, len(sources))
	err := s.reader().each(ctx, streamPlaces+` WHERE name IN list($1)`, []any{list(sources)}, func(scan func(...any) error) error {
		name, p, err := scanPlace(scan)
		all[name] = p
		return err
	})
	return all, wrap(err, "find the places of streams")
}

// WantSnapshot has the stream of source read all rows again.
func (s *Store) WantSnapshot(ctx context.Context, source string) error {
	return wrap(s.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO sources (name, resnapshot) VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET resnapshot = 1`, source)
		return err
	}), "have the stream %q read all rows again", source)
}

// closeStream ends a batch of a stream: its cursor, and what it says of a snapshot.
func (t *tx) closeStream(ctx context.Context, p bindings.Plan, result *CommitResult) error {
	if err := t.turnPoison(ctx, p); err != nil {
		return err
	}
	c := p.Closes
	if err := t.judgeStreamed(ctx, p, result); err != nil {
		return err
	}
	if err := t.recountHeld(ctx, p.Source); err != nil {
		return err
	}
	position := ""
	if c.Cursor != nil {
		position = encodeCursor(c.Cursor)
	}
	if _, err := t.exec(ctx, `UPDATE sources SET told_at = CASE WHEN $5 = 0 THEN told_at ELSE $2 END, unclosed = '',
			position = CASE WHEN $3 = 0 THEN position ELSE $4 END WHERE name = $1`,
		p.Source, millis(c.At), flag(c.Cursor != nil), position, flag(p.Seen > 0)); err != nil {
		return err
	}
	if c.Stream.Gap != "" {
		if _, err := t.exec(ctx, `UPDATE sources SET gap = $2, gap_at = $3, gaps = gaps + 1 WHERE name = $1`,
			p.Source, clean(c.Stream.Gap), millis(c.At)); err != nil {
			return err
		}
	}
	if c.Stream.Snapshot.Begins {
		if _, err := t.exec(ctx, `UPDATE sources SET snapshot_seq = $2, resnapshot = 0, begun_at = $3 WHERE name = $1`,
			p.Source, c.Stream.Seq, millis(c.At)); err != nil {
			return err
		}
	}
	if !c.Stream.Snapshot.Ends {
		return t.settleStream(ctx, p)
	}
	return t.endSnapshot(ctx, p, result)
}

// judgeStreamed asks the guard about what a batch changes. Also one that ends a
// snapshot says nothing about rows that earlier batches had: what is held of those
// stays held.
func (t *tx) judgeStreamed(ctx context.Context, p bindings.Plan, result *CommitResult) error {
	closes := *p.Closes
	closes.Complete = false
	p.Closes = &closes
	return t.judgeTold(ctx, p, result)
}

// settleStream ends the first reading of bindings, where the stream has told what
// there was: from then on the guard has its say.
func (t *tx) settleStream(ctx context.Context, p bindings.Plan) error {
	if !p.Closes.Settles {
		return nil
	}
	n, err := t.exec(ctx, `UPDATE bindings SET read_once = 1 WHERE source = $1 AND gone = 0 AND read_once = 0`, p.Source)
	if err != nil || n == 0 {
		return err
	}
	return t.stirSource(ctx, p.Source)
}

// endSnapshot ends a snapshot: rows that no batch had since it began are missing
// from now on, unless elements were kept out behind which they may be.
func (t *tx) endSnapshot(ctx context.Context, p bindings.Plan, result *CommitResult) error {
	c := p.Closes
	var since int64
	if err := t.row(ctx, `SELECT snapshot_seq FROM sources WHERE name = $1`, p.Source).Scan(&since); err != nil {
		return err
	}
	var unread, out int64
	if err := t.row(ctx, `SELECT COALESCE(sum(CASE WHEN key = '' AND reason <> $3 THEN 1 ELSE 0 END), 0), count(*) FROM quarantine WHERE source = $1 AND seq >= $2`,
		p.Source, since, bindings.NullKey).Scan(&unread, &out); err != nil {
		return err
	}
	if out >= keptPoison { // nobody knows which there were beside them
		unread = out
	}
	complete, reason := since > 0 && unread == 0, ""
	missing := complete && !c.Stream.Snapshot.Partial
	if unread > 0 {
		reason = fmt.Sprintf("%d of its elements could not be read and may be any row, so that none counts as gone (pictifyd quarantine --source %s; once that is mended, pictifyd resync %s)", unread, p.Source, p.Source)
	}
	if since > 0 { // what was kept out before was read again since, or is no more
		if _, err := t.exec(ctx, `DELETE FROM quarantine WHERE source = $1 AND seq < $2`, p.Source, since); err != nil {
			return err
		}
	}
	if missing {
		if err := t.missUnmarked(ctx, p, since, result); err != nil {
			return err
		}
	}
	if _, err := t.exec(ctx, `UPDATE sources SET snapshot_seq = 0, gap = '', complete = $2, reason = $3, emptied = 0,
			read_at = $4, ended_at = $4, confirmed_at = $4 WHERE name = $1`, p.Source, flag(complete), reason, millis(c.At)); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `UPDATE bindings SET read_once = 1 WHERE source = $1 AND gone = 0 AND read_once = 0`, p.Source); err != nil {
		return err
	}
	t.announce(p.Source)
	return t.stirSource(ctx, p.Source)
}

// missUnmarked marks the rows as missing that no batch had since the one of that
// number, and asks the guard whether they may go. What it holds waits for a person,
// as it stands: a stream is not read again for it.
func (t *tx) missUnmarked(ctx context.Context, p bindings.Plan, since int64, result *CommitResult) error {
	if _, err := t.exec(ctx, `UPDATE source_rows SET missing_since = $3 WHERE source = $1 AND gone = 0 AND missing_since IS NULL AND version < $2
		AND NOT EXISTS (SELECT 1 FROM quarantine AS q WHERE q.source = $1 AND q.key = source_rows.key AND q.seq >= $2)`,
		p.Source, since, millis(p.Closes.At)); err != nil {
		return err
	}
	var there int
	if err := t.row(ctx, `SELECT count(*) FROM source_rows WHERE source = $1 AND gone = 0 AND missing_since IS NULL`, p.Source).Scan(&there); err != nil {
		return err
	}
	bound, err := t.boundTo(ctx, p.Source)
	if err != nil {
		return err
	}
	for _, b := range bound {
		counts := bindings.Counts{Live: b.live, Rows: there}
		if counts.Gone, err = t.missingImages(ctx, p.Source, b.name); err != nil {
			return err
		}
		var v bindings.Verdict
		if p.Closes.Judge != nil && counts.Gone > 0 {
			v = p.Closes.Judge(b.name, counts)
		}
		before, err := t.heldOf(ctx, b.name)
		if err != nil {
			return err
		}
		removal := 0
		if v.HoldRemoval {
			removal = counts.Gone
			result.Held += removal
		}
		if _, err := t.exec(ctx, `UPDATE bindings SET held_removal = CAST($2 AS BIGINT), ceiling = 0, held_reason = CASE WHEN CAST($2 AS BIGINT) > 0 THEN $3
			WHEN held_changes = 0 THEN '' ELSE held_reason END WHERE name = $1`, b.name, removal, v.Reason); err != nil {
			return err
		}
		if err := t.tellTripped(ctx, b.name, before); err != nil {
			return err
		}
	}
	return nil
}

// missingImages is how many items of a binding have a row that is missing.
func (t *tx) missingImages(ctx context.Context, source, binding string) (n int, err error) {
	err = t.row(ctx, `SELECT count(*) FROM source_rows AS r JOIN items AS i ON i.owner = $2 AND i.idx = 0 AND i.key = r.key
		WHERE r.source = $1 AND r.missing_since IS NOT NULL AND i.generation > 0 AND i.state <> 'removed'`,
		source, string(bindings.BindingOwner(binding))).Scan(&n)
	return n, err
}

// LiveItems is how many rows of a binding have images.
func (s *Store) LiveItems(ctx context.Context, binding string) (n int, err error) {
	err = s.reader().row(ctx, `SELECT count(*) FROM items WHERE owner = $1 AND idx = 0 AND generation > 0 AND state <> 'removed'`,
		string(bindings.BindingOwner(binding))).Scan(&n)
	return n, wrap(err, "count the images of %q", binding)
}

// A StreamHold is what the server of a stream keeps for us.
type StreamHold struct {
	Source string
	Digest string // of what is held
	Spec   string // the configuration that it is held with, sealed
}

// HoldStream notes, before it is made, that the server of a stream keeps something
// for us.
func (s *Store) HoldStream(ctx context.Context, h StreamHold) error {
	return wrap(s.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO stream_holds (source, digest, spec, since) VALUES ($1, $2, $3, $4)
			ON CONFLICT (source, digest) DO UPDATE SET spec = excluded.spec`, h.Source, h.Digest, h.Spec, millis(t.now))
		return err
	}), "note what is kept for %q", h.Source)
}

// StreamHolds are all that servers of streams keep for us.
func (s *Store) StreamHolds(ctx context.Context) ([]StreamHold, error) {
	all, err := collect(ctx, s.reader(), `SELECT source, digest, spec FROM stream_holds ORDER BY source`, nil,
		func(scan func(...any) error) (h StreamHold, err error) { return h, scan(&h.Source, &h.Digest, &h.Spec) })
	return all, wrap(err, "list what is kept for streams")
}

// DropHold notes that it was given back. Where nothing else is held for the source,
// its stream begins anew.
func (s *Store) DropHold(ctx context.Context, h StreamHold) error {
	return wrap(s.write(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.exec(ctx, `DELETE FROM stream_holds WHERE source = $1 AND digest = $2`, h.Source, h.Digest)
		if err != nil || n == 0 {
			return err
		}
		_, err = t.exec(ctx, `UPDATE sources SET position = '', snapshot_seq = 0 WHERE name = $1
			AND NOT EXISTS (SELECT 1 FROM stream_holds WHERE source = $1)`, h.Source)
		return err
	}), "note what %q gave back", h.Source)
}

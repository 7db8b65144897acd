package store

import (
	"context"
	"database/sql"
	"encoding/base64"

	"github.com/pictifyd/pictifyd/bindings"
)

// keptPoison is how many rows that were kept out are remembered of a stream: they
// are tried again only when somebody says so.
const keptPoison = 10_000

// turnPoison ends what was kept out before of the keys that came now, and the
// oldest of more than is kept.
func (t *tx) turnPoison(ctx context.Context, p bindings.Plan) error {
	if p.Retried != nil { // it says itself what ends
		return t.endRetried(ctx, p)
	}
	if err := t.endKeptOut(ctx, p); err != nil || len(p.Quarantined) == 0 {
		return err
	}
	if _, err := t.exec(ctx, `UPDATE quarantine SET seq = $3, at = $4 WHERE source = $1 AND reading = $2`,
		p.Source, p.Reading, p.Closes.Stream.Seq, millis(p.Closes.At)); err != nil {
		return err
	}
	_, err := t.exec(ctx, `DELETE FROM quarantine WHERE source = $1 AND seq < (SELECT min(q.seq) FROM
		(SELECT seq FROM quarantine WHERE source = $1 ORDER BY seq DESC LIMIT $2) AS q)`, p.Source, keptPoison)
	return err
}

// endKeptOut forgets what was kept out before of the keys that came now, be they as
// they were or kept out again.
func (t *tx) endKeptOut(ctx context.Context, p bindings.Plan) error {
	var some int64
	if err := t.row(ctx, `SELECT CASE WHEN EXISTS (SELECT 1 FROM quarantine WHERE source = $1 AND key <> '' AND reading <> $2) THEN 1 ELSE 0 END`,
		p.Source, p.Reading).Scan(&some); err != nil || some == 0 {
		return err
	}
	keys := append([]string(nil), p.Closes.Keys...)
	for _, r := range p.Rows {
		keys = append(keys, r.Key)
	}
	for _, q := range p.Quarantined {
		if q.Key != "" {
			keys = append(keys, q.Key)
		}
	}
	return pages(keys, pageSize, func(page []string) error {
		_, err := t.exec(ctx, `DELETE FROM quarantine WHERE source = $1 AND reading <> $2 AND key IN list($3)`, p.Source, p.Reading, list(page))
		return err
	})
}

// endRetried forgets what was mended, and notes of the rest that it was tried.
func (t *tx) endRetried(ctx context.Context, p bindings.Plan) error {
	if err := t.dropKeptOut(ctx, p.Source, p.Retried.Mended); err != nil {
		return err
	}
	return pages(p.Retried.Broken, pageSize, func(page []bindings.KeptOut) error {
		var rows [][]any
		for _, k := range page {
			rows = append(rows, []any{k.Seq, clean(k.Position), clean(k.Key), clean(k.Reason), clean(k.Detail)})
		}
		_, err := t.exec(ctx, `UPDATE quarantine SET reason = e.value->>3, detail = e.value->>4, tries = quarantine.tries + 1, tried_at = $3 FROM rows($2) AS e
			WHERE quarantine.source = $1 AND quarantine.seq = CAST(e.value->>0 AS BIGINT) AND quarantine.position = e.value->>1 AND quarantine.key = e.value->>2`,
			p.Source, table(rows), millis(p.Closes.At))
		return err
	})
}

func (t *tx) dropKeptOut(ctx context.Context, source string, all []bindings.KeptOut) error {
	return pages(all, pageSize, func(page []bindings.KeptOut) error {
		var rows [][]any
		for _, k := range page {
			rows = append(rows, []any{k.Seq, clean(k.Position), clean(k.Key)})
		}
		_, err := t.exec(ctx, `DELETE FROM quarantine WHERE source = $1 AND (seq, position, key) IN
			(SELECT CAST(e.value->>0 AS BIGINT), e.value->>1, e.value->>2 FROM rows($2) AS e)`, source, table(rows))
		return err
	})
}

// A KeptFilter says which of the rows that are kept out of a source are meant.
type KeptFilter struct {
	After     bindings.KeptOut // only behind this one, by Seq, Position and Key
	Positions []string         // only at one of these; nil: anywhere
	Replays   bool             // only what can be tried again
	Limit     int
}

// KeptOut are the rows that are kept out of a source, the oldest first, with what it
// takes to try them again.
func (s *Store) KeptOut(ctx context.Context, source string, f KeptFilter) ([]bindings.KeptOut, error) {
	all, err := collect(ctx, s.reader(), `SELECT seq, position, key, reason, detail, raw, at, tries, tried_at FROM quarantine
		WHERE source = $1 AND (seq, position, key) > ($2, $3, $4) AND ($5 = 0 OR position IN list($6)) AND ($7 = 0 OR raw <> '')
		ORDER BY seq, position, key LIMIT $8`,
		[]any{clean(source), f.After.Seq, clean(f.After.Position), clean(f.After.Key), flag(f.Positions != nil), list(f.Positions), flag(f.Replays), f.Limit},
		func(scan func(...any) error) (k bindings.KeptOut, err error) {
			var raw string
			var at, tried sql.NullInt64
			if err := scan(&k.Seq, &k.Position, &k.Key, &k.Reason, &k.Detail, &raw, &at, &k.Tries, &tried); err != nil {
				return k, err
			}
			k.At, k.TriedAt = moment(at), moment(tried)
			if raw != "" {
				k.Raw, err = base64.StdEncoding.DecodeString(raw)
			}
			return k, err
		})
	return all, wrap(err, "read what is kept out of %q", source)
}

// KeptOutPage implements api.Bindings.
func (s *Store) KeptOutPage(ctx context.Context, source string, after bindings.KeptOut, limit int) ([]bindings.KeptOut, error) {
	return s.KeptOut(ctx, source, KeptFilter{After: after, Limit: limit})
}

// DiscardKeptOut forgets rows that are kept out of a source: those at positions, or
// all of them where positions is nil.
func (s *Store) DiscardKeptOut(ctx context.Context, source string, positions []string) (n int64, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		n, err = t.exec(ctx, `DELETE FROM quarantine WHERE source = $1 AND ($2 = 0 OR position IN list($3))`,
			clean(source), flag(positions != nil), list(positions))
		return err
	})
	return n, wrap(err, "discard what is kept out of %q", source)
}

// KeepsUnkeyed reports whether something is kept out of a source of which nobody
// knows which row it is of, and which may be one yet.
func (s *Store) KeepsUnkeyed(ctx context.Context, source string) (bool, error) {
	var some int64
	err := s.reader().row(ctx, `SELECT CASE WHEN EXISTS (SELECT 1 FROM quarantine WHERE source = $1 AND key = '' AND raw <> '') THEN 1 ELSE 0 END`, source).Scan(&some)
	return some == 1, wrap(err, "look what is kept out of %q", source)
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
)

// AskerOwner owns renders that no image waits for: those of callers who did.
const AskerOwner = bindings.Owner("asker")

// A Made is how a render ended.
type Made struct {
	Rendered
	At     time.Time
	Marked bool // its bytes are to go some day, because no image shows them: see KeepUsed
}

// Made is how the render of a fingerprint ended; ok is false where it has not,
// or where it failed in a way that may be another one now.
func (s *Store) Made(ctx context.Context, fingerprint string) (m Made, ok bool, err error) {
	var state, problem, layout string
	var micros, marked int64
	var ended sql.NullInt64
	err = s.reader().row(ctx, `SELECT state, hash, ext, bytes, width, height, duration, problem, layout, ended_at,
			CASE WHEN hash <> '' AND EXISTS (SELECT 1 FROM blob_marks AS m WHERE m.hash = renders.hash) THEN 1 ELSE 0 END
		FROM renders WHERE fingerprint = $1 AND state IN ('done', 'failed')`, fingerprint).
		Scan(&state, &m.Hash, &m.Ext, &m.Bytes, &m.Width, &m.Height, &micros, &problem, &layout, &ended, &marked)
	if errors.Is(err, sql.ErrNoRows) {
		return Made{}, false, nil
	}
	if err != nil {
		return Made{}, false, wrap(err, "look for the render %s", fingerprint)
	}
	m.Fingerprint, m.At, m.Marked = fingerprint, moment(ended), marked == 1
	m.Duration = time.Duration(micros) * time.Microsecond
	if m.Problem, err = problemOf(problem); err != nil {
		return Made{}, false, err
	}
	if err := decode(layout, &m.Fitting); err != nil {
		return Made{}, false, err
	}
	if state == "failed" {
		return m, m.Problem != nil && !retryable(m.Problem.Code), nil
	}
	m.Problem = nil
	return m, true, nil
}

// RecordMade records how a render ended that no turn has claimed, with all that
// follows for images that wait for it. One that was wanted meanwhile, and ends in
// a problem here, is left to its turn.
func (s *Store) RecordMade(ctx context.Context, spec bindings.Spec, done Rendered) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		added, err := t.exec(ctx, `INSERT INTO renders (fingerprint, spec, page, format, owner, priority, state, attempts, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, 'claimed', 1, $7) ON CONFLICT (fingerprint) DO NOTHING`,
			done.Fingerprint, clean(encode(spec)), spec.Group(), spec.Format, string(AskerOwner), bindings.PriorityNow, millis(t.now))
		if err != nil {
			return err
		}
		if done.Problem == nil {
			return t.recordPictures(ctx, []Rendered{done})
		}
		if added == 0 {
			return nil
		}
		return t.failRenders(ctx, map[string]bindings.Problem{done.Fingerprint: *done.Problem})
	})
	return wrap(err, "record render %s", done.Fingerprint)
}

// KeepUsed begins anew the time for which bytes are kept that no image shows:
// somebody asked for them. ok is false when they are being given up meanwhile, or
// a person had them erased.
func (s *Store) KeepUsed(ctx context.Context, fingerprint, hash string) (ok bool, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		// Renders are locked before marks, as in Condemn.
		if err := t.row(ctx, `SELECT count(*) FROM (SELECT 1 FROM renders WHERE fingerprint = $1 AND hash = $2 AND state = 'done' FOR UPDATE) AS r`,
			fingerprint, hash).Scan(new(int64)); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `DELETE FROM blob_marks WHERE hash = $1 AND marked_at > $2`, hash, erasedAt); err != nil {
			return err
		}
		var kept int64
		err := t.row(ctx, `SELECT count(*) FROM renders WHERE fingerprint = $1 AND hash = $2 AND state = 'done'
			AND NOT EXISTS (SELECT 1 FROM blob_marks AS m WHERE m.hash = $2)`, fingerprint, hash).Scan(&kept)
		ok = kept > 0
		return err
	})
	return ok, wrap(err, "keep image %s", hash)
}

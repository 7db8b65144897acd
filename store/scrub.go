package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// Scrub has SQLite's log written into its file and cut, so that what was deleted
// is in neither. Rows are overwritten as they are deleted (secure_delete), but
// cells that moved to another page of a tree leave copies in the gaps of the old
// one: after somebody had something erased the file is written anew, about 100 MB
// a second, while writers wait. done is false while that cannot be, or somebody
// still reads an older state; then it is for another time. Postgres does the like
// in its own time (VACUUM).
func (s *Store) Scrub(ctx context.Context) (done bool, err error) {
	if s.dialect.postgres {
		return true, nil
	}
	erased, err := setting(ctx, s.reader(), erasedSetting)
	switch {
	case err == nil:
		err = s.rewrite(ctx, erased)
	case errors.Is(err, sql.ErrNoRows):
		err = nil
	default:
		err = wrap(err, "look whether something was erased")
	}
	cut, cutErr := s.cutLog(ctx) // also where the file must wait
	return cut && err == nil, errors.Join(err, cutErr)
}

// erasedSetting is there from an erasure until the file was written anew. It
// counts them, so that one that comes meanwhile is not forgotten.
const erasedSetting = "erased"

// noteErasure is part of each commit that erases something.
func (t *tx) noteErasure(ctx context.Context) error {
	if t.dialect.postgres {
		return nil
	}
	_, err := t.exec(ctx, `INSERT INTO settings (name, value) VALUES ($1, '1')
		ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(settings.value AS BIGINT) + 1 AS TEXT)`, erasedSetting)
	return err
}

// rewrite writes SQLite's file anew, without what is left in its gaps, for the
// erasures so far.
func (s *Store) rewrite(ctx context.Context, erased string) error {
	var pages, size int64
	if err := s.reader().row(ctx, `SELECT c.page_count, s.page_size FROM pragma_page_count AS c, pragma_page_size AS s`).Scan(&pages, &size); err != nil {
		return wrap(err, "measure the store's file")
	}
	// The copy, and the log through which it goes.
	if free, err := s.Free(); err == nil && free < 3*pages*size {
		return problem.New(problem.Surroundings, "the store's file can't be written anew after an erasure: that takes %d MB, and %d MB are free", 3*pages*size/1e6, free/1e6).
			WithHint("make room; until then copies of what was erased may be in its gaps")
	}
	if _, err := s.db.ExecContext(ctx, `VACUUM`); err != nil {
		return wrap(err, "write the store's file anew")
	}
	s.crash("store.rewritten")
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `DELETE FROM settings WHERE name = $1 AND value = $2`, erasedSetting, erased)
		return err
	})
	return wrap(err, "note that the store's file was written anew")
}

func (s *Store) cutLog(ctx context.Context) (done bool, err error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return false, wrap(err, "cut the store's log")
	}
	defer conn.Close()
	// Writers wait as long: not for the slowest reader.
	if _, err := conn.ExecContext(ctx, `PRAGMA busy_timeout = 100`); err != nil {
		return false, wrap(err, "cut the store's log")
	}
	var busy, pages, moved int64
	err = conn.QueryRowContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &pages, &moved)
	if _, undo := conn.ExecContext(context.WithoutCancel(ctx), `PRAGMA busy_timeout = 5000`); err == nil {
		err = undo
	}
	return err == nil && busy == 0, wrap(err, "cut the store's log")
}

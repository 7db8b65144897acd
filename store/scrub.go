package store

import (
	"context"
)

// Scrub has SQLite's log written into its file and cut, so that what was deleted
// is in neither: the file's own pages are overwritten as rows are deleted. done
// is false while somebody still reads an older state; then it is for another
// time. Postgres does the like in its own time (VACUUM).
func (s *Store) Scrub(ctx context.Context) (done bool, err error) {
	if s.dialect.postgres {
		return true, nil
	}
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

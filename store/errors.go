package store

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// explain makes a full disk a problem that a person can act on.
func (s *Store) explain(err error) error {
	var known *problem.Error
	if err == nil || errors.As(err, &known) || !isFull(err) {
		return err
	}
	return problem.New(problem.Surroundings, "the disk of the store is full: %w", err).
		WithSlug("disk_full").WithHint("make room; pictifyd goes on by itself where it stopped")
}

func isFull(err error) bool {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code()&0xff == sqlite3.SQLITE_FULL
	}
	var pg *pgconn.PgError
	return errors.As(err, &pg) && pg.Code == "53100"
}

// isConflict reports whether Postgres undid a transaction that may succeed when
// it is run again: a serialization failure, a deadlock, a row inserted twice at once.
func isConflict(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	return pg.Code == "40001" || pg.Code == "40P01" || pg.Code == "23505"
}

package store

import (
	"context"

	"github.com/pictifyd/pictifyd/bindings"
)

// The kinds of ledger.
const (
	KindSQLite   = "sqlite"
	KindPostgres = "postgres"
)

// A Ledger is what the store is kept in.
type Ledger struct {
	Kind   string
	Schema int64 // the newest of our migrations that it has
	Bytes  int64 // on the disk; of a server all of the database
}

// Ledger looks at what the store is kept in.
func (s *Store) Ledger(ctx context.Context) (Ledger, error) {
	l, size := Ledger{Kind: KindSQLite}, `SELECT c.page_count * s.page_size FROM pragma_page_count() AS c, pragma_page_size() AS s`
	if s.dialect.postgres {
		l.Kind, size = KindPostgres, `SELECT pg_database_size(current_database())`
	}
	err := s.reader().row(ctx, size).Scan(&l.Bytes)
	if err == nil {
		err = s.reader().row(ctx, `SELECT max(version_id) FROM goose_db_version`).Scan(&l.Schema)
	}
	return l, wrap(err, "look at the ledger")
}

// WaitingByPriority counts the renders that wait, by their priority.
func (s *Store) WaitingByPriority(ctx context.Context) (map[int]int64, error) {
	waiting := map[int]int64{}
	for priority := bindings.PriorityNow; priority <= bindings.PriorityReplan; priority++ {
		var n int64
		if err := s.reader().row(ctx, `SELECT count(*) FROM renders WHERE state = 'waiting' AND priority = $1`, priority).Scan(&n); err != nil {
			return nil, wrap(err, "count what waits by its priority")
		}
		waiting[priority] = n
	}
	return waiting, nil
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// OpenReadOnly opens a ledger that a daemon may be working with. It takes no
// lock, migrates nothing, and every write is refused. A ledger that there is not
// is an error that is fs.ErrNotExist.
func OpenReadOnly(ctx context.Context, cfg Config, dir string) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Store{
		log: slog.New(slog.DiscardHandler), crash: func(string) {}, dialect: &dialect{postgres: cfg.postgres()}, bell: newBell(),
		working: map[int64]struct{}{}, orphans: map[int64]time.Time{}, writer: refusingWriter{},
	}
	if err := s.connectReadOnly(ctx, cfg, dir); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.sameVersion(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Store) connectReadOnly(ctx context.Context, cfg Config, dir string) (err error) {
	if s.dialect.postgres {
		if s.read, err = sql.Open("pgx", cfg.URL); err != nil {
			return fmt.Errorf("open the store: %w", err)
		}
		if err := s.read.PingContext(ctx); err != nil {
			return problem.New(problem.Surroundings, "the store's Postgres server does not answer: %w", err).WithHint("start it, or correct store.url")
		}
		return nil
	}
	path := cfg.file(dir)
	if _, err := os.Stat(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return problem.New(problem.Surroundings, "open the store: %w", err).WithHint("let this user read it, or set store.url to another place")
	}
	query := url.Values{"_pragma": {"busy_timeout(5000)", "query_only(1)"}, "mode": {"ro"}}
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: query.Encode()}).String()
	if s.read, err = sql.Open("sqlite", dsn); err != nil {
		return err
	}
	if err := s.read.PingContext(ctx); err != nil {
		return problem.New(problem.Surroundings, "open the store %s: %w", path, s.explain(err)).WithHint("let this user read it and its folder")
	}
	return nil
}

// sameVersion refuses a ledger whose tables are others than those that this
// program reads. One without any is as good as none.
func (s *Store) sameVersion(ctx context.Context) error {
	var have sql.NullInt64
	if err := s.read.QueryRowContext(ctx, `SELECT max(version_id) FROM goose_db_version`).Scan(&have); err != nil || have.Int64 == 0 {
		return fs.ErrNotExist
	}
	want, err := newestMigration()
	if err != nil {
		return err
	}
	if have.Int64 == want {
		return nil
	}
	return problem.New(problem.Surroundings, "the store has the tables of another version of pictifyd (%d, this one has %d)", have.Int64, want).
		WithHint("use the version that runs, or start this one once")
}

// refusingWriter is that of a ledger that is only read.
type refusingWriter struct{}

var errReadOnly = errors.New("the store is open for reading only")

func (refusingWriter) write(context.Context, change) error { return errReadOnly }
func (refusingWriter) close()                              {}

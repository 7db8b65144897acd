package store

import (
	"context"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func newPostgres(tb testing.TB) *Store {
	tb.Helper()
	dsn := os.Getenv("PICTIFYD_TEST_POSTGRES")
	if dsn == "" {
		tb.Skip("PICTIFYD_TEST_POSTGRES is not set: it names a Postgres server where schemas may be made")
	}
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	schema := "pictifyd_" + bindings.Digest([]byte(tb.Name()))[:12]
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	exec := func(statement string) {
		tb.Helper()
		s := &Store{dialect: &dialect{postgres: true}}
		if err := s.openPostgres(context.Background(), Config{URL: dsn}, ""); err != nil {
			tb.Fatal(err)
		}
		defer s.Close()
		if _, err := s.db.ExecContext(context.Background(), statement); err != nil {
			tb.Fatal(err)
		}
	}
	exec("DROP SCHEMA IF EXISTS " + schema + " CASCADE") // of a test that was killed
	exec("CREATE SCHEMA " + schema)
	tb.Cleanup(func() { exec("DROP SCHEMA " + schema + " CASCADE") })
	s, err := Open(tb.Context(), Config{URL: u.String()}, Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close the store: %v", err)
		}
	})
	return s
}

// breakLock ends the server's side of the lock's session.
func breakLock(tb testing.TB, s *Store) {
	tb.Helper()
	var pid int
	if err := s.lock.(*advisoryLock).conn.QueryRowContext(tb.Context(), `SELECT pg_backend_pid()`).Scan(&pid); err != nil {
		tb.Fatal(err)
	}
	if _, err := s.db.ExecContext(tb.Context(), `SELECT pg_terminate_backend($1, 5000)`, pid); err != nil {
		tb.Fatal(err)
	}
}

func TestLockWhoseSessionBrokeIsTakenAgain(t *testing.T) {
	s := newPostgres(t)
	breakLock(t, s)
	if err := s.lock.check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := lockDatabase(t.Context(), s.db); problem.CodeOf(err) != problem.Surroundings {
		t.Errorf("another one got the lock: %v", err)
	}
}

func TestDaemonStopsWhenAnotherOneHasItsLock(t *testing.T) {
	s := newPostgres(t)
	breakLock(t, s)
	other, err := lockDatabase(t.Context(), s.db)
	if err != nil {
		t.Fatal(err)
	}
	idle := func(context.Context, Turn) error { return nil }
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err = s.Run(ctx, Workers{Render: idle, Deliver: idle, Poll: idle, Plan: idle}, time.Second)
	if err == nil || !strings.Contains(err.Error(), "another pictifyd") {
		t.Errorf("run ended with %v", err)
	}
	if err := other.release(); err != nil {
		t.Error(err)
	}
}

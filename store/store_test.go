package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
	"github.com/pictifyd/pictifyd/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSQLite(t *testing.T) {
	if testing.Short() && os.Getenv("PICTIFYD_TEST_POSTGRES") != "" {
		t.Skip("pure Go's SQLite is thirty times slower under the race detector, and PostgreSQL takes the same way: runs in the pass without -short")
	}
	root := t.TempDir()
	storetest.Run(t, func(tb testing.TB) *store.Store {
		tb.Helper()
		return open(tb, "sqlite:"+filepath.Join(root, filepath.FromSlash(tb.Name()), "pictifyd.db"))
	})
}

func TestPostgres(t *testing.T) {
	dsn := os.Getenv("PICTIFYD_TEST_POSTGRES")
	if dsn == "" {
		t.Skip("PICTIFYD_TEST_POSTGRES is not set: it names a Postgres server where schemas may be made")
	}
	storetest.Run(t, func(tb testing.TB) *store.Store {
		tb.Helper()
		return open(tb, schemaOf(tb, dsn))
	})
}

func TestSecondDaemonOnOneDatabaseIsRefused(t *testing.T) {
	dsn := os.Getenv("PICTIFYD_TEST_POSTGRES")
	if dsn == "" {
		t.Skip("PICTIFYD_TEST_POSTGRES is not set: it names a Postgres server where schemas may be made")
	}
	address := schemaOf(t, dsn)
	first := open(t, address)
	_, err := store.Open(t.Context(), store.Config{URL: address}, store.Options{})
	var p *problem.Error
	if !errors.As(err, &p) || p.Code != problem.Surroundings || p.Slug != "store_locked" || !strings.Contains(p.Message, "server process") {
		t.Errorf("the second one got %v", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, address).Close(); err != nil {
		t.Fatal(err)
	}
}

func open(tb testing.TB, url string) *store.Store {
	tb.Helper()
	s, err := store.Open(tb.Context(), store.Config{URL: url}, store.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// schemaOf gives the test a schema of its own, which lives as long as it does.
func schemaOf(tb testing.TB, dsn string) string {
	tb.Helper()
	h := fnv.New64a()
	fmt.Fprint(h, tb.Name(), os.Getpid())
	schema := fmt.Sprintf("pictifyd_%x", h.Sum64())
	exec := func(statement string) {
		db, err := sql.Open("pgx", dsn)
		if err != nil {
			tb.Fatal(err)
		}
		defer db.Close()
		if _, err := db.ExecContext(context.Background(), statement); err != nil {
			tb.Fatal(err)
		}
	}
	exec("CREATE SCHEMA IF NOT EXISTS " + schema)
	tb.Cleanup(func() { exec("DROP SCHEMA IF EXISTS " + schema + " CASCADE") })
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}

package store_test

import (
	"errors"
	"fmt"
	"hash/fnv"
	"net/url"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/pictifyd/pictifyd/internal/campaign"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
	"github.com/pictifyd/pictifyd/store/storetest"
)

func TestMain(m *testing.M) {
	if url := os.Getenv(childEnv); url != "" {
		takeUntilKilled(url)
	}
	store.BeMember()
	goleak.VerifyTestMain(m)
}

func TestSQLite(t *testing.T) {
	if os.Getenv("PICTIFYD_TEST_POSTGRES") != "" && campaign.Leaves(t) {
		t.Skip("pure Go's SQLite is thirty times slower under the race detector, and PostgreSQL takes the same way: runs in the pass without -short")
	}
	storetest.Run(t, newSQLiteLender(t).open)
}

func TestPostgres(t *testing.T) {
	dsn := os.Getenv("PICTIFYD_TEST_POSTGRES")
	if dsn == "" {
		t.Skip("PICTIFYD_TEST_POSTGRES is not set: it names a Postgres server where schemas and databases may be made")
	}
	storetest.Run(t, newPostgresLender(t, dsn).open)
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
	tell(tb, dsn, "CREATE SCHEMA IF NOT EXISTS "+schema)
	tb.Cleanup(func() { tell(tb, dsn, "DROP SCHEMA IF EXISTS "+schema+" CASCADE") })
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}

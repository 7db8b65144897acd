package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/pictifyd/pictifyd/store"
)

// A lender gives each test of a suite a ledger of its own, a copy of one that was made
// once: to make one from its first migration on takes longer than most tests do.
type lender struct {
	copyFunc func(tb testing.TB) (url string)
	lent     map[string]string // the URLs, by test
}

// open is a storetest.Open.
func (l *lender) open(tb testing.TB) *store.Store {
	tb.Helper()
	if l.lent[tb.Name()] == "" {
		l.lent[tb.Name()] = l.copyFunc(tb)
	}
	return open(tb, l.lent[tb.Name()])
}

// mustMake makes a ledger that nobody holds.
func mustMake(tb testing.TB, url string) {
	tb.Helper()
	if err := open(tb, url).Close(); err != nil {
		tb.Fatal(err)
	}
}

func newSQLiteLender(tb testing.TB) *lender {
	tb.Helper()
	root := tb.TempDir()
	made := filepath.Join(root, "made.db")
	mustMake(tb, "sqlite:"+made)
	if _, err := os.Stat(made + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		tb.Fatal("not all of the ledger is in its file")
	}
	content, err := os.ReadFile(made)
	if err != nil {
		tb.Fatal(err)
	}
	return &lender{lent: map[string]string{}, copyFunc: func(tb testing.TB) string {
		tb.Helper()
		path := filepath.Join(root, filepath.FromSlash(tb.Name()), "pictifyd.db")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o600); err != nil {
			tb.Fatal(err)
		}
		return "sqlite:" + path
	}}
}

// newPostgresLender copies databases, since schemas can't be copied.
func newPostgresLender(tb testing.TB, dsn string) *lender {
	tb.Helper()
	made := newDatabase(tb, dsn, "")
	mustMake(tb, made.url)
	return &lender{lent: map[string]string{}, copyFunc: func(tb testing.TB) string {
		tb.Helper()
		return newDatabase(tb, dsn, made.name).url
	}}
}

// A database is one of the server of a DSN, for as long as a test.
type database struct{ name, url string }

// newDatabase makes one as another one is, or an empty one.
func newDatabase(tb testing.TB, dsn, as string) database {
	tb.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		tb.Fatal(err)
	}
	h := fnv.New64a()
	fmt.Fprint(h, tb.Name(), os.Getpid())
	name := fmt.Sprintf("pictifyd_%x", h.Sum64())
	statement := "CREATE DATABASE " + name
	if as != "" {
		statement += " TEMPLATE " + as
	}
	tell(tb, dsn, statement)
	tb.Cleanup(func() { tell(tb, dsn, "DROP DATABASE "+name+" WITH (FORCE)") })
	u.Path = "/" + name
	return database{name, u.String()}
}

// tell has the server of a DSN carry out a statement.
func tell(tb testing.TB, dsn, statement string) {
	tb.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(context.Background(), statement); err != nil {
		tb.Fatal(err)
	}
}

package pgtest

import (
	"context"
	"fmt"
	"hash/fnv"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// A Schema is one for one test.
type Schema struct {
	Name string
	DSN  string // leads into it by its search path
	tb   testing.TB

	mu   sync.Mutex
	conn *pgconn.PgConn
}

// Server is the DSN of the server for tests; without one the test is skipped.
func Server(tb testing.TB) string {
	tb.Helper()
	server := os.Getenv("PICTIFYD_TEST_POSTGRES")
	if server == "" {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			tb.Fatal("PICTIFYD_TEST_POSTGRES is not set")
		}
		tb.Skip("PICTIFYD_TEST_POSTGRES is not set: make test sets it")
	}
	return server
}

var noName = regexp.MustCompile(`[^a-z0-9]+`)

// New makes an empty schema, which goes with the test.
func New(tb testing.TB) *Schema {
	tb.Helper()
	s := In(tb, Server(tb))
	tb.Cleanup(func() { s.Run("DROP SCHEMA " + s.Name + " CASCADE") })
	return s
}

// In makes a schema in a server of the test's own.
func In(tb testing.TB, server string) *Schema {
	tb.Helper()
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(tb.Name())) // a hash takes everything
	name := noName.ReplaceAllString(strings.ToLower(tb.Name()), "_")
	s := &Schema{tb: tb, Name: fmt.Sprintf("%.36s_%d_%x", name, os.Getpid(), sum.Sum32())}
	s.DSN = With(server, "search_path", s.Name)
	conn, err := pgconn.Connect(context.Background(), s.DSN)
	if err != nil {
		tb.Fatal(err)
	}
	s.conn = conn
	tb.Cleanup(func() { _ = conn.Close(context.Background()) }) // its server may be gone
	s.Run("CREATE SCHEMA " + s.Name)
	return s
}

// With is a DSN with one more setting.
func With(dsn, name, value string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		panic(err) // the test's own DSN
	}
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = q.Encode()
	return u.String()
}

// Through is a DSN that leads to another address, as another user where user is
// not empty.
func Through(dsn, address, user string) string {
	u, err := url.Parse(dsn)
	if err != nil {
		panic(err) // the test's own DSN
	}
	if address != "" {
		u.Host = address
	}
	if user != "" {
		u.User = url.UserPassword(user, "hunter2-password")
	}
	return u.String()
}

// Run runs statements, all in one transaction.
func (s *Schema) Run(sql string) {
	s.tb.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.conn.Exec(context.Background(), sql).ReadAll(); err != nil {
		s.tb.Fatalf("%s: %v", sql, err)
	}
}

// Value is the first value that a statement gives, "" for null and for none.
func (s *Schema) Value(sql string, args ...string) string {
	s.tb.Helper()
	params := make([][]byte, len(args))
	for i, arg := range args {
		params[i] = []byte(arg)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	result := s.conn.ExecParams(context.Background(), sql, params, nil, nil, nil).Read()
	if result.Err != nil {
		s.tb.Fatalf("%s: %v", sql, result.Err)
	}
	if len(result.Rows) == 0 {
		return ""
	}
	return string(result.Rows[0][0])
}

// Other is a second session in the schema.
func (s *Schema) Other() *Schema {
	s.tb.Helper()
	conn, err := pgconn.Connect(context.Background(), s.DSN)
	if err != nil {
		s.tb.Fatal(err)
	}
	s.tb.Cleanup(func() { _ = conn.Close(context.Background()) })
	return &Schema{Name: s.Name, DSN: s.DSN, tb: s.tb, conn: conn}
}

// Role makes a user that may look into the schema and do nothing there.
func (s *Schema) Role() (name string) {
	s.tb.Helper()
	name = "role_" + s.Name
	s.Run(fmt.Sprintf("CREATE ROLE %s LOGIN; GRANT USAGE ON SCHEMA %s TO %s", name, s.Name, name))
	s.tb.Cleanup(func() { s.Run("DROP OWNED BY " + name + "; DROP ROLE " + name) })
	return name
}

// Again is the schema under a new connection, after its server was gone.
func Again(tb testing.TB, s *Schema) *Schema {
	tb.Helper()
	s.tb = tb
	return s.Other()
}

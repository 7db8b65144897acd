package pg

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.uber.org/goleak"

	"github.com/pictifyd/pictifyd/internal/pgtest"
	"github.com/pictifyd/pictifyd/internal/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNamesAreReadAsSQLReadsThem(t *testing.T) {
	for text, want := range map[string]string{
		"products": `"products"`, "Products": `"products"`, `"Products"`: `"Products"`, "Shop.Products": `"shop"."products"`,
		`"a.b"."c""d"`: `"a.b"."c""d"`, `shop."x y"`: `"shop"."x y"`, "größe": `"größe"`,
		"": "", ".": "", "a.": "", ".a": "", "a.b.c": "", "a b": "", `"a`: "", `"a"b`: "", `a"b"`: "", `""`: "", "a;b": "", "a'b": "", "f()": "", "a\x00": "",
		strings.Repeat("x", 63): `"` + strings.Repeat("x", 63) + `"`, strings.Repeat("x", 64): "",
	} {
		name, err := ParseName(text)
		if got := name.SQL(); (err != nil) != (want == "") || err == nil && got != want {
			t.Errorf("%q is %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestWhatGoesIntoStatementsComesBackAsItWas(t *testing.T) {
	conn := newLine(t, pgtest.Server(t))
	for _, setting := range []string{"on", "off"} {
		err := conn.Use(t.Context(), func(ctx context.Context, c *pgconn.PgConn) error {
			for _, text := range []string{"", "a", `'`, `\`, `\'; DROP TABLE x --`, `"`, "{}", ",", "NULL", " ", "a\nb", "ä€😀", `a"b\c`} {
				if _, err := c.Exec(ctx, "SET standard_conforming_strings = "+setting+"; SET escape_string_warning = off").ReadAll(); err != nil {
					return err
				}
				got, err := Rows(ctx, c, "SELECT "+Literal(text)+", ($1::text[])[1], ($1::text[])[2] IS NULL, 1 AS "+Quote(text+"x"), string(Array([]*string{&text, nil, &text})))
				if err != nil {
					return err
				}
				if string(got[0][0]) != text || string(got[0][1]) != text || !yes(got[0][2]) {
					t.Errorf("%q came back as %q and %q", text, got[0][0], got[0][1])
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestDSNIsNeverRepeated(t *testing.T) {
	for _, dsn := range []string{
		"", "postgres://me:hunter2/@host", "postgres://me:hunter2@host:port/x", "mysql://me:hunter2@host/x", "host=x password=hunter2 port=hunter2",
		"postgres://me:hunter2@h/x?sslrootcert=/nowhere/hunter2.pem&sslmode=verify-full", "password='hunter2",
	} {
		cfg, err := Parse(dsn)
		if cfg != nil || err == nil || err.Hint == "" || strings.Contains(fmt.Sprintf("%+v %v", err, err.Err), "hunter2") {
			t.Errorf("%q: %v", dsn, err)
		}
	}
}

func TestBlame(t *testing.T) {
	for blame, states := range map[Blame]string{
		Server: "08006 25006 53300 53100 57P01 57P03 57014 58030 XX000 54000 55006",
		Setup:  "42P01 42703 42501 42804 3D000 3F000 28P01 0A000",
		Row:    "22001 22P02 23505 23514 23502 44000 P0001 21000 45000 99999",
		Locked: "55P03",
		Clash:  "40001 40P01",
	} {
		for state := range strings.FieldsSeq(states) {
			err := fmt.Errorf("write: %w", &pgconn.PgError{Code: state, Message: "no"})
			if got := BlameOf(Explain(err, strings.ToLower)); got != blame {
				t.Errorf("%s is blamed on %d, want %d", state, got, blame)
			}
		}
	}
	for routine, want := range map[string]Blame{"_bt_check_third_page": Row, "make_tsvector": Row, "GetNewTransactionId": Server, "GetNewMultiXactId": Server} {
		if got := BlameOf(&pgconn.PgError{Code: "54000", Routine: routine}); got != want {
			t.Errorf("54000 of %s is blamed on %d, want %d", routine, got, want)
		}
	}
	if BlameOf(errors.New("connection reset by peer")) != Server {
		t.Error("a connection that was cut is not the server's")
	}
}

func TestWhatAServerSaysHoldsNoWholeRow(t *testing.T) {
	for name, c := range map[string]struct {
		said pgconn.PgError
		want string // of it
		not  string
	}{
		"a column may not be null": {pgconn.PgError{Code: "23502", Message: `null value in column "a"`, Detail: "Failing row contains (1, jane@shop.example)."}, `column "a"`, "jane@"},
		"a check":                  {pgconn.PgError{Code: "23514", Message: `violates check constraint "c"`, Detail: "Failing row contains (1, jane@shop.example)."}, `constraint "c"`, "jane@"},
		"the check of a view":      {pgconn.PgError{Code: "44000", Message: `violates check option for view "v"`, Detail: "Failing row contains (1, jane@shop.example)."}, `view "v"`, "jane@"},
		"a key that is there":      {pgconn.PgError{Code: "23505", Message: "duplicate key", Detail: "Key (sku)=(A) already exists."}, "(sku)=(A)", "\x00"},
		"a value without end":      {pgconn.PgError{Code: "22P02", Message: "invalid input: " + strings.Repeat("x", 70_000) + "end"}, "invalid input", "end"},
	} {
		err := Explain(&c.said, func(text string) string { return text })
		if said := err.Error(); !strings.Contains(said, c.want) || strings.Contains(said, c.not) || len(said) > 1000 {
			t.Errorf("%s: %.300s", name, said)
		}
	}
}

func newLine(tb testing.TB, dsn string) *Line {
	tb.Helper()
	cfg, invalid := Parse(dsn)
	if invalid != nil {
		tb.Fatal(invalid)
	}
	l := NewLine(cfg)
	tb.Cleanup(func() { _ = l.Close() })
	return l
}

func pid(tb testing.TB, l *Line) (pid uint32) {
	tb.Helper()
	err := l.Use(tb.Context(), func(ctx context.Context, c *pgconn.PgConn) error {
		pid = c.PID()
		_, err := Rows(ctx, c, "SELECT 1")
		return err
	})
	if err != nil {
		tb.Error(err)
	}
	return pid
}

func TestConnectionIsKeptAndMadeAnewWhenItIsGone(t *testing.T) {
	db := pgtest.New(t)
	l := newLine(t, db.DSN)
	first := pid(t, l)
	if again := pid(t, l); again != first {
		t.Error("a connection that is fine was not used again")
	}
	if name := db.Value("SELECT application_name FROM pg_stat_activity WHERE pid = $1", fmt.Sprint(first)); name != "pictifyd" {
		t.Errorf("it calls itself %q", name)
	}
	l.fresh = 0 // as if it had rested
	if db.Value("SELECT pg_terminate_backend($1)", fmt.Sprint(first)) != "t" {
		t.Fatal("it was not there")
	}
	if again := pid(t, l); again == first {
		t.Error("the connection was not made anew")
	}
}

func TestWhatIsLeftOfATransactionIsRolledBack(t *testing.T) {
	db := pgtest.New(t)
	db.Run("CREATE TABLE t (n int)")
	l := newLine(t, db.DSN)
	for _, sql := range []string{"BEGIN; INSERT INTO t VALUES (1)", "BEGIN; INSERT INTO t VALUES (1); SELECT 1 / 0"} {
		_ = l.Use(t.Context(), func(ctx context.Context, c *pgconn.PgConn) error {
			_, err := c.Exec(ctx, sql).ReadAll()
			return err
		})
		if db.Value("SELECT count(*) FROM t") != "0" || db.Value("SELECT count(*) FROM pg_locks WHERE relation = 't'::regclass") != "0" {
			t.Errorf("%s: something is left", sql)
		}
		pid(t, l)
	}
}

func TestConnectionThatRestsIsGivenBack(t *testing.T) {
	l := newLine(t, pgtest.Server(t))
	pid(t, l)
	l.give()
	if l.conn == nil {
		t.Error("a connection was given back that was just used")
	}
	l.used = l.used.Add(-restLimit)
	l.give()
	if l.conn != nil {
		t.Error("a connection that rests is kept")
	}
}

// A sink is closed when another takes its place, while it may be at work.
func TestCloseWaitsForNobody(t *testing.T) {
	l := newLine(t, pgtest.Server(t))
	err := l.Use(t.Context(), func(ctx context.Context, c *pgconn.PgConn) error {
		if err := l.Close(); err != nil {
			return err
		}
		_, err := Rows(ctx, c, "SELECT 1")
		return err
	})
	if err != nil || l.conn != nil {
		t.Errorf("what was at work ended with %v; a connection is kept: %v", err, l.conn != nil)
	}
	if pid(t, l); l.conn != nil {
		t.Error("a connection is kept by a line that was closed")
	}
}

func TestPasswordIsTakenOutOfWhatAServerSays(t *testing.T) {
	l := newLine(t, "postgres://me:hunter2-secret@127.0.0.1:1/x")
	err := l.Explain(t.Context(), &pgconn.PgError{Code: "28P01", Message: `password "hunter2-secret" is wrong`, Detail: "hunter2-secret", Hint: "not hunter2-secret"})
	var p *problem.Error
	if !errors.As(err, &p) || strings.Contains(err.Error(), "hunter2") || p.Slug != Refused {
		t.Errorf("got %v", err)
	}
}

func TestServerThatIsNotThereIsNamedOnce(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = nobody.Close()
	_, err = pgx.Connect(t.Context(), "postgres://x@"+nobody.Addr().String()+"/x?sslmode=disable")
	got := Explain(err, func(text string) string { return text })
	want := "PostgreSQL: " + nobody.Addr().String() + " can't be reached: connect: connection refused (see that the server runs, and that host and port in dsn are right)"
	if got.Error() != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
}

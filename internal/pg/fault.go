package pg

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// The slugs of what a server says.
const (
	Unreachable  = "database_unreachable"
	Refused      = "database_refused" // the user, its password, the database or TLS
	Denied       = "permission_denied"
	TableMissing = "table_missing"
	NoColumn     = "column_missing"
	RowLocked    = "row_locked"
	BadStatement = "bad_statement"
)

// A Blame says whose fault an error of the server is.
type Blame int

// The blames.
const (
	Server Blame = iota // or the way there: another time it may work
	Setup               // a person has to mend it: permission, a table, a column
	Row                 // the values of one row, and no other time helps
	Locked              // somebody has a row that is wanted
	Clash               // two transactions met; at once it may work
)

// State is the SQLSTATE of err, "" where the server said nothing.
func State(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// BlameOf judges an error of a statement.
func BlameOf(err error) Blame {
	state := State(err)
	if state == "" {
		return Server
	}
	switch state {
	case "55P03":
		return Locked
	case "40001", "40P01":
		return Clash
	case "54000":
		return limit(err)
	}
	switch state[:2] {
	case "08", "25", "40", "53", "54", "55", "57", "58", "XX", "F0":
		return Server
	case "0A", "26", "28", "34", "3D", "3F", "42":
		return Setup
	}
	return Row // data, constraints, and what triggers raise by states of their own
}

// limit judges a limit of the program. Mostly a value is too long for an index; a
// server that has no transaction ids left to give says the same state of all rows.
func limit(err error) Blame {
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Routine != "" && !strings.HasPrefix(pg.Routine, "GetNew") {
		return Row
	}
	return Server
}

// Explain says what an error of the server or the way to it means, and what to do.
// shown takes out of a text what must not be seen.
func Explain(err error, shown func(string) string) error {
	var already *problem.Error
	var pg *pgconn.PgError
	switch {
	case errors.As(err, &already):
		return err
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &pg):
		return said(pg, shown)
	}
	return unreached(err, shown)
}

// wholeRow are the states whose detail is all columns of the row, also those that
// are none of ours: what stands in them belongs into no log.
var wholeRow = map[string]bool{"23502": true, "23514": true, "44000": true}

// maxSaid is how much of a server's own words is repeated: a value that it refuses
// stands in them as a whole.
const maxSaid = 500

func excerpt(text string) string {
	if len(text) <= maxSaid {
		return text
	}
	return strings.ToValidUTF8(text[:maxSaid], "") + "…"
}

// said is a problem of what the server answered.
func said(pg *pgconn.PgError, shown func(string) string) *problem.Error {
	text := pg.Message
	if pg.Detail != "" && !wholeRow[pg.Code] {
		text += ": " + strings.TrimSuffix(pg.Detail, ".")
	}
	p := problem.New(problem.Upstream, "PostgreSQL: %s (SQLSTATE %s)", excerpt(shown(text)), pg.Code)
	p.Err = pg
	switch pg.Code {
	case "28P01", "28000":
		p.WithSlug(Refused).WithHint("correct the user, the password or the sslmode in dsn, or pg_hba.conf on the server")
	case "3D000":
		p.WithSlug(Refused).WithHint("correct the database in dsn")
	case "42501":
		p.Code = problem.Forbidden
		p.WithSlug(Denied).WithHint("the owner of the table can GRANT it to the user of dsn")
	case "42P01", "3F000":
		p.WithSlug(TableMissing).WithHint("correct the table's name, or name its schema: shop.products")
	case "42703":
		p.WithSlug(NoColumn).WithHint("correct the column's name; names are as in the catalog, also in their case")
	case "55P03":
		p.WithSlug(RowLocked).WithHint("somebody else holds a lock; it is tried again")
	case "57014":
		p.Code = problem.Timeout
		p.WithHint("raise timeout, or give the server an index")
	case "53300":
		p.WithHint("the server has no connection left for this user")
	case "25006":
		p.WithHint("name the primary server in dsn, or add target_session_attrs=read-write; and a query of a source must not write")
	}
	if p.Slug == "" && strings.HasPrefix(pg.Code, "42") {
		p.WithSlug(BadStatement)
	}
	if pg.Hint != "" && p.Hint == "" {
		p.Hint = shown(pg.Hint)
	}
	return p
}

// unreached is a problem of the way to the server.
func unreached(err error, shown func(string) string) *problem.Error {
	text := err.Error()
	var connecting *pgconn.ConnectError
	if errors.As(err, &connecting) {
		text = fmt.Sprintf("%s can't be reached: %s", net.JoinHostPort(connecting.Config.Host, fmt.Sprint(connecting.Config.Port)), reason(connecting.Unwrap()))
	}
	p := problem.New(problem.Surroundings, "PostgreSQL: %s", shown(text)).WithSlug(Unreachable)
	p.Err = err
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &unknown):
		p.WithSlug(Refused).WithHint("name the certificate's authority in dsn: sslrootcert=ca.pem")
	case errors.As(err, &name):
		p.WithSlug(Refused).WithHint("use the name in dsn that the server's certificate has, or sslmode=verify-ca")
	case errors.As(err, &record), strings.Contains(text, "server refused TLS"):
		p.WithSlug(Refused).WithHint("the server has no TLS there; sslmode=prefer or disable in dsn goes without")
	case connecting == nil && errors.Is(err, context.DeadlineExceeded):
		p.Code, p.Message = problem.Timeout, "PostgreSQL: the server, or the way to it, did not answer in time"
		p.WithHint("see whether the server is overloaded, or what stands between drops connections")
	case connecting != nil:
		p.WithHint("see that the server runs, and that host and port in dsn are right")
	}
	return p
}

// reason is why a server was not reached: of a connection that was not made without
// the address, which stands before it.
func reason(err error) string {
	var way *net.OpError
	if errors.As(err, &way) && way.Op == "dial" {
		return way.Err.Error()
	}
	return lastLine(err)
}

// lastLine is what the last of several tries to connect said.
func lastLine(err error) string {
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}

package pg

import (
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// application is how our connections show in pg_stat_activity.
const application = "pictifyd"

// connectLimit is how long a server may take to answer, where the DSN says nothing.
const connectLimit = 10 * time.Second

// A Place is a database on a server, as far as its DSN tells.
type Place struct {
	Host     string
	Port     uint16
	Database string
}

// String is "host:port/database".
func (p Place) String() string {
	return net.JoinHostPort(p.Host, strconv.Itoa(int(p.Port))) + "/" + p.Database
}

// Parse reads a DSN, a URL or keywords. The error repeats nothing of it: a
// password may stand where it does not belong.
func Parse(dsn string) (*pgconn.Config, *problem.Error) {
	if strings.TrimSpace(dsn) == "" {
		return nil, problem.New(problem.Invalid, "is missing").WithHint("%s", sample)
	}
	cfg, err := pgconn.ParseConfig(dsn)
	if err != nil || strings.Contains(dsn, "://") && !strings.HasPrefix(dsn, "postgres://") && !strings.HasPrefix(dsn, "postgresql://") {
		return nil, problem.New(problem.Invalid, "is no connection string of PostgreSQL, or names a file that is not there").WithHint("%s", sample)
	}
	if cfg.RuntimeParams["application_name"] == "" {
		cfg.RuntimeParams["application_name"] = application
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = connectLimit
	}
	cfg.OnNotice = func(*pgconn.PgConn, *pgconn.Notice) {} // triggers of others talk
	return cfg, nil
}

const sample = "as in postgres://user:password@host:5432/database, with % and / of the password as %25 and %2F"

// PlaceOf is where a DSN leads; ok is false for one that is none.
func PlaceOf(dsn string) (p Place, ok bool) {
	cfg, invalid := Parse(dsn)
	if invalid != nil {
		return p, false
	}
	return Place{Host: strings.ToLower(cfg.Host), Port: cfg.Port, Database: cfg.Database}, true
}

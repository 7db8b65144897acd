package postgres_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/connectortest"
	"github.com/pictifyd/pictifyd/connectors/postgres"
	"github.com/pictifyd/pictifyd/internal/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A database is a schema of its own for one test.
type database struct{ *pgtest.Schema }

func newDatabase(tb testing.TB) *database {
	tb.Helper()
	return &database{pgtest.New(tb)}
}

func (db *database) config(change func(c *postgres.Config)) *postgres.Config {
	cfg := postgres.Kind.Config().(*postgres.Config)
	cfg.DSN = config.NewSecret(db.DSN)
	cfg.Table = "rows"
	if change != nil {
		change(cfg)
	}
	return cfg
}

func newPoller(tb testing.TB, cfg *postgres.Config) connectors.Poller {
	tb.Helper()
	p, err := postgres.Kind.New(cfg, connectors.Env{Name: "test"})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := p.(interface{ Close() error }).Close(); err != nil {
			tb.Error(err)
		}
	})
	return p
}

func mustPoll(tb testing.TB, p connectors.Poller, from connectors.Cursor) *connectortest.Recorder {
	tb.Helper()
	var r connectortest.Recorder
	if err := p.Poll(tb.Context(), from, r.Emit); err != nil {
		tb.Fatal(err)
	}
	return &r
}

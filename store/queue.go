package store

import (
	"context"
	"database/sql"
	"log/slog"

	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
)

// The queues of turns.
const (
	queueRender  = "render"
	queueDeliver = "deliver"
	queueHooks   = "hooks" // deliveries to the webhooks of jobs
	queuePoll    = "poll"
	queuePlan    = "plan"
)

var queues = []string{queueRender, queueDeliver, queueHooks, queuePoll, queuePlan}

// driver is River's driver for the ledger's database, woken by our bell.
func (s *Store) driver() riverdriver.Driver[*sql.Tx] {
	if s.dialect.postgres {
		return &bellDriver{riverdatabasesql.New(s.db), s.bell}
	}
	return &bellDriver{riversqlite.New(s.db), s.bell}
}

// A bellDriver replaces River's notifications, which on SQLite are rows that
// are written with every insert and polled for every 50 ms, by a channel: the
// process that inserts a turn is the one that works it.
type bellDriver struct {
	riverdriver.Driver[*sql.Tx]
	bell *bell
}

func (d *bellDriver) SupportsListener() bool     { return true }
func (d *bellDriver) SupportsListenNotify() bool { return false }

func (d *bellDriver) GetListener(params *riverdriver.GetListenenerParams) riverdriver.Listener {
	return &listener{bell: d.bell, schema: params.Schema}
}

// A bell tells River that turns were committed.
type bell struct {
	rung chan *riverdriver.Notification
}

// newBell holds a few rings until River listens. One that is lost costs no
// more than the wait for the next fetch.
func newBell() *bell { return &bell{make(chan *riverdriver.Notification, 64)} }

func (b *bell) ring(queue string) {
	select {
	case b.rung <- &riverdriver.Notification{Topic: "river_insert", Payload: `{"queue":"` + queue + `"}`}:
	default:
	}
}

// A listener is the bell as River listens to it.
type listener struct {
	bell   *bell
	schema string
}

func (l *listener) Connect(context.Context) error          { return nil }
func (l *listener) Close(context.Context) error            { return nil }
func (l *listener) Ping(context.Context) error             { return nil }
func (l *listener) Listen(context.Context, string) error   { return nil }
func (l *listener) Unlisten(context.Context, string) error { return nil }
func (l *listener) Schema() string                         { return l.schema }
func (l *listener) SetAfterConnectExec(string)             {}

func (l *listener) WaitForNotification(ctx context.Context) (*riverdriver.Notification, error) {
	select {
	case n := <-l.bell.rung:
		return n, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// riverLog lets River's own words through from warnings on.
func (s *Store) riverLog() *slog.Logger { return slog.New(warnings{s.log.Handler()}) }

type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && w.Handler.Enabled(ctx, level)
}

func (w warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{w.Handler.WithAttrs(attrs)}
}

func (w warnings) WithGroup(name string) slog.Handler { return warnings{w.Handler.WithGroup(name)} }

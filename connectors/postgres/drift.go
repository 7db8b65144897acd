package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// ColumnsChanged is the slug of a table whose columns are others than before.
const ColumnsChanged = "columns_changed"

// watchTable looks whether the table is still as it was: not all that is done to one
// is told, and some only with the next row.
func (r *run) watchTable(ctx context.Context) error {
	tick := time.NewTicker(r.f.watch)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-r.suspect:
		}
		t, err := r.ask(ctx)
		if err != nil {
			return err
		}
		r.mu.Lock()
		same := r.known == t.digest()
		r.mu.Unlock()
		if !same {
			signal(r.changed)
		}
	}
}

func (r *run) ask(ctx context.Context) (t *table, err error) {
	err = r.f.asks.Use(ctx, func(ctx context.Context, conn *pgconn.PgConn) (err error) {
		t, err = r.f.lookUp(ctx, conn, r.oid)
		return err
	})
	return t, err
}

func (r *run) setTable(t *table) {
	r.table = t
	r.mu.Lock()
	r.known = t.digest()
	r.mu.Unlock()
}

// lookAgain asks the catalog what the table is now. Where it is another one its rows
// are read again, and a person is told which columns changed.
func (r *run) lookAgain(ctx context.Context) error {
	t, err := r.ask(ctx)
	if err != nil || t.digest() == r.table.digest() {
		return err
	}
	older := r.table
	r.setTable(t)
	r.shape, r.stale = nil, true
	if t.columns == older.columns {
		return nil
	}
	return r.judge(t.changed(older))
}

// judge tells of changed columns, or has a person decide.
func (r *run) judge(what []string) error {
	p := problem.New(problem.Upstream, "the columns of %s changed: %s", r.f.table, strings.Join(what, ", ")).WithSlug(ColumnsChanged)
	if r.f.cfg.OnSchemaChange == onChangeHalt && !r.s.Resnapshot {
		return connectors.Halt(p.WithHint("see to the bindings that show them, then ask for a new snapshot of the source; or set on_schema_change: continue"))
	}
	p.WithHint("see whether a binding shows what is gone or another; all rows are read again")
	r.mu.Lock()
	r.warn["table"] = p
	r.mu.Unlock()
	r.report(func(*connectors.StreamState) {})
	return nil
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

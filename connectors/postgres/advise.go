package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// The slugs of what would be better otherwise.
const (
	NoIndex       = "watermark_without_index"
	NullWatermark = "watermark_may_be_null"
	FromReplica   = "read_from_replica"
)

var (
	_ connectors.Adviser = (*source)(nil)
	_ connectors.Adviser = keyed{}
)

// Advise implements connectors.Adviser.
func (s *source) Advise(ctx context.Context) (advice problem.List, err error) {
	err = s.looks.Use(ctx, func(ctx context.Context, conn *pgconn.PgConn) error {
		ctx, cancel := context.WithTimeout(ctx, s.cfg.patience())
		defer cancel()
		lag, replica, err := lagOf(ctx, conn)
		if err != nil {
			return err
		}
		if replica {
			advice = append(advice, problem.New(problem.Upstream, "the server is a replica; it is %s behind", lag.Round(time.Second)).WithSlug(FromReplica).
				WithHint("changes are seen so much later; name the primary in dsn where that matters"))
		}
		if s.cfg.Watermark == "" || s.cfg.Table == "" {
			return nil
		}
		if err := s.begin(ctx, conn); err != nil {
			return err
		}
		found, err := s.adviseOn(ctx, conn)
		advice = append(advice, found...)
		return err
	})
	return advice, s.named(ctx, err)
}

// indexedSQL tells whether an index begins with a column of a table: of one that is
// partitioned, an index of all its partitions.
const indexedSQL = `
SELECT count(*) FROM pg_catalog.pg_index i JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
WHERE i.indrelid = pg_catalog.to_regclass($1) AND i.indisvalid AND i.indpred IS NULL AND a.attname = $2`

func (s *source) adviseOn(ctx context.Context, conn *pgconn.PgConn) (advice problem.List, err error) {
	table, err := pg.Look(ctx, conn, s.table)
	if err != nil {
		return nil, err
	}
	watermark, found := table.Column(s.cfg.Watermark)
	if !found {
		return nil, hasColumns(table.Names(), "watermark", []string{s.cfg.Watermark})
	}
	if !watermark.NotNull && (table.Kind == "r" || table.Kind == "p") {
		advice = append(advice, problem.New(problem.Upstream, "the watermark %s may be null; changes of such rows are found only when all rows are compared", watermark.Name).
			At("watermark").WithSlug(NullWatermark).WithHint("ALTER TABLE %s ALTER COLUMN %s SET NOT NULL, once no row has a null there", table.Name.SQL(), pg.Quote(watermark.Name)))
	}
	if table.Kind == "v" || table.Kind == "f" {
		return advice, nil // has none of its own
	}
	rows, err := pg.Rows(ctx, conn, indexedSQL, table.Name.SQL(), watermark.Name)
	if err != nil || string(rows[0][0]) != "0" {
		return advice, err
	}
	key := []string(s.cfg.Key)
	if len(key) == 0 {
		key = table.Primary
	}
	columns := []string{pg.Quote(watermark.Name)}
	for _, name := range key {
		columns = append(columns, pg.Quote(name))
	}
	hint := "CREATE INDEX CONCURRENTLY ON " + table.Name.SQL() + " (" + strings.Join(columns, ", ") + ");"
	if table.Kind == "p" { // of which none can be made concurrently
		hint = "on each partition, and then without CONCURRENTLY on the table: " + hint
	}
	return append(advice, problem.New(problem.Upstream, "no index begins with the watermark %s; each reading goes through the whole table", watermark.Name).
		At("watermark").WithSlug(NoIndex).WithHint("%s", hint)), nil
}

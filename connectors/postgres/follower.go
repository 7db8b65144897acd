package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/connectors/postgres/replication"
	"github.com/pictifyd/pictifyd/connectors/postgres/slot"
	"github.com/pictifyd/pictifyd/internal/pg"
)

// A keeper looks after the slot; it is a slot.Keeper.
type keeper interface {
	Prepare(ctx context.Context, identity []byte, committed replication.LSN) (slot.Ready, error)
	Renew(ctx context.Context) (slot.Ready, error)
	Replication() *pgconn.Config
	Heartbeat(ctx context.Context) error
	Beat(prefix string, content []byte) (sent time.Time, ok bool)
	Watch(ctx context.Context, interval time.Duration, tell func(slot.State)) error
	Release(ctx context.Context) error
	Close() error
}

var _ keeper = (*slot.Keeper)(nil)

// A follower is the source of a table whose changes are told by replication.
type follower struct {
	*source
	keeper keeper
	fills  *pg.Line // of backfills
	asks   *pg.Line // of the catalog, and of rows that a change left out
	sizes  sizes
	watch  time.Duration // between two looks at the slot, and at the table
}

// watchEach is how often they are looked at.
const watchEach = 10 * time.Second

// sizes bound what is in memory.
type sizes struct {
	firstChunk, mostChunk int // rows of a chunk
	part                  int // rows after which a large transaction is cut
}

var usualSizes = sizes{firstChunk: 500, mostChunk: 5000, part: 500}

var _ connectors.Streamer = (*follower)(nil)

func newFollower(s *source, server *pgconn.Config, k keeper) *follower {
	return &follower{source: s, keeper: k, fills: pg.NewLine(server), asks: pg.NewLine(server), sizes: usualSizes, watch: watchEach}
}

// computedSQL are the columns of a table that the server computes, which no stream tells.
const computedSQL = `SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass($1) AND attgenerated <> '' AND NOT attisdropped`

// Poll implements connectors.Poller: the rows as they stand, for a check, with the
// columns that a stream has.
func (f *follower) Poll(ctx context.Context, from connectors.Cursor, emit connectors.Emit) error {
	var computed []string
	err := f.asks.Use(ctx, func(ctx context.Context, conn *pgconn.PgConn) error {
		rows, err := pg.Rows(ctx, conn, computedSQL, f.table.SQL())
		for _, row := range rows {
			computed = append(computed, string(row[0]))
		}
		return err
	})
	if err != nil {
		return f.named(ctx, err)
	}
	return f.source.Poll(ctx, from, func(ctx context.Context, b connectors.Batch) error {
		for _, row := range b.Rows {
			for _, column := range computed {
				delete(row.Values, column)
			}
		}
		return emit(ctx, b)
	})
}

// Release implements connectors.Streamer.
func (f *follower) Release(ctx context.Context) error { return f.keeper.Release(ctx) }

// Close gives the connections back.
func (f *follower) Close() error {
	return errors.Join(f.keeper.Close(), f.fills.Close(), f.asks.Close(), f.source.Close())
}

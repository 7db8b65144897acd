package postgres

import (
	"context"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/pg"
)

// A Keeper is what looks after a slot.
type Keeper = keeper

// NewStreamer is a source with another keeper, unless k is nil.
// In small sizes everything is in many pieces.
func NewStreamer(cfg *Config, env connectors.Env, k Keeper, small bool) (connectors.Streamer, error) {
	source, err := newSource(cfg, env)
	if err != nil {
		return nil, err
	}
	server, invalid := pg.Parse(cfg.DSN.Reveal())
	if invalid != nil {
		return nil, invalid
	}
	made := source.(*follower)
	if err := made.keeper.Close(); err != nil {
		return nil, err
	}
	if k == nil {
		k = made.keeper
	}
	f := newFollower(made.source, server, k)
	if f.watch = 100 * time.Millisecond; small {
		f.sizes = sizes{firstChunk: 17, mostChunk: 40, part: 7}
	}
	return f, nil
}

// LookUp has a source look at its table n times.
func LookUp(ctx context.Context, s connectors.Streamer, n int) error {
	f := s.(*follower)
	return f.asks.Use(ctx, func(ctx context.Context, conn *pgconn.PgConn) error {
		oid, err := pg.Rows(ctx, conn, "SELECT $1::regclass::oid::bigint", f.table.SQL())
		if err != nil {
			return err
		}
		number, err := strconv.ParseUint(string(oid[0][0]), 10, 32)
		for ; n > 0 && err == nil; n-- {
			_, err = f.lookUp(ctx, conn, uint32(number))
		}
		return err
	})
}

// SetClock has a source ask nowFunc what time it is.
func SetClock(p connectors.Poller, nowFunc func() time.Time) {
	if k, ok := p.(keyed); ok {
		p = k.source
	}
	p.(*source).nowFunc = nowFunc
}

package postgres

import (
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/pg"
)

// A Keeper is what looks after a slot.
type Keeper = keeper

// NewStreamer is a source with another keeper.
// In small sizes everything is in many pieces.
func NewStreamer(cfg *Config, env connectors.Env, k Keeper, small bool) (connectors.Streamer, error) {
	made, err := newSource(cfg, env)
	if err != nil {
		return nil, err
	}
	server, invalid := pg.Parse(cfg.DSN.Reveal())
	if invalid != nil {
		return nil, invalid
	}
	var f *follower
	if keyed, ok := made.(keyedFollower); ok {
		f = keyed.follower
	} else {
		f = made.(*follower)
	}
	if err := f.keeper.Close(); err != nil {
		return nil, err
	}
	again := newStreamer(f.source, server, k)
	if keyed, ok := again.(keyedFollower); ok {
		f = keyed.follower
	} else {
		f = again.(*follower)
	}
	if f.watch = 100 * time.Millisecond; small {
		f.sizes = sizes{firstChunk: 17, mostChunk: 40, part: 7}
	}
	return again, nil
}

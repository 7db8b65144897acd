package postgres

import (
	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/pg"
)

// A Keeper is what looks after a slot.
type Keeper = keeper

// NewStreamer is a source with another keeper.
func NewStreamer(cfg *Config, env connectors.Env, k Keeper) (connectors.Streamer, error) {
	made, err := newSource(cfg, env)
	if err != nil {
		return nil, err
	}
	server, invalid := pg.Parse(cfg.DSN.Reveal())
	if invalid != nil {
		return nil, invalid
	}
	if keyed, ok := made.(keyedFollower); ok {
		return newStreamer(keyed.source, server, k), nil
	}
	return newStreamer(made.(*follower).source, server, k), nil
}

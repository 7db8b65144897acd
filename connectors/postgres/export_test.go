package postgres

import (
	"time"

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

// SetClock has a source ask nowFunc what time it is.
func SetClock(p connectors.Poller, nowFunc func() time.Time) {
	if k, ok := p.(keyed); ok {
		p = k.source
	}
	p.(*source).nowFunc = nowFunc
}

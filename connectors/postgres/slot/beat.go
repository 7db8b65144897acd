package slot

import (
	"context"
	"fmt"
	"time"

	"github.com/pictifyd/pictifyd/internal/cures"
	"github.com/pictifyd/pictifyd/internal/pg"
)

// beatPrefix begins the prefixes of heartbeats; the name of whose it is follows.
const beatPrefix = "pictifyd:beat:"

// beatLimit is how long the server may take for a heartbeat.
var beatLimit = limits{statement: 10 * time.Second, lock: 10 * time.Second}

// Heartbeat writes a transaction with nothing but a message to the server's log, at
// once and then at each interval of the configuration, until ctx ends; then it
// returns nil. The stream sees the message come back (Beat), so that it can confirm
// what others wrote meanwhile, and knows that the way is open. The error is that a
// message could not be written.
func (k *Keeper) Heartbeat(ctx context.Context) error {
	tick := time.NewTicker(k.cfg.Heartbeat)
	defer tick.Stop()
	for {
		if err := k.beat(ctx); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("write a heartbeat: %w", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// beat writes one heartbeat. It is a transaction of its own: only the end of one
// lets the server forget what it has read so far (P6). It does not wait for standby
// servers, which may be gone while the table is as alive as ever.
func (k *Keeper) beat(ctx context.Context) error {
	return k.change(ctx, beatLimit, "SET LOCAL synchronous_commit = local",
		fmt.Sprintf("SELECT pg_catalog.pg_logical_emit_message(%t, %s, %s)", cures.TransactionalHeartbeat, pg.Literal(beatPrefix+k.name), pg.Literal(time.Now().UTC().Format(time.RFC3339Nano))))
}

// Beat is when one of our own heartbeats was sent, by its message; ok is false for
// a message of somebody else.
func (k *Keeper) Beat(prefix string, content []byte) (sent time.Time, ok bool) {
	if prefix != beatPrefix+k.name {
		return time.Time{}, false
	}
	sent, err := time.Parse(time.RFC3339Nano, string(content))
	return sent, err == nil
}

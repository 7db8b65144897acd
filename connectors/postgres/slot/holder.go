package slot

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/internal/cures"
	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Busy is the slug of a slot that somebody else reads.
const Busy = "slot_busy"

const (
	takeLimit = 20 * time.Second // for an older stream of ours to end
	takeRest  = 100 * time.Millisecond
)

// The server waits for the end of the process itself, a little.
const terminateSQL = `
SELECT pg_catalog.pg_terminate_backend(a.pid, 1000) FROM pg_catalog.pg_replication_slots s JOIN pg_catalog.pg_stat_activity a ON a.pid = s.active_pid
WHERE s.slot_name = $1 AND a.application_name = $2 AND a.usename = current_user`

// take has nobody read the slot. A server goes on for a minute, or for good, to tell
// a process that died, was frozen or cut off; where that was one of ours, for this
// source of this ledger, it is ended. Anybody else's is an error. It cures P10.
func (k *Keeper) take(ctx context.Context, slot string) error {
	deadline := time.Now().Add(k.takeLimit)
	for {
		var s *slotFacts
		err := k.ask(ctx, func(ctx context.Context, conn *pgconn.PgConn) (err error) {
			if s, err = lookSlot(ctx, conn, slot); err != nil || s == nil || s.pid == 0 || s.unknown {
				return err
			}
			if s.application == k.name && cures.StaleWalsender {
				_, err = pg.Rows(ctx, conn, terminateSQL, slot, k.name)
			}
			return err
		})
		switch {
		case err != nil:
			return err
		case s == nil || s.pid == 0:
			return nil
		case s.application != k.name && !s.unknown, time.Now().After(deadline), !cures.StaleWalsender:
			return s.busy(slot)
		}
		select {
		case <-time.After(takeRest):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// busy says who reads a slot.
func (s *slotFacts) busy(slot string) *problem.Error {
	who := fmt.Sprintf("process %d", s.pid)
	if s.application != "" {
		who += fmt.Sprintf(" of %q", s.application)
	}
	if s.user != "" {
		who += ", user " + s.user
	}
	if s.client != "" {
		who += ", from " + s.client
	}
	return problem.New(problem.Conflict, "the slot %s is read by somebody else: %s", slot, who).WithSlug(Busy).
		WithHint("stop that reader, or run: SELECT pg_terminate_backend(%d)", s.pid)
}

// ask asks the server something that takes no time.
func (k *Keeper) ask(ctx context.Context, do func(ctx context.Context, conn *pgconn.PgConn) error) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	return k.line.Use(ctx, do)
}

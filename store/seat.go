package store

import (
	"context"
)

// Seat makes a turn the one that is on its sink, over all processes: so what a sink
// keeps in a process, and the order in which batches arrive, are one turn's matter.
// With false another turn is on it, and this one has ended: that one goes on as long
// as there is work. A seat is given up with the turn, however that ends: it is part of
// its job in the queue, which runs no more once its process is known to be gone.
func (s *Store) Seat(ctx context.Context, turn Turn) (free bool, err error) {
	if !s.dialect.postgres || turn.handle == nil { // there is one process
		return true, nil
	}
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		// A statement of its own, so that the next one sees who sat down before.
		if _, err := t.exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('pictifyd seat ' || current_schema()), hashtext($1))`, turn.Sink); err != nil {
			return err
		}
		n, err := t.exec(ctx, `UPDATE river_job SET metadata = metadata || '{"seat": true}' WHERE id = $1 AND NOT EXISTS (
				SELECT FROM river_job AS o WHERE o.state = 'running' AND o.queue IN ('deliver', 'hooks') AND o.id <> $1
					AND o.args->>'sink' = $2 AND o.metadata->>'seat' = 'true')`, turn.ID, turn.Sink)
		if free = n > 0; free || err != nil {
			return err
		}
		return t.complete(ctx, turn)
	})
	return free, wrap(err, "take the seat of sink %q", turn.Sink)
}

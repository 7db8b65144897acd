package postgres

import (
	"context"

	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// GaveWay is the slug of a reading that ended because somebody waited for its table.
const GaveWay = "gave_way"

const waitersSQL = `SELECT count(*) FROM pg_catalog.pg_locks l WHERE NOT l.granted AND l.locktype = 'relation' AND pg_catalog.pg_backend_pid() = ANY(pg_catalog.pg_blocking_pids(l.pid))`

// giveWay ends a reading for which an ALTER TABLE or the like waits. A snapshot keeps its
// locks until it ends, and whoever wants the table then queues behind the one that waits: no
// reading is worth that. Who builds an index CONCURRENTLY waits for the end of snapshots, holds nobody up
// and is let wait.
func (w *walk) giveWay(ctx context.Context) error {
	rows, err := pg.Rows(ctx, w.conn, waitersSQL)
	if err != nil || string(rows[0][0]) == "0" {
		return err
	}
	return problem.New(problem.Surroundings, "somebody waits for a lock on what is read, and goes first").WithSlug(GaveWay).
		WithHint("it is read again; where that goes on, a reading takes longer than the time between two such waits: name the columns that are needed, or a watermark")
}

package postgres

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pictifyd/pictifyd/internal/pg"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// conflictTries is how often a reading is begun that the server of a replica ends, because
// what it reads is to be cleaned away there.
const conflictTries = 3

// lagLimit is how far a replica may be behind before the log says so.
const lagLimit = time.Minute

// RecoveryConflict is the slug of a reading that a replica ended.
const RecoveryConflict = "recovery_conflict"

// isConflict reports whether a replica ended a reading. Nothing else serializes what
// only reads.
func isConflict(err error) bool {
	state := pg.State(err)
	return state == "40001" || state == "40P01"
}

// conflict gives such an error its next step.
func conflict(err error) error {
	var p *problem.Error
	if isConflict(err) && errors.As(err, &p) {
		p.WithSlug(RecoveryConflict).WithHint("it is read again; where it comes often, raise max_standby_streaming_delay on the replica, or set hot_standby_feedback there")
	}
	return err
}

// lagSQL is for how many seconds what a replica has was received and not yet seen there;
// null on a server that is none.
const lagSQL = `SELECT CASE WHEN NOT pg_is_in_recovery() THEN NULL
WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
ELSE extract(epoch FROM now() - pg_last_xact_replay_timestamp()) END`

// lagOf is how far a replica is behind; replica is false on a server that is none, or
// that does not say.
func lagOf(ctx context.Context, conn *pgconn.PgConn) (lag time.Duration, replica bool, err error) {
	rows, err := pg.Rows(ctx, conn, lagSQL)
	switch {
	case err != nil && pg.State(err) == "":
		return 0, false, err
	case err != nil, rows[0][0] == nil:
		return 0, false, nil
	}
	seconds, err := strconv.ParseFloat(string(rows[0][0]), 64)
	return time.Duration(max(seconds, 0) * float64(time.Second)), true, err
}

// noteReplica logs that a replica is far behind, and that it is no more.
func (s *source) noteReplica(ctx context.Context, conn *pgconn.PgConn) error {
	ctx, cancel := context.WithTimeout(ctx, s.cfg.patience())
	defer cancel()
	lag, _, err := lagOf(ctx, conn)
	if err != nil {
		return err
	}
	if behind := lag > lagLimit; behind != s.behind {
		s.behind = behind
		if behind {
			s.log.Warn("the server is a replica that is behind: changes are seen so much later", slog.Duration("lag", lag.Round(time.Second)))
		} else {
			s.log.Info("the replica is behind no more")
		}
	}
	return nil
}

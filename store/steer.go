package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
)

// ErrSteered says that a job may not be planned now: it was paused or stopped.
var ErrSteered = errors.New("the job was paused or stopped")

const (
	// pausedOwners are those whose renders rest, unless others want them.
	pausedOwners = `(SELECT 'job/' || id FROM jobs WHERE status = 'paused')`

	// putAside is the state of a render that is put back.
	putAside = `CASE WHEN owner IN ` + pausedOwners + ` THEN 'held' ELSE 'waiting' END`

	// steerSize is how many rows or renders are moved in one commit: so few that
	// others do not wait for long.
	steerSize = 1000
)

// CancelJob ends the rows of a job that have not ended, and drops the renders
// that nobody else wants. What is finished stays.
func (s *Store) CancelJob(ctx context.Context, id string) (batch.Job, error) {
	j, err := s.move(ctx, id, batch.MoveCancel, func(ctx context.Context, t *tx, j batch.Job) error {
		return t.stopJob(ctx, j.ID, batch.Stop{Status: batch.Cancelled, Message: "the job was cancelled before the row was done"})
	})
	return j, wrap(err, "cancel job %s", id)
}

// PauseJob stops the planning and the renders of a job until ResumeJob. What is
// being drawn is finished, and what others want as well.
func (s *Store) PauseJob(ctx context.Context, id string) (batch.Job, error) {
	j, err := s.move(ctx, id, batch.MovePause, func(ctx context.Context, t *tx, j batch.Job) error {
		_, err := t.exec(ctx, `UPDATE jobs SET status = 'paused', paused_at = $2, steering = 1 WHERE id = $1`, j.ID, millis(t.now))
		return err
	})
	return j, wrap(err, "pause job %s", id)
}

// ResumeJob lets a paused job go on.
func (s *Store) ResumeJob(ctx context.Context, id string) (batch.Job, error) {
	j, err := s.move(ctx, id, batch.MoveResume, func(ctx context.Context, t *tx, j batch.Job) error {
		_, err := t.exec(ctx, `UPDATE jobs SET status = CASE WHEN started_at IS NULL THEN 'pending' ELSE 'processing' END, steering = 1,
			idle = idle + CASE WHEN started_at IS NULL THEN 0 ELSE CAST($2 AS BIGINT) - paused_at END, paused_at = NULL WHERE id = $1`, j.ID, millis(t.now))
		return err
	})
	return j, wrap(err, "resume job %s", id)
}

// move does m to a job if its state allows it, and brings its rows and renders
// in line. It is durable as soon as the state is: what a dead process left to do
// is done by the job's next turn.
func (s *Store) move(ctx context.Context, id string, m batch.Move, do func(ctx context.Context, t *tx, j batch.Job) error) (batch.Job, error) {
	ctx = context.WithoutCancel(ctx) // a caller who goes away leaves nothing half done
	id = clean(id)
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		j, err := t.lockJob(ctx, id)
		if err != nil {
			return err
		}
		if err := j.May(m); err != nil {
			return err
		}
		if err := do(ctx, t, j); err != nil {
			return err
		}
		return t.addPlanTurn(ctx, id)
	})
	if err != nil {
		return batch.Job{}, err
	}
	s.crash("job.moved")
	if err := s.SteerJob(ctx, id); err != nil {
		return batch.Job{}, err
	}
	return s.Job(ctx, id)
}

func (t *tx) lockJob(ctx context.Context, id string) (batch.Job, error) {
	j, err := scanJob(t.row(ctx, `SELECT `+jobColumns+` FROM jobs WHERE id = $1 FOR UPDATE`, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return j, t.noJob(ctx, id)
	}
	return j, err
}

// EndPlan ends a plan turn that has nothing to plan.
func (s *Store) EndPlan(ctx context.Context, turn Turn) error {
	return wrap(s.write(ctx, func(ctx context.Context, t *tx) error { return t.complete(ctx, turn) }), "end the turn of job %s", turn.Job)
}

// mayPlan is ErrSteered where rows of the job must not be planned. It is asked
// before its rows are written, and again when the job's line is: in between
// nothing of the job is locked, so that others may count its rows.
func (t *tx) mayPlan(ctx context.Context, id string) error {
	var paused, stopped int64
	err := t.row(ctx, `SELECT CASE WHEN status = 'paused' THEN 1 ELSE 0 END, CASE WHEN stopped = '' THEN 0 ELSE 1 END FROM jobs WHERE id = $1`, id).
		Scan(&paused, &stopped)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err == nil && (paused == 1 || stopped == 1 && !t.stopping[id]) {
		return ErrSteered
	}
	return err
}

// SteerJob brings the rows and renders of a job in line with its state, page by
// page. Where they are, it does nothing.
func (s *Store) SteerJob(ctx context.Context, id string) error {
	for {
		var done bool
		if err := s.write(ctx, func(ctx context.Context, t *tx) (err error) {
			done, err = t.steerPage(ctx, id)
			return err
		}); err != nil {
			return wrap(err, "steer job %s", id)
		}
		if done {
			return nil
		}
		s.crash("job.steered")
	}
}

// steerPage does one page. done says that it was the last one.
func (t *tx) steerPage(ctx context.Context, id string) (done bool, err error) {
	j, err := scanJob(t.row(ctx, `SELECT `+jobColumns+` FROM jobs WHERE id = $1`, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	var moved int
	switch {
	case j.Status.Ended():
	case j.Stop != nil:
		if moved, err = t.stopRows(ctx, j); err == nil && moved == 0 {
			err = t.endStopped(ctx, j)
		}
	case j.Status == batch.Paused:
		moved, err = t.holdRenders(ctx, j)
	default:
		moved, err = t.freeRenders(ctx, j)
	}
	if err != nil || moved > 0 {
		return false, err
	}
	// Where somebody has moved the job meanwhile, there is more to do.
	n, err := t.exec(ctx, `UPDATE jobs SET steering = 0 WHERE id = $1 AND CASE WHEN status = 'paused' THEN 1 ELSE 0 END = $2
		AND CASE WHEN stopped = '' THEN 0 ELSE 1 END = $3`, id, flag(j.Status == batch.Paused), flag(j.Stop != nil))
	return n > 0, err
}

// holdRenders takes renders of a paused job out of the queue, but for those that
// others want.
func (t *tx) holdRenders(ctx context.Context, j batch.Job) (moved int, err error) {
	owner := bindings.JobOwner(j.ID)
	waiting, err := collect(ctx, t.reader, `SELECT fingerprint FROM renders WHERE state = 'waiting' AND priority = $1 AND owner = $2
		ORDER BY created_at, place, fingerprint LIMIT $3 FOR UPDATE`, []any{j.Priority.OfRenders(), string(owner), steerSize}, text1)
	if err != nil {
		return 0, err
	}
	drawn, err := collect(ctx, t.reader, `SELECT fingerprint FROM renders WHERE state = 'claimed' AND owner = $1
		UNION ALL SELECT fingerprint FROM renders WHERE state = 'resting' AND owner = $1`, []any{string(owner)}, text1)
	if err != nil {
		return 0, err
	}
	if err := t.handOver(ctx, owner, append(drawn, waiting...)); err != nil {
		return 0, err
	}
	_, err = t.exec(ctx, `UPDATE renders SET state = 'held' WHERE fingerprint IN list($1) AND owner = $2 AND state = 'waiting'`, list(waiting), string(owner))
	return len(waiting), err
}

// handOver gives renders of an owner to another one who waits for them too, and
// who is not paused.
func (t *tx) handOver(ctx context.Context, owner bindings.Owner, fingerprints []string) error {
	var given [][]any
	if err := pages(fingerprints, pageSize, func(page []string) error {
		return t.each(ctx, `SELECT g.fingerprint, g.owner, COALESCE(min(j.priority), '') FROM images AS g LEFT JOIN jobs AS j ON j.id = substr(g.owner, 5) AND g.owner LIKE 'job/%'
			WHERE g.fingerprint IN list($1) AND g.state = 'waiting' AND g.owner <> $2 AND g.owner NOT IN `+pausedOwners+`
			GROUP BY g.fingerprint, g.owner ORDER BY g.fingerprint, g.owner`, []any{list(page), string(owner)}, func(scan func(...any) error) error {
			var f, to, priority string
			err := scan(&f, &to, &priority)
			if last := len(given) - 1; last >= 0 && given[last][0] == f {
				return err
			}
			sooner := -1 // as it was
			if bindings.Owner(to).Job() != "" {
				sooner = batch.Priority(priority).OfRenders()
			}
			given = append(given, []any{f, to, sooner})
			return err
		})
	}); err != nil {
		return err
	}
	return pages(given, pageSize, func(page [][]any) error {
		_, err := t.exec(ctx, `UPDATE renders SET owner = e.value->>1,
				priority = CASE WHEN CAST(e.value->>2 AS BIGINT) < 0 THEN priority ELSE CAST(e.value->>2 AS BIGINT) END,
				state = CASE WHEN state = 'held' THEN 'waiting' ELSE state END
			FROM rows($1) AS e WHERE fingerprint = e.value->>0 AND owner = $2 AND state IN ('waiting', 'resting', 'claimed', 'held')`, table(page), string(owner))
		return err
	})
}

// freeRenders puts the renders of a job that goes on back into the queue: its
// own, and those that it wants as well as a job that is still paused.
func (t *tx) freeRenders(ctx context.Context, j batch.Job) (moved int, err error) {
	owner := string(bindings.JobOwner(j.ID))
	held, err := collect(ctx, t.reader, `SELECT fingerprint FROM renders WHERE state = 'held' AND (owner = $1 OR EXISTS (SELECT 1 FROM images AS g
			WHERE g.fingerprint = renders.fingerprint AND g.state = 'waiting' AND g.owner = $1))
		ORDER BY fingerprint LIMIT $2 FOR UPDATE`, []any{owner, steerSize}, text1)
	if err != nil || len(held) == 0 {
		return 0, err
	}
	t.wantRenders = true
	_, err = t.exec(ctx, `UPDATE renders SET state = 'waiting', owner = $2, priority = $3 WHERE fingerprint IN list($1) AND state = 'held'`,
		list(held), owner, j.Priority.OfRenders())
	return len(held), err
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Why a job is gone. They are slugs as well.
const (
	JobExpired = "job_expired"
	JobDeleted = "job_deleted"
)

// jobsDue are jobs that ended so long ago, have nobody to tell any more, and whose
// images no experiment shows that goes on.
const jobsDue = `SELECT id FROM jobs AS j WHERE completed_at IS NOT NULL AND completed_at <= $1 AND NOT EXISTS (SELECT 1 FROM deliveries AS d
	WHERE d.sink IN ('job:' || j.id, 'rows:' || j.id) AND d.owner = 'job/' || j.id AND d.state IN ('waiting', 'claimed'))
	AND NOT ` + placedJob + ` ORDER BY completed_at LIMIT $2`

// ExpireJobs ends the keeping of jobs that ended at before or earlier and whose
// webhook has gone out. They are gone at once; EmptyJobs removes what they leave.
func (s *Store) ExpireJobs(ctx context.Context, before time.Time) (expired int, err error) {
	for {
		due, err := collect(ctx, s.reader(), jobsDue, []any{millis(before), 100}, text1)
		if err != nil || len(due) == 0 {
			return expired, wrap(err, "look for jobs that are kept no longer")
		}
		err = s.write(ctx, func(ctx context.Context, t *tx) error { return t.endJobs(ctx, due, JobExpired) })
		if err != nil {
			return expired, wrap(err, "expire jobs")
		}
		s.crash("jobs.expired")
		expired += len(due)
	}
}

// endJobs makes jobs gone.
func (t *tx) endJobs(ctx context.Context, ids []string, reason string) error {
	ended, err := collect(ctx, t.reader, `DELETE FROM jobs WHERE id IN list($1) AND completed_at IS NOT NULL RETURNING id`, []any{list(ids)}, text1)
	if err != nil || len(ended) == 0 {
		return err
	}
	_, err = t.exec(ctx, `INSERT INTO gone_jobs (id, reason, gone_at) SELECT e.value, CAST($2 AS TEXT), CAST($3 AS BIGINT) FROM texts($1) AS e WHERE true
		ON CONFLICT (id) DO NOTHING`, list(ended), reason, millis(t.now))
	return err
}

// EmptyJobs removes the rows, items, images and deliveries of jobs that are
// gone, a page in a transaction. What was killed half way is gone on with. Bytes
// and renders of jobs that a person deleted go with them, as far as nobody else
// shows them; those of the others are left to the sweep.
func (s *Store) EmptyJobs(ctx context.Context) (rows int64, err error) {
	for {
		ids, err := collect(ctx, s.reader(), `SELECT id FROM gone_jobs WHERE emptied = 0 ORDER BY id LIMIT 100`, nil, text1)
		if err != nil || len(ids) == 0 {
			return rows, wrap(err, "look for rows of jobs that are gone")
		}
		for _, id := range ids {
			n, err := s.emptyJob(ctx, id)
			rows += n.Rows
			if err != nil {
				return rows, err
			}
		}
	}
}

// emptyPage is how many rows of a job are removed in one commit: so few that no
// writer waits long.
const emptyPage = 200

func (s *Store) emptyJob(ctx context.Context, id string) (total Erased, err error) {
	for more := true; more; {
		var page Erased
		err := s.write(ctx, func(ctx context.Context, t *tx) error {
			page = Erased{}
			more, err = t.emptyJobPage(ctx, id, &page)
			return err
		})
		if err != nil {
			return total, wrap(err, "remove the rows of job %s", id)
		}
		s.crash("job.emptied")
		total.Add(page)
	}
	return total, nil
}

// emptyJobPage removes the rows of lowest index.
func (t *tx) emptyJobPage(ctx context.Context, id string, count *Erased) (more bool, err error) {
	owner := string(bindings.JobOwner(id))
	var reason string
	err = t.row(ctx, `SELECT reason FROM gone_jobs WHERE id = $1`, id).Scan(&reason)
	if err != nil {
		return false, err
	}
	if reason == JobDeleted {
		if err := t.noteErasure(ctx); err != nil {
			return false, err
		}
	}
	var upTo sql.NullInt64
	if err := t.row(ctx, `SELECT max(idx) FROM (SELECT idx FROM job_rows WHERE job = $1 ORDER BY idx LIMIT $2) AS r`, id, emptyPage).Scan(&upTo); err != nil {
		return false, err
	}
	if !upTo.Valid { // rows go first when a store is opened; the rest has the same indexes
		if err := t.row(ctx, `SELECT max(idx) FROM (SELECT idx FROM items WHERE owner = $1 ORDER BY idx LIMIT $2) AS i`, owner, emptyPage).Scan(&upTo); err != nil {
			return false, err
		}
	}
	if !upTo.Valid {
		return t.endEmptying(ctx, id, owner, count)
	}
	e := erasure{where: `owner = $1 AND idx <= $2`, args: []any{owner, upTo.Int64}}
	if err := t.erase(ctx, e, reason == JobDeleted, count); err != nil {
		return false, err
	}
	n, err := t.exec(ctx, `DELETE FROM job_rows WHERE job = $1 AND idx <= $2`, id, upTo.Int64)
	count.Rows += n
	return true, err
}

// endEmptying removes deliveries and how their sinks fared, and when none is left
// ends the emptying.
func (t *tx) endEmptying(ctx context.Context, id, owner string, count *Erased) (more bool, err error) {
	gone, err := t.dropDeliveries(ctx, `id IN (SELECT id FROM deliveries WHERE owner = $1 LIMIT $2)`, owner, pageSize)
	count.Deliveries += int64(len(gone))
	if err != nil || len(gone) == pageSize {
		return true, err
	}
	if _, err := t.exec(ctx, `DELETE FROM sink_states WHERE sink IN list($1)`, list(hooksOf(id))); err != nil {
		return false, err
	}
	_, err = t.exec(ctx, `UPDATE gone_jobs SET emptied = 1 WHERE id = $1`, id)
	return false, err
}

// hooksOf are the sinks of a job: that of its end, and that of its rows.
func hooksOf(job string) []string { return []string{"job:" + job, "rows:" + job} }

// ForgetJobs ends the memory of jobs that went at before or earlier.
func (s *Store) ForgetJobs(ctx context.Context, before time.Time) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `DELETE FROM gone_jobs WHERE gone_at <= $1 AND emptied = 1`, millis(before))
		return err
	})
	return wrap(err, "forget jobs that are gone")
}

// noJob is the problem of a job that there is not, or not any more.
func (r reader) noJob(ctx context.Context, id string) error {
	var reason string
	var at int64
	err := r.row(ctx, `SELECT reason, gone_at FROM gone_jobs WHERE id = $1`, clean(id)).Scan(&reason, &at)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return problem.New(problem.NotFound, "there is no job %q", id).WithSlug("job_not_found")
	case err != nil:
		return wrap(err, "look for job %s", id)
	}
	on := time.UnixMilli(at).UTC().Format(time.DateOnly)
	if reason == JobDeleted {
		return problem.New(problem.NotFound, "the job %q was deleted on %s", id, on).WithSlug(reason)
	}
	return problem.New(problem.NotFound, "the job %q is kept no longer; its results went on %s", id, on).WithSlug(reason).
		WithHint("keep.results in the configuration says for how long; send the batch again, and pictures that are still there are not made again")
}

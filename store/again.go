package store

import (
	"context"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/sink"
)

// RetryJob has the failed rows of a job that has ended planned and drawn again,
// and those that were never planned because it was stopped. The job ends once
// more, and tells so.
func (s *Store) RetryJob(ctx context.Context, id string) (batch.Job, error) {
	j, err := s.move(ctx, id, batch.MoveRetry, func(ctx context.Context, t *tx, j batch.Job) error {
		owner := string(bindings.JobOwner(j.ID))
		var failed int64
		if err := t.row(ctx, `SELECT count(*) FROM items WHERE owner = $1 AND state = 'failed'`, owner).Scan(&failed); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE jobs SET status = 'processing', run = run + 1, failed = $2, retrying = $2, retry_after = -1, before_run = succeeded,
				unplanned = 1, stopped = '', started_at = $3, completed_at = NULL, paused_at = NULL, idle = 0
			WHERE id = $1`, j.ID, failed, millis(t.now)); err != nil {
			return err
		}
		// Whoever has not heard of the end before hears of the next one.
		n, err := collect(ctx, t.reader, `UPDATE deliveries SET state = 'superseded', ended_at = $2
			WHERE owner = $1 AND key IN ('', '`+wholeKey+`') AND event <> $3 AND event <> $4 AND state = 'waiting' RETURNING sink`,
			[]any{owner, millis(t.now), sink.RenderCompleted, sink.RenderFailed}, text1)
		for _, name := range n {
			t.counted(name).superseded++
		}
		return err
	})
	return j, wrap(err, "retry job %s", id)
}

// RetriedRows are the next failed rows of a job that it has still to plan again,
// by index; none is left where there are fewer than limit.
func (s *Store) RetriedRows(ctx context.Context, job string, limit int) ([]batch.Row, error) {
	rows, err := collect(ctx, s.reader(), `SELECT r.idx, r.key, r.data, r.error FROM items AS i CROSS JOIN job_rows AS r
		WHERE i.owner = $2 AND i.state = 'failed' AND i.idx > (SELECT retry_after FROM jobs WHERE id = $1)
			AND r.job = $1 AND r.idx = i.idx
		ORDER BY i.idx LIMIT $3`, []any{job, string(bindings.JobOwner(job)), limit}, scanJobRow)
	return rows, wrap(err, "read the failed rows of job %s", job)
}

// RetryRows makes what RetriedRows gave wanted anew. With end they were the last
// ones. A job that may not be planned now is ErrSteered.
func (s *Store) RetryRows(ctx context.Context, job string, proposals []bindings.Proposal, end bool) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		if err := t.mayPlan(ctx, job); err != nil {
			return err
		}
		again, err := t.reopenRows(ctx, proposals)
		if err != nil {
			return err
		}
		if _, err = t.promote(ctx, proposals); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE jobs SET failed = failed - $2, retrying = CASE WHEN $3 = 1 THEN 0 ELSE retrying - $2 END,
			retry_after = CASE WHEN $4 < 0 THEN retry_after ELSE $4 END WHERE id = $1`, job, again, flag(end), lastIndex(proposals)); err != nil {
			return err
		}
		return t.mayPlan(ctx, job)
	})
	return wrap(err, "plan the failed rows of job %s again", job)
}

func lastIndex(proposals []bindings.Proposal) int64 {
	if len(proposals) == 0 {
		return -1
	}
	return proposals[len(proposals)-1].Index
}

// reopenRows makes failed items such that wanting the same again is a change,
// and counts them. One that had another key, because nobody could read its own,
// goes.
func (t *tx) reopenRows(ctx context.Context, proposals []bindings.Proposal) (reopened int64, err error) {
	err = pages(proposals, pageSize, func(page []bindings.Proposal) error {
		rows := make([][]any, len(page))
		for i, p := range page {
			rows[i] = idOf(p).cells()
		}
		text := table(rows)
		same, err := t.exec(ctx, `UPDATE items SET digest = '' FROM rows($1) AS e WHERE items.owner = e.value->>0
			AND items.idx = CAST(e.value->>1 AS BIGINT) AND items.key = e.value->>2 AND state = 'failed'`, text)
		if err != nil {
			return err
		}
		var gone int64
		for _, table := range []string{"images", "items"} {
			if gone, err = t.exec(ctx, `DELETE FROM `+table+` WHERE (owner, idx) IN (SELECT e.value->>0, CAST(e.value->>1 AS BIGINT) FROM rows($1) AS e)
				AND (owner, idx, key) NOT IN (SELECT e.value->>0, CAST(e.value->>1 AS BIGINT), e.value->>2 FROM rows($1) AS e)`, text); err != nil {
				return err
			}
		}
		reopened += same + gone
		return nil
	})
	return reopened, err
}

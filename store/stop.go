package store

import (
	"context"
	"fmt"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
)

// tooManyErrors stops a job that allows so many failed rows.
func tooManyErrors(limit int64) batch.Stop {
	return batch.Stop{Status: batch.Failed, Message: fmt.Sprintf("the job was stopped before the row was done: more than %d rows failed, which is its maxErrors", limit)}
}

// stopJob has the rows of a job end that have not, in a turn of its own.
func (t *tx) stopJob(ctx context.Context, id string, why batch.Stop) error {
	if _, err := t.exec(ctx, `UPDATE jobs SET stopped = $2, steering = 1, paused_at = NULL,
			status = CASE WHEN started_at IS NULL THEN 'pending' ELSE 'processing' END
		WHERE id = $1 AND stopped = '' AND completed_at IS NULL`, id, encode(why)); err != nil {
		return err
	}
	t.stopping[id] = true
	return t.addPlanTurn(ctx, id)
}

// stopRows ends a page of the rows that wait, and drops their renders where
// nobody else wants them.
func (t *tx) stopRows(ctx context.Context, j batch.Job) (ended int, err error) {
	owner := bindings.JobOwner(j.ID)
	rows, err := collect(ctx, t.reader, `SELECT idx FROM items WHERE owner = $1 AND state = 'waiting' ORDER BY idx LIMIT $2`,
		[]any{string(owner), steerSize}, func(scan func(...any) error) (idx int64, err error) { return idx, scan(&idx) })
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	first, last := rows[0], rows[len(rows)-1]
	wanted, err := collect(ctx, t.reader, `SELECT DISTINCT fingerprint FROM images
		WHERE owner = $1 AND idx BETWEEN $2 AND $3 AND state = 'waiting' ORDER BY fingerprint`, []any{string(owner), first, last}, text1)
	if err != nil {
		return 0, err
	}
	if err := t.lockRenders(ctx, wanted); err != nil {
		return 0, err
	}
	why := problemText(cancelled(*j.Stop))
	n, err := t.exec(ctx, `UPDATE items SET state = 'failed', problem = $4, failures = failures + pending, pending = 0
		WHERE owner = $1 AND idx BETWEEN $2 AND $3 AND state = 'waiting'`, string(owner), first, last, why)
	if err != nil {
		return 0, err
	}
	if _, err := t.exec(ctx, `UPDATE images SET state = 'failed', problem = $4
		WHERE owner = $1 AND idx BETWEEN $2 AND $3 AND state = 'waiting'`, string(owner), first, last, why); err != nil {
		return 0, err
	}
	if err := t.leave(ctx, owner, wanted); err != nil {
		return 0, err
	}
	return len(rows), t.count(ctx, j.ID, 0, n)
}

// lockRenders locks renders before what hangs on them is written. SQLite has one
// writer and needs none of it.
func (t *tx) lockRenders(ctx context.Context, fingerprints []string) error {
	if !t.dialect.postgres {
		return nil
	}
	return pages(fingerprints, pageSize, func(page []string) error {
		_, err := t.exec(ctx, `SELECT 1 FROM renders WHERE fingerprint IN list($1) ORDER BY fingerprint FOR UPDATE`, list(page))
		return err
	})
}

// leave drops the renders that nobody waits for any more, and hands the others
// of owner over to those who do.
func (t *tx) leave(ctx context.Context, owner bindings.Owner, fingerprints []string) error {
	if err := pages(fingerprints, pageSize, func(page []string) error {
		_, err := t.exec(ctx, `DELETE FROM renders WHERE fingerprint IN list($1) AND state IN ('waiting', 'resting', 'held') AND hash = ''
			AND NOT EXISTS (SELECT 1 FROM images AS g WHERE g.fingerprint = renders.fingerprint AND g.state = 'waiting')`, list(page))
		return err
	}); err != nil {
		return err
	}
	if err := t.handOver(ctx, owner, fingerprints); err != nil {
		return err
	}
	t.wantRenders = true
	// What is left is wanted by paused jobs only: it rests under one of them.
	return pages(fingerprints, pageSize, func(page []string) error {
		_, err := t.exec(ctx, `UPDATE renders SET state = CASE WHEN state = 'claimed' THEN state ELSE 'held' END,
				owner = (SELECT min(g.owner) FROM images AS g WHERE g.fingerprint = renders.fingerprint AND g.state = 'waiting')
			WHERE fingerprint IN list($1) AND owner = $2 AND state IN ('waiting', 'resting', 'claimed', 'held')
				AND EXISTS (SELECT 1 FROM images AS g WHERE g.fingerprint = renders.fingerprint AND g.state = 'waiting')`, list(page), string(owner))
		return err
	})
}

// endStopped ends a stopped job whose planned rows have all ended: those that
// were never planned end with it.
func (t *tx) endStopped(ctx context.Context, j batch.Job) error {
	n, err := t.exec(ctx, `UPDATE jobs SET failed = total - succeeded, unplanned = 0, retrying = 0 WHERE id = $1 AND completed_at IS NULL`, j.ID)
	if err != nil || n == 0 {
		return err
	}
	return t.endJob(ctx, j.ID)
}

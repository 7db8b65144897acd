package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
)

// Results are how the rows of a job ended whose index comes after after, by
// index. status "completed" and "failed" leave out the others; "" has also the
// rows that have not ended.
func (s *Store) Results(ctx context.Context, job string, after int64, limit int, status string) ([]batch.Result, error) {
	job = clean(job) // it may be what somebody typed
	owner := string(bindings.JobOwner(job))
	results, err := s.bareResults(ctx, job, after, limit, status)
	if err == nil && len(results) > 0 {
		err = s.picture(ctx, owner, results)
	}
	return results, wrap(err, "read results of job %s", job)
}

// bareResults are results without their pictures.
func (s *Store) bareResults(ctx context.Context, job string, after int64, limit int, status string) ([]batch.Result, error) {
	owner := string(bindings.JobOwner(job))
	cut, err := s.cutOff(ctx, job)
	if err != nil {
		return nil, err
	}
	state := stateReady
	switch status {
	case "":
		results, err := collect(ctx, s.reader(), `SELECT r.idx, COALESCE(i.key, r.key), COALESCE(i.state, ''), COALESCE(i.problem, ''), COALESCE(i.assigned, '') FROM job_rows AS r
			LEFT JOIN items AS i ON i.owner = $2 AND i.idx = r.idx
			WHERE r.job = $1 AND r.idx > $3 ORDER BY r.idx LIMIT $4`, []any{job, owner, after, limit}, scanResult)
		cut.end(results)
		return results, err
	case string(batch.Failed):
		state = stateFailed
	}
	results, err := collect(ctx, s.reader(), `SELECT idx, key, state, problem, assigned FROM items
		WHERE owner = $1 AND state = '`+state+`' AND idx > $2 ORDER BY idx LIMIT $3`, []any{owner, after, limit}, scanResult)
	if err != nil || state == stateReady || cut.stop == nil || len(results) == limit {
		return results, err
	}
	never, err := collect(ctx, s.reader(), `SELECT idx, key, '', '', '' FROM job_rows WHERE job = $1 AND idx >= $2 AND idx > $3 ORDER BY idx LIMIT $4`,
		[]any{job, cut.planned, after, limit - len(results)}, scanResult)
	cut.end(never)
	return append(results, never...), err
}

// A cutOff is where the planning of a job ended that was stopped: the rows from
// there on have no items, and ended with it.
type cutOff struct {
	planned int64
	stop    *batch.Stop // nil where all rows were planned, or will be
}

func (s *Store) cutOff(ctx context.Context, job string) (c cutOff, err error) {
	var text string
	err = s.reader().row(ctx, `SELECT planned, stopped FROM jobs WHERE id = $1 AND completed_at IS NOT NULL AND stopped <> '' AND planned < total`, job).
		Scan(&c.planned, &text)
	if errors.Is(err, sql.ErrNoRows) {
		return c, nil
	}
	if err != nil {
		return c, err
	}
	c.stop = new(batch.Stop)
	return c, decode(text, c.stop)
}

func (c cutOff) end(results []batch.Result) {
	if c.stop == nil {
		return
	}
	for i, r := range results {
		if r.Index >= c.planned && !r.Done {
			results[i].Done, results[i].Error = true, rowError(cancelled(*c.stop))
		}
	}
}

// cancelled is the problem of a row whose job was stopped.
func cancelled(s batch.Stop) *bindings.Problem {
	return &bindings.Problem{Code: batch.RowCancelled, Message: s.Message}
}

func scanResult(scan func(...any) error) (r batch.Result, err error) {
	var state, text, assigned string
	if err := scan(&r.Index, &r.Key, &state, &text, &assigned); err != nil {
		return r, err
	}
	r.Done = state == stateReady || state == stateFailed
	p, err := problemOf(text)
	r.Error = rowError(p)
	return r, errors.Join(err, decode(assigned, &r.Assigned))
}

// picturesOfJob has the pictures of some rows, with what is known of how each
// was made.
const picturesOfJob = `SELECT g.idx, g.output, g.state, g.problem, g.hash, g.ext, g.format, g.width, g.height, COALESCE(r.layout, ''), COALESCE(r.attempts, 0), COALESCE(r.duration, 0)
	FROM images AS g LEFT JOIN renders AS r ON r.fingerprint = g.fingerprint
	WHERE g.owner = $1 AND g.idx BETWEEN $2 AND $3 AND g.state IN ('ready', 'failed') ORDER BY g.idx, g.place`

// picture adds the pictures of results, and the errors of outputs where the row
// itself has none.
func (s *Store) picture(ctx context.Context, owner string, results []batch.Result) error {
	at := make(map[int64]int, len(results))
	for i, r := range results {
		at[r.Index] = i
	}
	return s.reader().each(ctx, picturesOfJob,
		[]any{owner, results[0].Index, results[len(results)-1].Index}, func(scan func(...any) error) error {
			var idx int64
			var p batch.Picture
			var state, text, fitting string
			var attempts, micros int64
			if err := scan(&idx, &p.Output, &state, &text, &p.Hash, &p.Ext, &p.Format, &p.Width, &p.Height, &fitting, &attempts, &micros); err != nil {
				return err
			}
			if err := decode(fitting, &p.Fitting); err != nil {
				return err
			}
			i, ok := at[idx]
			if !ok || !results[i].Done {
				return nil
			}
			results[i].Attempts = max(results[i].Attempts, attempts)
			results[i].Drawing += time.Duration(micros) * time.Microsecond
			if state == stateReady {
				results[i].Pictures = append(results[i].Pictures, p)
				return nil
			}
			fault, err := problemOf(text)
			if results[i].Error == nil {
				results[i].Error = rowError(fault)
			}
			return err
		})
}

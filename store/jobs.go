package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

const jobColumns = `id, template, version, outputs, row_key, metadata, webhook_url, idempotency_key, body_digest,
	status, total, planned, succeeded, failed, deduped, created_at, started_at, completed_at, priority, max_errors,
	stopped, run, retrying, before_run, paused_at, idle, binding, source, cause, run_for, phase, read_rows, read_tries, note, mapping, experiment`

func scanJob(scan func(...any) error) (j batch.Job, err error) {
	var outputs, metadata, stopped, mapping, test string
	var created, started, completed, paused, runFor sql.NullInt64
	var idle int64
	var o batch.Run
	if err := scan(&j.ID, &j.Template, &j.Version, &outputs, &j.RowKey, &metadata, &j.WebhookURL, &j.IdempotencyKey, &j.BodyDigest,
		&j.Status, &j.Total, &j.Planned, &j.Succeeded, &j.Failed, &j.Deduped, &created, &started, &completed, &j.Priority, &j.MaxErrors,
		&stopped, &j.Run, &j.Retrying, &j.Before, &paused, &idle,
		&o.Binding, &o.Source, &o.Cause, &runFor, &o.Phase, &o.Rows, &o.Tries, &o.Note, &mapping, &test); err != nil {
		return j, err
	}
	if stopped != "" {
		j.Stop = new(batch.Stop)
		if err := decode(stopped, j.Stop); err != nil {
			return j, err
		}
	}
	if metadata != "" {
		j.Metadata = json.RawMessage(metadata)
	}
	j.CreatedAt, j.StartedAt, j.CompletedAt, j.PausedAt = moment(created), moment(started), moment(completed), moment(paused)
	j.Idle = time.Duration(idle) * time.Millisecond
	if o.Cause != "" {
		o.For = moment(runFor)
		j.Origin = &o
	}
	if test != "" {
		j.Test = new(batch.Test)
	}
	return j, errors.Join(decode(outputs, &j.Outputs), decode(mapping, &j.Mapping), decode(test, j.Test))
}

// testText is the experiment of a job as it is kept; "" of none.
func testText(t *batch.Test) string {
	if t == nil {
		return ""
	}
	return encode(t)
}

// mappingText is a mapping as it is kept; "" of none.
func mappingText(mapping map[string]string) string {
	if len(mapping) == 0 {
		return ""
	}
	return encode(mapping)
}

// FindJob is the job that was accepted under an idempotency key.
func (s *Store) FindJob(ctx context.Context, idempotencyKey string) (batch.Job, bool, error) {
	if idempotencyKey == "" {
		return batch.Job{}, false, nil
	}
	j, err := scanJob(s.reader().row(ctx, `SELECT `+jobColumns+` FROM jobs WHERE idempotency_key = $1 AND idempotency_key <> ''`, clean(idempotencyKey)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return j, false, nil
	}
	return j, err == nil, wrap(err, "find a job by its idempotency key")
}

// stagePage is how many rows are staged in one commit: enough that the commit
// does not count, not so many that other writers wait for long.
const stagePage = 1000

// StageRows keeps rows of a job that does not exist yet. Without AcceptJob they
// are swept when the store is next opened.
func (s *Store) StageRows(ctx context.Context, job string, rows []batch.Row) error {
	err := pages(rows, stagePage, func(page []batch.Row) error {
		var cells [][]any
		for _, r := range page {
			fault := ""
			if r.Error != nil {
				fault = encode(r.Error)
			}
			cells = append(cells, []any{r.Index, r.Key, string(r.Values), fault})
		}
		text := table(cells)
		defer s.crash("rows.staged")
		return s.write(ctx, func(ctx context.Context, t *tx) error {
			_, err := t.exec(ctx, `INSERT INTO job_rows (job, idx, key, data, error)
				SELECT CAST($2 AS TEXT), CAST(e.value->>0 AS BIGINT), e.value->>1, e.value->>2, e.value->>3 FROM rows($1) AS e`, text, job)
			return err
		})
	})
	return wrap(err, "stage rows of job %s", job)
}

// DiscardRows drops staged rows whose job was not accepted.
func (s *Store) DiscardRows(ctx context.Context, job string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `DELETE FROM job_rows WHERE job = $1 AND NOT EXISTS (SELECT 1 FROM jobs WHERE id = $1)`, job)
		return err
	})
	return wrap(err, "discard rows of job %s", job)
}

// sweepStaged drops what was staged by a process that died before the job was
// accepted.
func (s *Store) sweepStaged(ctx context.Context) error {
	var some int64
	const staged = `FROM job_rows WHERE job NOT IN (SELECT id FROM jobs)`
	err := s.reader().row(ctx, `SELECT count(*) FROM (SELECT 1 `+staged+` LIMIT 1) AS r`).Scan(&some)
	if err == nil && some > 0 {
		err = s.write(ctx, func(ctx context.Context, t *tx) error {
			_, err := t.exec(ctx, `DELETE `+staged)
			return err
		})
	}
	return wrap(err, "sweep staged rows")
}

// AcceptJob makes the job exist, with the turn that plans its rows. A job under
// the same idempotency key is a problem of code Conflict.
func (s *Store) AcceptJob(ctx context.Context, j batch.Job) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		created := j.CreatedAt
		if created.IsZero() {
			created = t.now
		}
		status := j.Status
		if status == "" {
			status = batch.Pending
		}
		n, err := t.exec(ctx, `INSERT INTO jobs (id, template, version, outputs, row_key, metadata, webhook_url, idempotency_key, body_digest,
				status, unplanned, total, created_at, priority, max_errors, mapping, experiment) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $12, $13, $14, $15, $16)
			ON CONFLICT (idempotency_key) WHERE idempotency_key <> '' DO NOTHING`,
			j.ID, j.Template, j.Version, encode(j.Outputs), j.RowKey, clean(string(j.Metadata)), j.WebhookURL, clean(j.IdempotencyKey), j.BodyDigest,
			string(status), j.Total, millis(created), string(j.Priority), j.MaxErrors, mappingText(j.Mapping), testText(j.Test))
		if err != nil {
			return err
		}
		if n == 0 {
			return problem.New(problem.Conflict, "a job was accepted under the same Idempotency-Key").WithSlug("idempotency_key_used").
				WithHint("ask for that job, or send another key")
		}
		if err := t.spend(ctx, j.Charge); err != nil {
			return err
		}
		if err := t.keepEvents(ctx, j.ID, j.WebhookEvents); err != nil {
			return err
		}
		return t.addPlanTurn(ctx, j.ID)
	})
	if err == nil {
		s.crash("job.accepted")
	}
	return wrap(err, "accept job %s", j.ID)
}

// UnplannedRows are the next rows of a job that were not planned yet, by index.
func (s *Store) UnplannedRows(ctx context.Context, job string, limit int) ([]batch.Row, error) {
	rows, err := collect(ctx, s.reader(), `SELECT idx, key, data, error FROM job_rows WHERE job = $1
		AND idx >= (SELECT planned FROM jobs WHERE id = $1) ORDER BY idx LIMIT $2`, []any{job, limit}, scanJobRow)
	return rows, wrap(err, "read rows of job %s", job)
}

func scanJobRow(scan func(...any) error) (r batch.Row, err error) {
	var data, fault string
	if err := scan(&r.Index, &r.Key, &data, &fault); err != nil {
		return r, err
	}
	if data != "" {
		r.Values = []byte(data)
	}
	if fault != "" {
		r.Error = new(batch.RowError)
	}
	return r, decode(fault, r.Error)
}

// PlanRows makes the renders of a page of rows wanted; planned is how many rows
// of the job are planned then. With end all are, and the turn is over. A job
// that may not be planned now is ErrSteered, and nothing is planned.
func (s *Store) PlanRows(ctx context.Context, turn Turn, job string, proposals []bindings.Proposal, planned int64, end bool) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		if err := t.mayPlan(ctx, job); err != nil {
			return err
		}
		since, err := t.askedAt(ctx, job)
		if err != nil {
			return err
		}
		deduped, err := t.planJobRows(ctx, proposals, since)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE jobs SET planned = $2, deduped = deduped + $3, unplanned = $4 WHERE id = $1`,
			job, planned, deduped, flag(!end)); err != nil {
			return err
		}
		if err := t.mayPlan(ctx, job); err != nil {
			return err
		}
		if !end {
			return nil
		}
		if err := t.count(ctx, job, 0, 0); err != nil { // a job without rows ends here
			return err
		}
		return t.complete(ctx, turn)
	})
	return wrap(err, "plan rows of job %s", job)
}

// planJobRows promotes proposals and counts the rows of which every picture was
// there, or asked for, already before that moment.
func (t *tx) planJobRows(ctx context.Context, proposals []bindings.Proposal, before int64) (deduped int64, err error) {
	var fingerprints []string
	for _, p := range proposals {
		for _, w := range p.Wants {
			fingerprints = append(fingerprints, w.Fingerprint)
		}
	}
	known, err := knownRenders(ctx, t.reader, fingerprints, before)
	if err != nil {
		return 0, err
	}
	for _, p := range proposals {
		own := len(p.Wants) == 0
		for _, w := range p.Wants {
			own = own || !known[w.Fingerprint]
			known[w.Fingerprint] = true
		}
		if !own {
			deduped++
		}
	}
	_, err = t.promote(ctx, proposals)
	return deduped, err
}

// knownRenders says which of the pictures are there, or asked for, since before
// that moment: of those with an entry, true unless another try may make what a
// first one could not.
func knownRenders(ctx context.Context, r reader, fingerprints []string, before int64) (map[string]bool, error) {
	known := make(map[string]bool, len(fingerprints))
	err := pages(fingerprints, pageSize, func(page []string) error {
		return r.each(ctx, `SELECT fingerprint, state, problem FROM renders WHERE fingerprint IN list($1) AND created_at < $2`, []any{list(page), before},
			func(scan func(...any) error) error {
				var f, state, text string
				if err := scan(&f, &state, &text); err != nil {
					return err
				}
				p, err := problemOf(text)
				known[f] = state != stateFailed || p == nil || !retryable(p.Code)
				return err
			})
	})
	return known, err
}

// startJob notes the moment of a job's first render.
func (t *tx) startJob(ctx context.Context, o bindings.Owner) error {
	if o.Job() == "" {
		return nil
	}
	_, err := t.exec(ctx, `UPDATE jobs SET started_at = $2, status = CASE WHEN status = 'pending' THEN 'processing' ELSE status END
		WHERE id = $1 AND started_at IS NULL AND completed_at IS NULL`, o.Job(), millis(t.now))
	return err
}

// A tally is what the end of rows says about their job.
type tally struct {
	total, succeeded, failed, unplanned, retrying, maxErrors int64
	stopped                                                  string
	completed                                                sql.NullInt64
}

// count adds ended rows to a job. The last one ends it; one failure too many
// stops it.
func (t *tx) count(ctx context.Context, job string, succeeded, failed int64) error {
	var n tally
	err := t.row(ctx, `UPDATE jobs SET succeeded = succeeded + $2, failed = failed + $3,
			started_at = CASE WHEN started_at IS NULL AND CAST($2 AS BIGINT) + CAST($3 AS BIGINT) > 0 THEN CAST($4 AS BIGINT) ELSE started_at END,
			status = CASE WHEN status = 'pending' AND CAST($2 AS BIGINT) + CAST($3 AS BIGINT) > 0 THEN 'processing' ELSE status END
		WHERE id = $1 RETURNING total, succeeded, failed, unplanned, retrying, max_errors, stopped, completed_at`,
		job, succeeded, failed, millis(t.now)).
		Scan(&n.total, &n.succeeded, &n.failed, &n.unplanned, &n.retrying, &n.maxErrors, &n.stopped, &n.completed)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil || n.completed.Valid:
		return err
	case n.unplanned == 0 && n.succeeded+n.failed >= n.total:
		return t.endJob(ctx, job)
	case n.tooManyErrors() && n.stopped == "":
		return t.stopJob(ctx, job, tooManyErrors(n.maxErrors))
	}
	return nil
}

func (n tally) tooManyErrors() bool { return n.maxErrors > 0 && n.failed-n.retrying > n.maxErrors }

// endJob ends a job whose rows have all ended, with one delivery if somebody
// asked for it.
func (t *tx) endJob(ctx context.Context, id string) error {
	j, err := scanJob(t.row(ctx, `SELECT `+jobColumns+` FROM jobs WHERE id = $1`, id).Scan)
	if err != nil {
		return err
	}
	status := batch.Final(j.Succeeded, j.Failed)
	switch {
	case j.Stop != nil:
		status = j.Stop.Status
	case j.MaxErrors > 0 && j.Failed > j.MaxErrors:
		status = batch.Failed
	}
	if _, err := t.exec(ctx, `UPDATE jobs SET status = $2, completed_at = $3, paused_at = NULL WHERE id = $1`,
		id, string(status), millis(t.now)); err != nil {
		return err
	}
	if err := t.endRun(ctx, j); err != nil {
		return err
	}
	if err := t.tellEnd(ctx, j, status); err != nil || j.WebhookURL == "" {
		return err
	}
	if wanted, err := t.wants(ctx, id, sink.BatchCompleted); err != nil || !wanted {
		return err
	}
	name, owner := hookOf(id), bindings.JobOwner(id)
	t.wantSinks[name] = true
	return t.insertDeliveries(ctx, [][]any{{deliveryID(name, owner, "", j.Run), name, string(owner), "", j.Run, sink.BatchCompleted, "", "", ""}})
}

// hookOf is the sink of a job's completion.
func hookOf(job string) string { return "job:" + job }

// Job is a job. A missing one is a problem of code NotFound.
func (s *Store) Job(ctx context.Context, id string) (batch.Job, error) {
	j, err := scanJob(s.reader().row(ctx, `SELECT `+jobColumns+` FROM jobs WHERE id = $1`, clean(id)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return j, s.reader().noJob(ctx, id)
	}
	return j, wrap(err, "read job %s", id)
}

// Jobs are the newest jobs.
func (s *Store) Jobs(ctx context.Context, limit int) ([]batch.Job, error) {
	return s.FindJobs(ctx, batch.JobFilter{}, limit)
}

// FindJobs are the newest jobs that f takes.
func (s *Store) FindJobs(ctx context.Context, f batch.JobFilter, limit int) ([]batch.Job, error) {
	before := batch.JobPlace{CreatedAt: time.UnixMilli(1 << 52)}
	if f.Before != nil {
		before = *f.Before
	}
	all, err := collect(ctx, s.reader(), `SELECT `+jobColumns+` FROM jobs WHERE created_at <= $1 AND (created_at < $1 OR id < $2)
			AND ($3 = '' OR status = $3) AND ($4 = '' OR template = $4)
			AND ($6 = '' OR binding = $6) AND ($7 = '' OR CASE WHEN cause = '' THEN 'batch' ELSE 'run' END = $7)
		ORDER BY created_at DESC, id DESC LIMIT $5`, []any{millis(before.CreatedAt), clean(before.ID), string(f.Status), clean(f.Template), limit, clean(f.Binding), f.Kind}, scanJob)
	return all, wrap(err, "list jobs")
}

// JobRow is the row of a job with that key, as sent, and what became of it. One
// that is unknown, or not planned yet where a variable names the rows, is a
// problem of code NotFound.
func (s *Store) JobRow(ctx context.Context, job, key string) (row batch.Row, r batch.Result, err error) {
	index, err := s.indexOf(ctx, clean(job), clean(key))
	if errors.Is(err, sql.ErrNoRows) {
		return row, r, problem.New(problem.NotFound, "job %s has no row %q", job, key).WithSlug("row_not_found").
			WithHint("rows that a variable names are known by it when they are planned")
	}
	if err != nil {
		return row, r, wrap(err, "look for row %q of job %s", key, job)
	}
	if row, err = scanJobRow(s.reader().row(ctx, `SELECT idx, key, data, error FROM job_rows WHERE job = $1 AND idx = $2`, clean(job), index).Scan); err != nil {
		return row, r, wrap(err, "read row %q of job %s", key, job)
	}
	results, err := s.Results(ctx, job, index-1, 1, "")
	if err == nil && len(results) > 0 {
		r = results[0]
	}
	return row, r, err
}

// indexOf is the index of the row with that key: of its item, or where it has
// none yet, of the row as sent.
func (s *Store) indexOf(ctx context.Context, job, key string) (index int64, err error) {
	err = s.reader().row(ctx, `SELECT idx FROM items WHERE owner = $1 AND key = $2 LIMIT 1`, string(bindings.JobOwner(job)), key).Scan(&index)
	if errors.Is(err, sql.ErrNoRows) {
		err = s.reader().row(ctx, `SELECT r.idx FROM job_rows AS r WHERE r.job = $1 AND r.key = $2
			AND r.idx >= (SELECT planned FROM jobs WHERE id = $1) ORDER BY r.idx LIMIT 1`, job, key).Scan(&index)
	}
	return index, err
}

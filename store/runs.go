package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/sink"
)

// dueRun is true of a run j whose source is to be read for it at $1. A scheduled
// one waits until those before it have ended.
const dueRun = `j.phase IN ('waiting', 'reading') AND j.completed_at IS NULL AND j.stopped = '' AND j.status <> 'paused' AND j.read_after <= $1
	AND NOT (j.cause = 'schedule' AND EXISTS (SELECT 1 FROM jobs AS b WHERE b.source = j.source AND b.cause = 'schedule'
		AND b.completed_at IS NULL AND b.run_for < j.run_for))`

// endOfTime is behind every moment of the ledger.
const endOfTime = int64(math.MaxInt64)

// A RunAsk is a run that somebody, or a schedule, wants.
type RunAsk struct {
	Binding, Source, Template string
	Outputs                   []batch.Output
	Test                      *batch.Test // the experiment of the binding; nil of none
	Cause                     batch.Cause
	For                       time.Time
	// Whenever says that the asker named no moment: a run of the same cause that
	// has not begun will do.
	Whenever bool
}

// AskRun makes a run, durably, with the turn that reads for it. One for the same
// moment that has not ended is the same run.
func (s *Store) AskRun(ctx context.Context, a RunAsk) (batch.Job, error) {
	var id string
	err := s.write(ctx, func(ctx context.Context, t *tx) (err error) {
		if err := t.lockSource(ctx, a.Source); err != nil {
			return err
		}
		if id, err = t.openRun(ctx, a); err != nil || id != "" {
			return err
		}
		if id, err = t.addRun(ctx, a); err != nil {
			return err
		}
		return t.addPollTurn(ctx, a.Source)
	})
	if err != nil {
		return batch.Job{}, wrap(err, "ask for a run of %q", a.Binding)
	}
	s.crash("run.asked")
	return s.Job(ctx, id)
}

// lockSource has others wait who decide on runs of the source.
func (t *tx) lockSource(ctx context.Context, source string) error {
	_, err := t.exec(ctx, `INSERT INTO sources (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET wanted = sources.wanted`, source)
	return err
}

// openRun is the id of the run that a asks for again.
func (t *tx) openRun(ctx context.Context, a RunAsk) (id string, err error) {
	err = t.row(ctx, `SELECT id FROM jobs WHERE binding = $1 AND completed_at IS NULL AND stopped = '' AND (($2 = 0 AND run_for = $3)
		OR ($2 = 1 AND phase = 'waiting' AND cause = $4)) ORDER BY created_at LIMIT 1`, a.Binding, flag(a.Whenever), millis(a.For), string(a.Cause)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return id, err
}

func (t *tx) addRun(ctx context.Context, a RunAsk) (id string, err error) {
	id = "run_" + strings.ToLower(rand.Text())
	_, err = t.exec(ctx, `INSERT INTO jobs (id, template, version, outputs, row_key, metadata, webhook_url, idempotency_key, body_digest, status,
			unplanned, total, created_at, binding, source, cause, run_for, phase, experiment)
		VALUES ($1, $2, 0, $3, '', '', '', '', '', 'pending', 0, 0, $4, $5, $6, $7, $8, 'waiting', $9)`,
		id, a.Template, encode(a.Outputs), millis(t.now), a.Binding, a.Source, string(a.Cause), millis(a.For), testText(a.Test))
	return id, err
}

// askedAt is when a run was asked for; the end of time for a batch.
func (t *tx) askedAt(ctx context.Context, job string) (at int64, err error) {
	err = t.row(ctx, `SELECT CASE WHEN cause = '' THEN CAST($2 AS BIGINT) ELSE created_at END FROM jobs WHERE id = $1`, job, endOfTime).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return endOfTime, nil
	}
	return at, err
}

// BeginRuns takes the runs of the turn's source that are to be read for next: all
// of one moment. It names the reading and its place among those of the source, as
// BeginPoll does. What was staged for them before is dropped.
func (s *Store) BeginRuns(ctx context.Context, turn Turn) (runs []batch.Job, reading string, seq int64, err error) {
	var due int64
	if err := s.reader().row(ctx, `SELECT count(*) FROM jobs AS j WHERE j.source = $2 AND `+dueRun, millis(time.Now()), turn.Source).Scan(&due); err != nil || due == 0 {
		return nil, "", 0, wrap(err, "look for runs of %q", turn.Source)
	}
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		runs = nil
		var at int64
		err := t.row(ctx, `SELECT j.run_for FROM jobs AS j WHERE j.source = $2 AND `+dueRun+`
			ORDER BY CASE WHEN j.phase = 'reading' THEN 0 ELSE 1 END, j.created_at, j.id LIMIT 1`, millis(t.now), turn.Source).Scan(&at)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		if runs, err = collect(ctx, t.reader, `SELECT `+jobColumns+` FROM jobs WHERE id IN (SELECT j.id FROM jobs AS j WHERE j.source = $2 AND j.run_for = $3 AND `+dueRun+`)
			ORDER BY id`, []any{millis(t.now), turn.Source, at}, scanJob); err != nil {
			return err
		}
		ids := list(idsOf(runs))
		if _, err := t.exec(ctx, `DELETE FROM job_rows WHERE job IN list($1)`, ids); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE jobs SET phase = 'reading' WHERE id IN list($1)`, ids); err != nil {
			return err
		}
		for _, r := range runs {
			if err := t.registerBinding(ctx, r.Origin.Binding, turn.Source); err != nil {
				return err
			}
			if _, err := t.exec(ctx, `UPDATE bindings SET clock = $2 WHERE name = $1`, r.Origin.Binding, at); err != nil {
				return err
			}
		}
		return t.row(ctx, `UPDATE sources SET seq = seq + 1, begun_by = $2, begun_at = $3 WHERE name = $1 RETURNING seq`, turn.Source, turn.ID, millis(t.now)).Scan(&seq)
	})
	return runs, fmt.Sprintf("%s#%d", turn.Source, seq), seq, wrap(err, "begin the runs of %q", turn.Source)
}

func idsOf(jobs []batch.Job) []string {
	ids := make([]string, len(jobs))
	for i, j := range jobs {
		ids[i] = j.ID
	}
	return ids
}

// Clock is the moment of the binding's last run; zero before.
func (s *Store) Clock(ctx context.Context, binding string) (time.Time, error) {
	var at sql.NullInt64
	err := s.reader().row(ctx, `SELECT clock FROM bindings WHERE name = $1`, binding).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return moment(at), wrap(err, "read the clock of %q", binding)
}

// A ReadRun is a run whose rows are staged, or that ended without them.
type ReadRun struct {
	Job     string
	Version int64 // of the template that the rows are planned with
	Outputs []batch.Output
	Staged  int64
	Rows    int64 // of the reading, that the binding draws
	Note    string
	Failed  string // why there are no rows, and what to do; "" accepts those that are staged
	Code    string // of that
}

// AcceptRuns makes what was staged the rows of their runs, with the turns that
// plan them, and ends those that failed. A run that ended meanwhile stays so.
func (s *Store) AcceptRuns(ctx context.Context, read []ReadRun) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		for _, r := range read {
			if err := t.acceptRun(ctx, r); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.crash("run.accepted")
	}
	return wrap(err, "accept the rows of runs")
}

func (t *tx) acceptRun(ctx context.Context, r ReadRun) error {
	if r.Failed != "" {
		return t.failRun(ctx, r)
	}
	n, err := t.exec(ctx, `UPDATE jobs SET phase = 'drawing', version = $2, outputs = $3, total = $4, read_rows = $5, note = $6, unplanned = 1
		WHERE id = $1 AND phase = 'reading' AND completed_at IS NULL AND stopped = ''`,
		r.Job, r.Version, encode(r.Outputs), r.Staged, r.Rows, clean(r.Note))
	if err != nil {
		return err
	}
	if n == 0 {
		_, err := t.exec(ctx, `DELETE FROM job_rows WHERE job = $1 AND EXISTS (SELECT 1 FROM jobs WHERE id = $1 AND phase = 'reading')`, r.Job)
		return err
	}
	return t.addPlanTurn(ctx, r.Job)
}

// failRun ends a run that has no rows.
func (t *tx) failRun(ctx context.Context, r ReadRun) error {
	n, err := t.exec(ctx, `UPDATE jobs SET stopped = $2, paused_at = NULL, unplanned = 0, steering = 0
		WHERE id = $1 AND phase IN ('waiting', 'reading') AND completed_at IS NULL AND stopped = ''`,
		r.Job, encode(batch.Stop{Status: batch.Failed, Message: clean(r.Failed), Code: r.Code}))
	if err != nil || n == 0 {
		return err
	}
	if _, err := t.exec(ctx, `DELETE FROM job_rows WHERE job = $1`, r.Job); err != nil {
		return err
	}
	return t.endJob(ctx, r.Job)
}

// PutOffRuns has runs read for again after a while, because a reading failed.
func (s *Store) PutOffRuns(ctx context.Context, jobs []string, why string, wait time.Duration) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `UPDATE jobs SET phase = 'waiting', read_tries = read_tries + 1, read_after = $2, note = $3
			WHERE id IN list($1) AND phase = 'reading'`, list(jobs), millis(t.now.Add(wait)), clean(why))
		return err
	})
	return wrap(err, "put off runs")
}

// FailRunsOf ends the runs of a source that has to be read for them and is no more.
func (s *Store) FailRunsOf(ctx context.Context, source, why string) error {
	open, err := collect(ctx, s.reader(), `SELECT id FROM jobs WHERE source = $1 AND phase IN ('waiting', 'reading') AND completed_at IS NULL`, []any{source}, text1)
	if err != nil || len(open) == 0 {
		return wrap(err, "look for runs of %q", source)
	}
	ended := make([]ReadRun, len(open))
	for i, id := range open {
		ended[i] = ReadRun{Job: id, Failed: why, Code: batch.SourceGone}
	}
	return s.AcceptRuns(ctx, ended)
}

// endRun tells of the end of a run, and has the one read for that waited for it.
func (t *tx) endRun(ctx context.Context, j batch.Job) error {
	if j.Origin == nil {
		return nil
	}
	if j.Origin.Cause.Told() {
		to, err := t.routes(ctx)
		if err != nil {
			return err
		}
		names := merge(slices.Clone(to.runs[j.Origin.Binding]), to.to(j.Origin.Binding, sink.RunCompleted))
		if err := t.tellWhole(ctx, names, bindings.JobOwner(j.ID), j.Run, sink.RunCompleted, ""); err != nil {
			return err
		}
	}
	var due int64
	if err := t.row(ctx, `SELECT count(*) FROM jobs AS j WHERE j.source = $2 AND `+dueRun, millis(t.now), j.Origin.Source).Scan(&due); err != nil || due == 0 {
		return err
	}
	return t.addPollTurn(ctx, j.Origin.Source)
}

// HeldBy is how many changes of a binding the guard holds of one reading, and why.
func (s *Store) HeldBy(ctx context.Context, binding, reading string) (held int64, reason string, err error) {
	err = s.reader().row(ctx, `SELECT (SELECT count(*) FROM items WHERE owner = $2 AND proposed_in = $3 AND proposed_digest <> ''),
		COALESCE((SELECT held_reason FROM bindings WHERE name = $1), '')`, binding, string(bindings.BindingOwner(binding)), reading).Scan(&held, &reason)
	return held, reason, wrap(err, "look what is held of %q", binding)
}

// Redrawn are those of the keys whose images of a binding want a picture that
// nobody had asked for before a moment, or can have none.
func (s *Store) Redrawn(ctx context.Context, binding string, keys []string, since time.Time) (map[string]bool, error) {
	redrawn := map[string]bool{}
	owner := string(bindings.BindingOwner(binding))
	err := pages(keys, pageSize, func(page []string) error {
		return s.reader().each(ctx, `SELECT g.key FROM images AS g JOIN renders AS r ON r.fingerprint = g.fingerprint
				WHERE g.owner = $1 AND g.idx = 0 AND g.key IN list($2) AND (r.created_at >= $3 OR r.state = 'failed')
			UNION SELECT i.key FROM items AS i WHERE i.owner = $1 AND i.idx = 0 AND i.key IN list($2) AND i.state = 'failed'`,
			[]any{owner, list(page), millis(since)}, func(scan func(...any) error) error {
				var key string
				err := scan(&key)
				redrawn[key] = true
				return err
			})
	})
	return redrawn, wrap(err, "look what changed of %q", binding)
}

// LastRuns is the newest run of each of the bindings, by the moment that it is for.
func (s *Store) LastRuns(ctx context.Context, names []string) (map[string]batch.Job, error) {
	last := map[string]batch.Job{}
	err := s.reader().each(ctx, `SELECT `+jobColumns+` FROM jobs WHERE id IN (SELECT (SELECT r.id FROM jobs AS r WHERE r.binding = b.binding
			ORDER BY r.created_at DESC, r.id DESC LIMIT 1) FROM (SELECT DISTINCT binding FROM jobs WHERE binding IN list($1)) AS b)`,
		[]any{list(names)}, func(scan func(...any) error) error {
			j, err := scanJob(scan)
			if err == nil && j.Origin != nil {
				last[j.Origin.Binding] = j
			}
			return err
		})
	return last, wrap(err, "look for the last runs")
}

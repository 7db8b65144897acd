package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Erased counts what went.
type Erased struct {
	Rows, Images, Renders, Deliveries, Files int64

	Bindings []string // whose images went
	Sinks    []string // that were told of them before
	Jobs     []string // of which rows went
	Running  []string // jobs that have the key and have not ended: they keep it
}

// Add counts what o counts too.
func (e *Erased) Add(o Erased) {
	e.Rows += o.Rows
	e.Images += o.Images
	e.Renders += o.Renders
	e.Deliveries += o.Deliveries
	e.Files += o.Files
	e.Bindings, e.Sinks, e.Running = merge(e.Bindings, o.Bindings), merge(e.Sinks, o.Sinks), merge(e.Running, o.Running)
	e.Jobs = merge(e.Jobs, o.Jobs)
}

func merge(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

// An erasure names items and their images.
type erasure struct {
	where string // over owner, idx and key
	args  []any
}

// erase removes items with their images. With bytes, what only they showed goes
// too: renders, which have the values of rows, remote files, and bytes, which are
// marked as erased.
func (t *tx) erase(ctx context.Context, e erasure, bytes bool, count *Erased) error {
	fingerprints, hashes := map[string]bool{}, map[string]bool{}
	if bytes {
		if err := t.each(ctx, `SELECT fingerprint, hash FROM images WHERE `+e.where+`
			UNION SELECT fingerprint, hash FROM past_images WHERE `+e.where, e.args, func(scan func(...any) error) error {
			var f, hash string
			err := scan(&f, &hash)
			fingerprints[f], hashes[hash] = true, true
			return err
		}); err != nil {
			return err
		}
		delete(hashes, "")
		if err := t.lockRenders(ctx, slices.Sorted(maps.Keys(fingerprints))); err != nil {
			return err
		}
	}
	for _, table := range []string{"items", "past_images"} {
		if _, err := t.exec(ctx, `DELETE FROM `+table+` WHERE `+e.where, e.args...); err != nil {
			return err
		}
	}
	n, err := t.exec(ctx, `DELETE FROM images WHERE `+e.where, e.args...)
	count.Images += n
	if err != nil || !bytes {
		return err
	}
	return t.eraseBytes(ctx, slices.Sorted(maps.Keys(fingerprints)), slices.Sorted(maps.Keys(hashes)), count)
}

// unwantedRenders are those of some that no image waits for or shows. A picture
// that is being made is among them: whoever records it finds it gone.
const unwantedRenders = `fingerprint IN list($1)
	AND NOT EXISTS (SELECT 1 FROM images AS w WHERE w.fingerprint = renders.fingerprint AND w.state = 'waiting')
	AND NOT EXISTS (SELECT 1 FROM images AS g WHERE g.hash = renders.hash AND g.hash <> '' AND g.fingerprint = renders.fingerprint)`

func (t *tx) eraseBytes(ctx context.Context, fingerprints, hashes []string, count *Erased) error {
	var dropped []string
	if err := t.each(ctx, `DELETE FROM renders WHERE `+unwantedRenders+` RETURNING fingerprint, hash`, []any{list(fingerprints)}, func(scan func(...any) error) error {
		var f, hash string
		err := scan(&f, &hash)
		dropped = append(dropped, f)
		if hash != "" {
			hashes = append(hashes, hash)
		}
		return err
	}); err != nil {
		return err
	}
	count.Renders += int64(len(dropped))
	digests, err := t.dropPins(ctx, dropped)
	if err != nil {
		return err
	}
	return t.markErased(ctx, append(hashes, digests...), count)
}

// markErased marks bytes that nothing shows now to be removed at once.
func (t *tx) markErased(ctx context.Context, hashes []string, count *Erased) error {
	shown, err := t.shown(ctx, hashes)
	if err != nil {
		return err
	}
	hashes = merge(slices.DeleteFunc(hashes, func(hash string) bool { return shown[hash] }), nil)
	count.Files += int64(len(hashes))
	return t.mark(ctx, hashes, erasedAt)
}

// DeleteJob deletes a job that has ended, with all that only it has. When it
// breaks off, the job is gone, and EmptyJobs goes on with the rest.
func (s *Store) DeleteJob(ctx context.Context, id string) (Erased, error) {
	id = clean(id)
	if err := s.write(ctx, func(ctx context.Context, t *tx) error {
		if err := t.noteErasure(ctx); err != nil {
			return err
		}
		if err := t.mayDelete(ctx, id); err != nil {
			return err
		}
		return t.endJobs(ctx, []string{id}, JobDeleted)
	}); err != nil {
		return Erased{}, wrap(err, "delete job %s", id)
	}
	var full int64
	err := s.reader().row(ctx, `SELECT 1 - emptied FROM gone_jobs WHERE id = $1 AND reason = $2`, id, JobDeleted).Scan(&full)
	if errors.Is(err, sql.ErrNoRows) {
		return Erased{}, s.reader().noJob(ctx, id)
	}
	if err != nil || full == 0 {
		return Erased{}, wrap(err, "delete job %s", id)
	}
	count, err := s.emptyJob(ctx, id)
	count.Jobs = []string{id}
	return count, err
}

// mayDelete refuses a job that has not ended; one that is gone may be.
func (t *tx) mayDelete(ctx context.Context, id string) error {
	var ended int64
	err := t.row(ctx, `SELECT CASE WHEN completed_at IS NULL THEN 0 ELSE 1 END FROM jobs WHERE id = $1 FOR UPDATE`, id).Scan(&ended)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err == nil && ended == 0:
		return jobRuns(id)
	}
	return err
}

func jobRuns(id string) error {
	return problem.New(problem.Conflict, "the job %q has not ended", id).WithSlug("job_running").
		WithHint("cancel it with POST /jobs/%s/cancel, then delete it", id)
}

// DeleteJobRow deletes the rows of a job that have a key, with all that only
// they have. What stays of them is their index, so that those of the others hold.
func (s *Store) DeleteJobRow(ctx context.Context, job, key string) (count Erased, err error) {
	job, key = clean(job), clean(key)
	j, err := s.Job(ctx, job)
	if err != nil {
		return count, err
	}
	rows, err := s.rowsOfKey(ctx, j, key)
	if err != nil {
		return count, wrap(err, "look for a row of job %s", job)
	}
	if len(rows) == 0 {
		return count, problem.New(problem.NotFound, "the job %q has no row of this key", job).WithSlug("row_not_found").
			WithHint("GET /jobs/%s lists its rows with their keys", job)
	}
	if j.CompletedAt.IsZero() {
		return count, jobRuns(job)
	}
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		if err := t.noteErasure(ctx); err != nil {
			return err
		}
		count = Erased{Jobs: []string{job}}
		if err := t.mayDelete(ctx, job); err != nil { // somebody may have retried it meanwhile
			return err
		}
		return t.eraseJobRows(ctx, job, key, rows, &count)
	})
	return count, wrap(err, "delete a row of job %s", job)
}

// eraseJobRows deletes the rows of a job that has ended which have a key.
func (t *tx) eraseJobRows(ctx context.Context, job, key string, rows []int64, count *Erased) error {
	owner := string(bindings.JobOwner(job))
	gone, err := t.dropDeliveries(ctx, `owner = $1 AND key = $2 AND key <> ''`, owner, key)
	if err != nil {
		return err
	}
	count.Deliveries += int64(len(gone))
	for _, idx := range rows {
		n, err := t.exec(ctx, `UPDATE job_rows SET key = '', data = '', error = '' WHERE job = $1 AND idx = $2`, job, idx)
		if err != nil {
			return err
		}
		count.Rows += n
		if err := t.erase(ctx, erasure{`owner = $1 AND idx = $2`, []any{owner, idx}}, true, count); err != nil {
			return err
		}
	}
	return nil
}

// eraseFromRuns deletes a row from the runs of a binding that have ended; one that
// has not keeps it, as far as anybody can tell.
func (t *tx) eraseFromRuns(ctx context.Context, binding, key string, count *Erased) error {
	type place struct {
		job   string
		idx   int64
		ended int64
	}
	places, err := collect(ctx, t.reader, `SELECT j.id, i.idx, CASE WHEN j.completed_at IS NULL THEN 0 ELSE 1 END FROM jobs AS j
		JOIN items AS i ON i.owner = 'job/' || j.id WHERE j.binding = $1 AND i.key = $2
		UNION SELECT id, 0, 0 FROM jobs WHERE binding = $1 AND completed_at IS NULL AND planned < total`, []any{binding, key},
		func(scan func(...any) error) (p place, err error) { return p, scan(&p.job, &p.idx, &p.ended) })
	if err != nil {
		return err
	}
	for _, p := range places {
		if p.ended == 0 {
			count.Running = merge(count.Running, []string{p.job})
			continue
		}
		var of Erased // the rows and images of a run are those of the binding once more
		if err := t.eraseJobRows(ctx, p.job, key, []int64{p.idx}, &of); err != nil {
			return err
		}
		of.Rows, of.Images, of.Jobs = 0, 0, []string{p.job}
		count.Add(of)
	}
	return nil
}

// rowsOfKey are the indexes of the rows of a job that have a key: those among
// them, too, that were refused because another one had it already, and those
// that were never planned.
func (s *Store) rowsOfKey(ctx context.Context, j batch.Job, key string) (rows []int64, err error) {
	owner := string(bindings.JobOwner(j.ID))
	index := func(scan func(...any) error) (idx int64, err error) { return idx, scan(&idx) }
	if rows, err = collect(ctx, s.reader(), `SELECT idx FROM items WHERE owner = $1 AND key = $2`, []any{owner, key}, index); err != nil {
		return rows, err
	}
	err = s.reader().each(ctx, `SELECT r.idx, r.key, r.data FROM job_rows AS r LEFT JOIN items AS i ON i.owner = $1 AND i.idx = r.idx
		WHERE r.job = $2 AND r.data <> '' AND (i.key IS NULL OR i.key LIKE '#%')`, []any{owner, j.ID}, func(scan func(...any) error) error {
		var idx int64
		var own, data string
		if err := scan(&idx, &own, &data); err != nil {
			return err
		}
		if j.RowKey != "" {
			row, err := rowOf(data)
			if err != nil { // a row that is not readable has no key
				return nil //nolint:nilerr // as said
			}
			own = fmt.Sprint(row[j.RowKey])
		}
		if own == key && !slices.Contains(rows, idx) {
			rows = append(rows, idx)
		}
		return nil
	})
	return rows, err
}

// DeleteRow deletes a row of a source, with the images that bindings have of it
// and all that only they have. With forget it does not come back either when the
// source still has it.
func (s *Store) DeleteRow(ctx context.Context, source, key string, forget bool) (count Erased, err error) {
	source, key = clean(source), clean(key)
	var digest string
	if forget {
		if digest, err = s.forgetDigest(ctx, source, key); err != nil {
			return count, err
		}
	}
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		if err := t.noteErasure(ctx); err != nil {
			return err
		}
		count = Erased{}
		if forget {
			if _, err := t.exec(ctx, `INSERT INTO forgotten (source, digest, forgotten_at) VALUES ($1, $2, $3) ON CONFLICT (source, digest) DO NOTHING`,
				source, digest, millis(t.now)); err != nil {
				return err
			}
		}
		return t.deleteRow(ctx, source, key, &count)
	})
	return count, wrap(err, "delete a row of %q", source)
}

func (t *tx) deleteRow(ctx context.Context, source, key string, count *Erased) error {
	if err := t.lockRows(ctx, source, nil); err != nil {
		return err
	}
	names, err := collect(ctx, t.reader, `SELECT name FROM bindings WHERE source = $1 ORDER BY name`, []any{source}, text1)
	if err != nil {
		return err
	}
	for _, name := range names {
		owner := string(bindings.BindingOwner(name))
		before := count.Images
		if err := t.erase(ctx, erasure{`owner = $1 AND idx = 0 AND key = $2`, []any{owner, key}}, true, count); err != nil {
			return err
		}
		if count.Images > before {
			count.Bindings = append(count.Bindings, name)
		}
		if err := t.eraseFromRuns(ctx, name, key, count); err != nil {
			return err
		}
		gone, err := t.dropDeliveries(ctx, `owner = $1 AND key = $2`, owner, key)
		if err != nil {
			return err
		}
		count.Deliveries += int64(len(gone))
		for _, d := range gone {
			if d.attempts > 0 {
				count.Sinks = merge(count.Sinks, []string{d.sink})
			}
		}
		if _, err := t.exec(ctx, `DELETE FROM binding_news WHERE binding = $1 AND key = $2`, name, key); err != nil {
			return err
		}
	}
	if count.Rows, err = t.exec(ctx, `DELETE FROM source_rows WHERE source = $1 AND key = $2`, source, key); err != nil {
		return err
	}
	if _, err := t.exec(ctx, `DELETE FROM source_changes WHERE source = $1 AND key = $2`, source, key); err != nil {
		return err
	}
	if err := t.recountHeld(ctx, source); err != nil {
		return err
	}
	t.announce(source)
	if err := t.markChanged(ctx, source, []string{key}); err != nil {
		return err
	}
	if err := t.dropReads(ctx, source, []string{key}); err != nil {
		return err
	}
	n, err := t.exec(ctx, `DELETE FROM quarantine WHERE source = $1 AND key = $2`, source, key)
	count.Rows += n
	return err
}

// JobsWithKey are the jobs that may have a row of this key: DeleteJobRow knows.
// It looks through the rows of all jobs.
func (s *Store) JobsWithKey(ctx context.Context, key string) ([]string, error) {
	jobs, err := collect(ctx, s.reader(), `SELECT substr(owner, 5) FROM items WHERE owner LIKE 'job/%' AND key = $1
		UNION SELECT id FROM jobs WHERE planned < total`, []any{clean(key)}, text1)
	return jobs, wrap(err, "look for a key in the rows of jobs")
}

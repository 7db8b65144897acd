package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// The slugs of what stands in the way of an experiment.
const (
	ExperimentNotFound = "experiment_not_found"
	ExperimentMoved    = "experiment_moved" // somebody changed it meanwhile
	SlugTaken          = "slug_taken"
	ExperimentStarted  = "experiment_started" // what ran can't be removed
)

const experimentColumns = `id, revision, definition, status, origin, author, weights, winner, retired, ran,
	created_at, updated_at, started_at, since, ended_at, ready_since`

func scanExperiment(scan func(...any) error) (e experiment.Experiment, err error) {
	var definition, weights string
	var retired, ran int64
	var created, updated, started, since, ended, ready sql.NullInt64
	if err := scan(&e.ID, &e.Revision, &definition, &e.Status, &e.Origin, &e.Author, &weights, &e.Winner, &retired, &ran,
		&created, &updated, &started, &since, &ended, &ready); err != nil {
		return e, err
	}
	e.Retired, e.Ran = retired == 1, time.Duration(ran)*time.Millisecond
	e.CreatedAt, e.UpdatedAt, e.StartedAt = moment(created), moment(updated), moment(started)
	e.Since, e.EndedAt, e.ReadySince = moment(since), moment(ended), moment(ready)
	return e, errors.Join(decode(definition, &e.Definition), decode(weights, &e.Weights))
}

// reached is what a column that may be NULL has of a time.
func reached(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return millis(t)
}

// SaveExperiment keeps a new experiment, of revision 0, or the change of one that is
// at the revision of e, and returns it as it is kept, one revision on. One that has
// another revision by now, or whose slug another one has, is a problem of code
// Conflict. Moments are kept to the millisecond.
func (s *Store) SaveExperiment(ctx context.Context, e experiment.Experiment) (kept experiment.Experiment, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		kept, err = t.saveExperiment(ctx, e)
		return err
	})
	return kept, wrap(err, "keep the experiment %s", e.Slug)
}

// SaveWeights is SaveExperiment with AddAllocation in one: where one is kept, so is
// the other.
func (s *Store) SaveWeights(ctx context.Context, e experiment.Experiment, because experiment.Allocation) (kept experiment.Experiment, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		if kept, err = t.saveExperiment(ctx, e); err != nil {
			return err
		}
		return t.addAllocation(ctx, e.ID, because)
	})
	return kept, wrap(err, "keep the weights of the experiment %s", e.Slug)
}

func (t *tx) saveExperiment(ctx context.Context, e experiment.Experiment) (experiment.Experiment, error) {
	definition, err := json.Marshal(e.Definition)
	if err != nil {
		return e, fmt.Errorf("write the definition: %w", err)
	}
	if err := t.slugIsFree(ctx, e); err != nil {
		return e, err
	}
	created := e.CreatedAt
	if created.IsZero() {
		created = t.now
	}
	args := []any{
		e.ID, clean(e.Slug), e.Revision, clean(string(definition)), clean(e.Goal.Type), string(e.Status), clean(e.Origin), clean(e.Author),
		encode(e.Weights), clean(e.Winner), flag(e.Retired), e.Ran.Milliseconds(), millis(created), millis(t.now),
		reached(e.StartedAt), reached(e.Since), reached(e.EndedAt), reached(e.ReadySince),
	}
	query := `UPDATE experiments SET slug = $2, revision = revision + 1, definition = $4, goal = $5, status = $6, origin = $7, author = $8,
			weights = $9, winner = $10, retired = $11, ran = $12, created_at = $13, updated_at = $14, started_at = CAST($15 AS BIGINT),
			since = CAST($16 AS BIGINT), ended_at = CAST($17 AS BIGINT), ready_since = CAST($18 AS BIGINT)
		WHERE id = $1 AND revision = $3 RETURNING ` + experimentColumns
	if e.Revision == 0 {
		query = `INSERT INTO experiments (id, slug, revision, definition, goal, status, origin, author, weights, winner, retired, ran,
				created_at, updated_at, started_at, since, ended_at, ready_since)
			VALUES ($1, $2, $3 + 1, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, CAST($15 AS BIGINT), CAST($16 AS BIGINT), CAST($17 AS BIGINT), CAST($18 AS BIGINT))
			ON CONFLICT (id) DO NOTHING RETURNING ` + experimentColumns
	}
	kept, err := scanExperiment(t.row(ctx, query, args...).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return e, t.experimentMoved(ctx, e)
	}
	return kept, err
}

// slugIsFree comes before the insert: a transaction that broke a rule of Postgres's
// can say nothing more.
func (t *tx) slugIsFree(ctx context.Context, e experiment.Experiment) error {
	var other string
	err := t.row(ctx, `SELECT id FROM experiments WHERE slug = $1 AND id <> $2`, clean(e.Slug), e.ID).Scan(&other)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return problem.New(problem.Conflict, "the experiment %s has the slug %q", other, e.Slug).WithSlug(SlugTaken).At("slug").
		WithHint("take another one: a slug stands in URLs that are out in the world, and is not given again")
}

func (t *tx) experimentMoved(ctx context.Context, e experiment.Experiment) error {
	var revision int64
	switch err := t.row(ctx, `SELECT revision FROM experiments WHERE id = $1`, clean(e.ID)).Scan(&revision); {
	case errors.Is(err, sql.ErrNoRows):
		return noExperiment(e.ID)
	case err != nil:
		return err
	}
	return problem.New(problem.Conflict, "the experiment %s has been changed meanwhile: it is at revision %d, not %d", e.ID, revision, e.Revision).
		WithSlug(ExperimentMoved).WithHint("read it again, then change it")
}

func noExperiment(name string) error {
	return problem.New(problem.NotFound, "there is no experiment %q", name).WithSlug(ExperimentNotFound).WithHint("GET /experiments lists them")
}

// Experiments are all that there are, newest first, those that are retired too.
func (s *Store) Experiments(ctx context.Context) ([]experiment.Experiment, error) {
	all, err := collect(ctx, s.reader(), `SELECT `+experimentColumns+` FROM experiments ORDER BY created_at DESC, id DESC`, nil, scanExperiment)
	return all, wrap(err, "read the experiments")
}

// Experiment is the one of that id or slug. A missing one is a problem of code
// NotFound.
func (s *Store) Experiment(ctx context.Context, name string) (experiment.Experiment, error) {
	e, err := scanExperiment(s.reader().row(ctx, `SELECT `+experimentColumns+` FROM experiments WHERE id = $1 OR slug = $1`, clean(name)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = noExperiment(name)
	}
	return e, wrap(err, "read the experiment %s", name)
}

// RemoveExperiment forgets a draft, whose slug is free again. One that ever ran is a
// problem of code Conflict: what it showed is out in the world.
func (s *Store) RemoveExperiment(ctx context.Context, id string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		removed, err := t.exec(ctx, `DELETE FROM experiments WHERE id = $1 AND status = $2`, clean(id), string(experiment.Draft))
		if err != nil {
			return err
		}
		if removed == 0 {
			return t.mayNotRemove(ctx, id)
		}
		for _, table := range []string{"experiment_pictures", "experiment_allocations", "experiment_counts"} {
			if _, err := t.exec(ctx, `DELETE FROM `+table+` WHERE experiment = $1`, clean(id)); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap(err, "remove the experiment %s", id)
}

func (t *tx) mayNotRemove(ctx context.Context, id string) error {
	var status string
	switch err := t.row(ctx, `SELECT status FROM experiments WHERE id = $1`, clean(id)).Scan(&status); {
	case errors.Is(err, sql.ErrNoRows):
		return noExperiment(id)
	case err != nil:
		return err
	}
	return problem.New(problem.Conflict, "the experiment %s is %s, and only a draft can be removed", id, status).WithSlug(ExperimentStarted).
		WithHint("retire it: it leaves the list, and the images in people's mailboxes go on to be served")
}

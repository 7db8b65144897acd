package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// DeleteTemplate forgets a template with its versions, its draft, the copilot's runs,
// and what its file gave. One that a job draws which has not ended, or that the
// copilot works on, is a problem of code Conflict. Pictures that were made of it stay as long as what shows them. last is
// done right before the commit, and may be done again; its error keeps the
// template.
func (s *Store) DeleteTemplate(ctx context.Context, name string, last func() error) error {
	name = clean(name)
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		newest, err := t.newest(ctx, name)
		if err != nil {
			return err
		}
		if newest.Number == 0 {
			return noTemplate(name)
		}
		var job string
		err = t.row(ctx, `SELECT id FROM jobs WHERE template = $1 AND completed_at IS NULL ORDER BY id LIMIT 1`, name).Scan(&job)
		if err == nil {
			return problem.New(problem.Conflict, "job %s draws the template %q, and has not ended", job, name).WithSlug("in_use").
				WithHint("wait for its end, or cancel it")
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err := t.dropRunsOf(ctx, name); err != nil {
			return err
		}
		for _, table := range []string{"draft_steps", "drafts", "template_files", "templates"} {
			if _, err := t.exec(ctx, `DELETE FROM `+table+` WHERE name = $1`, name); err != nil {
				return err
			}
		}
		if err := t.raise(ctx, revisionOfTemplates); err != nil {
			return err
		}
		return last()
	})
	return wrap(err, "delete template %q", name)
}

package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
)

const templateColumns = `name, number, digest, source, assets, author, created_at`

// PublishTemplate makes v the newest version of its template. Number and
// CreatedAt are given here. When the newest version has the same digest, that
// one is returned and nothing is published.
func (s *Store) PublishTemplate(ctx context.Context, v template.Version) (published template.Version, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		var err error
		published, err = t.publish(ctx, v)
		return err
	})
	return published, wrap(err, "publish template %q", v.Name)
}

// ReplaceTemplate is PublishTemplate when the newest version has number
// ifNumber, where 0 says that there is none, or is the same as v: then somebody
// sends again what was taken. Else it is a problem Conflict.
func (s *Store) ReplaceTemplate(ctx context.Context, v template.Version, ifNumber int64) (published template.Version, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		newest, err := t.newest(ctx, v.Name)
		if err != nil {
			return err
		}
		if newest.Number != ifNumber && newest.Digest != v.Digest {
			return versionMoved(v.Name, newest.Number, ifNumber)
		}
		published, err = t.publishAfter(ctx, newest, v)
		return err
	})
	return published, wrap(err, "publish template %q", v.Name)
}

func versionMoved(name string, newest, number int64) *problem.Error {
	p := problem.New(problem.Conflict, "template %q has version %d by now, not %d", name, newest, number)
	switch {
	case newest == 0:
		p = problem.New(problem.Conflict, "there is no template %q, and so no version %d of it", name, number)
	case number == 0:
		p = problem.New(problem.Conflict, "there is a template %q already, with version %d", name, newest)
	}
	return p.WithSlug(draft.VersionMoved).WithHint("look at the newest version, and decide again")
}

// TakeFile is PublishTemplate for what a file of the folder gives, which is
// remembered in the same commit.
func (s *Store) TakeFile(ctx context.Context, v template.Version) (published template.Version, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		var err error
		if published, err = t.publish(ctx, v); err != nil {
			return err
		}
		return t.rememberFile(ctx, v.Name, v.Digest)
	})
	return published, wrap(err, "publish the file of template %q", v.Name)
}

// TemplateFile is the digest of what the file of a template last gave, or was
// last written as; "" when it never did.
func (s *Store) TemplateFile(ctx context.Context, name string) (digest string, err error) {
	err = s.reader().row(ctx, `SELECT digest FROM template_files WHERE name = $1`, clean(name)).Scan(&digest)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return digest, wrap(err, "read what the file of template %q gave", name)
}

// RememberFile notes that the file of a template is what has that digest.
func (s *Store) RememberFile(ctx context.Context, name, digest string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error { return t.rememberFile(ctx, name, digest) })
	return wrap(err, "remember the file of template %q", name)
}

func (t *tx) rememberFile(ctx context.Context, name, digest string) error {
	_, err := t.exec(ctx, `INSERT INTO template_files (name, digest) VALUES ($1, $2)
		ON CONFLICT (name) DO UPDATE SET digest = excluded.digest WHERE template_files.digest <> excluded.digest`, clean(name), digest)
	return err
}

// newest is the newest version of a template, which nobody else changes until
// the commit; the zero one when there is none.
func (t *tx) newest(ctx context.Context, name string) (template.Version, error) {
	// The first version stands for the template: it never changes, and so is there
	// to be locked whoever came first.
	var first int64
	err := t.row(ctx, `SELECT number FROM templates WHERE name = $1 AND number = 1 FOR UPDATE`, clean(name)).Scan(&first)
	if errors.Is(err, sql.ErrNoRows) {
		return template.Version{}, nil
	}
	if err != nil {
		return template.Version{}, err
	}
	return scanTemplate(t.row(ctx, `SELECT `+templateColumns+` FROM templates WHERE name = $1 ORDER BY number DESC LIMIT 1`, clean(name)).Scan)
}

func (t *tx) publish(ctx context.Context, v template.Version) (template.Version, error) {
	newest, err := t.newest(ctx, v.Name)
	if err != nil {
		return v, err
	}
	return t.publishAfter(ctx, newest, v)
}

// publishAfter makes v the version after newest, unless it is the same.
func (t *tx) publishAfter(ctx context.Context, newest, v template.Version) (template.Version, error) {
	if newest.Number > 0 && newest.Digest == v.Digest {
		return newest, nil
	}
	v, err := t.insertVersion(ctx, newest.Number+1, v)
	if err != nil {
		return v, err
	}
	return v, t.arrived(ctx, v)
}

func (t *tx) insertVersion(ctx context.Context, number int64, v template.Version) (template.Version, error) {
	v.Number = number
	v.CreatedAt = moment(sql.NullInt64{Int64: millis(t.now), Valid: true})
	_, err := t.exec(ctx, `INSERT INTO templates (`+templateColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		clean(v.Name), v.Number, v.Digest, string(v.Source), encode(v.Assets), clean(v.Author), millis(t.now))
	if err != nil {
		return v, err
	}
	return v, t.raise(ctx, revisionOfTemplates)
}

// Template is a version of a template; number 0 is the newest.
func (s *Store) Template(ctx context.Context, name string, number int64) (template.Version, error) {
	v, err := scanTemplate(s.reader().row(ctx, `SELECT `+templateColumns+` FROM templates
		WHERE name = $1 AND (number = $2 OR $2 = 0) ORDER BY number DESC LIMIT 1`, clean(name), number).Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows) && number != 0:
		return v, problem.New(problem.NotFound, "template %q has no version %d", name, number).WithSlug("template_not_found")
	case errors.Is(err, sql.ErrNoRows):
		return v, noTemplate(name)
	}
	return v, wrap(err, "read template %q", name)
}

func noTemplate(name string) *problem.Error {
	return problem.New(problem.NotFound, "there is no template %q", name).WithSlug("template_not_found").
		WithHint("GET /templates lists those there are")
}

// TemplateVersions are the versions of a template whose number is below before
// (0: all), the newest first, without their sources.
func (s *Store) TemplateVersions(ctx context.Context, name string, before int64, limit int) ([]template.Version, error) {
	all, err := collect(ctx, s.reader(), `SELECT name, number, digest, '', assets, author, created_at FROM templates
		WHERE name = $1 AND ($2 = 0 OR number < $2) ORDER BY number DESC LIMIT $3`, []any{clean(name), before, limit}, scanTemplate)
	return all, wrap(err, "list versions of template %q", name)
}

// Templates are the newest versions, by name.
func (s *Store) Templates(ctx context.Context) ([]template.Version, error) {
	all, err := collect(ctx, s.reader(), `SELECT `+templateColumns+` FROM templates AS t
		WHERE number = (SELECT max(number) FROM templates AS n WHERE n.name = t.name) ORDER BY name`, nil, scanTemplate)
	return all, wrap(err, "list templates")
}

func scanTemplate(scan func(...any) error) (v template.Version, err error) {
	var source, assets string
	var created sql.NullInt64
	if err := scan(&v.Name, &v.Number, &v.Digest, &source, &assets, &v.Author, &created); err != nil {
		return v, err
	}
	v.Source, v.CreatedAt = []byte(source), moment(created)
	return v, decode(assets, &v.Assets)
}

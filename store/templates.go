package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
)

const templateColumns = `name, number, digest, source, assets, author, created_at`

// PublishTemplate makes v the newest version of its template. Number and
// CreatedAt are given here. When the newest version has the same digest, that
// one is returned and nothing is published.
func (s *Store) PublishTemplate(ctx context.Context, v template.Version) (template.Version, error) {
	published := v
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		newest, err := scanTemplate(t.row(ctx, `SELECT `+templateColumns+` FROM templates WHERE name = $1 ORDER BY number DESC LIMIT 1`, v.Name).Scan)
		if err == nil && newest.Digest == v.Digest {
			published = newest
			return nil
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		published.Number = newest.Number + 1
		published.CreatedAt = moment(sql.NullInt64{Int64: millis(t.now), Valid: true})
		_, err = t.exec(ctx, `INSERT INTO templates (`+templateColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			v.Name, published.Number, v.Digest, string(v.Source), encode(v.Assets), clean(v.Author), millis(t.now))
		return err
	})
	if err != nil {
		return template.Version{}, wrap(err, "publish template %q", v.Name)
	}
	return published, nil
}

// Template is a version of a template; number 0 is the newest.
func (s *Store) Template(ctx context.Context, name string, number int64) (template.Version, error) {
	v, err := scanTemplate(s.reader().row(ctx, `SELECT `+templateColumns+` FROM templates
		WHERE name = $1 AND (number = $2 OR $2 = 0) ORDER BY number DESC LIMIT 1`, clean(name), number).Scan)
	switch {
	case errors.Is(err, sql.ErrNoRows) && number != 0:
		return v, problem.New(problem.NotFound, "template %q has no version %d", name, number).WithSlug("template_not_found")
	case errors.Is(err, sql.ErrNoRows):
		return v, problem.New(problem.NotFound, "there is no template %q", name).WithSlug("template_not_found").
			WithHint("GET /templates lists those there are")
	}
	return v, wrap(err, "read template %q", name)
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

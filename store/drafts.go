package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template"
	"github.com/pictifyd/pictifyd/template/draft"
)

var _ draft.Ledger = (*Store)(nil)

// keptSteps is how many steps of a draft are kept: whoever saw an older revision
// must look again.
const keptSteps = 1000

const draftColumns = `name, base, revision, open, source, assets, author, updated_at`

// Draft is the draft of a template; when there is none, the newest version as
// one, without writing. Its revision is then the version's number.
func (s *Store) Draft(ctx context.Context, name string) (draft.Draft, error) {
	d, known, err := draftOf(ctx, s.reader(), name, "")
	if err != nil || known && d.Open {
		return d, wrap(err, "read the draft of %q", name)
	}
	// Read after the revision: a version that comes in between ends it.
	newest, err := s.Template(ctx, name, 0)
	if err != nil {
		return d, err
	}
	return untouched(d, known, newest), nil
}

// draftOf is the row of a draft. lock is "" or FOR UPDATE.
func draftOf(ctx context.Context, r reader, name, lock string) (d draft.Draft, known bool, err error) {
	var source, assets string
	var updated sql.NullInt64
	err = r.row(ctx, `SELECT `+draftColumns+` FROM drafts WHERE name = $1 `+lock, clean(name)).
		Scan(&d.Name, &d.Base, &d.Revision, &d.Open, &source, &assets, &d.Author, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		return d, false, nil
	}
	if err != nil {
		return d, false, err
	}
	d.Source, d.UpdatedAt = []byte(source), moment(updated)
	return d, true, decode(assets, &d.Assets)
}

// untouched is a draft that is the newest version as it stands.
func untouched(d draft.Draft, known bool, newest template.Version) draft.Draft {
	if !known {
		d.Name, d.Revision = newest.Name, newest.Number
		d.Author, d.UpdatedAt = newest.Author, newest.CreatedAt
	}
	d.Base, d.Source, d.Assets = newest.Number, newest.Source, newest.Assets
	return d
}

// DraftSteps are the steps behind a revision, oldest first.
func (s *Store) DraftSteps(ctx context.Context, name string, after int64) ([]draft.Step, error) {
	steps, err := collect(ctx, s.reader(), `SELECT revision, kind, ops, inverse, touched, undoes, author, at FROM draft_steps
		WHERE name = $1 AND revision > $2 ORDER BY revision`, []any{clean(name), after}, scanStep)
	return steps, wrap(err, "read the steps of the draft of %q", name)
}

func scanStep(scan func(...any) error) (s draft.Step, err error) {
	var ops, inverse, touched string
	var at sql.NullInt64
	if err := scan(&s.Revision, &s.Kind, &ops, &inverse, &touched, &s.Undoes, &s.Author, &at); err != nil {
		return s, err
	}
	s.At = moment(at)
	return s, errors.Join(decode(ops, &s.Ops), decode(inverse, &s.Inverse), decode(touched, &s.Touched))
}

// AppendDraft makes source and assets the draft by a step, when its revision is
// ifRevision; else it is a problem Conflict with the slug StaleRevision.
func (s *Store) AppendDraft(ctx context.Context, name string, ifRevision int64, step draft.Step, source []byte, assets map[string]string) (d draft.Draft, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		if d, err = t.draftAt(ctx, name, ifRevision); err != nil {
			return err
		}
		d.Open, d.Source, d.Assets = true, source, assets
		d, err = t.step(ctx, d, step)
		return err
	})
	return d, wrap(err, "change the draft of %q", name)
}

// DiscardDraft forgets what makes the draft differ from the newest version. A
// draft that does not is left as it is. ifRevision 0 means whatever it is.
func (s *Store) DiscardDraft(ctx context.Context, name string, ifRevision int64, author string) (d draft.Draft, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		if d, err = t.draftAt(ctx, name, ifRevision); err != nil || !d.Open {
			return err
		}
		newest, err := t.newest(ctx, name)
		if err != nil {
			return err
		}
		d = untouched(d, true, newest)
		d, err = t.close(ctx, d, draft.Step{Kind: draft.Discards, Touched: []string{draft.Everything}, Author: author})
		return err
	})
	return d, wrap(err, "discard the draft of %q", name)
}

// PublishDraft makes the draft, whose compiled form has that digest, the newest
// version. It is a problem Conflict when the draft has another revision than
// ifRevision (StaleRevision), or the template another version than the draft
// began with (VersionMoved), unless that one's digest is over. A draft that is
// the newest version publishes nothing and returns it.
func (s *Store) PublishDraft(ctx context.Context, name string, ifRevision int64, digest, over, author string) (v template.Version, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		d, err := t.draftAt(ctx, name, ifRevision)
		if err != nil {
			return err
		}
		newest, err := t.newest(ctx, name)
		if err != nil {
			return err
		}
		if !d.Open {
			v = newest
			return nil
		}
		if newest.Number != d.Base && newest.Digest != over && newest.Digest != digest {
			return versionMoved(name, newest.Number, d.Base)
		}
		v = newest
		if newest.Digest != digest {
			v, err = t.insertVersion(ctx, newest.Number+1, template.Version{
				Name: name, Digest: digest, Source: d.Source, Assets: d.Assets, Author: author,
			})
			if err != nil {
				return err
			}
		}
		d.Base = v.Number
		_, err = t.close(ctx, d, draft.Step{Kind: draft.Publishes, Author: author})
		return err
	})
	return v, wrap(err, "publish the draft of %q", name)
}

// draftAt is the draft, which nobody else changes until the commit, when it has
// that revision.
func (t *tx) draftAt(ctx context.Context, name string, ifRevision int64) (draft.Draft, error) {
	newest, err := t.newest(ctx, name)
	if err != nil {
		return draft.Draft{}, err
	}
	if newest.Number == 0 {
		return draft.Draft{}, noTemplate(name)
	}
	d, known, err := draftOf(ctx, t.reader, name, "FOR UPDATE")
	if err != nil {
		return d, err
	}
	if !known || !d.Open {
		d = untouched(d, known, newest)
	}
	if ifRevision != 0 && d.Revision != ifRevision {
		return d, problem.New(problem.Conflict, "the draft of %q has revision %d by now, not %d", name, d.Revision, ifRevision).
			WithSlug(draft.StaleRevision).WithHint("read the draft again")
	}
	return d, nil
}

// arrived makes the revision of a draft that is not open another one: the newest
// version, which it is, has become v.
func (t *tx) arrived(ctx context.Context, v template.Version) error {
	d, known, err := draftOf(ctx, t.reader, v.Name, "FOR UPDATE")
	if err != nil || !known || d.Open {
		return err
	}
	_, err = t.close(ctx, untouched(d, true, v), draft.Step{Kind: draft.Arrives, Touched: []string{draft.Everything}, Author: v.Author})
	return err
}

// close takes the last step of a draft that is the newest version from now on.
func (t *tx) close(ctx context.Context, d draft.Draft, s draft.Step) (draft.Draft, error) {
	source, assets := d.Source, d.Assets
	d.Open, d.Source, d.Assets = false, nil, nil // kept once, in the version
	d, err := t.step(ctx, d, s)
	d.Source, d.Assets = source, assets
	return d, err
}

// step writes d as what a step led to.
func (t *tx) step(ctx context.Context, d draft.Draft, s draft.Step) (draft.Draft, error) {
	d.Revision++
	d.Author, d.UpdatedAt = s.Author, moment(sql.NullInt64{Int64: millis(t.now), Valid: true})
	if _, err := t.exec(ctx, `INSERT INTO drafts (`+draftColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (name) DO UPDATE SET base = excluded.base, revision = excluded.revision, open = excluded.open,
			source = excluded.source, assets = excluded.assets, author = excluded.author, updated_at = excluded.updated_at`,
		clean(d.Name), d.Base, d.Revision, flag(d.Open), string(d.Source), encode(d.Assets), clean(d.Author), millis(t.now)); err != nil {
		return d, err
	}
	if _, err := t.exec(ctx, `INSERT INTO draft_steps (name, revision, kind, ops, inverse, touched, undoes, author, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`, clean(d.Name), d.Revision, string(s.Kind), encode(s.Ops), encode(s.Inverse),
		encode(s.Touched), s.Undoes, clean(s.Author), millis(t.now)); err != nil {
		return d, err
	}
	_, err := t.exec(ctx, `DELETE FROM draft_steps WHERE name = $1 AND revision <= $2`, clean(d.Name), d.Revision-keptSteps)
	return d, err
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// The slugs of what stands in the way of a resource.
const (
	ResourceExists   = "name_taken"
	ResourceMoved    = "revision_moved"
	ResourceNotFound = "resource_not_found"
)

// A Resource is a source, a sink or a binding that a caller of the API made. The
// store does not read what it is.
type Resource struct {
	Kind, Name string
	Revision   int64             // 1 at first, one more at each change
	Spec       string            // without its secrets
	Secrets    map[string]string // sealed, by path
	MadeFor    string            // the binding that it goes with; "" for none
	Author     string

	CreatedAt, UpdatedAt time.Time
}

// Resources are all that there are, by kind and name.
func (s *Store) Resources(ctx context.Context) ([]Resource, error) {
	all, err := collect(ctx, s.reader(), `SELECT kind, name, revision, spec, secrets, made_for, author, created_at, updated_at
		FROM resources ORDER BY kind, name`, nil, func(scan func(...any) error) (r Resource, err error) {
		var secrets string
		var created, updated sql.NullInt64
		if err := scan(&r.Kind, &r.Name, &r.Revision, &r.Spec, &secrets, &r.MadeFor, &r.Author, &created, &updated); err != nil {
			return r, err
		}
		r.CreatedAt, r.UpdatedAt = moment(created), moment(updated)
		return r, decode(secrets, &r.Secrets)
	})
	return all, wrap(err, "read the resources of the API")
}

// SaveResources makes or changes resources, all of them or none. Revision is the
// one that they had before: 0 for those that are new. One that has another by now
// is a problem of code Conflict.
func (s *Store) SaveResources(ctx context.Context, all []Resource) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		for _, r := range all {
			if err := t.saveResource(ctx, r); err != nil {
				return err
			}
		}
		return t.raise(ctx, revisionOfResources)
	})
	if err == nil {
		s.crash("resource.committed")
	}
	return wrap(err, "save resources")
}

func (t *tx) saveResource(ctx context.Context, r Resource) error {
	var now int64
	err := t.row(ctx, `SELECT revision FROM resources WHERE kind = $1 AND name = $2`, r.Kind, r.Name).Scan(&now)
	switch {
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return err
	case now == r.Revision:
	case r.Revision == 0:
		return problem.New(problem.Conflict, "there is a %s %q already", r.Kind, r.Name).WithSlug(ResourceExists).At("name").
			WithHint("give it another name, or change the one that is there with PUT")
	case now == 0:
		return noResource(r.Kind, r.Name)
	default:
		return problem.New(problem.Conflict, "the %s %q has been changed meanwhile: it is at revision %d, not %d", r.Kind, r.Name, now, r.Revision).
			WithSlug(ResourceMoved).WithHint("read it again, then change it")
	}
	secrets := ""
	if len(r.Secrets) > 0 {
		secrets = encode(r.Secrets)
	}
	_, err = t.exec(ctx, `INSERT INTO resources (kind, name, revision, spec, secrets, made_for, author, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, CAST($8 AS BIGINT), CAST($8 AS BIGINT))
		ON CONFLICT (kind, name) DO UPDATE SET revision = excluded.revision, spec = excluded.spec, secrets = excluded.secrets,
			made_for = excluded.made_for, author = excluded.author, updated_at = excluded.updated_at`,
		r.Kind, r.Name, now+1, clean(r.Spec), secrets, r.MadeFor, clean(r.Author), millis(t.now))
	return err
}

func noResource(kind, name string) error {
	return problem.New(problem.NotFound, "there is no %s %q", kind, name).WithSlug(ResourceNotFound)
}

// DeleteResource forgets a resource, and in the same commit a source that goes
// with it; "" for none.
func (s *Store) DeleteResource(ctx context.Context, kind, name, source string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.exec(ctx, `DELETE FROM resources WHERE kind = $1 AND name = $2`, kind, name)
		if err != nil {
			return err
		}
		if n == 0 {
			return noResource(kind, name)
		}
		if _, err := t.exec(ctx, `DELETE FROM resources WHERE kind = 'source' AND name = $1`, source); err != nil {
			return err
		}
		return t.raise(ctx, revisionOfResources)
	})
	if err == nil {
		s.crash("resource.deleted")
	}
	return wrap(err, "delete the %s %q", kind, name)
}

// ForgetSource forgets what was read of a source that is deleted, so that one that
// gets its name later begins with nothing. Nobody may read it meanwhile.
func (s *Store) ForgetSource(ctx context.Context, source string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		for _, statement := range []string{
			`DELETE FROM source_rows WHERE source = $1`,
			`DELETE FROM quarantine WHERE source = $1`,
			`DELETE FROM inbox WHERE source = $1`,
			`DELETE FROM source_readings WHERE source = $1`,
			`DELETE FROM source_changes WHERE source = $1`,
			// Its count of readings stays: items may speak of one.
			`UPDATE sources SET wanted = 0, position = '', unclosed = '', read_at = NULL, complete = 0, reason = '', emptied = 0, error = '', error_at = NULL,
				begun_at = NULL, ended_at = NULL, confirmed_at = NULL, changed_at = NULL, told_at = NULL, unchanged = 0, failures = 0 WHERE name = $1`,
		} {
			if _, err := t.exec(ctx, statement, source); err != nil {
				return err
			}
		}
		return nil
	})
	return wrap(err, "forget source %q", source)
}

// DropBindingsOf marks those bindings of a source as gone that keep does not
// name. Their items are kept and not shown.
func (s *Store) DropBindingsOf(ctx context.Context, source string, keep []string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `UPDATE bindings SET gone = 1, digest = '' WHERE source = $1 AND gone = 0 AND name NOT IN list($2)`, source, list(keep))
		return err
	})
	return wrap(err, "drop bindings of %q", source)
}

// pausedSetting is where the reason stands why a binding is paused, if no person did it.
const pausedSetting = "paused/"

// SetPaused notes whether a binding of source is stopped, and why; "" is that a
// person has stopped it.
func (s *Store) SetPaused(ctx context.Context, binding, source string, paused bool, reason string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		if err := t.registerBinding(ctx, binding, source); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `UPDATE bindings SET paused = $2 WHERE name = $1`, binding, flag(paused)); err != nil {
			return err
		}
		if _, err := t.exec(ctx, `DELETE FROM settings WHERE name = $1`, pausedSetting+binding); err != nil || !paused || reason == "" {
			return err
		}
		_, err := t.exec(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2)`, pausedSetting+binding, clean(reason))
		return err
	})
	return wrap(err, "pause binding %q", binding)
}

// ForgetBinding lets a binding that is deleted leave no mark on one that gets its
// name later.
func (s *Store) ForgetBinding(ctx context.Context, binding string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `UPDATE bindings SET gone = 1, digest = '', paused = 0, read_once = 0, held_changes = 0, held_removal = 0,
			held_reason = '', ceiling = 0, fault = '' WHERE name = $1`, binding)
		if err == nil {
			_, err = t.exec(ctx, `DELETE FROM settings WHERE name = $1`, pausedSetting+binding)
		}
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, `DELETE FROM binding_news WHERE binding = $1`, binding); err != nil {
			return err
		}
		return t.forgetLookups(ctx, binding)
	})
	return wrap(err, "forget binding %q", binding)
}

// Paused are the bindings that are stopped.
func (s *Store) Paused(ctx context.Context) (map[string]bool, error) {
	paused := map[string]bool{}
	names, err := collect(ctx, s.reader(), `SELECT name FROM bindings WHERE paused = 1`, nil, text1)
	for _, name := range names {
		paused[name] = true
	}
	return paused, wrap(err, "read which bindings are paused")
}

// RemoveImages removes every image of a binding; its sinks are told.
func (s *Store) RemoveImages(ctx context.Context, binding string) (int, error) {
	owner, total := bindings.BindingOwner(binding), 0
	for {
		keys, err := collect(ctx, s.reader(), `SELECT key FROM items WHERE owner = $1 AND idx = 0 AND generation > 0 AND state <> 'removed'
			ORDER BY key LIMIT $2`, []any{string(owner), pageSize}, text1)
		if err != nil || len(keys) == 0 {
			return total, wrap(err, "look for images of binding %q", binding)
		}
		gone := make([]bindings.Proposal, len(keys))
		for i, key := range keys {
			gone[i] = bindings.Proposal{Owner: owner, Key: key, Remove: true, Digest: removedDigest}
		}
		err = s.write(ctx, func(ctx context.Context, t *tx) error {
			_, err := t.promote(ctx, gone)
			return err
		})
		if err != nil {
			return total, wrap(err, "remove images of binding %q", binding)
		}
		total += len(keys)
	}
}

// SourceStates say when sources were read, by name.
func (s *Store) SourceStates(ctx context.Context) (map[string]SourceState, error) {
	all := map[string]SourceState{}
	err := s.reader().each(ctx, `SELECT name, read_at, complete, reason, error, error_at,
		(SELECT count(*) FROM source_rows AS r WHERE r.source = sources.name AND r.gone = 0) FROM sources`, nil, func(scan func(...any) error) error {
		var name string
		var st SourceState
		var read, failed sql.NullInt64
		var complete int64
		if err := scan(&name, &read, &complete, &st.Reason, &st.Error, &failed, &st.Rows); err != nil {
			return err
		}
		st.ReadAt, st.Complete, st.ErrorAt = moment(read), complete == 1, moment(failed)
		all[name] = st
		return nil
	})
	return all, wrap(err, "read the state of sources")
}

// A SourceState is how the last reading of a source went.
type SourceState struct {
	Rows     int64
	ReadAt   time.Time // zero: never
	Complete bool
	Reason   string // why it was not
	Error    string // why it cannot be read now
	ErrorAt  time.Time
}

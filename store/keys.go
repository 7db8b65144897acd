package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/pictifyd/pictifyd/internal/apikey"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// spendingKept is how long it is known what was spent in a period that is over.
const spendingKept = 62 * 24 * time.Hour

// Keys are the keys that were made over the API, by their names.
func (s *Store) Keys(ctx context.Context) ([]apikey.Key, error) {
	all, err := collect(ctx, s.reader(), `SELECT k.id, k.name, k.digest, k.start, k.scopes, k.templates, k.origins, k.rate, k.quota,
			k.created_at, k.expires_at, u.used_at
		FROM api_keys AS k LEFT JOIN api_key_uses AS u ON u.owner = k.id ORDER BY k.name`, nil, scanKey)
	return all, wrap(err, "read the keys")
}

func scanKey(scan func(...any) error) (k apikey.Key, err error) {
	var scopes, templates, origins, quota string
	var created, expires, used sql.NullInt64
	if err := scan(&k.ID, &k.Name, &k.Digest, &k.Start, &scopes, &templates, &origins, &k.Rate, &quota, &created, &expires, &used); err != nil {
		return k, err
	}
	k.CreatedAt, k.ExpiresAt, k.UsedAt = moment(created), moment(expires), moment(used)
	if k.Quota, err = apikey.ParseQuota(quota); err != nil {
		return k, err
	}
	return k, errors.Join(decode(scopes, &k.Scopes), decode(templates, &k.Templates), decode(origins, &k.Origins))
}

// AddKey keeps k. A name that is taken is a problem of code Conflict.
func (s *Store) AddKey(ctx context.Context, k apikey.Key) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		expires := sql.NullInt64{Int64: millis(k.ExpiresAt), Valid: !k.ExpiresAt.IsZero()}
		n, err := t.exec(ctx, `INSERT INTO api_keys (id, name, digest, start, scopes, templates, origins, rate, quota, created_at, expires_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (name) DO NOTHING`,
			k.ID, clean(k.Name), k.Digest, k.Start, list(k.Scopes), list(k.Templates), list(k.Origins), k.Rate, k.Quota.String(), millis(k.CreatedAt), expires)
		if err == nil && n == 0 {
			return problem.New(problem.Conflict, "there is a key %q", k.Name).WithSlug("key_name_taken")
		}
		if err != nil {
			return err
		}
		return t.raise(ctx, revisionOfKeys)
	})
	return wrap(err, "store key %q", k.Name)
}

// RemoveKey forgets a key and what it spent. An unknown id is a problem of code
// NotFound.
func (s *Store) RemoveKey(ctx context.Context, id string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.exec(ctx, `DELETE FROM api_keys WHERE id = $1`, id)
		if err == nil && n == 0 {
			return problem.New(problem.NotFound, "there is no key %q", id).WithSlug("key_not_found")
		}
		for _, forget := range []string{`DELETE FROM api_key_uses WHERE owner = $1`, `DELETE FROM api_spending WHERE owner = $1`} {
			if err == nil {
				_, err = t.exec(ctx, forget, id)
			}
		}
		if err != nil {
			return err
		}
		return t.raise(ctx, revisionOfKeys)
	})
	return wrap(err, "remove key %s", id)
}

// SaveKeyUses notes when keys were last used, by their owners.
func (s *Store) SaveKeyUses(ctx context.Context, uses map[string]time.Time) error {
	cells := make([][]any, 0, len(uses))
	for owner, at := range uses {
		cells = append(cells, []any{owner, millis(at)})
	}
	text := table(cells)
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO api_key_uses (owner, used_at) SELECT e.value->>0, CAST(e.value->>1 AS BIGINT) FROM rows($1) AS e WHERE true
			ON CONFLICT (owner) DO UPDATE SET used_at = excluded.used_at`, text)
		return err
	})
	return wrap(err, "note the uses of keys")
}

// KeyUses are when keys were last used, by their owners.
func (s *Store) KeyUses(ctx context.Context) (map[string]time.Time, error) {
	uses := map[string]time.Time{}
	err := s.reader().each(ctx, `SELECT owner, used_at FROM api_key_uses`, nil, func(scan func(...any) error) error {
		var owner string
		var at sql.NullInt64
		err := scan(&owner, &at)
		uses[owner] = moment(at)
		return err
	})
	return uses, wrap(err, "read the uses of keys")
}

// Spend takes c from its quota. What does not fit is refused whole, as
// c.Refused says.
func (s *Store) Spend(ctx context.Context, c apikey.Charge) error {
	if c.Quota.Images == 0 || c.Images == 0 {
		return nil
	}
	err := s.write(ctx, func(ctx context.Context, t *tx) error { return t.spend(ctx, c) })
	return wrap(err, "spend %d images", c.Images)
}

func (t *tx) spend(ctx context.Context, c apikey.Charge) error {
	if c.Quota.Images == 0 || c.Images == 0 {
		return nil
	}
	if c.Images > c.Quota.Images {
		return c.Refused(0, t.now)
	}
	period, began, _ := c.Quota.Window(t.now)
	var spent int64
	err := t.row(ctx, `INSERT INTO api_spending (owner, period, began_at, images) VALUES ($1, $2, $3, $4)
		ON CONFLICT (owner, period) DO UPDATE SET images = api_spending.images + excluded.images
			WHERE api_spending.images + excluded.images <= $5
		RETURNING images`, c.Owner, period, millis(began), c.Images, c.Quota.Images).Scan(&spent)
	if errors.Is(err, sql.ErrNoRows) {
		if spent, err = spentIn(ctx, t.reader, c.Owner, period); err != nil {
			return err
		}
		return c.Refused(spent, t.now)
	}
	if err == nil && spent == c.Images { // the first of the period
		_, err = t.exec(ctx, `DELETE FROM api_spending WHERE owner = $1 AND began_at < $2`, c.Owner, millis(began.Add(-spendingKept)))
	}
	return err
}

// Spent is what owner took from the quota q in its present period.
func (s *Store) Spent(ctx context.Context, owner string, q apikey.Quota) (int64, error) {
	period, _, _ := q.Window(time.Now())
	spent, err := spentIn(ctx, s.reader(), owner, period)
	return spent, wrap(err, "read what a key has spent")
}

func spentIn(ctx context.Context, r reader, owner, period string) (spent int64, err error) {
	err = r.row(ctx, `SELECT images FROM api_spending WHERE owner = $1 AND period = $2`, owner, period).Scan(&spent)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return spent, err
}

// Backlog is how many rows of accepted jobs have not ended.
func (s *Store) Backlog(ctx context.Context) (rows int64, err error) {
	err = s.reader().row(ctx, `SELECT COALESCE(sum(total - succeeded - failed), 0) FROM jobs WHERE completed_at IS NULL`).Scan(&rows)
	return rows, wrap(err, "count the rows that wait")
}

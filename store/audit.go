package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/audit"
)

// Audit is the list of who changed what.
type Audit struct{ store *Store }

// Audit is the list of this ledger.
func (s *Store) Audit() Audit { return Audit{s} }

// newAuditID is one that follows those of earlier milliseconds.
func newAuditID(at time.Time) string {
	return fmt.Sprintf("aud_%012x%s", at.UnixMilli(), strings.ToLower(rand.Text()[:10]))
}

// Begin writes an entry before its change, and returns its id.
func (a Audit) Begin(ctx context.Context, e audit.Entry) (id string, err error) {
	err = a.store.write(ctx, func(ctx context.Context, t *tx) error {
		id = newAuditID(t.now)
		_, err := t.exec(ctx, `INSERT INTO audit (id, at, actor, via, action, kind, name, before, after, status, request)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
			id, millis(t.now), clean(e.Actor), e.Via, e.Action, e.Kind, clean(e.Name), e.Before, e.After, e.Status, e.Request)
		return err
	})
	return id, wrap(err, "note who changes what")
}

// End fills in how the change of an entry ended. An entry that has ended stays as it is.
func (a Audit) End(ctx context.Context, id, name, after string, status int) error {
	return wrap(a.store.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `UPDATE audit SET name = $2, after = $3, status = $4 WHERE id = $1 AND status = 0`, id, clean(name), after, status)
		return err
	}), "note how a change ended")
}

// Entries are those that f chooses, newest first.
func (a Audit) Entries(ctx context.Context, f audit.Filter) ([]audit.Entry, error) {
	var where []string
	var args []any
	only := func(condition string, arg any) {
		args = append(args, arg)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	for column, value := range map[string]string{"actor": f.Actor, "via": f.Via, "action": f.Action, "kind": f.Kind, "name": f.Name} {
		if value != "" {
			only(column+` = $%d`, clean(value))
		}
	}
	if !f.Since.IsZero() {
		only(`at >= $%d`, millis(f.Since))
	}
	if !f.Until.IsZero() {
		only(`at < $%d`, millis(f.Until))
	}
	if f.After != "" {
		only(`id < $%d`, clean(f.After))
	}
	query := `SELECT id, at, actor, via, action, kind, name, before, after, status, request FROM audit`
	if len(where) > 0 {
		query += ` WHERE ` + strings.Join(where, ` AND `)
	}
	args = append(args, f.Limit)
	all, err := collect(ctx, a.store.reader(), query+fmt.Sprintf(` ORDER BY id DESC LIMIT $%d`, len(args)), args, func(scan func(...any) error) (e audit.Entry, err error) {
		var at sql.NullInt64
		err = scan(&e.ID, &at, &e.Actor, &e.Via, &e.Action, &e.Kind, &e.Name, &e.Before, &e.After, &e.Status, &e.Request)
		e.At = moment(at)
		return e, err
	})
	return all, wrap(err, "read who changed what")
}

// Expire forgets the entries from before a moment.
func (a Audit) Expire(ctx context.Context, before time.Time) error {
	return wrap(a.store.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `DELETE FROM audit WHERE at < $1`, millis(before))
		return err
	}), "forget who changed what long ago")
}

// digested are the columns that tell one state of a thing from another.
var digested = map[string]string{
	"source":       `SELECT CAST(revision AS TEXT), spec, secrets FROM resources WHERE kind = 'source' AND name = $1`,
	"sink":         `SELECT CAST(revision AS TEXT), spec, secrets FROM resources WHERE kind = 'sink' AND name = $1`,
	"binding":      `SELECT CAST(revision AS TEXT), spec, secrets FROM resources WHERE kind = 'binding' AND name = $1`,
	"template":     `SELECT CAST(number AS TEXT), digest, '' FROM templates WHERE name = $1 ORDER BY number DESC LIMIT 1`,
	"key":          `SELECT id, digest, scopes FROM api_keys WHERE id = $1 OR name = $1`,
	"experiment":   `SELECT CAST(revision AS TEXT), status, definition FROM experiments WHERE (id = $1 OR slug = $1) AND retired = 0`,
	"subscription": `SELECT CAST(revision AS TEXT), url, secret FROM webhook_subscriptions WHERE id = $1 AND gone = 0`,
}

// Digest is that of a thing as it is now; "" where there is none, or where its kind
// is not one thing.
func (a Audit) Digest(ctx context.Context, kind, name string) (string, error) {
	query, ok := digested[kind]
	if !ok || name == "" {
		return "", nil
	}
	var parts [3]string
	err := a.store.reader().row(ctx, query, clean(name)).Scan(&parts[0], &parts[1], &parts[2])
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", wrap(err, "read the %s %q as it is", kind, name)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts[:], "\x00")))
	return hex.EncodeToString(sum[:]), nil
}

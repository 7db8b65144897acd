package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/pictifyd/pictifyd/assets"
)

var _ assets.Index = (*Store)(nil)

// Setting is what is kept under name. When nothing is, make's value is; of two
// at once the first one wins and both get it.
func (s *Store) Setting(ctx context.Context, name string, make func() (string, error)) (string, error) {
	value, err := setting(ctx, s.reader(), name)
	if !errors.Is(err, sql.ErrNoRows) {
		return value, wrap(err, "read setting %q", name)
	}
	made, err := make()
	if err != nil {
		return "", fmt.Errorf("make setting %q: %w", name, err)
	}
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		if _, err := t.exec(ctx, `INSERT INTO settings (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`, name, made); err != nil {
			return err
		}
		var err error
		value, err = setting(ctx, t.reader, name)
		return err
	})
	return value, wrap(err, "store setting %q", name)
}

func setting(ctx context.Context, r reader, name string) (value string, err error) {
	err = r.row(ctx, `SELECT value FROM settings WHERE name = $1`, name).Scan(&value)
	return value, err
}

// epochSetting is part of every fingerprint.
const epochSetting = "epoch"

// Epoch is the number that is part of every fingerprint, 1 at first.
func (s *Store) Epoch(ctx context.Context) (int64, error) {
	return epoch(ctx, s.reader())
}

func epoch(ctx context.Context, r reader) (int64, error) {
	value, err := setting(ctx, r, epochSetting)
	if errors.Is(err, sql.ErrNoRows) {
		return 1, nil
	}
	if err != nil {
		return 0, fmt.Errorf("read the epoch: %w", err)
	}
	return strconv.ParseInt(value, 10, 64)
}

// RaiseEpoch adds one to the epoch and returns the new one.
func (s *Store) RaiseEpoch(ctx context.Context) (int64, error) {
	var raised int64
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		if _, err := t.exec(ctx, `INSERT INTO settings (name, value) VALUES ($1, '2')
			ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(settings.value AS BIGINT) + 1 AS TEXT)`, epochSetting); err != nil {
			return err
		}
		var err error
		raised, err = epoch(ctx, t.reader)
		return err
	})
	return raised, wrap(err, "raise the epoch")
}

// AssetPin is what was found at url when it was fetched.
func (s *Store) AssetPin(ctx context.Context, url string) (assets.Pin, bool, error) {
	p := assets.Pin{Address: url}
	var fetched, checked sql.NullInt64
	err := s.reader().row(ctx, `SELECT digest, content_type, size, fetched_at, checked_at, etag, last_modified FROM asset_pins WHERE id = $1`, pinID(url)).
		Scan(&p.Digest, &p.ContentType, &p.Size, &fetched, &checked, &p.ETag, &p.LastModified)
	if errors.Is(err, sql.ErrNoRows) {
		return p, false, nil
	}
	p.FetchedAt, p.CheckedAt = moment(fetched), moment(checked)
	return p, err == nil, wrap(err, "read the pin of %s", url)
}

// SaveAssetPin remembers p for url, in place of what was remembered before.
func (s *Store) SaveAssetPin(ctx context.Context, url string, p assets.Pin) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO asset_pins (id, url, digest, content_type, size, fetched_at, checked_at, etag, last_modified)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (id) DO UPDATE SET digest = excluded.digest, content_type = excluded.content_type, size = excluded.size,
				fetched_at = excluded.fetched_at, checked_at = excluded.checked_at, etag = excluded.etag, last_modified = excluded.last_modified`,
			pinID(url), clean(url), p.Digest, clean(p.ContentType), p.Size, orZero(p.FetchedAt), orZero(p.CheckedAt), clean(p.ETag), clean(p.LastModified))
		return err
	})
	return wrap(err, "pin %s", url)
}

func pinID(url string) string {
	sum := sha256.Sum256([]byte(url))
	return hex.EncodeToString(sum[:])
}

func orZero(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return millis(t)
}

// wrap says what was being done when err came; nil stays nil.
func wrap(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf(format+": %w", append(args, err)...)
}

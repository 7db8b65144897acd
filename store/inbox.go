package store

import (
	"context"
	"time"
)

// Seen are those of ids, of messages to a source, that were taken before.
func (s *Store) Seen(ctx context.Context, source string, ids []string) (map[string]bool, error) {
	seen := make(map[string]bool, len(ids))
	err := pages(ids, pageSize, func(page []string) error {
		return s.reader().each(ctx, `SELECT id FROM inbox WHERE source = $1 AND id IN list($2)`, []any{source, list(page)},
			func(scan func(...any) error) error {
				var id string
				err := scan(&id)
				seen[id] = true
				return err
			})
	})
	return seen, wrap(err, "look for messages to %q", source)
}

// TakeMessage notes that a message to a source was taken which has no rows.
func (s *Store) TakeMessage(ctx context.Context, source, id string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error { return t.takeMessages(ctx, source, []string{id}) })
	return wrap(err, "note a message to %q", source)
}

// takeMessages notes messages as taken, with what the change does because of
// them. One that was taken before fails it: its effects would come twice.
func (t *tx) takeMessages(ctx context.Context, source string, ids []string) error {
	return pages(ids, pageSize, func(page []string) error {
		_, err := t.exec(ctx, `INSERT INTO inbox (source, id, seen_at)
			SELECT CAST($1 AS TEXT), e.value, CAST($3 AS BIGINT) FROM texts($2) AS e WHERE true`, source, list(page), millis(t.now))
		return err
	})
}

// forgetPage is how many messages are forgotten in one commit: so few that no
// writer waits long.
const forgetPage = 5000

// ForgetMessages ends the memory of messages that were taken at before or
// earlier: their senders have long given up.
func (s *Store) ForgetMessages(ctx context.Context, before time.Time) error {
	for {
		var more int64
		if err := s.reader().row(ctx, `SELECT count(*) FROM (SELECT 1 FROM inbox WHERE seen_at <= $1 LIMIT 1) AS i`, millis(before)).Scan(&more); err != nil || more == 0 {
			return wrap(err, "look for old messages")
		}
		err := s.write(ctx, func(ctx context.Context, t *tx) error {
			_, err := t.exec(ctx, `DELETE FROM inbox WHERE (source, id) IN
				(SELECT source, id FROM inbox WHERE seen_at <= $1 ORDER BY seen_at LIMIT $2)`, millis(before), forgetPage)
			return err
		})
		if err != nil {
			return wrap(err, "forget old messages")
		}
	}
}

package store

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/pictifyd/pictifyd/connectors"
)

// WantPoll asks for a reading of source. The wish is durable; wishes that come
// before the reading begins are one, and one that comes during a reading is
// fulfilled after it.
func (s *Store) WantPoll(ctx context.Context, source string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		if _, err := t.exec(ctx, `INSERT INTO sources (name, wanted) VALUES ($1, 1)
			ON CONFLICT (name) DO UPDATE SET wanted = 1 WHERE sources.wanted = 0`, source); err != nil {
			return err
		}
		return t.addPollTurn(ctx, source)
	})
	return wrap(err, "ask for a reading of %q", source)
}

// BeginPoll fulfils the wish: it says where to read from, and names the reading
// and its place among the readings of the source. After a reading that wrote
// something and died, it is the beginning.
func (s *Store) BeginPoll(ctx context.Context, turn Turn) (from connectors.Cursor, reading string, seq int64, err error) {
	var position string
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		if _, err := t.exec(ctx, `INSERT INTO sources (name) VALUES ($1) ON CONFLICT (name) DO NOTHING`, turn.Source); err != nil {
			return err
		}
		return t.row(ctx, `UPDATE sources SET seq = seq + 1, wanted = 0, begun_by = $2 WHERE name = $1 RETURNING seq, CASE WHEN unclosed = '' THEN position ELSE '' END`,
			turn.Source, turn.ID).Scan(&seq, &position)
	})
	if err == nil {
		from, err = decodeCursor(position)
	}
	return from, fmt.Sprintf("%s#%d", turn.Source, seq), seq, wrap(err, "begin to read %q", turn.Source)
}

// EndPoll ends the turn and notes why the source could not be read; nil when it
// could. A wish that came meanwhile gets its turn. A turn that ends without
// having begun takes the wish with it.
func (s *Store) EndPoll(ctx context.Context, turn Turn, failure error) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		if err := t.complete(ctx, turn); err != nil {
			return err
		}
		message := ""
		if failure != nil {
			message = clean(failure.Error())
		}
		if _, err := t.exec(ctx, `UPDATE sources SET error = $2, error_at = CAST($3 AS BIGINT),
			wanted = CASE WHEN begun_by = $4 THEN wanted ELSE 0 END WHERE name = $1`,
			turn.Source, message, failedAt(t, failure), turn.ID); err != nil {
			return err
		}
		var again int64
		if err := t.row(ctx, `SELECT (SELECT count(*) FROM sources WHERE name = $2 AND wanted = 1) + (SELECT count(*) FROM jobs AS j WHERE j.source = $2 AND `+dueRun+`)`,
			millis(t.now), turn.Source).Scan(&again); err != nil || again == 0 {
			return err
		}
		return t.addPollTurn(ctx, turn.Source)
	})
	return wrap(err, "end the reading of %q", turn.Source)
}

func failedAt(t *tx, failure error) any {
	if failure == nil {
		return nil
	}
	return millis(t.now)
}

func encodeCursor(c []byte) string { return base64.StdEncoding.EncodeToString(c) }

func decodeCursor(position string) (connectors.Cursor, error) {
	if position == "" {
		return nil, nil
	}
	return base64.StdEncoding.DecodeString(position)
}

package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

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
		return t.row(ctx, `UPDATE sources SET seq = seq + 1, wanted = 0, begun_by = $2, begun_at = $3 WHERE name = $1 RETURNING seq, CASE WHEN unclosed = '' THEN position ELSE '' END`,
			turn.Source, turn.ID, millis(t.now)).Scan(&seq, &position)
	})
	if err == nil {
		from, err = decodeCursor(position)
	}
	return from, fmt.Sprintf("%s#%d", turn.Source, seq), seq, wrap(err, "begin to read %q", turn.Source)
}

// BeginReading names a reading that no turn was asked for, and its place among the
// readings of the source: the last of places, for who orders what comes in it.
func (s *Store) BeginReading(ctx context.Context, source string, places int) (reading string, seq int64, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		return t.row(ctx, `INSERT INTO sources (name, seq) VALUES ($1, CAST($2 AS BIGINT))
			ON CONFLICT (name) DO UPDATE SET seq = sources.seq + CAST($2 AS BIGINT) RETURNING seq`, source, places).Scan(&seq)
	})
	return fmt.Sprintf("%s#%d", source, seq), seq, wrap(err, "begin to read %q", source)
}

// lastReading leaves room for more readings than there will ever be.
const lastReading = math.MaxInt64 - 1<<40

// OutnumberRows has the readings of source to come be newer than every row that is
// stored. Those may have been numbered by another count: that of a sender, before
// the configuration said otherwise.
func (s *Store) OutnumberRows(ctx context.Context, source string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `UPDATE sources SET seq = CASE WHEN m.newest > $2 THEN $2 ELSE m.newest END
			FROM (SELECT max(version) AS newest FROM source_rows WHERE source = $1) AS m WHERE sources.name = $1 AND m.newest > sources.seq`,
			source, int64(lastReading))
		return err
	})
	return wrap(err, "number the readings of %q behind its rows", source)
}

// BeginLook is BeginReading for the whole of a source.
func (s *Store) BeginLook(ctx context.Context, source string) (reading string, seq int64, err error) {
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		return t.row(ctx, `INSERT INTO sources (name, seq, begun_at) VALUES ($1, 1, $2)
			ON CONFLICT (name) DO UPDATE SET seq = sources.seq + 1, begun_at = excluded.begun_at RETURNING seq`, source, millis(t.now)).Scan(&seq)
	})
	return fmt.Sprintf("%s#%d", source, seq), seq, wrap(err, "begin to read %q", source)
}

// Position is where to read source from. After a reading that wrote something and
// died, it is the beginning.
func (s *Store) Position(ctx context.Context, source string) (connectors.Cursor, error) {
	var position string
	err := s.reader().row(ctx, `SELECT CASE WHEN unclosed = '' THEN position ELSE '' END FROM sources WHERE name = $1`, source).Scan(&position)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, wrap(err, "find the position of %q", source)
	}
	return decodeCursor(position)
}

// NotePoll notes why a source could not be read; nil when it could.
func (s *Store) NotePoll(ctx context.Context, source string, failure error) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		message := ""
		if failure != nil {
			message = clean(failure.Error())
		}
		if _, err := t.exec(ctx, `INSERT INTO sources (name, error, error_at, ended_at, failures) VALUES ($1, $2, CAST($3 AS BIGINT), $4, $5)
			ON CONFLICT (name) DO UPDATE SET error = excluded.error, error_at = excluded.error_at, ended_at = excluded.ended_at,
				failures = CASE WHEN excluded.failures = 0 THEN 0 ELSE sources.failures + 1 END`,
			source, message, failedAt(t, failure), millis(t.now), flag(failure != nil)); err != nil {
			return err
		}
		if failure != nil {
			if err := t.failPast(ctx, source, message); err != nil {
				return err
			}
		}
		return t.failSource(ctx, source, failure)
	})
	return wrap(err, "note how %q was read", source)
}

// A Confirmation is that a source was found to be as it was.
type Confirmation struct {
	At    time.Time // last
	Times int64
}

// Confirm notes when sources were last found to be as they were.
func (s *Store) Confirm(ctx context.Context, seen map[string]Confirmation) error {
	var rows [][]any
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		rows = append(rows, []any{name, millis(seen[name].At), seen[name].Times})
	}
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `UPDATE sources SET read_at = CAST(e.value->>1 AS BIGINT), begun_at = CAST(e.value->>1 AS BIGINT),
				ended_at = CAST(e.value->>1 AS BIGINT), confirmed_at = CAST(e.value->>1 AS BIGINT), unchanged = unchanged + CAST(e.value->>2 AS BIGINT) FROM rows($1) AS e
			WHERE sources.name = e.value->>0 AND (read_at IS NULL OR read_at < CAST(e.value->>1 AS BIGINT))`, table(rows))
		return err
	})
	return wrap(err, "note which sources are as they were")
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
			ended_at = CASE WHEN begun_by = $4 THEN $5 ELSE ended_at END,
			failures = CASE WHEN begun_by <> $4 THEN failures WHEN $2 = '' THEN 0 ELSE failures + 1 END,
			wanted = CASE WHEN begun_by = $4 THEN wanted ELSE 0 END WHERE name = $1`,
			turn.Source, message, failedAt(t, failure), turn.ID, millis(t.now)); err != nil {
			return err
		}
		if err := t.failSource(ctx, turn.Source, failure); err != nil {
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

package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/sink"
)

// A DeliveryClaim is a delivery that a turn has taken on.
type DeliveryClaim struct {
	ID, Sink   string
	Owner      bindings.Owner
	Key        string
	Generation int64
	Event      string
	CreatedAt  time.Time
	Attempt    int // counts from 1
	Spent      int // attempts before it was last replayed: they count no more towards its end
	Row        map[string]any
	Outputs    []sink.Output // without URLs

	Index int64           // of a job's row
	Fault *batch.RowError // of an event about a job's row
}

// A Delivered says how one claim ended. Err is nil when it arrived.
type Delivered struct {
	ID      string
	At      time.Time // when the try began
	Took    time.Duration
	Receipt sink.Receipt
	Err     error
	Dead    bool          // it is given up
	Retry   time.Duration // else it is tried again after so long
}

// dueDeliveries are the deliveries of sink $1 that may be tried at $2: of each
// thread only the one of the lowest generation.
const dueDeliveries = `SELECT d.id FROM deliveries AS d WHERE d.sink = $1 AND d.state = 'waiting' AND d.due_at <= $2
	AND NOT EXISTS (SELECT 1 FROM deliveries AS b WHERE b.sink = d.sink AND b.owner = d.owner AND b.key = d.key
		AND b.generation < d.generation AND b.state IN ('waiting', 'claimed'))`

// ClaimDeliveries takes up to limit deliveries of the turn's sink that are due.
// Of one item at most one is on its way, in the order of generations.
func (s *Store) ClaimDeliveries(ctx context.Context, turn Turn, limit int) ([]DeliveryClaim, error) {
	var claims []DeliveryClaim
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		ids, err := collect(ctx, t.reader, dueDeliveries+` ORDER BY d.due_at, d.generation LIMIT $3 FOR UPDATE SKIP LOCKED`,
			[]any{turn.Sink, millis(t.now), limit}, text1)
		if err != nil {
			return err
		}
		claims, err = t.claimDeliveries(ctx, turn, ids)
		return err
	})
	return claims, wrap(err, "claim deliveries to %q", turn.Sink)
}

func (t *tx) claimDeliveries(ctx context.Context, turn Turn, ids []string) ([]DeliveryClaim, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	claims, err := collect(ctx, t.reader, `UPDATE deliveries SET state = 'claimed', claimed_by = $2, attempts = attempts + 1
		WHERE id IN list($1)
		RETURNING id, sink, owner, key, generation, event, created_at, attempts, spent, data, outputs, idx`, []any{list(ids), turn.ID},
		func(scan func(...any) error) (c DeliveryClaim, err error) {
			var created sql.NullInt64
			var data, outputs string
			if err := scan(&c.ID, &c.Sink, &c.Owner, &c.Key, &c.Generation, &c.Event, &created, &c.Attempt, &c.Spent, &data, &outputs, &c.Index); err != nil {
				return c, err
			}
			c.CreatedAt = moment(created)
			if IsRowsSink(c.Sink) && data != "" {
				c.Fault = new(batch.RowError)
				err = decode(data, c.Fault)
			} else {
				c.Row, err = rowOf(data)
			}
			if err != nil {
				return c, err
			}
			return c, decode(outputs, &c.Outputs)
		})
	slices.SortFunc(claims, func(a, b DeliveryClaim) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	return claims, err
}

// rowOf reads a row's values, with numbers as they stand.
func rowOf(data string) (map[string]any, error) {
	if data == "" {
		return nil, nil
	}
	d := json.NewDecoder(strings.NewReader(data))
	d.UseNumber()
	var row map[string]any
	return row, d.Decode(&row)
}

// FinishDeliveries records how claims ended. With end the turn is over: what it
// still claims waits again, and the next turn is there while something is due.
func (s *Store) FinishDeliveries(ctx context.Context, turn Turn, done []Delivered, end bool) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		for _, d := range done {
			if err := t.finishDelivery(ctx, turn, d); err != nil {
				return err
			}
		}
		if end {
			if _, err := t.exec(ctx, `UPDATE deliveries SET state = 'waiting', claimed_by = 0, attempts = attempts - 1
				WHERE claimed_by = $1 AND state = 'claimed'`, turn.ID); err != nil {
				return err
			}
			if err := t.complete(ctx, turn); err != nil {
				return err
			}
			t.wantSinks[turn.Sink] = true
		}
		s.crash("delivery.finish")
		return nil
	})
	return wrap(err, "record deliveries to %q", turn.Sink)
}

func (t *tx) finishDelivery(ctx context.Context, turn Turn, d Delivered) error {
	if d.Err != nil {
		if err := t.noteAttempt(ctx, turn, d); err != nil {
			return err
		}
	}
	switch {
	case d.Err == nil:
		return t.delivered(ctx, turn, d)
	case d.Dead:
		_, err := t.exec(ctx, `UPDATE deliveries SET state = 'dead', claimed_by = 0, ended_at = $3, error = $4, cause = $5
			WHERE id = $1 AND claimed_by = $2 AND state = 'claimed'`, d.ID, turn.ID, millis(t.now), clean(d.Err.Error()), causeOf(turn.Sink, d.Receipt, d.Err))
		return err
	}
	// A newer one that waits says all that this one does.
	_, err := t.exec(ctx, `UPDATE deliveries SET claimed_by = 0, due_at = $3, error = $4, ended_at = CASE WHEN newer = 1 THEN CAST($5 AS BIGINT) END,
			state = CASE WHEN newer = 1 THEN 'superseded' ELSE 'waiting' END
		FROM (SELECT d.id AS it, CASE WHEN EXISTS (SELECT 1 FROM deliveries AS n WHERE n.sink = d.sink AND n.owner = d.owner AND n.key = d.key
			AND n.generation > d.generation AND n.state = 'waiting') THEN 1 ELSE 0 END AS newer FROM deliveries AS d WHERE d.id = $1) AS x
		WHERE deliveries.id = x.it AND claimed_by = $2 AND state = 'claimed'`,
		d.ID, turn.ID, millis(t.now.Add(d.Retry)), clean(d.Err.Error()), millis(t.now))
	return err
}

// delivered keeps no more of a delivery than that it arrived, and of its
// thread nothing that is older, but what is dead.
func (t *tx) delivered(ctx context.Context, turn Turn, d Delivered) error {
	if handled, err := t.rowTold(ctx, turn, d.ID); handled || err != nil {
		return err
	}
	n, err := t.exec(ctx, `UPDATE deliveries SET state = 'delivered', claimed_by = 0, ended_at = $3, error = '', data = '', outputs = '',
			tried_at = $4, took = $5, receipt = $6
		WHERE id = $1 AND claimed_by = $2 AND state = 'claimed'`, d.ID, turn.ID, millis(t.now), millis(d.At), d.Took.Microseconds(), encode(d.Receipt))
	if err != nil || n == 0 {
		return err
	}
	var on thread
	var generation int64
	if err := t.row(ctx, `SELECT sink, owner, key, generation FROM deliveries WHERE id = $1`, d.ID).Scan(&on.sink, &on.owner, &on.key, &generation); err != nil {
		return err
	}
	_, err = t.exec(ctx, `DELETE FROM deliveries WHERE sink = $1 AND owner = $2 AND key = $3 AND generation < $4
		AND state IN ('delivered', 'superseded')`, on.sink, string(on.owner), on.key, generation)
	return err
}

// noteAttempt keeps a try that failed.
func (t *tx) noteAttempt(ctx context.Context, turn Turn, d Delivered) error {
	_, err := t.exec(ctx, `INSERT INTO delivery_attempts (delivery, attempt, at, took, receipt, error)
		SELECT id, attempts, CAST($3 AS BIGINT), CAST($4 AS BIGINT), $5, $6 FROM deliveries WHERE id = $1 AND claimed_by = $2 AND state = 'claimed'
		ON CONFLICT (delivery, attempt) DO NOTHING`, d.ID, turn.ID, millis(d.At), d.Took.Microseconds(), encode(d.Receipt), clean(d.Err.Error()))
	return err
}

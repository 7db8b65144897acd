package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
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

	Assigned bindings.Assigned // as which variant the row is drawn
}

// The states of deliveries.
const (
	stateDelivered  = "delivered"
	stateSuperseded = "superseded"
)

// areDueOf is true of the deliveries d of a sink that may be tried at $2: of each
// thread only the one of the lowest generation, and none beside one that is on
// its way.
func areDueOf(sink string) string {
	return `d.sink = ` + sink + ` AND d.state = 'waiting' AND d.due_at <= $2
	AND NOT EXISTS (SELECT 1 FROM deliveries AS b WHERE b.sink = d.sink AND b.owner = d.owner AND b.key = d.key
		AND (b.state = 'claimed' OR b.state = 'waiting' AND b.generation < d.generation))`
}

var areDue = areDueOf("$1")

// dueDeliveries are those that a turn may take on, with their sizes, and whether
// the sink was told something newer since, or may have been: a newer one that was
// tried can have arrived.
var dueDeliveries = `SELECT d.id, octet_length(d.data) + octet_length(d.outputs), CASE WHEN EXISTS (SELECT 1 FROM deliveries AS n
		WHERE n.sink = d.sink AND n.owner = d.owner AND n.key = d.key AND n.generation > d.generation
			AND (n.state = 'delivered' OR n.state = 'waiting' AND n.attempts > 0)) THEN 1 ELSE 0 END
	FROM deliveries AS d WHERE ` + areDue + ` ORDER BY d.due_at, d.generation LIMIT $3 FOR UPDATE SKIP LOCKED`

// claimBytes is about how much a turn takes on at a time.
const claimBytes = 8 << 20

// ClaimDeliveries takes up to limit deliveries of the turn's sink that are due.
// Of one item at most one is on its way, in the order of generations. What is
// older than what the sink was told is superseded instead.
func (s *Store) ClaimDeliveries(ctx context.Context, turn Turn, limit int) ([]DeliveryClaim, error) {
	done, err := s.DeliverRound(ctx, turn, Round{Room: limit})
	return done.Claims, err
}

// takeDeliveries claims up to room deliveries, as far as the sink's state allows.
func (t *tx) takeDeliveries(ctx context.Context, turn Turn, state SinkState, room int) ([]DeliveryClaim, error) {
	if id, ok := SubscriptionOf(turn.Sink); ok {
		if gone, err := t.none(ctx, `SELECT 1 FROM webhook_subscriptions WHERE id = $1 AND gone = 0`, id); err != nil || gone {
			return nil, errors.Join(err, t.dropUnheard(ctx, turn.Sink))
		}
	}
	if room <= 0 || t.store.draining.Load() || !state.open(t.now) {
		return nil, nil
	}
	if !state.RestUntil.IsZero() { // one tries, and the others wait for how it ends
		room = 1
		var underway int64
		if err := t.row(ctx, `SELECT count(*) FROM deliveries WHERE sink = $1 AND state = 'claimed'`, turn.Sink).Scan(&underway); err != nil || underway > 0 {
			return nil, err
		}
	}
	for {
		ids, stale, err := t.dueIDs(ctx, turn.Sink, room)
		if err != nil {
			return nil, err
		}
		if len(stale) > 0 {
			if _, err := t.exec(ctx, `UPDATE deliveries SET state = 'superseded', ended_at = $2 WHERE id IN list($1)`, list(stale), millis(t.now)); err != nil {
				return nil, err
			}
			t.counted(turn.Sink).superseded += int64(len(stale))
		}
		if len(ids) > 0 || len(stale) == 0 {
			return t.claimDeliveries(ctx, turn, ids)
		}
	}
}

// dropUnheard drops what was being planned for a subscription when it was deleted.
func (t *tx) dropUnheard(ctx context.Context, sink string) error {
	_, err := t.dropDeliveries(ctx, `id IN (SELECT id FROM deliveries WHERE sink = $1 AND state = 'waiting' LIMIT $2)`, sink, pageSize)
	return err
}

// dueIDs are the deliveries of a sink that are next, and among them those that
// are older than what it was told.
func (t *tx) dueIDs(ctx context.Context, sink string, limit int) (ids, stale []string, err error) {
	var size int64
	err = t.each(ctx, dueDeliveries, []any{sink, millis(t.now), limit}, func(scan func(...any) error) error {
		var id string
		var bytes int64
		var old bool
		if err := scan(&id, &bytes, &old); err != nil {
			return err
		}
		switch {
		case old:
			stale = append(stale, id)
		case size < claimBytes:
			ids, size = append(ids, id), size+bytes
		}
		return nil
	})
	return ids, stale, err
}

func (t *tx) claimDeliveries(ctx context.Context, turn Turn, ids []string) ([]DeliveryClaim, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	claims, err := collect(ctx, t.reader, `UPDATE deliveries SET state = 'claimed', claimed_by = $2, attempts = attempts + 1
		WHERE id IN list($1)
		RETURNING id, sink, owner, key, generation, event, created_at, attempts, spent, data, outputs, idx, assigned`, []any{list(ids), turn.ID}, scanDeliveryClaim)
	place := make(map[string]int, len(ids))
	for i, id := range ids {
		place[id] = i
	}
	slices.SortFunc(claims, func(a, b DeliveryClaim) int { return place[a.ID] - place[b.ID] })
	return claims, err
}

func scanDeliveryClaim(scan func(...any) error) (c DeliveryClaim, err error) {
	var created sql.NullInt64
	var data, outputs, assigned string
	if err := scan(&c.ID, &c.Sink, &c.Owner, &c.Key, &c.Generation, &c.Event, &created, &c.Attempt, &c.Spent, &data, &outputs, &c.Index, &assigned); err != nil {
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
	return c, errors.Join(decode(outputs, &c.Outputs), decode(assigned, &c.Assigned))
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

// DeliveriesDue reports whether a turn on sink could take something on.
func (s *Store) DeliveriesDue(ctx context.Context, sink string) (bool, error) {
	var due int64
	err := s.reader().row(ctx, `SELECT count(*) FROM (SELECT 1 FROM deliveries AS d WHERE `+areDue+` LIMIT 1) AS d`, sink, millis(time.Now())).Scan(&due)
	return due > 0, wrap(err, "look for deliveries to %q", sink)
}

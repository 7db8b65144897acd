package store

import (
	"context"
	"time"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/sink"
)

// A Delivered says how one claim ended. Err is nil when it arrived.
type Delivered struct {
	ID      string
	At      time.Time // when the try began
	Took    time.Duration
	Receipt sink.Receipt
	Err     error
	Dead    bool          // it is given up
	Retry   time.Duration // else it is tried again after so long

	OfRow bool          // the failure says nothing of the sink
	Asked time.Duration // the sink asked to wait so long
	Gone  bool          // the sink is there no more: it is disabled
}

// A Round is what a turn on a sink tells, and what it asks for, in one commit.
type Round struct {
	Done    []Delivered // in the order in which they ended
	Untried []string    // claims that are given back as if they had not been taken
	Room    int         // how many claims it takes on at most
	// End ends the turn when there is nothing to take on: what it still claims
	// waits again, untried, and the next turn is there as soon as something is due.
	End    bool
	Policy SinkPolicy
}

// A Rounded is how a round went.
type Rounded struct {
	Claims   []DeliveryClaim
	Ended    bool // the turn
	Draining bool // the store takes nothing on any more
	Was, Now SinkState
	Idle     bool // nothing may be sent to the sink now
}

// DeliverRound records how claims ended, and takes on others.
func (s *Store) DeliverRound(ctx context.Context, turn Turn, r Round) (Rounded, error) {
	var done Rounded
	err := s.write(ctx, func(ctx context.Context, t *tx) (err error) {
		done = Rounded{Draining: s.draining.Load()}
		if done.Was, err = t.sinkState(ctx, turn.Sink, "FOR UPDATE"); err != nil {
			return err
		}
		if done.Now, err = t.finishDeliveries(ctx, turn, done.Was, r); err != nil {
			return err
		}
		done.Idle = !done.Now.open(t.now)
		if done.Claims, err = t.takeDeliveries(ctx, turn, done.Now, r.Room); err != nil {
			return err
		}
		if done.Ended = r.End && len(done.Claims) == 0; done.Ended {
			if err := t.endDeliveries(ctx, turn); err != nil {
				return err
			}
		}
		if len(r.Done) > 0 || done.Ended {
			s.crash("delivery.finish")
		}
		return nil
	})
	return done, wrap(err, "deliver to %q", turn.Sink)
}

// FinishDeliveries records how claims ended. With end the turn is over: what it
// still claims waits again, and the next turn is there while something is due.
func (s *Store) FinishDeliveries(ctx context.Context, turn Turn, done []Delivered, end bool) error {
	_, err := s.DeliverRound(ctx, turn, Round{Done: done, End: end})
	return err
}

func (t *tx) endDeliveries(ctx context.Context, turn Turn) error {
	if _, err := t.exec(ctx, `UPDATE deliveries SET state = 'waiting', claimed_by = 0, attempts = attempts - 1
		WHERE claimed_by = $1 AND state = 'claimed'`, turn.ID); err != nil {
		return err
	}
	t.wantSinks[turn.Sink] = true
	return t.complete(ctx, turn)
}

func (t *tx) finishDeliveries(ctx context.Context, turn Turn, was SinkState, r Round) (SinkState, error) {
	if len(r.Untried) > 0 {
		if _, err := t.exec(ctx, `UPDATE deliveries SET state = 'waiting', claimed_by = 0, attempts = attempts - 1
			WHERE id IN list($1) AND claimed_by = $2 AND state = 'claimed'`, list(r.Untried), turn.ID); err != nil {
			return was, err
		}
	}
	var arrived, failed, dead, again [][]any
	for _, d := range r.Done {
		receipt := receiptText(d.Receipt)
		if d.Err == nil {
			arrived = append(arrived, []any{d.ID, millis(d.At), d.Took.Microseconds(), receipt})
			continue
		}
		text := clean(d.Err.Error())
		failed = append(failed, []any{d.ID, millis(d.At), d.Took.Microseconds(), receipt, text})
		if d.Dead {
			dead = append(dead, []any{d.ID, text, causeOf(turn.Sink, d.Receipt, d.Err)})
		} else {
			again = append(again, []any{d.ID, millis(t.now.Add(d.Retry)), text})
		}
	}
	for _, step := range []struct {
		rows [][]any
		do   func(ctx context.Context, turn Turn, rows [][]any) error
	}{{failed, t.noteAttempts}, {arrived, t.noteArrivals}, {dead, t.giveUp}, {again, t.putOff}} {
		if len(step.rows) == 0 {
			continue
		}
		if err := step.do(ctx, turn, step.rows); err != nil {
			return was, err
		}
	}
	return t.noteSink(ctx, turn, was, r)
}

// noteAttempts keeps tries that failed.
func (t *tx) noteAttempts(ctx context.Context, turn Turn, rows [][]any) error {
	_, err := t.exec(ctx, `INSERT INTO delivery_attempts (delivery, attempt, at, took, receipt, error)
		SELECT d.id, d.attempts, CAST(e.value->>1 AS BIGINT), CAST(e.value->>2 AS BIGINT), e.value->>3, e.value->>4 FROM rows($1) AS e CROSS JOIN deliveries AS d
		WHERE d.id = e.value->>0 AND d.claimed_by = $2 AND d.state = 'claimed'
		ON CONFLICT (delivery, attempt) DO NOTHING`, table(rows), turn.ID)
	return err
}

// noteArrivals keeps no more of deliveries than that they arrived, and of their
// threads nothing that is older, but what is dead.
func (t *tx) noteArrivals(ctx context.Context, turn Turn, rows [][]any) error {
	if IsRowsSink(turn.Sink) {
		return t.rowsTold(ctx, turn, rows)
	}
	text := table(rows)
	n, err := t.exec(ctx, arriveDeliveries, text, turn.ID, millis(t.now))
	if err != nil {
		return err
	}
	t.counted(turn.Sink).delivered += n
	_, err = t.dropDeliveries(ctx, `id IN (SELECT o.id FROM rows($1) AS e CROSS JOIN deliveries AS d CROSS JOIN deliveries AS o
		WHERE d.id = e.value->>0 AND d.state = 'delivered' AND o.sink = d.sink AND o.owner = d.owner AND o.key = d.key AND o.generation < d.generation
			AND o.state IN ('delivered', 'superseded'))`, text)
	return err
}

// arriveDeliveries finds the claims by their ids: + 0 keeps SQLite from looking at all
// that the turn claims once for each.
const arriveDeliveries = `UPDATE deliveries SET state = 'delivered', claimed_by = 0, ended_at = $3, error = '', data = '', outputs = '', assigned = '',
		tried_at = CAST(e.value->>1 AS BIGINT), took = CAST(e.value->>2 AS BIGINT), receipt = e.value->>3
	FROM rows($1) AS e WHERE deliveries.id = e.value->>0 AND deliveries.claimed_by + 0 = $2 AND deliveries.state = 'claimed'`

// giveUp makes deliveries dead letters.
func (t *tx) giveUp(ctx context.Context, turn Turn, rows [][]any) error {
	_, err := t.exec(ctx, `UPDATE deliveries SET state = 'dead', claimed_by = 0, ended_at = $3, error = e.value->>1, cause = e.value->>2
		FROM rows($1) AS e WHERE deliveries.id = e.value->>0 AND deliveries.claimed_by + 0 = $2 AND deliveries.state = 'claimed'`,
		table(rows), turn.ID, millis(t.now))
	return err
}

// putOff has deliveries tried again, unless a newer one waits, which says all
// that the older one does.
func (t *tx) putOff(ctx context.Context, turn Turn, rows [][]any) error {
	states, err := collect(ctx, t.reader, `UPDATE deliveries SET claimed_by = 0, due_at = CAST(x.due AS BIGINT), error = x.why,
			ended_at = CASE WHEN x.newer = 1 THEN CAST($3 AS BIGINT) END, state = CASE WHEN x.newer = 1 THEN 'superseded' ELSE 'waiting' END
		FROM (SELECT e.value->>0 AS it, e.value->>1 AS due, e.value->>2 AS why, CASE WHEN EXISTS (SELECT 1 FROM deliveries AS n WHERE n.sink = d.sink AND n.owner = d.owner
			AND n.key = d.key AND n.generation > d.generation AND n.state IN ('waiting', 'delivered')) THEN 1 ELSE 0 END AS newer
			FROM rows($1) AS e CROSS JOIN deliveries AS d WHERE d.id = e.value->>0) AS x
		WHERE deliveries.id = x.it AND deliveries.claimed_by + 0 = $2 AND deliveries.state = 'claimed' RETURNING state`,
		[]any{table(rows), turn.ID, millis(t.now)}, text1)
	for _, state := range states {
		if state == stateSuperseded {
			t.counted(turn.Sink).superseded++
		}
	}
	return err
}

// receiptLimit is how much of an answer's body is kept.
const receiptLimit = 1 << 10

// receiptText is a receipt as it is kept; "" says nothing.
func receiptText(r sink.Receipt) string {
	if r.Status == 0 && r.Body == "" && r.Ref == "" && len(r.Header) == 0 {
		return ""
	}
	if len(r.Body) > receiptLimit {
		cut := receiptLimit
		for cut > 0 && !utf8.RuneStart(r.Body[cut]) {
			cut--
		}
		r.Body = r.Body[:cut]
	}
	return clean(encode(r))
}

package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// Why a delivery can be neither replayed nor discarded. They are slugs.
const (
	DeliveryWaits      = "delivery_waiting"
	DeliverySuperseded = "delivery_superseded"
	DeliveryDiscarded  = "delivery_discarded"
	DeliveryNotDead    = "delivery_not_dead"
)

// letterPage is how many dead letters one commit moves: so few that no delivery
// waits long.
const letterPage = 500

// groupSamples is how many deliveries stand for a group.
const groupSamples = 3

// DeadLetters are the groups of dead letters that a filter takes, the largest
// first.
func (s *Store) DeadLetters(ctx context.Context, f sink.Selection, limit int) ([]sink.Group, error) {
	f.State = sink.Dead
	q := filtered(f)
	groups, err := collect(ctx, s.reader(), `SELECT d.cause, min(d.sink), count(*), min(COALESCE(d.ended_at, d.created_at)), max(COALESCE(d.ended_at, d.created_at)), min(d.event), max(d.event)
		FROM deliveries AS d`+q.text()+` GROUP BY d.cause ORDER BY count(*) DESC, d.cause LIMIT `+q.arg(limit), q.args, func(scan func(...any) error) (g sink.Group, err error) {
		var first, last int64
		var least, most string
		err = scan(&g.Cause, &g.Sink, &g.Count, &first, &last, &least, &most)
		if least == most {
			g.Events = []string{least}
		}
		g.Sink, g.FirstSeen, g.LastSeen = countedAs(g.Sink), time.UnixMilli(first).UTC(), time.UnixMilli(last).UTC()
		return g, err
	})
	if err != nil {
		return nil, wrap(err, "group dead letters")
	}
	for i := range groups {
		if err := s.describeGroup(ctx, f, &groups[i]); err != nil {
			return nil, wrap(err, "describe dead letters")
		}
	}
	return groups, nil
}

// describeGroup adds an example of the error, a few ids, and the events.
func (s *Store) describeGroup(ctx context.Context, f sink.Selection, g *sink.Group) error {
	f.Cause = g.Cause
	q := filtered(f)
	if g.Cause == "" {
		q.and(`d.cause = ''`)
	}
	err := s.reader().each(ctx, `SELECT d.id, d.error FROM deliveries AS d`+q.text()+` ORDER BY d.ended_at DESC, d.id LIMIT `+q.arg(groupSamples), q.args,
		func(scan func(...any) error) error {
			var id, message string
			err := scan(&id, &message)
			if g.IDs = append(g.IDs, id); g.Error == "" {
				g.Error = message
			}
			return err
		})
	if err != nil || g.Events != nil {
		return err
	}
	q = filtered(f)
	g.Events, err = collect(ctx, s.reader(), `SELECT DISTINCT d.event FROM deliveries AS d`+q.text()+` ORDER BY 1`, q.args, text1)
	return err
}

// Backlogs are the deliveries that are left of each sink; those of the webhooks of
// jobs are batch and batch_rows.
func (s *Store) Backlogs(ctx context.Context) (map[string]sink.Backlog, error) {
	left := map[string]sink.Backlog{}
	err := s.reader().each(ctx, `SELECT sink, 0, count(*) FROM deliveries WHERE state = 'dead' GROUP BY sink
		UNION ALL SELECT sink, count(*), 0 FROM deliveries WHERE state = 'waiting' GROUP BY sink
		UNION ALL SELECT sink, count(*), 0 FROM deliveries WHERE state = 'claimed' GROUP BY sink`, nil, func(scan func(...any) error) error {
		var name string
		var waiting, dead int64
		err := scan(&name, &waiting, &dead)
		b := left[countedAs(name)]
		left[countedAs(name)] = sink.Backlog{Waiting: b.Waiting + waiting, Dead: b.Dead + dead}
		return err
	})
	return left, wrap(err, "count what is left to deliver")
}

// replayed is what a replay makes of a dead letter: it waits, is due, and has all
// its attempts again. Those that it had keep their numbers.
const replayed = `state = 'waiting', claimed_by = 0, due_at = CAST($2 AS BIGINT), ended_at = NULL, cause = '', spent = attempts`

// Replay has dead letters tried again as if they were new, also those of which
// something newer has arrived meanwhile: they end as superseded when their turn
// comes. A page is a commit; what dies while this goes on stays dead.
func (s *Store) Replay(ctx context.Context, f sink.Selection) (n int64, err error) {
	n, err = s.eachLetters(ctx, f, func(ctx context.Context, t *tx, ids []string) (int, error) {
		sinks, err := collect(ctx, t.reader, `UPDATE deliveries SET `+replayed+` WHERE id IN list($1) AND state = 'dead' RETURNING sink`,
			[]any{list(ids), millis(t.now)}, text1)
		for _, name := range sinks {
			t.wantSinks[name] = true
		}
		return len(sinks), err
	})
	return n, wrap(err, "replay dead letters")
}

// Discard gives dead letters up for good, and keeps why.
func (s *Store) Discard(ctx context.Context, f sink.Selection, reason, by string) (n int64, err error) {
	n, err = s.eachLetters(ctx, f, func(ctx context.Context, t *tx, ids []string) (int, error) {
		sinks, err := collect(ctx, t.reader, `UPDATE deliveries SET state = 'discarded', discarded_at = CAST($2 AS BIGINT), discard_reason = $3, discarded_by = $4
			WHERE id IN list($1) AND state = 'dead' RETURNING sink`, []any{list(ids), millis(t.now), clean(reason), clean(by)}, text1)
		for _, name := range sinks {
			t.counted(name).discarded++
		}
		return len(sinks), err
	})
	return n, wrap(err, "discard dead letters")
}

// eachLetters calls act for the dead letters that f takes and that are dead now, a
// page in a transaction, and adds up how many it moved.
func (s *Store) eachLetters(ctx context.Context, f sink.Selection, act func(ctx context.Context, t *tx, ids []string) (int, error)) (total int64, err error) {
	f.State = sink.Dead
	until := millis(time.Now())
	for more := true; more; {
		q := filtered(f)
		q.and(`COALESCE(d.ended_at, 0) <= ` + q.arg(until))
		text := `SELECT d.id FROM deliveries AS d` + q.text() + ` ORDER BY d.ended_at, d.id LIMIT ` + q.arg(letterPage)
		ids, err := collect(ctx, s.reader(), text, q.args, text1)
		if err != nil || len(ids) == 0 {
			return total, err
		}
		var moved int
		if err := s.write(ctx, func(ctx context.Context, t *tx) (err error) {
			moved, err = act(ctx, t, ids)
			return err
		}); err != nil {
			return total, err
		}
		s.crash("letters.moved")
		total += int64(moved)
		more = len(ids) == letterPage
	}
	return total, nil
}

// ReplayOne has one delivery tried again: a dead letter, or one that arrived,
// which its receiver is told once more.
func (s *Store) ReplayOne(ctx context.Context, id string) error {
	var state string
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		var name string
		if err := t.row(ctx, `SELECT state, sink FROM deliveries WHERE id = $1 FOR UPDATE`, clean(id)).Scan(&state, &name); err != nil {
			return err
		}
		if state != sink.Dead {
			return nil
		}
		t.wantSinks[name] = true
		_, err := t.exec(ctx, `UPDATE deliveries SET `+replayed+` WHERE id = $1`, clean(id), millis(t.now))
		return err
	})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return noDelivery(id)
	case err != nil || state == sink.Dead:
		return wrap(err, "replay delivery %q", id)
	case state != sink.Delivered:
		return notReplayable(id, state)
	}
	r, err := s.Delivery(ctx, id, nil)
	if err != nil {
		return err
	}
	done, err := s.Redeliver(ctx, sink.Selection{IDs: []string{id}, Sink: r.Sink}, false)
	switch {
	case err != nil || done.Told > 0:
		return err
	case done.Waiting > 0:
		return notReplayable(id, sink.Superseded)
	}
	return problem.New(problem.Conflict, "nothing is left of what the delivery %q told", id).WithSlug(DeliverySuperseded)
}

// DiscardOne gives one dead letter up.
func (s *Store) DiscardOne(ctx context.Context, id, reason, by string) error {
	n, err := s.Discard(ctx, sink.Selection{IDs: []string{id}}, reason, by)
	if err != nil || n > 0 {
		return err
	}
	r, err := s.Delivery(ctx, id, nil)
	if err != nil {
		return err
	}
	if r.State == sink.Discarded {
		return notReplayable(id, r.State)
	}
	return problem.New(problem.Conflict, "the delivery %q is %s, not a dead letter", id, r.State).WithSlug(DeliveryNotDead).
		WithHint("only what was given up can be discarded")
}

func notReplayable(id, state string) error {
	switch state {
	case sink.Discarded:
		return problem.New(problem.Conflict, "the delivery %q was discarded", id).WithSlug(DeliveryDiscarded).
			WithHint("tell the sink again what it should know: pictifyd redeliver SINK --row KEY")
	case sink.Superseded:
		return problem.New(problem.Conflict, "something newer was told instead of the delivery %q, or is about to be", id).WithSlug(DeliverySuperseded).
			WithHint("replay the newest one of the row")
	}
	return problem.New(problem.Conflict, "the delivery %q is %s already", id, state).WithSlug(DeliveryWaits).
		WithHint("it is sent when its time comes; where its sink is paused or disabled, resume that")
}

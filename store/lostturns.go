package store

import (
	"context"
	"fmt"
	"time"

	"github.com/pictifyd/pictifyd/bindings"
)

// A turn that the queue takes for running is lost when this process had it last and
// does not work it, or when a process had it that is neither the holder nor a member
// any more. What a living member has is its own business.

// claimLimit is how many processes may die over a render before it is taken
// for the cause.
const claimLimit = 5

// orphanAfter is how long a turn of this process may run for the queue without being
// worked here before it is put back. Ended turns are recorded within a moment, unless
// the disk was full at that moment.
const orphanAfter = 15 * time.Second

// A lostTurn is one that the queue takes for running and nobody works.
type lostTurn struct {
	id   int64
	dead bool // the process that had it is gone
}

// lostTurns are those that can be put back now. Turns of the dead are among them only
// if nothing of the dead can be committed any more.
func (s *Store) lostTurns(ctx context.Context) ([]lostTurn, error) {
	var own []int64
	var lost []lostTurn
	if err := s.reader().each(ctx, `SELECT id, worker(attempted_by) = $1, worker(attempted_by) IN (SELECT id FROM members) FROM river_job
		WHERE state = 'running' AND queue IN list($2)`, []any{s.self.ID, list(queues)}, func(scan func(...any) error) error {
		var id int64
		var ours, known bool
		err := scan(&id, &ours, &known)
		switch {
		case ours:
			own = append(own, id)
		case !known:
			lost = append(lost, lostTurn{id, true})
		}
		return err
	}); err != nil {
		return nil, err
	}
	orphans := s.orphaned(own)
	if s.member || len(lost) == 0 { // the holder puts back what the dead had
		return orphans, nil
	}
	if err := s.expelGuests(ctx); err != nil {
		return orphans, err
	}
	return append(lost, orphans...), nil
}

// orphaned are those of our running turns that have not been worked here for long.
func (s *Store) orphaned(running []int64) (lost []lostTurn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.orphans
	s.orphans = map[int64]time.Time{}
	for _, id := range running {
		if _, worked := s.working[id]; worked {
			continue
		}
		since, known := before[id]
		if !known {
			since = time.Now()
		}
		s.orphans[id] = since
		if time.Since(since) > orphanAfter {
			lost = append(lost, lostTurn{id: id})
		}
	}
	return lost
}

func (t *tx) putBackTurns(ctx context.Context, turns []lostTurn) error {
	for _, lost := range turns {
		if _, err := t.exec(ctx, `UPDATE river_job SET state = 'available' WHERE id = $1 AND state = 'running'`, lost.id); err != nil {
			return err
		}
		if lost.dead {
			if err := t.failCrashed(ctx, `claimed_by = $1`, lost.id); err != nil {
				return err
			}
		}
		if err := t.putBackClaims(ctx, `claimed_by = $1`, lost.id); err != nil {
			return err
		}
	}
	if len(turns) > 0 {
		t.ring = append(t.ring, queues...)
	}
	return nil
}

// Turns that another process works: one that joined the ledger, and has not been put out.
const (
	workedElsewhere = `worker(attempted_by) IN (SELECT id FROM members WHERE id <> $1)`
	claimedHere     = `claimed_by NOT IN (SELECT id FROM river_job WHERE state = 'running' AND ` + workedElsewhere + `)`
)

// putBack makes waiting, before the first turn is worked here, what dead processes had
// claimed. Their tries count.
func (s *Store) putBack(ctx context.Context) error {
	if err := s.expelGuests(ctx); err != nil {
		return err
	}
	return s.write(ctx, func(ctx context.Context, t *tx) error {
		if _, err := t.exec(ctx, `UPDATE river_job SET state = 'available' WHERE state = 'running' AND queue IN list($2)
			AND NOT `+workedElsewhere, s.self.ID, list(queues)); err != nil {
			return err
		}
		t.ring = append(t.ring, queues...)
		if err := t.failCrashed(ctx, claimedHere, s.self.ID); err != nil {
			return err
		}
		return t.putBackClaims(ctx, claimedHere, s.self.ID)
	})
}

// failCrashed ends renders that were claimed, by whom the condition says with arg as
// $1, when too many processes have died over them.
func (t *tx) failCrashed(ctx context.Context, claimed string, arg any) error {
	crashed, err := collect(ctx, t.reader, `SELECT fingerprint FROM renders WHERE state = 'claimed' AND attempts >= $2 AND `+claimed, []any{arg, claimLimit}, text1)
	if err != nil {
		return err
	}
	failed := map[string]bindings.Problem{}
	for _, f := range crashed {
		failed[f] = bindings.Problem{Code: codeCrashed, Message: fmt.Sprintf("the process died %d times while it drew this picture", claimLimit)}
	}
	return t.failRenders(ctx, failed)
}

// putBackClaims makes waiting what was claimed, by whom the condition says with arg as $1.
func (t *tx) putBackClaims(ctx context.Context, claimed string, arg any) error {
	if _, err := t.exec(ctx, `UPDATE renders SET state = `+putAside+`, claimed_by = 0 WHERE state = 'claimed' AND `+claimed, arg); err != nil {
		return err
	}
	_, err := t.exec(ctx, `UPDATE deliveries SET state = 'waiting', claimed_by = 0, due_at = $2 WHERE state = 'claimed' AND `+claimed, arg, millis(t.now))
	return err
}

package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/pictifyd/pictifyd/bindings"
)

const (
	// Of so many claims one begins with what can wait longest, and one with what
	// comes right behind the soonest, so that nothing waits for ever.
	fairRound = 8

	// contendedPart is by how much a turn is smaller while another owner waits.
	contendedPart = 4

	// wakeSize is how many rested renders one claim puts back.
	wakeSize = 500
)

const (
	dueAgain = `SELECT fingerprint FROM renders WHERE state = 'resting' AND due_at <= $1 ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED`

	// dueRenders counts up to $2 of each kind that a turn could take.
	dueRenders = `(SELECT count(*) FROM (SELECT 1 FROM renders WHERE ` + waitingRender + ` LIMIT $2) AS w)
		+ (SELECT count(*) FROM (SELECT 1 FROM renders WHERE state = 'resting' AND due_at <= $1 LIMIT $2) AS r)`

	soonest = `SELECT priority FROM renders WHERE ` + waitingRender + ` ORDER BY priority LIMIT 1`
	behind  = `SELECT priority FROM renders WHERE ` + waitingRender + ` AND priority > $2 ORDER BY priority LIMIT 1`
	latest  = `SELECT priority FROM renders WHERE ` + waitingRender + ` AND priority >= $2 ORDER BY priority DESC LIMIT 1`
	// nextOf is the owner behind one, in the order of their names.
	nextOf = `SELECT owner FROM renders WHERE ` + waitingRender + ` AND priority = $2 AND owner > $3 ORDER BY owner LIMIT 1`
)

// wake puts renders that rested long enough back among those that wait.
func (t *tx) wake(ctx context.Context) error {
	due, err := collect(ctx, t.reader, dueAgain, []any{millis(t.now), wakeSize}, text1)
	if err != nil || len(due) == 0 {
		return err
	}
	_, err = t.exec(ctx, `UPDATE renders SET state = `+putAside+` WHERE fingerprint IN list($1) AND state = 'resting'`, list(due))
	return err
}

// nextPriority is that of the renders which a turn takes: nearly always the
// soonest that waits. What somebody waits for goes before all others.
func (t *tx) nextPriority(ctx context.Context) (priority int64, waits bool, err error) {
	err = t.row(ctx, soonest, millis(t.now)).Scan(&priority)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	if err != nil || priority == bindings.PriorityNow {
		return priority, true, err
	}
	var query string
	switch t.store.claimsMade() % fairRound {
	case fairRound / 2:
		query = behind
	case fairRound - 1:
		query = latest
	default:
		return priority, true, nil
	}
	var other int64
	err = t.row(ctx, query, millis(t.now), priority).Scan(&other)
	if errors.Is(err, sql.ErrNoRows) {
		return priority, true, nil
	}
	return other, true, err
}

// nextOwner is the one after the owner that was served last, in a circle. alone
// says that no other one waits with that priority.
func (t *tx) nextOwner(ctx context.Context, priority int64) (owner string, alone bool, err error) {
	if owner, err = t.ownerBehind(ctx, priority, t.store.lastOwner()); err != nil {
		return "", false, err
	}
	other, err := t.ownerBehind(ctx, priority, owner)
	return owner, other == owner, err
}

func (t *tx) ownerBehind(ctx context.Context, priority int64, last string) (owner string, err error) {
	err = t.row(ctx, nextOf, millis(t.now), priority, last).Scan(&owner)
	if errors.Is(err, sql.ErrNoRows) {
		err = t.row(ctx, nextOf, millis(t.now), priority, "").Scan(&owner)
	}
	return owner, err
}

func (s *Store) lastOwner() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lastServed
}

func (s *Store) claimsMade() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.claims
}

func (s *Store) served(o bindings.Owner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastServed = string(o)
	s.claims++
}

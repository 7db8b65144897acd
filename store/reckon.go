package store

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"github.com/pictifyd/pictifyd/internal/cures"
)

// Whoever holds the ledger reckons with its members: it notes those that joined, and
// puts out those that give no sign of life.

// reckon is one look, each second. A member only looks how many turns draw, and what the
// holder has changed.
func (s *Store) reckon(ctx context.Context) error {
	if !s.dialect.postgres {
		return nil
	}
	if err := s.countSlots(ctx); err != nil {
		return err
	}
	if s.member {
		return s.lookForChanges(ctx)
	}
	return s.PublishRoutes(ctx)
}

// patrol looks for members each second until it is stopped or the lock is lost. It waits
// for nobody but the server, from the opening on: what a frozen member has locked may
// hold up everything else of the holder until that member is put out.
func (s *Store) patrol(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	var said string
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.lock.lost():
			return
		case <-tick.C:
		}
		err := s.noteMembers(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			said = ""
		case err.Error() != said:
			said = err.Error()
			s.log.Error("look who works with the store", slog.Any("err", err))
		}
	}
}

// countSlots adds up the turns that draw at a time, in all processes, and says how many
// do here.
func (s *Store) countSlots(ctx context.Context) error {
	if !s.dialect.postgres {
		s.slots.Store(max(s.own, 1))
		err := s.write(ctx, func(ctx context.Context, t *tx) error {
			_, err := t.exec(ctx, `UPDATE members SET slots = $2 WHERE id = $1`, s.self.ID, s.own)
			return err
		})
		return wrap(err, "note how many turns draw here")
	}
	var all, known sql.NullInt64
	if err := s.db.QueryRowContext(ctx, `SELECT sum(slots), sum(CASE WHEN id = $1 THEN slots END) FROM members`, s.self.ID).Scan(&all, &known); err != nil {
		return wrap(err, "count the turns that draw")
	}
	if known.Int64 != s.own {
		if _, err := s.db.ExecContext(ctx, `UPDATE members SET slots = $2 WHERE id = $1`, s.self.ID, s.own); err != nil {
			return wrap(err, "note how many turns draw here")
		}
	}
	s.slots.Store(max(all.Int64-known.Int64+s.own, 1))
	return nil
}

// noteMembers looks who is there. Before a member may commit anything, the holder does
// without what it remembers of images.
func (s *Store) noteMembers(ctx context.Context) error {
	s.noting.Lock()
	defer s.noting.Unlock()
	var joined, all int64
	if err := s.db.QueryRowContext(ctx, `SELECT count(*), COALESCE(sum(1 - noted), 0) FROM members WHERE number > 0`).Scan(&all, &joined); err != nil {
		return wrap(err, "look who works with the store")
	}
	if all > 0 {
		s.lately.forbid(true)
	}
	if joined > 0 {
		if _, err := s.db.ExecContext(ctx, `UPDATE members SET noted = 1 WHERE noted = 0 AND number > 0`); err != nil {
			return wrap(err, "note who works with the store")
		}
	}
	if all > 0 {
		if err := s.dismissSilent(ctx); err != nil {
			return err
		}
		s.feed.tell() // of what they have committed and not hinted at
	}
	if s.unsettled.Load() {
		return s.expelGuests(ctx)
	}
	if all == 0 {
		s.lately.forbid(false)
	}
	return nil
}

// silent are members whose lock nobody has.
var silent = `SELECT m.number FROM members AS m WHERE m.number > 0 AND NOT EXISTS (SELECT FROM pg_locks AS l
	WHERE l.granted AND ` + locksOf(memberClass) + ` AND l.objid::bigint = m.number)`

// silentLeast is how long a lock is seen with nobody before its member is put out: so
// long that one whose session broke, as all do when the server is started again, has
// taken it again.
const silentLeast = 4 * retakeEvery

// dismissSilent takes the places of members that give no sign of life.
func (s *Store) dismissSilent(ctx context.Context) error {
	all, err := collect(ctx, s.reader(), silent, nil, func(scan func(...any) error) (number int64, err error) { return number, scan(&number) })
	if err != nil {
		return wrap(err, "look which members give no sign of life")
	}
	before := s.silent
	s.silent = map[int64]time.Time{}
	for _, number := range all {
		since, known := before[number]
		if !known {
			since = time.Now()
		}
		s.silent[number] = since
		if time.Since(since) < silentLeast {
			continue
		}
		if err := s.dismiss(ctx, number); err != nil {
			return wrap(err, "put out a member that gives no sign of life")
		}
	}
	return nil
}

// dismiss takes the place of a member, with its lock in hand: so that it has the one or
// the other, should it wake.
func (s *Store) dismiss(ctx context.Context, number int64) error {
	s.unsettled.Store(true) // whatever becomes of the commit
	return s.write(ctx, func(ctx context.Context, t *tx) error {
		var got bool
		if err := t.row(ctx, `SELECT pg_try_advisory_xact_lock(hashtext(`+memberClass+`), CAST($1 AS INT))`, number).Scan(&got); err != nil || !got {
			return err
		}
		gone, err := collect(ctx, t.reader, `DELETE FROM members WHERE number = $1 RETURNING `+memberColumns, []any{number}, scanMember)
		t.after = append(t.after, func() { s.noteGone(gone) })
		return err
	})
}

// guestsLeft are the server's processes that belong to members without a place.
var guestsLeft = `SELECT DISTINCT l.pid FROM pg_locks AS l WHERE ` + locksOf(guestClass) + ` AND l.objid::bigint NOT IN (SELECT number FROM members)`

// expelGuests ends what members that have no place any more have open. When it has
// returned without an error, nothing of them is committed any more.
func (s *Store) expelGuests(ctx context.Context) error {
	if !s.dialect.postgres || !cures.Members {
		return nil
	}
	stayed, err := expel(ctx, func(ctx context.Context) ([]int64, error) {
		return collect(ctx, s.reader(), guestsLeft, nil, func(scan func(...any) error) (pid int64, err error) { return pid, scan(&pid) })
	}, func(ctx context.Context, pid int64) error {
		_, err := s.db.ExecContext(ctx, endSession, pid)
		return err
	})
	if len(stayed) > 0 {
		err = staying(stayed, err, s.connects.User)
	}
	if err == nil {
		s.unsettled.Store(false)
	}
	return wrap(err, "end what a member that was put out has open")
}

// notedLook is how often a member looks whether the holder has noted it.
const notedLook = 50 * time.Millisecond

// reckoned returns when the holder reckons with this process, or when the place at the
// ledger is lost.
func (s *Store) reckoned(ctx context.Context) error {
	if !s.member || s.noted.Load() {
		return nil
	}
	look := time.NewTicker(notedLook)
	defer look.Stop()
	for {
		var noted int64
		err := s.db.QueryRowContext(ctx, `SELECT noted FROM members WHERE id = $1`, s.self.ID).Scan(&noted)
		switch {
		case err != nil && s.lock.err() != nil:
			return s.lock.err()
		case err == nil && noted == 1:
			s.noted.Store(true)
			return nil
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return ctx.Err()
		case <-s.lock.lost():
			return s.lock.err()
		}
	}
}

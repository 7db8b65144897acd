package store

import (
	"context"
	"database/sql"
	"log/slog"
	"strings"
	"time"
)

// A Process is one at work on the ledger, or that was until lately, as the ledger sees it.
type Process struct {
	Member

	HeardAt time.Time // its last sign of life, by the clock of this process; zero: nobody can say
	Late    bool      // a sign of life is overdue
	Hand    Hand
	GoneAt  time.Time // it was put out then, as it gave no sign of life; zero: it is at work
}

// A Hand is what a process has in hand.
type Hand struct {
	Turns      int64 // of the queue that it works
	Renders    int64 // that these have claimed
	Deliveries int64 // the same
}

const (
	// lateAfter is when a sign of life is overdue: a beat, and all the patience with it.
	lateAfter = beatEvery + beatPatience

	// One that was put out is shown for goneShown, and the last goneMost at most.
	goneShown = time.Hour
	goneMost  = 20
)

// Processes are the members, and behind them those that this process, as the holder,
// has put out lately.
func (s *Store) Processes(ctx context.Context) ([]Process, error) {
	members, err := s.Members(ctx)
	if err != nil {
		return nil, err
	}
	signs, err := s.signsOfLife(ctx)
	if err != nil {
		return nil, wrap(err, "read who gives signs of life")
	}
	hands, err := s.inHand(ctx)
	if err != nil {
		return nil, wrap(err, "read what each process has in hand")
	}
	var all []Process
	for _, m := range members {
		p := Process{Member: m, Hand: hands[m.ID]}
		if sign, known := signs[m.ID]; known { // else it came meanwhile
			p.HeardAt, p.Late = sign.at, sign.late
		}
		all = append(all, p)
	}
	return append(all, s.goneLately(time.Now())...), nil
}

// A sign is the last one of life of a process.
type sign struct {
	at   time.Time // zero: the server does not say
	late bool
}

// signsAsked is for how long each member has asked the server nothing over the session
// of its lock, in which it only beats; NULL where the server does not tell this role. A
// former holder has no lock, whoever has it now.
var signsAsked = `SELECT m.id, count(l.pid), CAST(extract(epoch FROM clock_timestamp() - max(a.state_change)) * 1000 AS BIGINT)
	FROM members AS m LEFT JOIN pg_locks AS l ON l.granted AND (m.number > 0 OR m.id = (SELECT holder FROM ledger_epoch))
		AND ` + locksOf(`CASE WHEN m.number = 0 THEN `+ledgerClass+` ELSE `+memberClass+` END`) + `
		AND l.objid::bigint = CASE WHEN m.number = 0 THEN hashtext(current_schema())::bigint & 4294967295 ELSE m.number END
	LEFT JOIN pg_stat_activity AS a ON a.pid = l.pid GROUP BY m.id`

// signsOfLife are those of the members, by their ids.
func (s *Store) signsOfLife(ctx context.Context) (map[string]sign, error) {
	if !s.dialect.postgres { // there is nobody else
		return map[string]sign{s.self.ID: {at: time.Now()}}, nil
	}
	signs := map[string]sign{}
	err := s.reader().each(ctx, signsAsked, nil, func(scan func(...any) error) error {
		var id string
		var locks int64
		var silent sql.NullInt64
		if err := scan(&id, &locks, &silent); err != nil {
			return err
		}
		one := sign{late: locks == 0}
		if silent.Valid {
			silence := max(time.Duration(silent.Int64)*time.Millisecond, 0)
			one = sign{time.Now().Add(-silence), one.late || silence > lateAfter}
		}
		signs[id] = one
		return nil
	})
	return signs, err
}

// inHand is what processes have in hand, by their ids. What is drawn for those who wait
// is in no turn, and not among it.
func (s *Store) inHand(ctx context.Context) (map[string]Hand, error) {
	hands := map[string]Hand{}
	err := s.reader().each(ctx, `SELECT process, count(*), CAST(SUM(drawn) AS BIGINT), CAST(SUM(told) AS BIGINT) FROM (
		SELECT worker(attempted_by) AS process,
			(SELECT count(*) FROM renders AS r WHERE r.claimed_by = river_job.id AND r.state = 'claimed') AS drawn,
			(SELECT count(*) FROM deliveries AS d WHERE d.claimed_by = river_job.id AND d.state = 'claimed') AS told
		FROM river_job WHERE state = 'running' AND queue IN list($1)) AS turns GROUP BY process`, []any{list(queues)}, func(scan func(...any) error) error {
		var id string
		var h Hand
		err := scan(&id, &h.Turns, &h.Renders, &h.Deliveries)
		hands[id] = h
		return err
	})
	return hands, err
}

// noteGone remembers, and says, that processes gave no sign of life and were put out.
func (s *Store) noteGone(all []Member) {
	now := time.Now()
	for _, m := range all {
		s.log.Warn("a process gave no sign of life and was put out; what it had in hand waits for others",
			slog.String("process", m.Place), slog.String("roles", strings.Join(m.Roles, ",")))
		s.mu.Lock()
		s.gone = append(s.gone, Process{Member: m, GoneAt: now})
		s.gone = s.gone[max(len(s.gone)-goneMost, 0):]
		s.mu.Unlock()
	}
}

// goneLately are those that were put out and are still shown, the last one first.
func (s *Store) goneLately(now time.Time) (lately []Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.gone) - 1; i >= 0; i-- {
		if now.Sub(s.gone[i].GoneAt) < goneShown {
			lately = append(lately, s.gone[i])
		}
	}
	return lately
}

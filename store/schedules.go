package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/pictifyd/pictifyd/batch"
)

// maxQueued is how many scheduled runs of a source may wait for those before them.
const maxQueued = 10

// ScheduledUntil is up to which time the schedule of a source is done. A schedule
// that is new, or another one than before, begins at now.
func (s *Store) ScheduledUntil(ctx context.Context, source, rule string, now time.Time) (last time.Time, err error) {
	var known string
	var at sql.NullInt64
	err = s.reader().row(ctx, `SELECT rule, last_for FROM schedules WHERE source = $1`, source).Scan(&known, &at)
	if err == nil && known == rule {
		return moment(at), nil
	}
	if err == nil || errors.Is(err, sql.ErrNoRows) {
		err = s.write(ctx, func(ctx context.Context, t *tx) error {
			_, err := t.exec(ctx, `INSERT INTO schedules (source, rule, last_for) VALUES ($1, $2, $3)
				ON CONFLICT (source) DO UPDATE SET rule = excluded.rule, last_for = excluded.last_for`, source, rule, millis(now))
			return err
		})
	}
	return now, wrap(err, "read the schedule of %q", source)
}

// Schedules is up to which time the schedules of sources are done.
func (s *Store) Schedules(ctx context.Context) (map[string]time.Time, error) {
	done := map[string]time.Time{}
	err := s.reader().each(ctx, `SELECT source, last_for FROM schedules`, nil, func(scan func(...any) error) error {
		var source string
		var at sql.NullInt64
		err := scan(&source, &at)
		done[source] = moment(at)
		return err
	})
	return done, wrap(err, "read schedules")
}

// A Firing is a time of a schedule that is over, with the runs that it is for.
type Firing struct {
	Source string
	Rule   string
	Pass   time.Time // the schedule is done up to it
	Back   bool      // Pass is before what was done: the clock was wrong then
	Runs   []RunAsk  // none lets the time go
	Queue  bool      // the runs wait for those before them; else they are left out while one goes on
}

// A Fired says what became of a Firing.
type Fired struct {
	Runs    int  // that were made
	Skipped bool // because one before them has not ended
}

// Fire has the runs made of a time of a schedule, once: of a time that is over
// nothing is made again, nor of one for which there was a run.
func (s *Store) Fire(ctx context.Context, f Firing) (Fired, error) {
	var fired Fired
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		fired = Fired{}
		if err := t.lockSource(ctx, f.Source); err != nil {
			return err
		}
		n, err := t.exec(ctx, `UPDATE schedules SET last_for = $3 WHERE source = $1 AND rule = $2 AND (last_for < $3 OR $4 = 1)`,
			f.Source, f.Rule, millis(f.Pass), flag(f.Back))
		if err != nil || n == 0 || len(f.Runs) == 0 {
			return err
		}
		var open int64
		if err := t.row(ctx, `SELECT count(DISTINCT run_for) FROM jobs WHERE source = $1 AND cause = 'schedule' AND completed_at IS NULL`, f.Source).Scan(&open); err != nil {
			return err
		}
		if open > 0 && !f.Queue || open > maxQueued {
			fired.Skipped = true
			return nil
		}
		for _, a := range f.Runs {
			made, err := t.scheduleRun(ctx, a)
			if err != nil {
				return err
			}
			fired.Runs += made
		}
		if fired.Runs == 0 {
			return nil
		}
		return t.addPollTurn(ctx, f.Source)
	})
	if err == nil {
		s.crash("schedule.fired")
	}
	return fired, wrap(err, "run the schedule of %q", f.Source)
}

func (t *tx) scheduleRun(ctx context.Context, a RunAsk) (made int, err error) {
	var known int64
	if err := t.row(ctx, `SELECT count(*) FROM jobs WHERE binding = $1 AND run_for = $2 AND cause IN ('schedule', 'run')`, a.Binding, millis(a.For)).
		Scan(&known); err != nil || known > 0 {
		return 0, err
	}
	a.Cause = batch.BySchedule
	_, err = t.addRun(ctx, a)
	return 1, err
}

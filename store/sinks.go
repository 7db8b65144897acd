package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/internal/retry"
)

// What a sink may be in.
const (
	SinkWell     = "well"
	SinkFailing  = "failing"  // the last deliveries did not arrive
	SinkResting  = "resting"  // nothing is sent until RestUntil; then one delivery tries
	SinkPaused   = "paused"   // by a person
	SinkDisabled = "disabled" // it failed for good: nothing is sent until a person resumes it
	SinkAbsent   = "absent"   // it is no longer configured: what waits for it is held
)

// A SinkState is how a sink fares. The zero SinkState is well.
type SinkState struct {
	Sink         string
	Paused       bool
	DisabledAt   time.Time // zero: it is not
	Reason       string    // of that
	FailingSince time.Time // nothing has arrived since; zero: the last delivery arrived
	Failures     int64     // one after the other
	Rests        int64     // one after the other
	RestUntil    time.Time // nothing is sent before; zero: it does not rest
	ArrivedAt    time.Time // when something arrived last
	AbsentSince  time.Time // it is configured no more; zero: it is, or nobody configures it
}

// Is is the one word for the state.
func (s SinkState) Is() string {
	switch {
	case !s.AbsentSince.IsZero():
		return SinkAbsent
	case !s.DisabledAt.IsZero():
		return SinkDisabled
	case s.Paused:
		return SinkPaused
	case !s.RestUntil.IsZero():
		return SinkResting
	case s.Failures > 0:
		return SinkFailing
	}
	return SinkWell
}

// held reports whether nothing is sent until a person says so.
func (s SinkState) held() bool {
	return s.Paused || !s.DisabledAt.IsZero() || !s.AbsentSince.IsZero()
}

// isHeld is held in SQL, of the sink x.
const isHeld = `(x.paused = 1 OR x.disabled_at IS NOT NULL OR x.absent_since IS NOT NULL)`

// A SinkPolicy says when a sink rests, and when it is disabled. The zero policy
// does neither.
type SinkPolicy struct {
	Failures int64         // one after the other, after which it rests; 0 is never
	Rest     retry.Backoff // how long, growing from rest to rest
	Longest  time.Duration // of a rest that the sink itself asked for
	Patience time.Duration // it is disabled when nothing has arrived for so long; 0 is never
}

// sinkColumns are what turns keep of a sink.
const sinkColumns = `sink, paused, disabled_at, reason, failing_since, failures, rests, rest_until, arrived_at`

func scanSinkState(scan func(...any) error) (s SinkState, err error) {
	var disabled, failing, rest, arrived, absent sql.NullInt64
	err = scan(&s.Sink, &s.Paused, &disabled, &s.Reason, &failing, &s.Failures, &s.Rests, &rest, &arrived, &absent)
	s.DisabledAt, s.FailingSince, s.ArrivedAt, s.AbsentSince = moment(disabled), moment(failing), moment(arrived), moment(absent)
	if rest.Int64 > 0 {
		s.RestUntil = moment(rest)
	}
	return s, err
}

// SinkState is how a sink fares. One of which nothing is known is well.
func (s *Store) SinkState(ctx context.Context, sink string) (SinkState, error) {
	state, err := s.reader().sinkState(ctx, sink, "")
	return state, wrap(err, "read the state of sink %q", sink)
}

func (r reader) sinkState(ctx context.Context, sink, lock string) (SinkState, error) {
	state, err := scanSinkState(r.row(ctx, `SELECT `+sinkColumns+`, absent_since FROM sink_states WHERE sink = $1 `+lock, clean(sink)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return SinkState{Sink: sink}, nil
	}
	return state, err
}

// SinkStates are the sinks of which something is known, by name, without those
// of jobs.
func (s *Store) SinkStates(ctx context.Context) ([]SinkState, error) {
	all, err := collect(ctx, s.reader(), `SELECT `+sinkColumns+`, absent_since FROM sink_states WHERE sink NOT LIKE 'job:%' AND sink NOT LIKE 'rows:%' ORDER BY sink`, nil, scanSinkState)
	return all, wrap(err, "read the states of sinks")
}

// PauseSink has nothing sent to a sink until ResumeSink. What is planned for it
// waits; what is on its way arrives.
func (s *Store) PauseSink(ctx context.Context, sink string) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `INSERT INTO sink_states (sink, paused) VALUES ($1, 1) ON CONFLICT (sink) DO UPDATE SET paused = 1`, clean(sink))
		return err
	})
	if err == nil {
		s.log.Info("the sink is paused", slog.String("sink", sink))
	}
	return wrap(err, "pause sink %q", sink)
}

// ResumeSink lets all go that waits for a sink which was paused, was disabled or
// rests, also what failed and has tries left.
func (s *Store) ResumeSink(ctx context.Context, sink string) error {
	sink = clean(sink)
	for cut := true; cut; {
		err := s.write(ctx, func(ctx context.Context, t *tx) error {
			if _, err := t.exec(ctx, `UPDATE sink_states SET paused = 0, disabled_at = NULL, reason = '', failing_since = NULL, failures = 0, rests = 0, rest_until = 0
				WHERE sink = $1`, sink); err != nil {
				return err
			}
			t.wantSinks[sink] = true
			n, err := t.exec(ctx, `UPDATE deliveries SET due_at = $2 WHERE id IN (SELECT id FROM deliveries WHERE sink = $1 AND state = 'waiting' AND due_at > $2
				ORDER BY due_at LIMIT $3)`, sink, millis(t.now), pageSize)
			cut = n == pageSize
			return err
		})
		if err != nil {
			return wrap(err, "resume sink %q", sink)
		}
	}
	s.log.Info("the sink is resumed", slog.String("sink", sink))
	return nil
}

// keepSinkState writes a state, but for what persons alone say.
func (t *tx) keepSinkState(ctx context.Context, s SinkState) error {
	at := func(m time.Time) any {
		if m.IsZero() {
			return nil
		}
		return millis(m)
	}
	var rest int64
	if !s.RestUntil.IsZero() {
		rest = millis(s.RestUntil)
	}
	_, err := t.exec(ctx, `INSERT INTO sink_states (`+sinkColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (sink) DO UPDATE SET disabled_at = excluded.disabled_at, reason = excluded.reason, failing_since = excluded.failing_since,
			failures = excluded.failures, rests = excluded.rests, rest_until = excluded.rest_until, arrived_at = excluded.arrived_at`,
		s.Sink, flag(s.Paused), at(s.DisabledAt), s.Reason, at(s.FailingSince), s.Failures, s.Rests, rest, at(s.ArrivedAt))
	return err
}

// letGoTries is how many tries a delivery may have behind it to be tried again
// at once when its sink is back. One with more waits for its own time: else rows
// that always fail would use up their tries whenever others arrive.
const letGoTries = 4

// noteSink is how a sink fares after a round, and keeps it.
func (t *tx) noteSink(ctx context.Context, turn Turn, was SinkState, r Round) (SinkState, error) {
	now := was
	for _, d := range r.Done {
		now.note(d, r.Policy, t.now)
	}
	if now == was || (hooksJob(turn.Sink) && was.Failures == 0 && now.Failures == 0) { // of a sink that there is once nothing is kept while it is well
		return was, nil
	}
	if err := t.keepSinkState(ctx, now); err != nil {
		return was, err
	}
	if was.RestUntil.IsZero() || !now.RestUntil.IsZero() {
		return now, nil
	}
	return now, t.letGo(ctx, turn.Sink)
}

// note is what a delivery that ended says of its sink.
func (s *SinkState) note(d Delivered, p SinkPolicy, now time.Time) {
	switch {
	case d.Err == nil:
		s.ArrivedAt = now.UTC().Truncate(time.Millisecond)
		s.FailingSince, s.Failures, s.Rests, s.RestUntil = time.Time{}, 0, 0, time.Time{}
		return
	case d.Gone:
		s.disable(d.Err.Error(), now)
		return
	case d.OfRow:
		return
	}
	s.Failures++
	if s.FailingSince.IsZero() {
		s.FailingSince = now.UTC().Truncate(time.Millisecond)
	}
	s.rest(d.Asked, p, now)
	if failing := now.Sub(s.FailingSince); p.Patience > 0 && failing >= p.Patience {
		s.disable(fmt.Sprintf("nothing has arrived for %s, the last time because: %v", failing.Round(time.Second), d.Err), now)
	}
}

// rest has the sink rest after a failure: as long as it asked for, and longer
// from time to time while nothing arrives. What was on its way when the rest
// began makes it no longer.
func (s *SinkState) rest(asked time.Duration, p SinkPolicy, now time.Time) {
	var wait time.Duration
	if p.Failures > 0 && s.Failures >= p.Failures && !s.RestUntil.After(now) {
		s.Rests++
		wait = p.Rest.Next(int(s.Rests))
	}
	if until := now.Add(max(wait, min(asked, p.Longest))).UTC().Truncate(time.Millisecond); until.After(s.RestUntil) && until.After(now) {
		s.RestUntil = until
	}
}

func (s *SinkState) disable(reason string, now time.Time) {
	if s.DisabledAt.IsZero() {
		s.DisabledAt, s.Reason = now.UTC().Truncate(time.Millisecond), clean(reason)
	}
}

// restLimit is longer than any rest: one that seems to last longer began while the
// clock was wrong, and is over.
const restLimit = 3 * time.Hour

// isShut is true of a sink x to which nothing may be sent now; longest is when the
// longest rest is over.
func isShut(now, longest string) string {
	return `(` + isHeld + ` OR x.rest_until > ` + now + ` AND x.rest_until <= ` + longest + `)`
}

// open reports whether something may be sent now.
func (s SinkState) open(now time.Time) bool {
	return !s.held() && (!s.RestUntil.After(now) || s.RestUntil.After(now.Add(restLimit)))
}

// hooksJob reports whether a sink is the webhook of a job.
func hooksJob(sink string) bool { return strings.HasPrefix(sink, "job:") || IsRowsSink(sink) }

// HeldDeliveries is how many deliveries wait for sinks that are paused or
// disabled, until a person resumes them, or that are no longer configured.
func (s *Store) HeldDeliveries(ctx context.Context) (held int64, err error) {
	err = s.reader().row(ctx, `SELECT count(*) FROM sink_states AS x CROSS JOIN deliveries AS d WHERE `+isHeld+`
		AND d.sink = x.sink AND d.state = 'waiting'`).Scan(&held)
	return held, wrap(err, "count deliveries to sinks that are paused, disabled or gone")
}

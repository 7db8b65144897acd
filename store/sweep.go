package store

import (
	"context"
	"errors"
	"time"
)

// sweep adds turns where work waits and none is live, and puts back those that nobody
// works. A look at a store with nothing to do writes nothing. In a member it looks only
// after the member's own.
func (s *Store) sweep(ctx context.Context) error {
	unreckoned := s.reckon(ctx) // which keeps nobody else waiting
	var found unattended
	var err error
	if !s.member {
		if found, err = s.unattended(ctx); err != nil {
			return err
		}
	}
	lost, err := s.lostTurns(ctx)
	if unreckoned = errors.Join(unreckoned, err); found.empty() && len(lost) == 0 {
		return unreckoned
	}
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		if err := t.putBackTurns(ctx, lost); err != nil {
			return err
		}
		t.wantRenders = t.wantRenders || found.renders
		for _, sink := range found.sinks {
			t.wantSinks[sink] = true
		}
		for _, sink := range found.late {
			if _, err := t.exec(ctx, `UPDATE deliveries SET due_at = $2 WHERE id IN (SELECT id FROM deliveries WHERE sink = $1 AND state = 'waiting' AND due_at > $3 LIMIT $4)`,
				sink, millis(t.now), millis(t.now.Add(longestWait)), pageSize); err != nil {
				return err
			}
			t.wantSinks[sink] = true
		}
		for _, binding := range found.news {
			t.stirred[binding] = true
		}
		for _, source := range found.sources {
			if err := t.addPollTurn(ctx, source); err != nil {
				return err
			}
		}
		for _, job := range found.jobs {
			if err := t.addPlanTurn(ctx, job); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(unreckoned, err)
}

// An unattended is work without a live turn.
type unattended struct {
	renders              bool
	sinks, sources, jobs []string
	late                 []string // sinks of deliveries that are due when nothing can be
	news                 []string // bindings that never rest
}

func (u unattended) empty() bool {
	return !u.renders && len(u.sinks)+len(u.late)+len(u.sources)+len(u.jobs)+len(u.news) == 0
}

// unattendedSinks are those, of all that something waits for, for which something is
// due at $1 and that no turn is on.
var unattendedSinks = owedSinks + `
	SELECT w.sink FROM w WHERE w.sink IS NOT NULL
		AND EXISTS (SELECT 1 FROM deliveries AS d WHERE d.sink = w.sink AND d.state = 'waiting' AND d.due_at <= $1)
		AND NOT EXISTS (SELECT 1 FROM sink_states AS x WHERE x.sink = w.sink AND ` + isShut("$1", "$2") + `)
		AND w.sink NOT IN (SELECT args->>'sink' FROM river_job WHERE queue IN ('deliver', 'hooks') AND ` + liveTurn + `)`

// longestWait is longer than any delivery waits: one that would was put off while
// the clock was wrong.
const longestWait = 7 * 24 * time.Hour

// lateSinks are those of deliveries that are due behind $1.
var lateSinks = owedSinks + `
	SELECT w.sink FROM w WHERE w.sink IS NOT NULL AND EXISTS (SELECT 1 FROM deliveries AS d WHERE d.sink = w.sink AND d.state = 'waiting' AND d.due_at > $1)`

func (s *Store) unattended(ctx context.Context) (u unattended, err error) {
	r, now := s.reader(), millis(time.Now())
	var waiting, live int64
	if err := r.row(ctx, `SELECT `+dueRenders+`,
		(SELECT count(*) FROM river_job WHERE queue = 'render' AND `+liveTurn+`)`, now, s.slots.Load()).Scan(&waiting, &live); err != nil {
		return u, err
	}
	u.renders = min(waiting, s.slots.Load()) > live
	if u.sinks, err = collect(ctx, r, unattendedSinks, []any{now, now + restLimit.Milliseconds()}, text1); err != nil {
		return u, err
	}
	if u.late, err = collect(ctx, r, lateSinks, []any{now + longestWait.Milliseconds()}, text1); err != nil {
		return u, err
	}
	if u.sources, err = collect(ctx, r, `SELECT name FROM (SELECT name FROM sources WHERE wanted = 1 UNION SELECT j.source AS name FROM jobs AS j WHERE `+dueRun+`) AS s
		WHERE name NOT IN (SELECT args->>'source' FROM river_job WHERE queue = 'poll' AND `+liveTurn+`)`, []any{now}, text1); err != nil {
		return u, err
	}
	if u.news, err = collect(ctx, r, `SELECT DISTINCT binding FROM binding_news WHERE at <= $1`, []any{now - newsPatience.Milliseconds()}, text1); err != nil {
		return u, err
	}
	u.jobs, err = collect(ctx, r, `SELECT id FROM (SELECT id FROM jobs WHERE unplanned = 1 AND status <> 'paused'
			UNION SELECT id FROM jobs WHERE steering = 1) AS j
		WHERE id NOT IN (SELECT args->>'job' FROM river_job WHERE queue = 'plan' AND `+liveTurn+`)`, nil, text1)
	return u, err
}

package store

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// A Configured says what became of sinks with another configuration.
type Configured struct {
	Absent   []string // there are deliveries for them, and they are configured no more
	Disabled []string // they are configured otherwise, and stay disabled
}

// otherwise is added to why a sink is disabled when its configuration changes.
const otherwise = "; it has been configured otherwise since: resume it to try that"

// ConfigureSinks says which sinks there are, each with a digest of its
// configuration. One that is configured otherwise than before rests no more, and
// what failed is tried at once; one that is disabled stays so, and says that it was
// changed. What waits for a sink that there is no more is held until it is back. In a
// member the holder's configuration counts, and nothing is noted.
func (s *Store) ConfigureSinks(ctx context.Context, digests map[string]string) (Configured, error) {
	var done Configured
	if s.member {
		return done, nil
	}
	if err := s.PublishRoutes(ctx); err != nil {
		return done, err
	}
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		done = Configured{}
		known, err := t.configuredSinks(ctx)
		if err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(digests)) {
			if err := t.configureSink(ctx, name, digests[name], known[name], &done); err != nil {
				return err
			}
		}
		for _, name := range slices.Sorted(maps.Keys(known)) {
			if _, there := digests[name]; there {
				continue
			}
			if known[name].owed {
				done.Absent = append(done.Absent, name)
			}
			if _, err := t.exec(ctx, `INSERT INTO sink_states (sink, absent_since) VALUES ($1, $2)
				ON CONFLICT (sink) DO UPDATE SET absent_since = COALESCE(sink_states.absent_since, excluded.absent_since)`, name, millis(t.now)); err != nil {
				return err
			}
		}
		return nil
	})
	return done, wrap(err, "note how sinks are configured")
}

// A configuredSink is what is known of how a sink was configured.
type configuredSink struct {
	config          string
	kept            bool // it has a state
	absent, stopped bool
	owed            bool // something waits for it
}

// owedSinks hops from sink to sink, over all that waits for each.
const owedSinks = `WITH RECURSIVE w(sink) AS (SELECT min(sink) FROM deliveries WHERE state = 'waiting'
		UNION ALL SELECT (SELECT min(d.sink) FROM deliveries AS d WHERE d.state = 'waiting' AND d.sink > w.sink) FROM w WHERE w.sink IS NOT NULL)`

// configuredSinks are those that have a state or deliveries, without those that no
// configuration names.
func (t *tx) configuredSinks(ctx context.Context) (map[string]configuredSink, error) {
	known := map[string]configuredSink{}
	if err := t.each(ctx, `SELECT sink, config, absent_since, disabled_at FROM sink_states`, nil, func(scan func(...any) error) error {
		var name string
		var absent, disabled sql.NullInt64
		one := configuredSink{kept: true}
		err := scan(&name, &one.config, &absent, &disabled)
		one.absent, one.stopped = absent.Valid, disabled.Valid
		known[name] = one
		return err
	}); err != nil {
		return nil, err
	}
	owed, err := collect(ctx, t.reader, owedSinks+` SELECT sink FROM w WHERE sink IS NOT NULL`, nil, text1)
	for _, name := range owed {
		one := known[name]
		one.owed = true
		known[name] = one
	}
	maps.DeleteFunc(known, func(name string, _ configuredSink) bool { return !configurable(name) })
	return known, err
}

// configurable reports whether a configuration names the sink: not a webhook of a
// job, and no subscription.
func configurable(name string) bool {
	_, subscribed := SubscriptionOf(name)
	return !subscribed && !hooksJob(name)
}

func (t *tx) configureSink(ctx context.Context, name, digest string, was configuredSink, done *Configured) error {
	if was.config == digest && !was.absent {
		return nil
	}
	if _, err := t.exec(ctx, `INSERT INTO sink_states (sink, config) VALUES ($1, $2)
		ON CONFLICT (sink) DO UPDATE SET config = excluded.config, absent_since = NULL`, name, digest); err != nil {
		return err
	}
	switch {
	case !was.kept || was.config == "" && !was.absent: // of a ledger of before: nobody knows whether it changed
		return nil
	case was.stopped && was.config != digest:
		done.Disabled = append(done.Disabled, name)
		_, err := t.exec(ctx, `UPDATE sink_states SET reason = replace(reason, $2, '') || $2 WHERE sink = $1`, name, otherwise)
		return err
	case was.stopped:
		return nil
	}
	if _, err := t.exec(ctx, `UPDATE sink_states SET failing_since = NULL, failures = 0, rests = 0, rest_until = 0 WHERE sink = $1`, name); err != nil {
		return err
	}
	return t.letGo(ctx, name)
}

// letGo has what failed on a sink tried again at once.
func (t *tx) letGo(ctx context.Context, sink string) error {
	t.wantSinks[sink] = true
	_, err := t.exec(ctx, `UPDATE deliveries SET due_at = $2 WHERE sink = $1 AND state = 'waiting' AND due_at > $2 AND attempts BETWEEN 1 AND $3`,
		sink, millis(t.now), letGoTries)
	return err
}

// GiveUpAbsent makes dead letters of what waits for sinks that have not been
// configured since before. They can be replayed when their sink is back. A page is a
// commit.
func (s *Store) GiveUpAbsent(ctx context.Context, before time.Time) (total int64, err error) {
	names, err := collect(ctx, s.reader(), `SELECT sink FROM sink_states AS x WHERE absent_since <= $1
		AND EXISTS (SELECT 1 FROM deliveries AS d WHERE d.sink = x.sink AND d.state = 'waiting') ORDER BY sink`, []any{millis(before)}, text1)
	for i := 0; err == nil && i < len(names); {
		var n int64
		why := problem.New(problem.NotFound, "sink %q is no longer configured", names[i])
		err = s.write(ctx, func(ctx context.Context, t *tx) (err error) {
			n, err = t.exec(ctx, `UPDATE deliveries SET state = 'dead', ended_at = CAST($2 AS BIGINT), error = $3, cause = $4
				WHERE id IN (SELECT id FROM deliveries WHERE sink = $1 AND state = 'waiting' ORDER BY due_at, generation LIMIT $5) AND state = 'waiting'`,
				names[i], millis(t.now), why.Error(), causeOf(names[i], sink.Receipt{}, why), pageSize)
			return err
		})
		if total += n; n < pageSize {
			i++
		}
	}
	return total, wrap(err, "give up the deliveries to sinks that are no longer configured")
}

package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/pictifyd/pictifyd/experiment"
)

// A tallyID names a row of counts.
type tallyID struct {
	experiment, variant, channel, client string
	day                                  int64
}

func (a tallyID) compare(b tallyID) int {
	return cmp.Or(cmp.Compare(a.experiment, b.experiment), cmp.Compare(a.day, b.day), cmp.Compare(a.variant, b.variant),
		cmp.Compare(a.channel, b.channel), cmp.Compare(a.client, b.client))
}

// tallies are what a transaction adds to the counts.
type tallies map[tallyID]*experiment.Counts

// of is what is counted there on the day of at.
func (c tallies) of(experimentID, variant, channel, client string, at time.Time) *experiment.Counts {
	id := tallyID{experimentID, variant, channel, client, millis(dayOf(at))}
	if c[id] == nil {
		c[id] = new(experiment.Counts)
	}
	return c[id]
}

// dayOf is the beginning of the day of a moment.
func dayOf(at time.Time) time.Time { return at.UTC().Truncate(24 * time.Hour) }

const countColumns = `fetches, exposures, suspects, failures, clicks, conversions, impressions, views, duplicates, unassigned, mismatches`

// addCounts is the last statement of a transaction: whoever waits for its rows waits
// for nothing else.
func (t *tx) addCounts(ctx context.Context, counts tallies) error {
	if len(counts) == 0 {
		return nil
	}
	ids := make([]tallyID, 0, len(counts))
	for id := range counts {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, tallyID.compare)
	return pages(ids, pageSize, func(page []tallyID) error {
		rows := make([][]any, len(page))
		for i, id := range page {
			c := counts[id]
			rows[i] = []any{id.experiment, id.day, id.variant, id.channel, id.client, c.Fetches, c.Exposures, c.Suspects, c.Failures,
				c.Clicks, c.Conversions, c.Impressions, c.Views, c.Duplicates, c.Unassigned, c.Mismatches}
		}
		_, err := t.exec(ctx, `INSERT INTO experiment_counts AS c (experiment, day, variant, channel, client, `+countColumns+`)
			SELECT e.value->>0, CAST(e.value->>1 AS BIGINT), e.value->>2, e.value->>3, e.value->>4,
				CAST(e.value->>5 AS BIGINT), CAST(e.value->>6 AS BIGINT), CAST(e.value->>7 AS BIGINT), CAST(e.value->>8 AS BIGINT),
				CAST(e.value->>9 AS BIGINT), CAST(e.value->>10 AS BIGINT), CAST(e.value->>11 AS BIGINT), CAST(e.value->>12 AS BIGINT),
				CAST(e.value->>13 AS BIGINT), CAST(e.value->>14 AS BIGINT), CAST(e.value->>15 AS BIGINT)
			FROM rows($1) AS e WHERE true
			ON CONFLICT (experiment, day, variant, channel, client) DO UPDATE SET
				fetches = c.fetches + excluded.fetches, exposures = c.exposures + excluded.exposures,
				suspects = c.suspects + excluded.suspects, failures = c.failures + excluded.failures,
				clicks = c.clicks + excluded.clicks, conversions = c.conversions + excluded.conversions,
				impressions = c.impressions + excluded.impressions, views = c.views + excluded.views,
				duplicates = c.duplicates + excluded.duplicates, unassigned = c.unassigned + excluded.unassigned,
				mismatches = c.mismatches + excluded.mismatches`, table(rows))
		return err
	})
}

// Count adds to the counts what happened that is no unit of its own.
func (s *Store) Count(ctx context.Context, tallied []experiment.Tally) error {
	if len(tallied) == 0 {
		return nil
	}
	counts := tallies{}
	for _, one := range tallied {
		c := counts.of(clean(one.Experiment), clean(one.Variant), clean(one.Channel), clean(one.Client), one.Day)
		c.Fetches += one.Fetches
		c.Suspects += one.Suspects
		c.Failures += one.Failures
	}
	err := s.write(ctx, func(ctx context.Context, t *tx) error { return t.addCounts(ctx, counts) })
	return wrap(err, "count what experiments showed")
}

// ExperimentCounts are the counts of an experiment by day, variant, channel and
// client, the earliest first.
func (s *Store) ExperimentCounts(ctx context.Context, id string) ([]experiment.Counts, error) {
	all, err := collect(ctx, s.reader(), `SELECT day, variant, channel, client, `+countColumns+` FROM experiment_counts
		WHERE experiment = $1 ORDER BY day, variant, channel, client`, []any{clean(id)}, func(scan func(...any) error) (c experiment.Counts, err error) {
		var day int64
		err = scan(&day, &c.Variant, &c.Channel, &c.Client, &c.Fetches, &c.Exposures, &c.Suspects, &c.Failures, &c.Clicks, &c.Conversions,
			&c.Impressions, &c.Views, &c.Duplicates, &c.Unassigned, &c.Mismatches)
		c.Day = time.UnixMilli(day).UTC()
		return c, err
	})
	return all, wrap(err, "read the counts of the experiment %s", id)
}

// AddAllocation notes which weights new units have from now on.
func (s *Store) AddAllocation(ctx context.Context, id string, a experiment.Allocation) error {
	err := s.write(ctx, func(ctx context.Context, t *tx) error { return t.addAllocation(ctx, id, a) })
	return wrap(err, "note the weights of the experiment %s", id)
}

func (t *tx) addAllocation(ctx context.Context, id string, a experiment.Allocation) error {
	_, err := t.exec(ctx, `INSERT INTO experiment_allocations (experiment, seq, at, why, seed, weights, units, goals)
		SELECT $1, COALESCE(max(seq), 0) + 1, CAST($2 AS BIGINT), $3, $4, $5, $6, $7 FROM experiment_allocations WHERE experiment = $1`,
		clean(id), millis(a.At), clean(a.Why), strconv.FormatUint(a.Seed, 10), encode(a.Weights), encode(a.Units), encode(a.Goals))
	return err
}

// Allocations are the weights that new units of an experiment had, the earliest first.
func (s *Store) Allocations(ctx context.Context, id string) ([]experiment.Allocation, error) {
	all, err := collect(ctx, s.reader(), `SELECT at, why, seed, weights, units, goals FROM experiment_allocations WHERE experiment = $1 ORDER BY seq`,
		[]any{clean(id)}, scanAllocation)
	return all, wrap(err, "read the weights of the experiment %s", id)
}

func scanAllocation(scan func(...any) error) (a experiment.Allocation, err error) {
	var at int64
	var seed, weights, units, goals string
	if err := scan(&at, &a.Why, &seed, &weights, &units, &goals); err != nil {
		return a, err
	}
	a.At = time.UnixMilli(at).UTC()
	if a.Seed, err = strconv.ParseUint(seed, 10, 64); err != nil {
		return a, fmt.Errorf("read a seed: %w", err)
	}
	return a, errors.Join(decode(weights, &a.Weights), decode(units, &a.Units), decode(goals, &a.Goals))
}

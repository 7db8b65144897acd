package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/experiment"
)

// earlyBy is by how much an event may be before the exposure of its unit: the clocks
// of two machines are not the same.
const earlyBy = time.Minute

// TakeEvents keeps events, in one transaction, and says of each what became of it, in
// their order. Of each id of an experiment there is one for ever. An event counts
// where its unit was exposed before it and nothing makes it suspect: an impression or
// a view each time, a click and the goal once per unit. An event of an experiment that
// there is not is not kept.
func (s *Store) TakeEvents(ctx context.Context, events []experiment.Event) (taken []experiment.Taken, err error) {
	if len(events) == 0 {
		return nil, nil
	}
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		in := intake{tx: t, goals: map[string]string{}, newest: map[string]int64{}, counts: tallies{}}
		taken = make([]experiment.Taken, len(events))
		if err := in.lockExperiments(ctx, events); err != nil {
			return err
		}
		for at := 0; at < len(events); at += pageSize {
			to := min(at+pageSize, len(events))
			if err := in.take(ctx, events[at:to], taken[at:to]); err != nil {
				return err
			}
		}
		if err := in.numberEvents(ctx); err != nil {
			return err
		}
		return t.addCounts(ctx, in.counts)
	})
	if err != nil {
		return nil, wrap(err, "take events")
	}
	s.crash("events.taken")
	return taken, nil
}

// An intake takes events. It locks their experiments first, so that of two at once the
// second sees the ids of the first one.
type intake struct {
	*tx
	goals  map[string]string // by experiment
	newest map[string]int64  // seq, by experiment
	counts tallies
}

func (in *intake) lockExperiments(ctx context.Context, events []experiment.Event) error {
	var ids []string
	for _, e := range events {
		ids = append(ids, e.Experiment)
	}
	slices.Sort(ids)
	return in.each(ctx, `SELECT id, goal, events FROM experiments WHERE id IN list($1) ORDER BY id FOR UPDATE`, []any{list(slices.Compact(ids))},
		func(scan func(...any) error) error {
			var id, goal string
			var newest int64
			err := scan(&id, &goal, &newest)
			in.goals[id], in.newest[id] = goal, newest
			return err
		})
}

func (in *intake) numberEvents(ctx context.Context) error {
	var rows [][]any
	for id, newest := range in.newest {
		rows = append(rows, []any{id, newest})
	}
	if len(rows) == 0 { // no experiment of theirs is there
		return nil
	}
	_, err := in.exec(ctx, `UPDATE experiments SET events = CAST(e.value->>1 AS BIGINT) FROM rows($1) AS e WHERE experiments.id = e.value->>0`, table(rows))
	return err
}

// take takes a page.
func (in *intake) take(ctx context.Context, events []experiment.Event, taken []experiment.Taken) error {
	before, err := in.known(ctx, events)
	if err != nil {
		return err
	}
	units, err := in.units(ctx, events)
	if err != nil {
		return err
	}
	var rows [][]any
	done := map[unitID]*assigned{}
	for i, e := range events {
		goal, there := in.goals[e.Experiment]
		if !there {
			taken[i].Unassigned = true
			continue
		}
		a := units[unitID{clean(e.Experiment), clean(e.Unit)}]
		if a != nil {
			taken[i].Variant = a.Variant
		}
		if e.At.IsZero() {
			e.At = in.now
		}
		id := [2]string{clean(e.Experiment), clean(e.ID)}
		if before[id] {
			taken[i].Duplicate = true
			in.of(e, a).Duplicates++
			continue
		}
		before[id] = true
		in.judge(e, a, goal, &taken[i], done)
		in.newest[e.Experiment]++
		rows = append(rows, []any{e.Experiment, in.newest[e.Experiment], e.ID, e.Kind, e.Unit, taken[i].Variant, e.Claimed, e.Channel, e.Device,
			e.Referrer, taken[i].Suspect, flag(taken[i].Unassigned), millis(e.At), string(e.Metadata)})
	}
	if err := in.insert(ctx, rows); err != nil {
		return err
	}
	return in.mark(ctx, done)
}

// of is where something of a unit is counted.
func (in *intake) of(e experiment.Event, a *assigned) *experiment.Counts {
	if a == nil {
		return in.counts.of(clean(e.Experiment), "", clean(e.Channel), "", e.At)
	}
	return in.counts.of(a.Experiment, a.Variant, a.Channel, a.client, e.At)
}

// judge says what becomes of an event, and counts it.
func (in *intake) judge(e experiment.Event, a *assigned, goal string, taken *experiment.Taken, done map[unitID]*assigned) {
	taken.Suspect = e.Suspect
	counts := in.of(e, a)
	if taken.Mismatch = a != nil && e.Claimed != "" && e.Claimed != a.Variant; taken.Mismatch {
		counts.Mismatches++
	}
	switch {
	case a == nil || a.ExposedAt.IsZero():
		taken.Unassigned = true
		counts.Unassigned++
		if e.Suspect != "" {
			counts.Suspects++
		}
		return
	case e.Suspect == "" && e.At.Before(a.ExposedAt.Add(-earlyBy)):
		taken.Suspect = experiment.Early
	}
	if taken.Suspect != "" {
		counts.Suspects++
		return
	}
	reached := false
	switch e.Kind {
	case experiment.Impression:
		counts.Impressions++
	case experiment.View:
		counts.Views++
	case experiment.Click:
		if a.ClickedAt.IsZero() {
			a.ClickedAt = e.At
			counts.Clicks++
			done[unitOf(a.Assignment)] = a
		}
		reached = goal == experiment.GoalClick
	case experiment.Conversion:
		reached = goal == experiment.GoalConversion
	}
	if reached && a.ConvertedAt.IsZero() {
		a.ConvertedAt = e.At
		counts.Conversions++
		done[unitOf(a.Assignment)] = a
	}
}

const eventsOfIDs = `SELECT k.experiment, k.id FROM rows($1) AS e CROSS JOIN experiment_events AS k
	WHERE k.experiment = e.value->>0 AND k.id = e.value->>1`

// known are the ids, of those of events, that were there before.
func (in *intake) known(ctx context.Context, events []experiment.Event) (map[[2]string]bool, error) {
	rows, before := make([][]any, len(events)), map[[2]string]bool{}
	for i, e := range events {
		rows[i] = []any{e.Experiment, e.ID}
	}
	err := in.each(ctx, eventsOfIDs, []any{table(rows)}, func(scan func(...any) error) error {
		var id [2]string
		err := scan(&id[0], &id[1])
		before[id] = true
		return err
	})
	return before, err
}

// units locks the assignments of the units of events.
func (in *intake) units(ctx context.Context, events []experiment.Event) (map[unitID]*assigned, error) {
	ids := make([]unitID, len(events))
	for i, e := range events {
		ids[i] = unitID{clean(e.Experiment), clean(e.Unit)}
	}
	slices.SortFunc(ids, unitID.compare)
	ids = slices.Compact(ids)
	rows := make([][]any, len(ids))
	for i, id := range ids {
		rows[i] = []any{id.experiment, id.unit}
	}
	units := make(map[unitID]*assigned, len(ids))
	all, err := collect(ctx, in.reader, assignmentsOf+` ORDER BY a.experiment, a.unit FOR UPDATE`, []any{table(rows)}, scanAssigned)
	for i := range all {
		units[unitOf(all[i].Assignment)] = &all[i]
	}
	return units, err
}

func (in *intake) insert(ctx context.Context, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	n, err := in.exec(ctx, `INSERT INTO experiment_events (experiment, seq, id, kind, unit, variant, claimed, channel, device, referrer, suspect, unassigned, at, metadata)
		SELECT e.value->>0, CAST(e.value->>1 AS BIGINT), e.value->>2, e.value->>3, e.value->>4, e.value->>5, e.value->>6, e.value->>7, e.value->>8,
			e.value->>9, e.value->>10, CAST(e.value->>11 AS BIGINT), CAST(e.value->>12 AS BIGINT), e.value->>13
		FROM rows($1) AS e`, table(rows))
	if err == nil && n != int64(len(rows)) {
		err = fmt.Errorf("kept %d of %d events", n, len(rows))
	}
	return err
}

// mark notes which units clicked and reached the goal.
func (in *intake) mark(ctx context.Context, done map[unitID]*assigned) error {
	if len(done) == 0 {
		return nil
	}
	rows := make([][]any, 0, len(done))
	for id, a := range done {
		rows = append(rows, []any{id.experiment, id.unit, reached(a.ClickedAt), reached(a.ConvertedAt)})
	}
	_, err := in.exec(ctx, `UPDATE experiment_assignments SET clicked_at = CAST(e.value->>2 AS BIGINT), converted_at = CAST(e.value->>3 AS BIGINT)
		FROM rows($1) AS e WHERE experiment = e.value->>0 AND unit = e.value->>1`, table(rows))
	return err
}

// ExportEvents are the next events of an experiment behind the after-th, in the order
// in which they were taken.
func (s *Store) ExportEvents(ctx context.Context, id string, after int64, limit int) ([]experiment.Kept, error) {
	all, err := collect(ctx, s.reader(), `SELECT experiment, seq, id, kind, unit, variant, claimed, channel, device, referrer, suspect, unassigned, at, metadata
		FROM experiment_events WHERE experiment = $1 AND seq > $2 ORDER BY seq LIMIT $3`, []any{clean(id), after, limit}, scanKept)
	return all, wrap(err, "read the events of the experiment %s", id)
}

func scanKept(scan func(...any) error) (k experiment.Kept, err error) {
	var unassigned int64
	var at sql.NullInt64
	var metadata string
	err = scan(&k.Experiment, &k.Seq, &k.ID, &k.Kind, &k.Unit, &k.Variant, &k.Claimed, &k.Channel, &k.Device, &k.Referrer, &k.Suspect,
		&unassigned, &at, &metadata)
	k.Unassigned, k.At = unassigned == 1, moment(at)
	if metadata != "" {
		k.Metadata = []byte(metadata)
	}
	return k, err
}

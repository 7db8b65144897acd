package store

import (
	"cmp"
	"context"
	"database/sql"
	"slices"

	"github.com/pictifyd/pictifyd/experiment"
)

// A unitID names a unit of an experiment.
type unitID struct{ experiment, unit string }

func (u unitID) compare(o unitID) int {
	return cmp.Or(cmp.Compare(u.experiment, o.experiment), cmp.Compare(u.unit, o.unit))
}

// assignmentColumns are those of a, beside a list of rows, which has a key too.
const assignmentColumns = `experiment, unit, variant, channel, client, at, exposed_at, clicked_at, converted_at, owner, a.key`

// An assigned is an assignment, and by which client its unit was exposed.
type assigned struct {
	experiment.Assignment
	client string
}

func scanAssigned(scan func(...any) error) (a assigned, err error) {
	var at, exposed, clicked, converted sql.NullInt64
	err = scan(&a.Experiment, &a.Unit, &a.Variant, &a.Channel, &a.client, &at, &exposed, &clicked, &converted, &a.Place.Owner, &a.Place.Key)
	a.At, a.ExposedAt, a.ClickedAt, a.ConvertedAt = moment(at), moment(exposed), moment(clicked), moment(converted)
	return a, err
}

func scanAssignment(scan func(...any) error) (experiment.Assignment, error) {
	a, err := scanAssigned(scan)
	return a.Assignment, err
}

// Meet gives units their variants, in one transaction, and returns what each of them
// has from now on, in the order of meetings. A unit that was assigned before keeps its
// variant; of the same unit twice the first one wins. A unit that is exposed for the
// first time is marked and counted, in the channel of that meeting. Where a row was
// planned for the unit, its place is the newest one.
func (s *Store) Meet(ctx context.Context, meetings []experiment.Meeting) (answers []experiment.Assignment, err error) {
	if len(meetings) == 0 {
		return nil, nil
	}
	units := distinctUnits(meetings)
	err = s.write(ctx, func(ctx context.Context, t *tx) error {
		known, counts := make(map[unitID]experiment.Assignment, len(units)), tallies{}
		if err := pages(units, pageSize, func(page []experiment.Meeting) error { return t.meet(ctx, page, known, counts) }); err != nil {
			return err
		}
		answers = make([]experiment.Assignment, len(meetings))
		for i, m := range meetings {
			answers[i] = known[unitOf(m.Assignment)]
		}
		return t.addCounts(ctx, counts)
	})
	if err != nil {
		return nil, wrap(err, "assign units")
	}
	s.crash("units.assigned")
	return answers, nil
}

func unitOf(a experiment.Assignment) unitID { return unitID{clean(a.Experiment), clean(a.Unit)} }

// distinctUnits is one meeting of each unit, in the order in which all transactions
// lock assignments.
func distinctUnits(meetings []experiment.Meeting) []experiment.Meeting {
	place := make(map[unitID]int, len(meetings))
	units := make([]experiment.Meeting, 0, len(meetings))
	for _, m := range meetings {
		i, again := place[unitOf(m.Assignment)]
		if !again {
			place[unitOf(m.Assignment)] = len(units)
			units = append(units, m)
			continue
		}
		if first := &units[i]; m.Exposed && !first.Exposed {
			first.Exposed, first.Client, first.Channel = true, m.Client, m.Channel
		}
		if m.Place.Owner != "" {
			units[i].Place = m.Place
		}
	}
	slices.SortFunc(units, func(a, b experiment.Meeting) int { return unitOf(a.Assignment).compare(unitOf(b.Assignment)) })
	return units
}

// meet returns from its first statement those units for which something changed:
// that are new, or exposed for the first time.
func (t *tx) meet(ctx context.Context, page []experiment.Meeting, known map[unitID]experiment.Assignment, counts tallies) error {
	rows, of := make([][]any, len(page)), make(map[unitID]experiment.Meeting, len(page))
	for i, m := range page {
		at, exposed := m.At, any(nil)
		if at.IsZero() {
			at = t.now
		}
		if m.Exposed {
			exposed = millis(at)
		}
		rows[i] = []any{m.Experiment, m.Unit, m.Variant, m.Channel, m.Client, millis(at), exposed, m.Place.Owner, m.Place.Key}
		of[unitOf(m.Assignment)] = m
	}
	changed, err := collect(ctx, t.reader, `INSERT INTO experiment_assignments AS a (experiment, unit, variant, channel, client, at, exposed_at, owner, key)
		SELECT e.value->>0, e.value->>1, e.value->>2, e.value->>3, e.value->>4, CAST(e.value->>5 AS BIGINT), CAST(e.value->>6 AS BIGINT), e.value->>7, e.value->>8
		FROM rows($1) AS e WHERE true
		ON CONFLICT (experiment, unit) DO UPDATE SET exposed_at = excluded.exposed_at, channel = excluded.channel, client = excluded.client
			WHERE a.exposed_at IS NULL AND excluded.exposed_at IS NOT NULL
		RETURNING experiment, unit, variant, channel, client, at, exposed_at, clicked_at, converted_at, owner, key`, []any{table(rows)}, scanAssignment)
	if err != nil {
		return err
	}
	for _, a := range changed {
		if m := of[unitOf(a)]; m.Exposed {
			counts.of(a.Experiment, a.Variant, a.Channel, clean(m.Client), a.ExposedAt).Exposures++
		}
		known[unitOf(a)] = a
	}
	if err := t.recall(ctx, page, known); err != nil {
		return err
	}
	return t.replace(ctx, page, known)
}

// recall finds the assignments of the units that did not change.
func (t *tx) recall(ctx context.Context, page []experiment.Meeting, known map[unitID]experiment.Assignment) error {
	var rows [][]any
	for _, m := range page {
		if _, changed := known[unitOf(m.Assignment)]; !changed {
			rows = append(rows, []any{m.Experiment, m.Unit})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	same, err := collect(ctx, t.reader, assignmentsOf, []any{table(rows)}, scanAssignment)
	for _, a := range same {
		known[unitOf(a)] = a
	}
	return err
}

// replace gives units the rows that are planned for them now.
func (t *tx) replace(ctx context.Context, page []experiment.Meeting, known map[unitID]experiment.Assignment) error {
	var rows [][]any
	for _, m := range page {
		a := known[unitOf(m.Assignment)]
		if place := (experiment.Place{Owner: clean(m.Place.Owner), Key: clean(m.Place.Key)}); place.Owner != "" && place != a.Place {
			a.Place = place
			known[unitOf(m.Assignment)] = a
			rows = append(rows, []any{a.Experiment, a.Unit, place.Owner, place.Key})
		}
	}
	if len(rows) == 0 {
		return nil
	}
	_, err := t.exec(ctx, `UPDATE experiment_assignments SET owner = e.value->>2, key = e.value->>3 FROM rows($1) AS e
		WHERE experiment = e.value->>0 AND unit = e.value->>1`, table(rows))
	return err
}

// assignmentsOf are those of given units, [experiment, unit] each.
const assignmentsOf = `SELECT ` + assignmentColumns + ` FROM rows($1) AS e CROSS JOIN experiment_assignments AS a
	WHERE a.experiment = e.value->>0 AND a.unit = e.value->>1`

// Assigned are the assignments of those units that have one, in no order.
func (s *Store) Assigned(ctx context.Context, id string, units []string) (all []experiment.Assignment, err error) {
	err = pages(units, pageSize, func(page []string) error {
		rows := make([][]any, len(page))
		for i, unit := range page {
			rows[i] = []any{id, unit}
		}
		some, err := collect(ctx, s.reader(), assignmentsOf, []any{table(rows)}, scanAssignment)
		all = append(all, some...)
		return err
	})
	return all, wrap(err, "read assignments of the experiment %s", id)
}

// ExportAssignments are the next assignments of an experiment, by unit, behind
// afterUnit.
func (s *Store) ExportAssignments(ctx context.Context, id, afterUnit string, limit int) ([]experiment.Assignment, error) {
	all, err := collect(ctx, s.reader(), `SELECT `+assignmentColumns+` FROM experiment_assignments AS a
		WHERE a.experiment = $1 AND a.unit > $2 ORDER BY a.unit LIMIT $3`, []any{clean(id), clean(afterUnit), limit}, scanAssignment)
	return all, wrap(err, "read the assignments of the experiment %s", id)
}

// EraseUnit forgets who a unit is: its assignment, its name in its events, and what
// those say beside the fact. What it did stays in the counts. Comes it again, it is a
// new unit. What was killed half way is ended by asking again.
func (s *Store) EraseUnit(ctx context.Context, id, unit string) error {
	id, unit = clean(id), clean(unit)
	err := s.write(ctx, func(ctx context.Context, t *tx) error {
		if err := t.noteErasure(ctx); err != nil {
			return err
		}
		_, err := t.exec(ctx, `DELETE FROM experiment_assignments WHERE experiment = $1 AND unit = $2`, id, unit)
		return err
	})
	if err != nil {
		return wrap(err, "erase a unit of the experiment %s", id)
	}
	s.crash("unit.erased")
	// No index leads from units to events, which many come in a second. They are looked
	// for outside of the transaction, so that nobody waits.
	events, err := collect(ctx, s.reader(), `SELECT seq FROM experiment_events WHERE experiment = $1 AND unit = $2`, []any{id, unit},
		func(scan func(...any) error) (row []any, err error) {
			var seq int64
			err = scan(&seq)
			return []any{seq}, err
		})
	if err != nil {
		return wrap(err, "look for the events of a unit of the experiment %s", id)
	}
	err = pages(events, pageSize, func(page [][]any) error {
		return s.write(ctx, func(ctx context.Context, t *tx) error {
			_, err := t.exec(ctx, `UPDATE experiment_events SET unit = '', device = '', referrer = '', metadata = '' FROM rows($2) AS e
				WHERE experiment = $1 AND seq = CAST(e.value->>0 AS BIGINT)`, id, table(page))
			return err
		})
	})
	return wrap(err, "erase a unit from the events of the experiment %s", id)
}

// placedJob is whether job j has rows that an experiment shows that has not ended.
const placedJob = `EXISTS (SELECT 1 FROM experiments AS x WHERE x.status IN ('running', 'paused') AND x.retired = 0
	AND EXISTS (SELECT 1 FROM experiment_assignments AS a WHERE a.owner = 'job/' || j.id AND a.owner <> '' AND a.experiment = x.id))`

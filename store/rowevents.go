package store

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/sink"
)

// rowsSink is the beginning of the sink of a job's events about rows. They are
// not on the sink of its end, which does not wait behind them.
const rowsSink = "rows:"

// IsRowsSink reports whether a turn's sink is that of a job's events about rows.
func IsRowsSink(name string) bool { return strings.HasPrefix(name, rowsSink) }

// keepEvents notes which events a job's webhook is sent.
func (t *tx) keepEvents(ctx context.Context, job string, events []string) error {
	if len(events) == 0 {
		return nil
	}
	_, err := t.exec(ctx, `UPDATE jobs SET webhook_events = $2 WHERE id = $1`, job, encode(events))
	return err
}

// wants reports whether the webhook of a job that has one is sent an event.
func (t *tx) wants(ctx context.Context, job, event string) (bool, error) {
	var text string
	var events []string
	if err := t.row(ctx, `SELECT webhook_events FROM jobs WHERE id = $1`, job).Scan(&text); err != nil {
		return false, err
	}
	err := decode(text, &events)
	return slices.Contains(events, event) || text == "" && event == sink.BatchCompleted, err
}

// planRowEvents tells of rows that ended to the webhooks of those jobs that want
// to know.
func (t *tx) planRowEvents(ctx context.Context, jobs []string, endings []ending) error {
	if len(jobs) == 0 {
		return nil
	}
	wanted := map[string][]string{}
	if err := t.each(ctx, `SELECT id, webhook_events FROM jobs WHERE id IN list($1) AND webhook_events <> '' AND webhook_url <> ''`, []any{list(jobs)},
		func(scan func(...any) error) error {
			var id, text string
			if err := scan(&id, &text); err != nil {
				return err
			}
			var events []string
			err := decode(text, &events)
			wanted[id] = events
			return err
		}); err != nil || len(wanted) == 0 {
		return err
	}
	endings = slices.DeleteFunc(slices.Clone(endings), func(e ending) bool { return !slices.Contains(wanted[e.owner.Job()], e.event) })
	return pages(endings, pageSize, func(page []ending) error { return t.insertRowEvents(ctx, page) })
}

func (t *tx) insertRowEvents(ctx context.Context, endings []ending) error {
	items := make([][]any, len(endings))
	for i, e := range endings {
		items[i] = e.cells()
	}
	told, err := t.rowsAsTold(ctx, items)
	if err != nil {
		return err
	}
	rows := make([][]any, len(endings))
	for i, e := range endings {
		name := rowsSink + e.owner.Job()
		rows[i] = told[e.itemID].delivery(name, e)
		t.wantSinks[name] = true
	}
	return t.insertDeliveries(ctx, rows)
}

// A rowAsTold is how a row ended, as its event says it at every try.
type rowAsTold struct {
	outputs []sink.Output
	fault   *batch.RowError

	assigned string // as in items
}

// delivery is the event of the row's end for a sink.
func (r rowAsTold) delivery(name string, e ending) []any {
	fault, outputs := r.texts()
	return []any{deliveryID(name, e.owner, e.key, e.generation), name, string(e.owner), e.key, e.generation, e.event, "", fault, outputs, e.idx, r.assigned}
}

// texts are what is kept of it in a delivery.
func (r rowAsTold) texts() (fault, outputs string) {
	if r.fault != nil {
		fault = encode(r.fault)
	}
	return fault, encode(r.outputs)
}

func (t *tx) rowsAsTold(ctx context.Context, items [][]any) (map[itemID]rowAsTold, error) {
	told := map[itemID]rowAsTold{}
	if len(items) == 0 {
		return told, nil
	}
	err := t.each(ctx, `SELECT i.owner, i.idx, i.key, i.assigned, i.problem, COALESCE(g.output, ''), COALESCE(g.state, ''), COALESCE(g.problem, ''),
			COALESCE(g.hash, ''), COALESCE(g.format, ''), COALESCE(g.ext, ''), COALESCE(g.width, 0), COALESCE(g.height, 0)
		FROM rows($1) AS e CROSS JOIN items AS i
		LEFT JOIN images AS g ON g.owner = i.owner AND g.idx = i.idx AND g.key = i.key
		WHERE i.owner = e.value->>0 AND i.idx = CAST(e.value->>1 AS BIGINT) AND i.key = e.value->>2 ORDER BY g.place`, []any{table(items)}, func(scan func(...any) error) error {
		var id itemID
		var o sink.Output
		var assigned, rowProblem, state, outputProblem string
		if err := scan(&id.owner, &id.idx, &id.key, &assigned, &rowProblem, &o.Name, &state, &outputProblem, &o.Hash, &o.Format, &o.Ext, &o.Width, &o.Height); err != nil {
			return err
		}
		r := told[id]
		r.assigned = assigned
		if state == stateReady {
			r.outputs = append(r.outputs, o)
		}
		p, err := problemOf(cmp.Or(rowProblem, outputProblem))
		if r.fault == nil {
			r.fault = rowError(p)
		}
		told[id] = r
		return err
	})
	return told, err
}

// GiveUpRowEvents discards what waits on the sink of a job's events about rows, and
// counts it. A page is a commit.
func (s *Store) GiveUpRowEvents(ctx context.Context, sink string) (dropped int64, err error) {
	if !IsRowsSink(sink) {
		return 0, nil
	}
	for more := true; more && err == nil; {
		var page int
		err = s.write(ctx, func(ctx context.Context, t *tx) error {
			gone, err := collect(ctx, t.reader, `DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE sink = $1 AND state = 'waiting' LIMIT $2) RETURNING id`,
				[]any{sink, pageSize}, text1)
			if err != nil {
				return err
			}
			page = len(gone)
			t.counted(sink).discarded += int64(page)
			return t.dropAttempts(ctx, gone)
		})
		if err == nil {
			dropped += int64(page)
		}
		more = page == pageSize
	}
	return dropped, wrap(err, "give up the deliveries to %q", sink)
}

// rowsTold drops events about rows that were taken: there is one of each, and
// nothing has to be remembered of it.
func (t *tx) rowsTold(ctx context.Context, turn Turn, rows [][]any) error {
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = row[0].(string)
	}
	told, err := collect(ctx, t.reader, `DELETE FROM deliveries WHERE id IN list($1) AND claimed_by + 0 = $2 AND state = 'claimed' RETURNING id`, []any{list(ids), turn.ID}, text1)
	t.counted(turn.Sink).delivered += int64(len(told))
	if err != nil {
		return err
	}
	return t.dropAttempts(ctx, told)
}

package store

import (
	"context"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/batch"
	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/sink"
)

// wholeKey is the key of deliveries about a binding or a job as a whole. No row
// has it: keys of rows are percent-encoded.
const wholeKey = "#"

// isWhole reports whether a key is of deliveries about no row.
func isWhole(key string) bool { return strings.HasPrefix(key, wholeKey) }

// tellRowsOfBatches tells subscriptions of the rows of batches that ended. Those of
// runs are pictures of their binding, which it tells of itself.
func (t *tx) tellRowsOfBatches(ctx context.Context, jobs []string, endings []ending) error {
	to, err := t.routes(ctx)
	if err != nil || len(jobs) == 0 || !slices.ContainsFunc(to.subs, hearsOfRows) {
		return err
	}
	about := map[string]sink.Subject{}
	if err := t.each(ctx, `SELECT `+jobColumns+` FROM jobs WHERE id IN list($1) AND cause = ''`, []any{list(jobs)}, func(scan func(...any) error) error {
		j, err := scanJob(scan)
		about[j.ID] = subjectOf(j)
		return err
	}); err != nil {
		return err
	}
	heard := map[itemID][]string{}
	var told []ending
	for _, e := range endings {
		of, ok := about[e.owner.Job()]
		if !ok {
			continue
		}
		if names := to.subscribed(e.event, of); len(names) > 0 {
			heard[e.itemID] = names
			told = append(told, e)
		}
	}
	return pages(told, pageSize, func(page []ending) error {
		items := make([][]any, len(page))
		for i, e := range page {
			items[i] = e.cells()
		}
		rows, err := t.rowsAsTold(ctx, items)
		if err != nil {
			return err
		}
		var planned [][]any
		for _, e := range page {
			for _, name := range heard[e.itemID] {
				planned = append(planned, rows[e.itemID].delivery(name, e))
				t.wantSinks[name] = true
			}
		}
		return t.insertDeliveries(ctx, planned)
	})
}

func hearsOfRows(s *sink.Subscription) bool {
	return slices.Contains(s.Events, sink.RenderCompleted) || slices.Contains(s.Events, sink.RenderFailed)
}

// tellEnd tells subscriptions of the end of a batch: one event for each end.
func (t *tx) tellEnd(ctx context.Context, j batch.Job, status batch.Status) error {
	if j.Origin != nil {
		return nil
	}
	to, err := t.routes(ctx)
	if err != nil {
		return err
	}
	event := sink.BatchCompleted
	if status == batch.Failed {
		event = sink.BatchFailed
	}
	return t.tellWhole(ctx, to.subscribed(event, subjectOf(j)), bindings.JobOwner(j.ID), j.Run, event, "")
}

// tellWhole plans deliveries about a binding or a job as a whole.
func (t *tx) tellWhole(ctx context.Context, names []string, owner bindings.Owner, generation int64, event, data string) error {
	var rows [][]any
	for _, name := range names {
		key := wholeKey
		if _, ok := SubscriptionOf(name); !ok && owner.Job() != "" {
			key = "" // no sink of a binding hears of a job's rows
		}
		rows = append(rows, []any{deliveryID(name, owner, key, generation), name, string(owner), key, generation, event, "", data, ""})
		t.wantSinks[name] = true
	}
	return t.insertDeliveries(ctx, rows)
}

package sheets

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	sheetsource "github.com/pictifyd/pictifyd/connectors/sheets"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
)

const (
	mostRounds = 4  // of reading and writing
	mostSplits = 12 // of a writing that protected cells are in
)

// between is how long is waited before a round after a write that failed.
var between = retry.Backoff{Base: time.Second, Max: 16 * time.Second}

// A writing brings the rows of some deliveries to what they want: it reads,
// compares, writes what differs, and begins anew, until nothing differs.
type writing struct {
	*sheet
	open    []*want // whose end is not known yet
	before  *sheetsource.Snapshot
	written []edit // in the round before
	sure    bool   // that was answered
	splits  int
}

// An edit is a cell that is written.
type edit struct {
	sheetsource.Cell
	want *want // nil puts back what another edit had overwritten
}

// run ends every want.
func (w *writing) run(ctx context.Context) {
	for round := 1; ; round++ {
		now, err := w.table.Read(ctx)
		if err != nil {
			fail(w.open, err)
			return
		}
		edits := append(w.misplaced(now), w.differing(now)...)
		if len(edits) == 0 {
			w.arrived(now)
			return
		}
		if round > mostRounds {
			w.unkept(now, edits)
			return
		}
		w.before, w.written = now, edits
		err = w.write(ctx, edits)
		w.sure = err == nil
		if err != nil {
			if !passes(err) || round == mostRounds || !sleep(ctx, wait(err, round)) {
				fail(w.open, err)
				return
			}
		}
	}
}

// differing are the cells that are not as wanted. Wants whose row is not there end.
func (w *writing) differing(now *sheetsource.Snapshot) (edits []edit) {
	open := w.open[:0]
	for _, each := range w.open {
		rows := now.Rows(each.key)
		switch {
		case len(rows) == 1:
			open = append(open, each)
			for i, cell := range each.cells {
				if cell != nil && !same(rows[0].Cells[i], cell) {
					edits = append(edits, edit{sheetsource.Cell{Row: rows[0], Column: i, Value: cell}, each})
				}
			}
		case len(rows) > 1:
			each.ended.Err = retry.Permanent(problem.New(problem.Conflict, "the key %q is in the sheet twice, at %s and %s", each.name, rows[0].Cell(0), rows[1].Cell(0)).
				WithSlug(targetAmbiguous).WithHint("give each row a key of its own, then replay the delivery"))
		case each.removed: // with its row
		case now.Broken() > 0:
			each.ended.Err = problem.New(problem.NotFound, "the sheet has no row %q now, but %d whose key is an error", each.name, now.Broken()).WithSlug(targetMissing).
				WithHint("repair the formulas of the key column")
		default:
			each.ended.Err = retry.Permanent(problem.New(problem.NotFound, "the sheet has no row %q", each.name).WithSlug(targetMissing).
				WithHint("if the row comes back, its next picture is written"))
		}
	}
	w.open = open
	return edits
}

// same reports whether a cell holds the value; "" is none.
func same(cell, value any) bool {
	if cell == nil {
		cell = ""
	}
	return cell == value
}

// misplaced looks at what was written in the round before. Where a row moved between
// the reading and the writing, another one got its value: it gets back what it had.
func (w *writing) misplaced(now *sheetsource.Snapshot) (edits []edit) {
	for _, e := range w.written {
		is := now.Instead(e.Row)
		switch {
		case len(is.Cells) == 0: // no row any more
		case !is.Stands(e.Row, e.Column):
			if rows := now.Rows(e.Row.Key); w.sure && (len(rows) != 1 || !same(rows[0].Cells[e.Column], e.Value)) {
				w.races.Add(1)
				w.log.Warn("a column was moved while a cell was written: what came to stand there is overwritten", slog.String("cell", e.Row.Cell(e.Column)))
			}
		case is.Key != e.Row.Key && same(is.Cells[e.Column], e.Value):
			should, wanted := w.should(is, e.Column)
			if same(is.Cells[e.Column], should) {
				continue // it is its own value
			}
			w.races.Add(1)
			if !wanted {
				edits = append(edits, edit{sheetsource.Cell{Row: is, Column: e.Column, Value: w.entered(should)}, nil})
			}
		}
	}
	return edits
}

// should is what a row should have in a column: what a delivery wants, or what it
// had before.
func (w *writing) should(row sheetsource.Row, column int) (value any, wanted bool) {
	for _, each := range w.open {
		if row.Key != "" && each.key == row.Key && each.cells[column] != nil {
			return each.cells[column], true
		}
	}
	before := w.before.Rows(row.Key)
	if row.Key == "" || len(before) != 1 || before[0].Cells[column] == nil {
		return "", false
	}
	return before[0].Cells[column], false
}

// entered is a value as it is written to come back as it was: where formulas are
// entered, texts are so, too.
func (w *writing) entered(value any) any {
	if text, ok := value.(string); ok && w.cfg.Formula != "" && text != "" && !strings.HasPrefix(text, "=") {
		return "'" + text
	}
	return value
}

// arrived ends the wants that are as they should be.
func (w *writing) arrived(now *sheetsource.Snapshot) {
	for _, each := range w.open {
		row := now.Rows(each.key)[0]
		var cells []string
		for i := range each.cells {
			if each.cells[i] != nil {
				cells = append(cells, row.Cell(i))
			}
		}
		each.ended.Receipt = sink.Receipt{Ref: strings.Join(cells, ", ")}
	}
}

// unkept ends what differs still: somebody else writes there, too.
func (w *writing) unkept(now *sheetsource.Snapshot, edits []edit) {
	w.arrived(now)
	for _, e := range edits {
		if e.want != nil {
			e.want.ended.Err = problem.New(problem.Conflict, "%s does not keep what is written to it", e.Row.Cell(e.Column)).WithSlug("not_kept").
				WithHint("see which script or person of the spreadsheet writes this column, too")
		}
	}
}

// write writes all edits. Where some are to protected cells, it finds out which;
// their wants end.
func (w *writing) write(ctx context.Context, edits []edit) error {
	cells := make([]sheetsource.Cell, len(edits))
	for i, e := range edits {
		cells[i] = e.Cell
	}
	err := w.table.Write(ctx, cells)
	if !isProtected(err) {
		return err
	}
	if len(edits) == 1 || w.splits >= mostSplits {
		w.refuse(edits, err)
		return nil
	}
	w.splits++
	half := len(edits) / 2
	return errors.Join(w.write(ctx, edits[:half]), w.write(ctx, edits[half:]))
}

// refuse ends the wants of edits.
func (w *writing) refuse(edits []edit, err error) {
	of := map[*want]bool{}
	for _, e := range edits {
		if e.want != nil {
			e.want.ended.Err = fmt.Errorf("%s: %w", e.Row.Cell(e.Column), err)
			of[e.want] = true
		}
	}
	open := w.open[:0]
	for _, each := range w.open {
		if !of[each] {
			open = append(open, each)
		}
	}
	w.open = open
}

func isProtected(err error) bool {
	var p *problem.Error
	return errors.As(err, &p) && p.Slug == sheetsource.Protected
}

// passes reports whether a write may go well soon.
func passes(err error) bool {
	switch problem.CodeOf(err) {
	case problem.Overloaded, problem.Upstream, problem.Timeout:
		return true
	case problem.Invalid: // a range that is not there any more
		return true
	}
	return false
}

// wait is how long is waited after err.
func wait(err error, round int) time.Duration {
	next := between.Next(round)
	if problem.CodeOf(err) == problem.Overloaded {
		if asked, ok := retry.Wait(err); ok && asked < time.Minute {
			return max(asked, next)
		}
	}
	return next
}

// sleep reports whether the time was there.
func sleep(ctx context.Context, d time.Duration) bool {
	if end, ok := ctx.Deadline(); ok && time.Until(end) < d {
		return false // who waits longer has nothing of it
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

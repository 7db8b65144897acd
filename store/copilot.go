package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/pictifyd/pictifyd/copilot"
	"github.com/pictifyd/pictifyd/internal/problem"
)

var _ copilot.Ledger = CopilotRuns{}

// CopilotRuns are the runs of the copilot. What a method changed is durable when it
// returned nil.
type CopilotRuns struct{ store *Store }

// CopilotRuns are the ledger's runs of the copilot.
func (s *Store) CopilotRuns() CopilotRuns { return CopilotRuns{s} }

func noCopilotRun(id string) *problem.Error {
	return problem.New(problem.NotFound, "there is no run %q of the copilot", id).WithSlug(copilot.NotFound).
		WithHint("GET /copilot/runs lists those there are; old ones are forgotten after copilot.keep")
}

// AddRun keeps a new run. Where its template has an open one it is a problem
// Conflict with the slug copilot.Busy, which names that; no template is a problem
// NotFound.
func (c CopilotRuns) AddRun(ctx context.Context, r copilot.Run) error {
	err := c.store.write(ctx, func(ctx context.Context, t *tx) error {
		newest, err := t.newest(ctx, r.Template)
		if err != nil {
			return err
		}
		if newest.Number == 0 {
			return noTemplate(r.Template)
		}
		cells := cellsOfRun(r)
		n, err := t.exec(ctx, `INSERT INTO copilot_runs (id, template, status, open, model, tokens, cost, run, created_at, ended_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING`,
			clean(r.ID), clean(r.Template), cells.status, cells.open, cells.model, cells.tokens, cells.cost, cells.run, millis(r.CreatedAt), cells.ended)
		if err != nil || n == 1 {
			return err
		}
		var other string
		err = t.row(ctx, `SELECT id FROM copilot_runs WHERE template = $1 AND open = 1`, clean(r.Template)).Scan(&other)
		if errors.Is(err, sql.ErrNoRows) { // it ended since, or r is kept already
			return problem.New(problem.Conflict, "the run %s cannot be kept twice", r.ID).WithHint("start another one")
		}
		if err != nil {
			return err
		}
		return problem.New(problem.Conflict, "the copilot works on the template %q already, in the run %s", r.Template, other).WithSlug(copilot.Busy).
			WithHint("wait for the end of the run %s, or cancel it", other)
	})
	return wrap(err, "keep a run of the copilot")
}

// runCells are the columns of a run that change.
type runCells struct {
	status, model, run string
	open, tokens       int64
	cost               float64
	ended              sql.NullInt64
}

func cellsOfRun(r copilot.Run) runCells {
	c := runCells{
		status: r.Status, model: clean(r.Model), run: clean(encode(r)), open: flag(r.Open()),
		tokens: r.Spent.Usage.In + r.Spent.Usage.Out, cost: r.Spent.Cost,
	}
	if r.EndedAt != nil {
		c.ended = sql.NullInt64{Int64: millis(*r.EndedAt), Valid: true}
	}
	return c
}

// SaveRun keeps a run as it is now, with what happened, in one transaction. One that
// has ended is never open again: that is a problem Conflict with the slug
// copilot.NotOpen, and nothing is kept.
func (c CopilotRuns) SaveRun(ctx context.Context, r copilot.Run, events ...copilot.Event) error {
	err := c.store.write(ctx, func(ctx context.Context, t *tx) error {
		if err := t.saveRun(ctx, r); err != nil {
			return err
		}
		return t.addRunEvents(ctx, r.ID, events)
	})
	return wrap(err, "keep the run %s of the copilot", r.ID)
}

func (t *tx) saveRun(ctx context.Context, r copilot.Run) error {
	var open int64
	err := t.row(ctx, `SELECT open FROM copilot_runs WHERE id = $1 FOR UPDATE`, clean(r.ID)).Scan(&open)
	if errors.Is(err, sql.ErrNoRows) {
		return noCopilotRun(r.ID)
	}
	if err != nil {
		return err
	}
	c := cellsOfRun(r)
	if open == 0 && c.open == 1 {
		return problem.New(problem.Conflict, "the run %s has ended", r.ID).WithSlug(copilot.NotOpen).WithHint("start another one")
	}
	_, err = t.exec(ctx, `UPDATE copilot_runs SET status = $2, open = $3, model = $4, tokens = $5, cost = $6, run = $7, ended_at = $8 WHERE id = $1`,
		clean(r.ID), c.status, c.open, c.model, c.tokens, c.cost, c.run, c.ended)
	return err
}

// addRunEvents adds events behind those that a run has, whose row is locked.
func (t *tx) addRunEvents(ctx context.Context, run string, events []copilot.Event) error {
	if len(events) == 0 {
		return nil
	}
	var last int64
	if err := t.row(ctx, `SELECT COALESCE(max(seq), 0) FROM copilot_events WHERE run = $1`, clean(run)).Scan(&last); err != nil {
		return err
	}
	cells := make([][]any, len(events))
	for i, e := range events {
		data := string(e.Data)
		if data == "" {
			data = "{}"
		}
		cells[i] = []any{last + 1 + int64(i), e.Kind, data}
	}
	return pages(cells, pageSize, func(page [][]any) error {
		_, err := t.exec(ctx, `INSERT INTO copilot_events (run, seq, kind, data, at)
			SELECT CAST($2 AS TEXT), CAST(e.value->>0 AS BIGINT), e.value->>1, e.value->>2, CAST($3 AS BIGINT) FROM rows($1) AS e`,
			table(page), clean(run), millis(t.now))
		return err
	})
}

// Run is a run as it was saved. None is a problem NotFound with the slug
// copilot.NotFound.
func (c CopilotRuns) Run(ctx context.Context, id string) (copilot.Run, error) {
	r, err := scanCopilotRun(c.store.reader().row(ctx, `SELECT run FROM copilot_runs WHERE id = $1`, clean(id)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return r, noCopilotRun(id)
	}
	return r, wrap(err, "read the run %s of the copilot", id)
}

func scanCopilotRun(scan func(...any) error) (r copilot.Run, err error) {
	var text string
	if err := scan(&text); err != nil {
		return r, err
	}
	return r, decode(text, &r)
}

// Runs are runs of a template ("": of all), newest first, behind the one with the
// id before ("": from the newest).
func (c CopilotRuns) Runs(ctx context.Context, template, before string, limit int) ([]copilot.Run, error) {
	r := c.store.reader()
	at, id := int64(1<<62), ""
	if before != "" {
		var err error
		if at, id, err = runPlace(ctx, r, before); err != nil {
			return nil, wrap(err, "read runs of the copilot")
		}
	}
	where, args := "", []any{at, id, limit}
	if template != "" {
		where, args = "AND template = $4", append(args, clean(template))
	}
	runs, err := collect(ctx, r, `SELECT run FROM copilot_runs WHERE (created_at < $1 OR created_at = $1 AND id < $2) `+where+`
		ORDER BY created_at DESC, id DESC LIMIT $3`, args, scanCopilotRun)
	return runs, wrap(err, "read runs of the copilot")
}

// runPlace is where a run stands among all. One that was forgotten meanwhile is
// older than all that are left.
func runPlace(ctx context.Context, r reader, id string) (at int64, same string, err error) {
	err = r.row(ctx, `SELECT created_at, id FROM copilot_runs WHERE id = $1`, clean(id)).Scan(&at, &same)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, "", nil
	}
	return at, same, err
}

// OpenRuns are those that the copilot works on. At the start of a process they are
// what another one left.
func (c CopilotRuns) OpenRuns(ctx context.Context) ([]copilot.Run, error) {
	runs, err := collect(ctx, c.store.reader(), `SELECT run FROM copilot_runs WHERE open = 1 ORDER BY created_at, id`, nil, scanCopilotRun)
	return runs, wrap(err, "read open runs of the copilot")
}

// RunEvents are events of a run by Seq, behind after, at most limit.
func (c CopilotRuns) RunEvents(ctx context.Context, id string, after int64, limit int) ([]copilot.Event, error) {
	events, err := collect(ctx, c.store.reader(), `SELECT seq, kind, data, at FROM copilot_events WHERE run = $1 AND seq > $2 ORDER BY seq LIMIT $3`,
		[]any{clean(id), after, limit}, func(scan func(...any) error) (e copilot.Event, err error) {
			var data string
			var at sql.NullInt64
			err = scan(&e.Seq, &e.Kind, &data, &at)
			e.Data, e.At = []byte(data), moment(at)
			return e, err
		})
	return events, wrap(err, "read events of the run %s of the copilot", id)
}

// PutPicture keeps a picture of a run under a name. The first one that has a name
// keeps it: its address shows the same for ever.
func (c CopilotRuns) PutPicture(ctx context.Context, run, name, mediaType string, data []byte) error {
	err := c.store.write(ctx, func(ctx context.Context, t *tx) error {
		var known string
		err := t.row(ctx, `SELECT id FROM copilot_runs WHERE id = $1 FOR UPDATE`, clean(run)).Scan(&known)
		if errors.Is(err, sql.ErrNoRows) {
			return noCopilotRun(run)
		}
		if err != nil {
			return err
		}
		_, err = t.exec(ctx, `INSERT INTO copilot_pictures (run, name, media_type, data) VALUES ($1, $2, $3, $4) ON CONFLICT (run, name) DO NOTHING`,
			known, clean(name), clean(mediaType), data)
		return err
	})
	return wrap(err, "keep a picture of the run %s of the copilot", run)
}

// Picture is a picture of a run. None is a problem NotFound.
func (c CopilotRuns) Picture(ctx context.Context, run, name string) (mediaType string, data []byte, err error) {
	err = c.store.reader().row(ctx, `SELECT media_type, data FROM copilot_pictures WHERE run = $1 AND name = $2`, clean(run), clean(name)).Scan(&mediaType, &data)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil, problem.New(problem.NotFound, "the run %q of the copilot has no picture %q", run, name).WithSlug("picture_not_found")
	}
	return mediaType, data, wrap(err, "read a picture of the run %s of the copilot", run)
}

// sweptRuns is how many runs are forgotten in one commit: their pictures are much.
const sweptRuns = 20

// SweepRuns forgets runs that ended before, with their events and pictures. It says
// how many.
func (c CopilotRuns) SweepRuns(ctx context.Context, before time.Time) (swept int, err error) {
	for {
		ids, err := collect(ctx, c.store.reader(), `SELECT id FROM copilot_runs WHERE ended_at < $1 AND open = 0 ORDER BY ended_at LIMIT $2`,
			[]any{millis(before), sweptRuns}, text1)
		if err != nil || len(ids) == 0 {
			return swept, wrap(err, "look for old runs of the copilot")
		}
		if err := c.store.write(ctx, func(ctx context.Context, t *tx) error { return t.dropRuns(ctx, ids) }); err != nil {
			return swept, wrap(err, "forget old runs of the copilot")
		}
		swept += len(ids)
	}
}

func (t *tx) dropRuns(ctx context.Context, ids []string) error {
	for _, of := range []string{"copilot_pictures WHERE run", "copilot_events WHERE run", "copilot_runs WHERE id"} {
		if _, err := t.exec(ctx, `DELETE FROM `+of+` IN list($1)`, list(ids)); err != nil {
			return err
		}
	}
	return nil
}

// dropRunsOf forgets the runs of a template that is deleted. One that is open is a
// problem Conflict.
func (t *tx) dropRunsOf(ctx context.Context, template string) error {
	var open []string
	var ids []string
	if err := t.each(ctx, `SELECT id, open FROM copilot_runs WHERE template = $1`, []any{clean(template)}, func(scan func(...any) error) error {
		var id string
		var works int64
		err := scan(&id, &works)
		ids = append(ids, id)
		if works == 1 {
			open = append(open, id)
		}
		return err
	}); err != nil {
		return err
	}
	if len(open) > 0 {
		return problem.New(problem.Conflict, "the copilot works on the template %q, in the run %s", template, open[0]).WithSlug("in_use").
			WithHint("wait for its end, or cancel it")
	}
	return pages(ids, pageSize, func(page []string) error { return t.dropRuns(ctx, page) })
}

// A CopilotCount is what the runs of a status and a model come to that are kept.
type CopilotCount struct {
	Status, Model string
	Runs, Tokens  int64
	Cost          float64
}

// Counts count the runs that are kept.
func (c CopilotRuns) Counts(ctx context.Context) ([]CopilotCount, error) {
	counts, err := collect(ctx, c.store.reader(), `SELECT status, model, count(*), CAST(sum(tokens) AS BIGINT), sum(cost) FROM copilot_runs GROUP BY status, model ORDER BY status, model`,
		nil, func(scan func(...any) error) (n CopilotCount, err error) {
			return n, scan(&n.Status, &n.Model, &n.Runs, &n.Tokens, &n.Cost)
		})
	return counts, wrap(err, "count the runs of the copilot")
}

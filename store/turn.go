package store

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
)

// A Turn is a worker's turn on the queue. It is a hint: what there is to do is
// read when it begins. Of Source, Sink and Job the one is set that the turn is on.
type Turn struct {
	ID                int64
	Source, Sink, Job string

	handle *handle
}

// A handle is a turn's job in the queue. Turns that were made by hand have none.
type handle struct {
	complete func(ctx context.Context, tx *sql.Tx) error
	ended    atomic.Bool
}

func (t Turn) queue() string {
	switch {
	case t.Sink != "":
		return deliverTurn{t.Sink}.queue()
	case t.Source != "":
		return queuePoll
	case t.Job != "":
		return queuePlan
	}
	return queueRender
}

// complete ends the turn's job in the same commit as its work.
func (t *tx) complete(ctx context.Context, turn Turn) error {
	if turn.handle == nil {
		return nil
	}
	t.endedTurn = turn.queue()
	t.after = append(t.after, func() { turn.handle.ended.Store(true) })
	return turn.handle.complete(ctx, t.raw)
}

// The arguments of the four kinds of turn.
type (
	renderTurn  struct{}
	deliverTurn struct {
		Sink string `json:"sink"`
	}
	pollTurn struct {
		Source string `json:"source"`
	}
	planTurn struct {
		Job string `json:"job"`
	}
)

func (renderTurn) Kind() string  { return "render_turn" }
func (deliverTurn) Kind() string { return "deliver_turn" }
func (pollTurn) Kind() string    { return "poll" }
func (planTurn) Kind() string    { return "plan" }

func (renderTurn) InsertOpts() river.InsertOpts    { return onQueue(queueRender) }
func (a deliverTurn) InsertOpts() river.InsertOpts { return onQueue(a.queue()) }
func (pollTurn) InsertOpts() river.InsertOpts      { return onQueue(queuePoll) }
func (planTurn) InsertOpts() river.InsertOpts      { return onQueue(queuePlan) }

func onQueue(name string) river.InsertOpts {
	return river.InsertOpts{Queue: name, MaxAttempts: turnAttempts}
}

// turnAttempts is as many as the queue can count: a turn is never given up.
const turnAttempts = 1<<15 - 1

// queue keeps the webhooks of jobs and of subscriptions, which nobody has looked at,
// from taking the workers of the sinks that are configured.
func (a deliverTurn) queue() string {
	if configurable(a.Sink) {
		return queueDeliver
	}
	return queueHooks
}

func (renderTurn) turn() Turn    { return Turn{} }
func (a deliverTurn) turn() Turn { return Turn{Sink: a.Sink} }
func (a pollTurn) turn() Turn    { return Turn{Source: a.Source} }
func (a planTurn) turn() Turn    { return Turn{Job: a.Job} }

type turnArgs interface {
	river.JobArgs
	turn() Turn
}

// A turnWorker gives a turn to its worker and cleans up behind it.
type turnWorker[A turnArgs] struct {
	river.WorkerDefaults[A]
	store *Store
	work  func(ctx context.Context, t Turn) error
}

// turnRest is the wait before a failed turn is tried again.
const turnRest = time.Second

func (w *turnWorker[A]) Work(ctx context.Context, job *river.Job[A]) error {
	t := job.Args.turn()
	t.ID = job.ID
	t.handle = &handle{complete: func(own context.Context, tx *sql.Tx) error {
		_, err := river.JobCompleteTx[riverdriver.Driver[*sql.Tx]](context.WithoutCancel(ctx), tx, job)
		if errors.Is(err, rivertype.ErrNotFound) { // put back by the sweep; a turn too many does no harm
			return nil
		}
		return err
	}}
	s := w.store
	s.begin(job.ID)
	defer s.finish(job.ID)
	err := w.work(ctx, t)
	if !t.handle.ended.Load() {
		err = errors.Join(err, s.release(ctx, t))
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err() // the queue keeps the turn for the next start
	}
	s.log.Warn("a turn failed and comes again", slog.String("turn", job.Kind), slog.Any("err", err))
	// Unlike a failed attempt, a snooze keeps no list of errors in the queue.
	return river.JobSnooze(turnRest)
}

// begin and finish keep the turns that are worked in this process.
func (s *Store) begin(turn int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.working[turn] = struct{}{}
}

func (s *Store) finish(turn int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.working, turn)
}

// suspectRest is the wait of a render that was claimed by turns that failed, so
// that the next turn takes another one.
const suspectRest = 10 * time.Second

// release puts back what a turn had claimed when its worker went away without
// ending it. A claim that was cut off by the end of the process is not counted
// as a try; one whose turn failed makes a render a suspect at most, for a fault
// of the machine says nothing of it.
func (s *Store) release(ctx context.Context, turn Turn) error {
	cut := flag(ctx.Err() != nil)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return s.write(ctx, func(ctx context.Context, t *tx) error {
		if _, err := t.exec(ctx, `UPDATE renders SET state = `+putAside+`, claimed_by = 0,
				attempts = CASE WHEN $2 = 1 THEN attempts - 1 WHEN attempts > $3 THEN $3 ELSE attempts END,
				due_at = CASE WHEN $2 = 0 AND attempts >= $3 THEN CAST($4 AS BIGINT) ELSE due_at END
			WHERE claimed_by = $1 AND state = 'claimed'`, turn.ID, cut, suspectAttempts, millis(t.now.Add(suspectRest))); err != nil {
			return err
		}
		_, err := t.exec(ctx, `UPDATE deliveries SET state = 'waiting', claimed_by = 0, due_at = $2
			WHERE claimed_by = $1 AND state = 'claimed'`, turn.ID, millis(t.now))
		return err
	})
}

// liveTurn is true of a job that will be worked, or is.
const liveTurn = `state IN ('available', 'running', 'retryable', 'scheduled', 'pending')`

// addTurns adds the turns for the work that this change left waiting. Two
// changes at once may add one too many, or, on Postgres, rely on the sweep for
// the last one.
func (t *tx) addTurns(ctx context.Context) error {
	if t.wantRenders {
		if err := t.addRenderTurns(ctx); err != nil {
			return err
		}
	}
	return t.addDeliverTurns(ctx)
}

// addRenderTurns tops the live turns up to one per slot, as far as there is work.
func (t *tx) addRenderTurns(ctx context.Context) error {
	slots := t.store.slots.Load()
	var waiting, live int64
	if err := t.row(ctx, `SELECT `+dueRenders, millis(t.now), slots).Scan(&waiting); err != nil {
		return err
	}
	if waiting == 0 {
		return nil
	}
	if err := t.row(ctx, `SELECT count(*) FROM river_job WHERE queue = 'render' AND `+liveTurn).Scan(&live); err != nil {
		return err
	}
	for range min(waiting, slots) - live {
		if err := t.addTurn(ctx, queueRender, renderTurn{}); err != nil {
			return err
		}
	}
	return nil
}

// sinksToServe are those of $1 for which something is due at $2, that do not rest
// ($3 is when the longest rest is over), and that no turn is on: one goes on as long as there is work.
var sinksToServe = `SELECT e.value FROM texts($1) AS e
	WHERE NOT EXISTS (SELECT 1 FROM sink_states AS x WHERE x.sink = e.value AND ` + isShut("$2", "$3") + `)
		AND e.value NOT IN (SELECT args->>'sink' FROM river_job WHERE queue IN ('deliver', 'hooks') AND ` + liveTurn + `)
		AND EXISTS (SELECT 1 FROM deliveries AS d WHERE ` + areDueOf("e.value") + `)`

// addDeliverTurns adds a turn on each sink that wants one.
func (t *tx) addDeliverTurns(ctx context.Context) error {
	if len(t.wantSinks) == 0 {
		return nil
	}
	names, err := collect(ctx, t.reader, sinksToServe,
		[]any{list(slices.Sorted(maps.Keys(t.wantSinks))), millis(t.now), millis(t.now.Add(restLimit))}, text1)
	for _, name := range names {
		if err := t.addTurn(ctx, deliverTurn{name}.queue(), deliverTurn{name}); err != nil {
			return err
		}
	}
	return err
}

// addPollTurn adds a turn on source unless one is live.
func (t *tx) addPollTurn(ctx context.Context, source string) error {
	var live int64
	if err := t.row(ctx, `SELECT count(*) FROM river_job WHERE queue = 'poll' AND args->>'source' = $1 AND `+liveTurn, source).Scan(&live); err != nil || live > 0 {
		return err
	}
	return t.addTurn(ctx, queuePoll, pollTurn{source})
}

// addPlanTurn adds a turn on job unless one is live.
func (t *tx) addPlanTurn(ctx context.Context, job string) error {
	var live int64
	if err := t.row(ctx, `SELECT count(*) FROM river_job WHERE queue = 'plan' AND args->>'job' = $1 AND `+liveTurn, job).Scan(&live); err != nil || live > 0 {
		return err
	}
	return t.addTurn(ctx, queuePlan, planTurn{job})
}

func (t *tx) addTurn(ctx context.Context, queue string, args river.JobArgs) error {
	t.ring = append(t.ring, queue)
	_, err := t.store.queue.InsertTx(ctx, t.raw, args, nil)
	return err
}

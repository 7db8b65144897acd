package store

import (
	"context"
	"database/sql"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pictifyd/pictifyd/internal/pgtest"
)

// running adds a turn on a sink that its process works already.
func (s *Store) running(tb testing.TB, sink string) Turn {
	tb.Helper()
	turn := Turn{Sink: sink}
	if err := s.write(tb.Context(), func(ctx context.Context, t *tx) error {
		if err := t.addTurn(ctx, queueDeliver, deliverTurn{sink}); err != nil {
			return err
		}
		return t.row(ctx, `UPDATE river_job SET state = 'running' WHERE id = (SELECT max(id) FROM river_job) RETURNING id`).Scan(&turn.ID)
	}); err != nil {
		tb.Fatal(err)
	}
	turn.handle = &handle{complete: func(ctx context.Context, raw *sql.Tx) error {
		_, err := raw.ExecContext(ctx, `UPDATE river_job SET state = 'completed', finalized_at = now() WHERE id = $1`, turn.ID)
		return err
	}}
	return turn
}

// mustNote has the holder reckon with its members once, without Run, which would put
// back the turns that running makes.
func (s *Store) mustNote(tb testing.TB) {
	tb.Helper()
	if err := s.noteMembers(tb.Context()); err != nil {
		tb.Fatal(err)
	}
}

func (s *Store) mustSeat(tb testing.TB, turn Turn) bool {
	tb.Helper()
	free, err := s.Seat(tb.Context(), turn)
	if err != nil {
		tb.Fatal(err)
	}
	return free
}

func (s *Store) setTurn(tb testing.TB, turn Turn, state string) {
	tb.Helper()
	if err := s.write(tb.Context(), func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `UPDATE river_job SET state = $2::river_job_state, finalized_at = CASE WHEN $2 = 'completed' THEN now() END WHERE id = $1`, turn.ID, state)
		return err
	}); err != nil {
		tb.Fatal(err)
	}
}

func TestOneTurnSitsAtASinkOverAllProcesses(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	holder := opened(t, schema.DSN)
	member := joins(t, schema.DSN, Options{})
	holder.mustNote(t)
	first, second, other := holder.running(t, "a"), holder.running(t, "a"), holder.running(t, "b")
	for range 2 { // the same turn, put back and begun again
		if !holder.mustSeat(t, first) {
			t.Error("the first turn has no seat")
		}
	}
	if member.mustSeat(t, second) {
		t.Error("two turns sit at one sink")
	}
	if !second.handle.ended.Load() {
		t.Error("the turn without a seat has not ended")
	}
	if !member.mustSeat(t, other) {
		t.Error("a turn on another sink has no seat")
	}
	// What ends a turn, or puts it back, gives its seat up.
	for _, state := range []string{"available", "completed"} {
		holder.setTurn(t, first, state)
		third := member.running(t, "a")
		if !member.mustSeat(t, third) {
			t.Errorf("the seat of a turn that is %s is taken", state)
		}
		member.setTurn(t, third, "completed")
		holder.setTurn(t, first, "running")
	}
}

func TestSeatIsGivenToOneOfManyAtOnce(t *testing.T) {
	t.Parallel()
	schema := pgtest.New(t)
	holder := opened(t, schema.DSN)
	stores := []*Store{holder, joins(t, schema.DSN, Options{}), joins(t, schema.DSN, Options{})}
	holder.mustNote(t)
	for range 10 {
		var sat atomic.Int64
		var winner atomic.Pointer[Turn]
		var all sync.WaitGroup
		for i := range 9 {
			turn := holder.running(t, "a")
			all.Go(func() {
				free, err := stores[i%len(stores)].Seat(t.Context(), turn)
				if err != nil {
					t.Error(err)
				}
				if free {
					sat.Add(1)
					winner.Store(&turn)
				}
			})
		}
		all.Wait()
		if sat.Load() != 1 {
			t.Fatalf("%d of 9 turns have the seat", sat.Load())
		}
		holder.setTurn(t, *winner.Load(), "completed")
	}
}

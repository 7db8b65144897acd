package store

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
)

// Workers work the turns. Each is called from many goroutines at once. A worker
// ends its turn by the method that its kind has for that (FinishRenders,
// FinishDeliveries, EndPoll, PlanRows); one that returns without having done so
// gives back what it had claimed. One that returns an error gets the turn again.
// Turns of a kind without a worker are left to other processes.
type Workers struct {
	Slots int // render turns at a time

	Render, Deliver, Poll, Plan func(ctx context.Context, t Turn) error
}

const (
	// A turn on a sink may hang as long as its receiver does: there are so many that
	// the dead ones leave some for the others.
	deliverWorkers = 512
	hookWorkers    = 256
	pollWorkers    = 8
	planWorkers    = 32 // one for each job; how many compute at a time is the worker's matter

	// A turn that was inserted here rings a bell. The poll is for the others:
	// those that failed and come again.
	fetchPoll     = time.Second
	fetchCooldown = 5 * time.Millisecond

	sweepEvery = time.Second
	// never is beyond any turn: what a dead process left is put back by us.
	never = 100 * 365 * 24 * time.Hour
)

// Run puts back what a dead process left claimed, then gives turns to the
// workers until ctx ends. A member that has none runs it too: it hears what changes,
// and that its place was lost. It then waits at most grace for the work in hand and
// cancels what is left. It returns nil after that, and an error when the queue
// could not be started or the store's lock was lost.
func (s *Store) Run(ctx context.Context, w Workers, grace time.Duration) error {
	if err := s.prepare(ctx, w); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return s.orLost(ctx, err)
	}
	hinting, hush := context.WithCancel(ctx)
	defer s.hintUntil(hinting)()
	defer hush()
	client, err := s.client(w, grace)
	if err != nil {
		return fmt.Errorf("start the queue: %w", err)
	}
	if client == nil {
		return s.sweepUntil(ctx)
	}
	work, stop := context.WithCancel(ctx)
	defer stop()
	if err := client.Start(work); err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return s.orLost(ctx, fmt.Errorf("start the queue: %w", err))
	}
	err = s.sweepUntil(work)
	s.draining.Store(true) // turns on sinks go on as long as there is work
	defer s.draining.Store(false)
	if err != nil {
		s.abandon(client)
		return err
	}
	stop()
	<-client.Stopped()
	return nil
}

// prepare puts back what a dead process left claimed, and says how many turns draw here.
func (s *Store) prepare(ctx context.Context, w Workers) error {
	s.own = 0
	if w.Render != nil {
		s.own = int64(max(w.Slots, 1))
	}
	s.slots.Store(max(s.own, 1)) // until all are counted
	if err := s.reckoned(ctx); err != nil {
		return err
	}
	if !s.member { // who holds the ledger does it for all
		if err := s.putBack(ctx); err != nil {
			return fmt.Errorf("put back the turns of a dead process: %w", err)
		}
	}
	return s.countSlots(ctx)
}

// orLost is err, or the loss of the lock where that is behind it: a new connection is told.
func (s *Store) orLost(ctx context.Context, err error) error {
	if _ = s.Ping(ctx); s.lock.err() != nil {
		return s.lock.err()
	}
	return err
}

// abandonLimit is how long work may take to end that nobody wants any more.
const abandonLimit = 2 * time.Second

// abandon cancels the work in hand: another process may have it in hand too.
func (s *Store) abandon(client *river.Client[*sql.Tx]) {
	ctx, cancel := context.WithTimeout(context.Background(), abandonLimit)
	defer cancel()
	if err := client.StopAndCancel(ctx); err != nil {
		s.log.Warn("work is still in hand although the store's lock was lost")
		s.left = client.Stopped()
	}
}

// client works the turns that have workers; nil: none have.
func (s *Store) client(w Workers, grace time.Duration) (*river.Client[*sql.Tx], error) {
	workers, worked := river.NewWorkers(), map[string]river.QueueConfig{}
	if w.Render != nil {
		river.AddWorker(workers, &turnWorker[renderTurn]{store: s, work: w.Render})
		worked[queueRender] = river.QueueConfig{MaxWorkers: max(w.Slots, 1)}
	}
	if w.Deliver != nil {
		river.AddWorker(workers, &turnWorker[deliverTurn]{store: s, work: w.Deliver})
		worked[queueDeliver], worked[queueHooks] = river.QueueConfig{MaxWorkers: deliverWorkers}, river.QueueConfig{MaxWorkers: hookWorkers}
	}
	if w.Poll != nil {
		river.AddWorker(workers, &turnWorker[pollTurn]{store: s, work: w.Poll})
		worked[queuePoll] = river.QueueConfig{MaxWorkers: pollWorkers}
	}
	if w.Plan != nil {
		river.AddWorker(workers, &turnWorker[planTurn]{store: s, work: w.Plan})
		worked[queuePlan] = river.QueueConfig{MaxWorkers: planWorkers}
	}
	if len(worked) == 0 {
		return nil, nil
	}
	return river.NewClient(s.driver(), &river.Config{
		ID:                          s.self.ID, // so that others know whose a turn is
		Logger:                      s.riverLog(),
		Workers:                     workers,
		Queues:                      worked,
		FetchCooldown:               fetchCooldown,
		FetchPollInterval:           fetchPoll,
		JobTimeout:                  -1, // workers have deadlines of their own
		RescueStuckJobsAfter:        never,
		CompletedJobRetentionPeriod: 10 * time.Minute,
		SoftStopTimeout:             max(grace, time.Millisecond), // zero would wait without end
	})
}

// sweepUntil looks every second for work without a turn, until ctx ends or the
// lock is lost.
func (s *Store) sweepUntil(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	var said string
	for {
		err := s.sweep(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case s.lock.err() != nil:
			return s.lock.err()
		case err == nil:
			said = ""
		case err.Error() != said:
			said = err.Error()
			s.log.Error("look for work without a turn", slog.Any("err", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-s.lock.lost():
			return s.lock.err()
		case <-s.look:
		case <-tick.C:
		}
	}
}

package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/bindings"
	"github.com/pictifyd/pictifyd/store"
)

// A crew is workers that do their work by the book.
type crew struct {
	store   *store.Store
	drawn   atomic.Int64
	told    atomic.Int64
	polls   atomic.Int64
	planned atomic.Int64
	busy    chan struct{} // holds a poll while it is full
}

func (c *crew) workers(slots int) store.Workers {
	return store.Workers{Slots: slots, Render: c.render, Deliver: c.deliver, Poll: c.poll, Plan: c.plan}
}

func (c *crew) render(ctx context.Context, t store.Turn) error {
	claims, err := c.store.ClaimRenders(ctx, t, 100)
	if err != nil {
		return err
	}
	var done []store.Rendered
	for _, claim := range claims {
		done = append(done, picture(claim))
	}
	c.drawn.Add(int64(len(done)))
	return c.store.FinishRenders(ctx, t, done, true)
}

func (c *crew) deliver(ctx context.Context, t store.Turn) error {
	claims, err := c.store.ClaimDeliveries(ctx, t, 50)
	if err != nil {
		return err
	}
	var done []store.Delivered
	for _, claim := range claims {
		done = append(done, store.Delivered{ID: claim.ID})
	}
	c.told.Add(int64(len(done)))
	return c.store.FinishDeliveries(ctx, t, done, true)
}

func (c *crew) poll(ctx context.Context, t store.Turn) error {
	_, _, _, err := c.store.BeginPoll(ctx, t)
	if err != nil {
		return err
	}
	c.polls.Add(1)
	if c.busy != nil {
		<-c.busy
	}
	return c.store.EndPoll(ctx, t, nil)
}

func (c *crew) plan(ctx context.Context, t store.Turn) error {
	rows, err := c.store.UnplannedRows(ctx, t.Job, 1000)
	if err != nil {
		return err
	}
	var proposals []bindings.Proposal
	for _, r := range rows {
		p := wantsOutputs(bindings.JobOwner(t.Job), r.Key, fmt.Sprintf("card=%d", r.Index))
		p.Index = r.Index
		proposals = append(proposals, p)
	}
	c.planned.Add(int64(len(rows)))
	return c.store.PlanRows(ctx, t, t.Job, proposals, int64(len(rows)), true)
}

// run runs the store until the end of the test; stop ends it before.
func run(tb testing.TB, s *store.Store, w store.Workers) (stop func()) {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(tb.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, w, 5*time.Second) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Errorf("run: %v", err)
		}
	})
	tb.Cleanup(stop)
	return stop
}

// until waits for a commit after which ok is true.
func until(tb testing.TB, s *store.Store, what string, ok func() bool) {
	tb.Helper()
	changes, stop := s.Changes()
	defer stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := deadline(tb)
	for !ok() {
		select {
		case <-changes:
		case <-tick.C:
		case <-end.Done():
			tb.Fatalf("never came: %s", what)
		}
	}
}

// waitMilli returns in a later millisecond than it was called.
func waitMilli(tb testing.TB, s *store.Store) {
	tb.Helper()
	now := time.Now().UnixMilli()
	until(tb, s, "the next millisecond", func() bool { return time.Now().UnixMilli() > now })
}

var turns = map[string]func(*testing.T, Open){
	"WorkFindsItsWorkers": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hear(s)
		c := &crew{store: s}
		read(t, s, reading{seq: 1, rows: three("1"), promote: true}) // before anybody works
		run(t, s, c.workers(2))
		until(t, s, "the picture and its deliveries", func() bool { return c.told.Load() == 3 })
		read(t, s, reading{seq: 2, rows: map[string]string{"a": "2", "b": "3", "c": "4"}, promote: true})
		until(t, s, "the changes", func() bool { return c.told.Load() == 6 })
		if n := c.drawn.Load(); n != 4 {
			t.Errorf("%d pictures were drawn, want 4", n)
		}
	},

	"JobIsDoneByTheQueue": func(t *testing.T, open Open) {
		s := newStore(t, open)
		c := &crew{store: s}
		run(t, s, c.workers(2))
		acceptJob(t, s, "j1", 250)
		until(t, s, "the completion webhook", func() bool { return c.told.Load() == 1 })
		if j := got(s.Job(t.Context(), "j1"))(t); j.Succeeded != 250 || c.drawn.Load() != 250 {
			t.Errorf("job is %+v; drawn %d", j, c.drawn.Load())
		}
	},

	"WishDuringAReadingIsFulfilledAfterIt": func(t *testing.T, open Open) {
		s := newStore(t, open)
		c := &crew{store: s, busy: make(chan struct{})}
		run(t, s, c.workers(1))
		must(t, s.WantPoll(t.Context(), source))
		until(t, s, "the first reading", func() bool { return c.polls.Load() == 1 })
		for range 3 {
			must(t, s.WantPoll(t.Context(), source))
		}
		c.busy <- struct{}{}
		until(t, s, "the second reading", func() bool { return c.polls.Load() == 2 })
		c.busy <- struct{}{}
		must(t, s.WantPoll(t.Context(), source))
		until(t, s, "the third reading", func() bool { return c.polls.Load() == 3 })
		close(c.busy)
	},

	"WishForASourceThatIsGoneEnds": func(t *testing.T, open Open) {
		s := newStore(t, open)
		ended := make(chan struct{}, 100)
		w := (&crew{store: s}).workers(1)
		w.Poll = func(ctx context.Context, turn store.Turn) error {
			defer func() { ended <- struct{}{} }()
			return s.EndPoll(ctx, turn, nil)
		}
		stop := run(t, s, w)
		must(t, s.WantPoll(t.Context(), "gone"))
		<-ended
		stop()
		if len(ended) > 0 {
			t.Errorf("the wish came %d times more", len(ended))
		}
	},

	"FailedTurnComesAgain": func(t *testing.T, open Open) {
		s := newStore(t, open)
		c := &crew{store: s}
		w := c.workers(1)
		var tries atomic.Int64
		w.Render = func(ctx context.Context, turn store.Turn) error {
			if tries.Add(1) > 1 {
				return c.render(ctx, turn)
			}
			if _, err := s.ClaimRenders(ctx, turn, 10); err != nil {
				return err
			}
			return errors.New("no place on the disk")
		}
		run(t, s, w)
		replan(t, s, wants("a", "1"))
		until(t, s, "the second try", func() bool { return c.drawn.Load() == 1 })
	},

	"WhatADeadProcessClaimedIsPutBack": func(t *testing.T, open Open) {
		s := open(t)
		hear(s)
		acceptJob(t, s, "j1", 3)
		// A process that dies in the middle: its turns never end.
		claimed := make(chan struct{}, 8)
		hang := func(claim func(ctx context.Context, t store.Turn) error) func(ctx context.Context, t store.Turn) error {
			return func(ctx context.Context, turn store.Turn) error {
				err := claim(ctx, turn)
				claimed <- struct{}{}
				<-ctx.Done()
				return errors.Join(err, ctx.Err())
			}
		}
		c := &crew{store: s}
		w := c.workers(1)
		w.Render = hang(func(ctx context.Context, turn store.Turn) error {
			_, err := s.ClaimRenders(ctx, turn, 1)
			return err
		})
		ctx, die := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx, w, 0) }()
		select {
		case <-claimed:
		case <-deadline(t).Done():
			t.Fatal("nothing was claimed")
		}
		die()
		must(t, <-ended)
		// What a kill leaves: claims under a turn that runs no more.
		if claims := claim(t, s, 77, 100); len(claims) == 0 {
			t.Fatal("nothing is left to be claimed")
		}
		must(t, s.Close())

		s = newStore(t, open)
		c = &crew{store: s}
		run(t, s, c.workers(2))
		until(t, s, "the end of the job", func() bool { return c.told.Load() == 1 })
		if j := got(s.Job(t.Context(), "j1"))(t); j.Succeeded != 3 || j.Failed != 0 || c.drawn.Load() != 3 {
			t.Errorf("job is %+v; drawn %d", j, c.drawn.Load())
		}
	},

	"RenderThatKillsFiveProcessesIsGivenUp": func(t *testing.T, open Open) {
		s := open(t)
		replan(t, s, wants("a", "poison"), wants("b", "good"))
		for death := 1; death <= 5; death++ {
			// From the third time on the suspect is claimed alone.
			if claims := claim(t, s, int64(death), 100); len(claims) == 2 != (death <= 2) {
				t.Errorf("at death %d %q were claimed", death, fingerprints(claims))
			}
			must(t, s.Close())
			s = open(t)
			putBack(t, s)
		}
		defer s.Close()
		if diff := cmp.Diff([]string{"fp-card-good"}, draw(t, s)); diff != "" {
			t.Errorf("drawn (-want +got):\n%s", diff)
		}
		if c := got(s.Counters(t.Context()))(t); c.RendersFailed != 1 || c.ItemsFailed != 1 || c.ItemsReady != 1 {
			t.Errorf("counters are %+v, want the poison given up and the other one done", c)
		}
	},

	"RunEndsWithTheWorkInHandDone": func(t *testing.T, open Open) {
		s := newStore(t, open)
		c := &crew{store: s}
		begun, end := make(chan struct{}), make(chan struct{})
		w := c.workers(1)
		w.Render = func(ctx context.Context, turn store.Turn) error {
			close(begun)
			<-end
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return c.render(ctx, turn)
		}
		replan(t, s, wants("a", "1"))
		stop := run(t, s, w)
		<-begun
		time.AfterFunc(50*time.Millisecond, func() { close(end) })
		stop()
		if n := c.drawn.Load(); n != 1 {
			t.Errorf("%d pictures were drawn, want the one in hand", n)
		}
	},

	"GraceEndsWorkThatDoesNot": func(t *testing.T, open Open) {
		s := newStore(t, open)
		begun := make(chan struct{})
		w := (&crew{store: s}).workers(1)
		w.Render = func(ctx context.Context, turn store.Turn) error {
			_, err := s.ClaimRenders(ctx, turn, 1)
			close(begun)
			<-ctx.Done()
			return errors.Join(err, ctx.Err())
		}
		replan(t, s, wants("a", "1"))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx, w, 10*time.Millisecond) }()
		<-begun
		cancel()
		must(t, <-ended)
		if claims := claim(t, s, 1, 1); len(claims) != 1 || claims[0].Attempt != 1 {
			t.Errorf("after the end %+v is claimed, want the render at its first try", claims)
		}
	},

	"ManyWritersAtOnce": func(t *testing.T, open Open) {
		s := newStore(t, open)
		var g sync.WaitGroup
		for i := range 20 {
			g.Go(func() {
				// All want the same pictures, in orders that would lock each other out.
				for j := range 5 {
					p := wantsOutputs(owner, fmt.Sprint(j), fmt.Sprintf("card=%d", (i+j)%5), fmt.Sprintf("story=%d", (i*j)%5))
					if _, err := s.Replan(t.Context(), "cards", []bindings.Proposal{p}); err != nil {
						t.Errorf("replan: %v", err)
					}
				}
			})
			g.Go(func() {
				claims, err := s.ClaimRenders(t.Context(), hand(int64(i)), 3)
				if err != nil {
					t.Errorf("claim: %v", err)
				}
				var done []store.Rendered
				for _, c := range claims {
					done = append(done, picture(c))
				}
				if err := s.FinishRenders(t.Context(), hand(int64(i)), done, true); err != nil {
					t.Errorf("finish: %v", err)
				}
			})
		}
		g.Wait()
		draw(t, s)
		c := got(s.Counters(t.Context()))(t)
		if c.ItemsReady != 5 || c.ItemsWaiting != 0 || c.RendersWaiting != 0 || c.RendersClaimed != 0 {
			t.Errorf("counters are %+v, want five items ready and nothing left", c)
		}
	},
}

// putBack runs the store for a moment without anybody who works.
func putBack(tb testing.TB, s *store.Store) {
	tb.Helper()
	idle := func(ctx context.Context, t store.Turn) error { <-ctx.Done(); return ctx.Err() }
	ctx, cancel := context.WithCancel(tb.Context())
	ended := make(chan error, 1)
	changes, stop := s.Changes()
	defer stop()
	go func() {
		ended <- s.Run(ctx, store.Workers{Slots: 1, Render: idle, Deliver: idle, Poll: idle, Plan: idle}, 0)
	}()
	select {
	case <-changes: // the commit that put back
	case <-deadline(tb).Done():
		tb.Error("nothing was put back")
	}
	cancel()
	must(tb, <-ended)
}

package flight_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/internal/flight"
)

func TestThoseWhoComeTogetherShareOneWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[int]
		var works, leaders atomic.Int64
		finish := make(chan struct{})
		work := func(context.Context) (int, error) {
			<-finish
			return int(works.Add(1)), nil
		}
		for range 5 {
			go func() {
				v, led, err := g.Do(t.Context(), "a", work)
				if v != 1 || err != nil {
					t.Errorf("got %d, %v", v, err)
				}
				if led {
					leaders.Add(1)
				}
			}()
		}
		synctest.Wait()
		close(finish)
		synctest.Wait()
		if works.Load() != 1 || leaders.Load() != 1 {
			t.Errorf("%d works by %d leaders, want one", works.Load(), leaders.Load())
		}
		if v, led, _ := g.Do(t.Context(), "a", work); v != 2 || !led {
			t.Errorf("a caller after the end got %d, led %t: want a work of its own", v, led)
		}
	})
}

func TestWorkEndsWhenNobodyWaitsAnyMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[int]
		first, leaveFirst := context.WithCancel(t.Context())
		second, leaveSecond := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		work := func(ctx context.Context) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		}
		go func() { _, _, err := g.Do(first, "a", work); ended <- err }()
		synctest.Wait()
		go func() { _, _, err := g.Do(second, "a", work); ended <- err }()
		synctest.Wait()
		leaveFirst()
		synctest.Wait()
		if len(ended) != 0 {
			t.Fatal("the work ended though another waits for it")
		}
		leaveSecond()
		synctest.Wait()
		for range 2 {
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want context.Canceled", err)
			}
		}
	})
}

func TestWhoLeadsLearnsWhyTheirTimeWasOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[int]
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, _, err := g.Do(ctx, "a", func(ctx context.Context) (int, error) { <-ctx.Done(); return 0, ctx.Err() })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestWhoComesAfterAllHaveLeftBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[int]
		ctx, leave := context.WithCancel(t.Context())
		hold := make(chan struct{})
		go func() {
			_, _, _ = g.Do(ctx, "a", func(context.Context) (int, error) { <-hold; return 0, errors.New("cut off") })
		}()
		synctest.Wait()
		leave()
		synctest.Wait()
		if v, led, err := g.Do(t.Context(), "a", func(context.Context) (int, error) { return 7, nil }); v != 7 || !led || err != nil {
			t.Errorf("got %d, %t, %v: want a work of its own", v, led, err)
		}
		close(hold)
	})
}

func TestAPanicLeavesNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g flight.Group[int]
		hold, got := make(chan struct{}), make(chan error, 1)
		go func() {
			defer func() { _ = recover() }()
			_, _, _ = g.Do(t.Context(), "a", func(context.Context) (int, error) { <-hold; panic("as a programmer's mistake does") })
		}()
		synctest.Wait()
		go func() { _, _, err := g.Do(t.Context(), "a", nil); got <- err }()
		synctest.Wait()
		close(hold)
		if err := <-got; err == nil {
			t.Error("no error of a work that panicked")
		}
	})
}

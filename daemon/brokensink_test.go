package daemon

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// A sink that breaks down over a row fails on that row, and nothing else ends.
func TestSinkThatPanicsEndsNothingElse(t *testing.T) {
	d := oweTo(t, sinkFunc(func(_ context.Context, d sink.Delivery) error {
		if d.Key[len(d.Key)-1] == '7' {
			panic("no map")
		}
		return nil
	}), 20)
	d.mustDeliver(t)
	d.mustCount(t, 18, 2)
	left, err := d.store.Deliveries(t.Context(), sink.Selection{State: sink.Waiting}, sink.Place{}, 5)
	if err != nil || len(left) != 2 || !strings.Contains(left[0].Error, "broke down: no map") {
		t.Errorf("%v; left is %+v", err, left)
	}
}

func TestBatchThatPanicsIsTriedOneByOne(t *testing.T) {
	b := &panicky{batcher: batcher{most: 10}}
	d := oweTo(t, b, 20)
	d.mustDeliver(t)
	d.mustCount(t, 18, 2)
	b.check(t)
}

// A panicky batcher breaks down over some rows.
type panicky struct{ batcher }

func (b *panicky) DeliverAll(ctx context.Context, ds []sink.Delivery) []sink.Outcome {
	for _, d := range ds {
		if d.Key[len(d.Key)-1] == '7' {
			panic("no map")
		}
	}
	return b.batcher.DeliverAll(ctx, ds)
}

// A watched batcher that says too little has delivered no more than it says.
func TestWatchedBatchOfWhichLittleIsSaidIsTriedAgain(t *testing.T) {
	c := newChurn()
	c.ownFunc = func(string, string) []string { return nil }
	d := oweTo(t, c.watch("hook", &batcher{most: 10, cut: true}), 20)
	d.mustDeliver(t)
	d.mustCount(t, 18, 2)
}

// A sink that hangs whatever its context says does not keep the daemon from ending,
// and what it was told is told again.
func TestSinkThatNeverEndsIsNotWaitedFor(t *testing.T) {
	over := make(chan struct{})
	ctx, end := context.WithCancel(t.Context())
	d := oweTo(t, sinkFunc(func(context.Context, sink.Delivery) error {
		end()
		<-over
		return nil
	}), 1)
	began := time.Now()
	err := d.deliver(ctx, store.Turn{ID: 3, Sink: "hook"})
	if took := time.Since(began); !errors.Is(err, context.Canceled) || took > 2*recordLimit {
		t.Errorf("the turn ended with %v after %s", err, took)
	}
	close(over)
	d.mustCount(t, 0, 1)
}

// However often this machine is at fault, a delivery that nobody was told of keeps
// all its tries.
func TestFaultOfTheMachineCostsNoTry(t *testing.T) {
	d := oweTo(t, sinkFunc(func(context.Context, sink.Delivery) error { return nil }), 1)
	for range 12 {
		turn := store.Turn{ID: 3, Sink: "hook"}
		claims, err := d.store.ClaimDeliveries(t.Context(), turn, 5)
		if err != nil || len(claims) != 1 || claims[0].Attempt != 1 {
			t.Fatalf("%v; claimed was %+v, want the one at its first try", err, claims)
		}
		c := &courier{Daemon: d, turn: turn, inAir: 1}
		c.land(c.unwritten(t.Context(), claims[0], errors.New("the disk is gone")))
		if err := c.stop(t.Context()); err == nil {
			t.Fatal("the turn goes on")
		}
	}
	d.mustDeliver(t)
	d.mustCount(t, 1, 0)
}

// What churn holds back is one row's: the sink goes on with the others.
func TestDeliveryThatIsHeldBackLetsTheOthersGo(t *testing.T) {
	var held atomic.Int64 // calls run side by side
	d := oweTo(t, sinkFunc(func(_ context.Context, d sink.Delivery) error {
		if d.Key[len(d.Key)-1] == '7' {
			held.Add(1)
			return retry.After(problem.New(problem.Conflict, "not now").WithSlug(heldBack), time.Minute)
		}
		return nil
	}), 50)
	d.mustDeliver(t)
	d.mustCount(t, 45, 5)
	if is := d.sinkIs(t, "hook"); is.Is() != store.SinkWell || held.Load() != 5 {
		t.Errorf("the sink is %+v, %d were held back", is, held.Load())
	}
}

// A slow sink takes longer than a minute.
type slow struct {
	sinkFunc
	limit time.Duration
}

func (s slow) Limit() time.Duration { return s.limit }

func TestACallMayTakeAsLongAsItsSinkSays(t *testing.T) {
	for name, c := range map[string]struct {
		to   sink.Sink
		want time.Duration
	}{
		"one that says nothing": {sinkFunc(nil), time.Minute},
		"less than a minute":    {slow{limit: time.Second}, time.Minute},
		"a slow one":            {slow{limit: time.Hour}, time.Hour},
		"one that is watched":   {newChurn().watch("slow", slow{limit: time.Hour}), time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			if got := limitOf(c.to); got != c.want {
				t.Errorf("it may take %s, want %s", got, c.want)
			}
		})
	}
	d := oweTo(t, slow{limit: time.Hour, sinkFunc: func(ctx context.Context, _ sink.Delivery) error {
		if end, ok := ctx.Deadline(); !ok || time.Until(end) < 50*time.Minute {
			return errors.New("too short")
		}
		return nil
	}}, 1)
	d.mustDeliver(t)
	d.mustCount(t, 1, 0)
}

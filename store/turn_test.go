package store

import (
	"errors"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/sink"
)

// The sinks that an operator configured have workers that nobody else takes.
func TestSinksOfCallersHaveWorkersOfTheirOwn(t *testing.T) {
	for name, want := range map[string]string{
		"hook": queueDeliver, "jobs": queueDeliver, "job:j1": queueHooks, "rows:j1": queueHooks, SinkOfSubscription("one"): queueHooks,
	} {
		if got := (deliverTurn{name}).queue(); got != want {
			t.Errorf("%s takes workers of %s, want %s", name, got, want)
		}
	}
}

// A delivery that was put off while the clock was years ahead is due when it is right.
func TestDeliveryThatIsDueInYearsIsDueNow(t *testing.T) {
	s := newSQLite(t)
	s.SetSinks(map[string][]string{"cards": {"hook"}}, map[string][]string{"hook": {sink.RenderFailed}})
	planFault(t, s, "one")
	tellNext(t, s, Delivered{Err: errors.New("no"), Retry: 9000 * time.Hour})
	planFault(t, s, "two")
	tellNext(t, s, Delivered{Err: errors.New("no"), Retry: 9000 * time.Hour}) // that of before, one last time
	tellNext(t, s, Delivered{Err: errors.New("no"), Retry: 9000 * time.Hour})
	if err := s.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c := tellNext(t, s, Delivered{}); c.Attempt != 2 {
		t.Errorf("told was %+v", c)
	}
}

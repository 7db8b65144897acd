package daemon

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/connectors"
	"github.com/pictifyd/pictifyd/internal/retry"
)

// A steady poller has one row, and says so in full only to who does not know it.
type steady struct {
	fails  error
	cursor string
}

func (s *steady) Poll(ctx context.Context, from connectors.Cursor, emit connectors.Emit) error {
	switch {
	case s.fails != nil:
		return s.fails
	case string(from) == s.cursor:
		return emit(ctx, connectors.Batch{Closes: &connectors.Closing{Complete: true, Unchanged: true}})
	}
	return emit(ctx, connectors.Batch{
		Rows:   []connectors.Row{shopRow("A", "Mug "+s.cursor)},
		Closes: &connectors.Closing{Complete: true, Cursor: connectors.Cursor(s.cursor)},
	})
}

func TestLookAtAnUnchangedSourceCommitsNothing(t *testing.T) {
	site := newSite(t, takenSite)
	site.write("shop.csv", "sku,name,price\n")
	d := site.open()
	f := d.roster().feeds["shop"]
	source := &steady{cursor: "1"}
	f.poller = source
	look := func() (commits int) {
		t.Helper()
		changes, stop := d.store.Changes()
		defer stop()
		f.hinted.Store(true) // also after a failure
		if err := d.look(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		for {
			select {
			case <-changes:
				commits++
			default:
				return commits
			}
		}
	}
	if look() == 0 {
		t.Fatal("the first look committed nothing")
	}
	if n := look(); n != 0 {
		t.Errorf("a look at the same source committed %d times", n)
	}
	if seen := d.confirmed.take(); seen["shop"].At.IsZero() {
		t.Error("nobody noted that it is as it was")
	}
	source.cursor = "2"
	if look() == 0 {
		t.Error("a changed source committed nothing")
	}

	// Other bindings: the source's word is no news, but what hangs on it is.
	f.compiled = false
	if look() == 0 {
		t.Error("the first look with other bindings committed nothing")
	}
	source.fails = errors.New("503")
	if look() == 0 {
		t.Error("the failure was not noted")
	}
	if n := look(); n != 0 {
		t.Errorf("the same failure was noted again by %d commits", n)
	}
	source.fails = nil
	if look() == 0 {
		t.Error("the end of the failure was not noted")
	}
}

// A reluctant poller takes its time to say that it wants to be left alone.
type reluctant struct {
	polls   atomic.Int64
	answers chan struct{} // closed when the source answers
}

func (s *reluctant) Poll(ctx context.Context, _ connectors.Cursor, _ connectors.Emit) error {
	s.polls.Add(1)
	select {
	case <-s.answers:
	case <-ctx.Done():
	}
	return retry.After(errors.New("429"), time.Hour)
}

// A look that the interval asked for while the one before was under way is not had
// once that one was told to leave the source alone; one that a hint asks for is.
func TestIntervalDoesNotReadASourceThatAsksForRest(t *testing.T) {
	site := newSite(t, takenSite)
	site.write("shop.csv", "sku,name,price\n")
	d := site.open()
	f := d.roster().feeds["shop"]
	source := &reluctant{answers: make(chan struct{})}
	f.poller, f.every = source, time.Millisecond
	var looks atomic.Int64
	f.wish.noteFunc = func(err error) {
		if err != nil {
			t.Error(err)
		}
		looks.Add(1)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		d.watch(ctx, f)
	}()
	defer func() {
		cancel()
		<-ended
	}()
	eventually(t, "a look under way, and the interval over", func() bool { return source.polls.Load() == 1 && len(f.wish.asked) == 1 })
	close(source.answers)
	eventually(t, "the second look", func() bool { return looks.Load() >= 2 })
	if n := source.polls.Load(); n != 1 {
		t.Errorf("a source that asked for an hour's rest was read %d times", n)
	}
	f.hint()
	eventually(t, "the reading of a hint", func() bool { return source.polls.Load() == 2 })
}

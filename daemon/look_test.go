package daemon

import (
	"context"
	"errors"
	"testing"

	"github.com/pictifyd/pictifyd/connectors"
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

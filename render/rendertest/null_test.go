package rendertest_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/render/rendertest"
)

func TestNullAnswersWithTheFingerprint(t *testing.T) {
	n := &rendertest.Null{}
	a := render.Request{Page: "a", HTML: "<p>", Width: 3, Height: 4, Format: render.PNG}
	b := a
	b.HTML = "<b>"
	first, err := n.Render(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := n.Render(t.Context(), a)
	other, _ := n.Render(t.Context(), b)
	if string(first.Bytes) != rendertest.Fingerprint(a) || string(again.Bytes) != string(first.Bytes) {
		t.Errorf("the same request gave %q and %q", first.Bytes, again.Bytes)
	}
	if string(other.Bytes) == string(first.Bytes) {
		t.Error("another request gave the same bytes")
	}
	if first.Width != 3 || first.Height != 4 {
		t.Errorf("the output is %dx%d", first.Width, first.Height)
	}
	if n.Count() != 3 || n.Requests()[2].HTML != "<b>" {
		t.Errorf("%d requests counted: %v", n.Count(), n.Requests())
	}
}

func TestNullFailsAsTold(t *testing.T) {
	broken := errors.New("broken")
	var done error
	n := &rendertest.Null{
		FailFunc: func(_ context.Context, r render.Request) error {
			if r.Page == "bad" {
				return broken
			}
			return nil
		},
		DoneFunc: func(_ context.Context, _ render.Request, err error) { done = err },
	}
	if _, err := n.Render(t.Context(), render.Request{Page: "bad"}); !errors.Is(err, broken) || !errors.Is(done, broken) {
		t.Errorf("the error is %v, and DoneFunc heard %v", err, done)
	}
	if _, err := n.Render(t.Context(), render.Request{Page: "good"}); err != nil || n.Failed() != 1 {
		t.Errorf("the error is %v, %d failed", err, n.Failed())
	}
}

func TestNullWorksInItsSlotsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &rendertest.Null{Delay: time.Second, Parallel: 3}
		began := time.Now()
		var rows sync.WaitGroup
		for range 9 {
			rows.Go(func() { _, _ = n.Render(t.Context(), render.Request{}) })
		}
		rows.Wait()
		if took := time.Since(began); took != 3*time.Second || n.Peak() != 3 {
			t.Errorf("9 rows took %v with a peak of %d", took, n.Peak())
		}
	})
}

func TestNullEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		n := &rendertest.Null{Delay: time.Hour}
		if _, err := n.Render(ctx, render.Request{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v", err)
		}
	})
}

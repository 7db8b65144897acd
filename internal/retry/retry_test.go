package retry_test

import (
	"errors"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/retry"
)

var errCause = errors.New("cause")

// wrappers are every wrapper that an error meets on its way to the queue.
var wrappers = map[string]func(error) error{
	"nothing":         func(err error) error { return err },
	"fmt.Errorf":      func(err error) error { return fmt.Errorf("deliver: %w", err) },
	"errors.Join":     func(err error) error { return errors.Join(errors.New("other"), err) },
	"problem":         func(err error) error { return problem.New(problem.Upstream, "deliver: %w", err) },
	"problem of two":  func(err error) error { return problem.New(problem.Upstream, "%w and %w", errors.New("other"), err) },
	"problem.List":    func(err error) error { return problem.List{problem.New(problem.Upstream, "deliver: %w", err)} },
	"url.Error":       func(err error) error { return &url.Error{Op: "Post", URL: "https://x.example", Err: err} },
	"retry.After":     func(err error) error { return retry.After(err, time.Minute) },
	"retry.Permanent": retry.Permanent,
}

func TestMarksAndCausesShowThroughEveryWrapper(t *testing.T) {
	for name, wrap := range wrappers {
		err := wrap(retry.Permanent(errCause))
		if !retry.IsPermanent(err) {
			t.Errorf("IsPermanent through %s = false", name)
		}
		if !errors.Is(err, errCause) {
			t.Errorf("errors.Is(cause) through %s = false", name)
		}
		if name == "retry.After" {
			continue
		}
		if wait, ok := retry.Wait(wrap(retry.After(errCause, 7*time.Second))); !ok || wait != 7*time.Second {
			t.Errorf("Wait through %s = %v, %v; want 7s, true", name, wait, ok)
		}
	}
}

func TestUnmarkedErrorIsTriedAgainAtAnyTime(t *testing.T) {
	for _, err := range []error{nil, errCause, problem.New(problem.Upstream, "down")} {
		if retry.IsPermanent(err) {
			t.Errorf("IsPermanent(%v) = true", err)
		}
		if _, ok := retry.Wait(err); ok {
			t.Errorf("Wait(%v) = _, true", err)
		}
	}
}

func TestMarkedNothingIsNothing(t *testing.T) {
	if err := retry.Permanent(nil); err != nil {
		t.Errorf("Permanent(nil) = %v", err)
	}
	if err := retry.After(nil, time.Second); err != nil {
		t.Errorf("After(nil) = %v", err)
	}
}

func TestMarkKeepsTheMessage(t *testing.T) {
	if got := retry.Permanent(retry.After(errCause, time.Second)).Error(); got != "cause" {
		t.Errorf("message = %q, want %q", got, "cause")
	}
}

func TestBackoffDoublesUpToItsMaximumAndJitters(t *testing.T) {
	b := retry.Backoff{Base: time.Second, Max: time.Minute}
	for n, want := range map[int]time.Duration{
		-1: time.Second, 0: time.Second, 1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second,
		6: 32 * time.Second, 7: time.Minute, 100: time.Minute, 1 << 40: time.Minute,
	} {
		seen := make(map[time.Duration]bool)
		for range 50 {
			got := b.Next(n)
			if got < want/2 || got > want {
				t.Fatalf("Next(%d) = %v, want between %v and %v", n, got, want/2, want)
			}
			seen[got] = true
		}
		if len(seen) < 2 {
			t.Errorf("Next(%d) gave the same wait 50 times", n)
		}
	}
}

func TestBackoffWithoutBaseDoesNotWait(t *testing.T) {
	if got := (retry.Backoff{Max: time.Minute}).Next(1 << 40); got != 0 {
		t.Errorf("Next = %v, want 0", got)
	}
}

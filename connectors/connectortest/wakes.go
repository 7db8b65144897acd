package connectortest

import (
	"context"
	"testing"

	"github.com/pictifyd/pictifyd/connectors"
)

// newWake starts w and returns its hints and its end.
func newWake(ctx context.Context, w connectors.Waker) (hints <-chan struct{}, end <-chan error) {
	hinted, ended := make(chan struct{}, 1), make(chan error, 1)
	go func() {
		ended <- w.Wake(ctx, func() {
			select {
			case hinted <- struct{}{}:
			default:
			}
		})
	}()
	return hinted, ended
}

func mustWaker(t *testing.T, f *fixture) connectors.Waker {
	t.Helper()
	w, ok := f.poller(t).(connectors.Waker)
	if !ok {
		t.Skipf("kind %s has no hints", f.suite.Kind.Name)
	}
	return w
}

func wakesOnChange(t *testing.T, f *fixture) {
	w := mustWaker(t, f)
	f.source.Set(t, newRows(1))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	hints, end := newWake(ctx, w)
	for _, when := range []string{"at the beginning", "after a change", "after another change"} {
		select {
		case <-hints:
		case err := <-end:
			t.Fatalf("Wake returned %v before its context ended (%v), no hint %s", err, ctx.Err(), when)
		}
		f.source.Set(t, newRows(2+len(when)))
	}
	cancel()
	if err := <-end; err != nil {
		t.Errorf("Wake returned %v when its context ended", err)
	}
}

func stopsWaking(t *testing.T, f *fixture) {
	w := mustWaker(t, f)
	f.source.Break(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	stop, stopNow := context.WithCancel(ctx)
	defer cancel()
	_, end := newWake(stop, w)
	stopNow()
	select {
	case err := <-end:
		if err != nil {
			t.Errorf("Wake returned %v when its context ended", err)
		}
	case <-ctx.Done():
		t.Error("Wake went on after its context had ended")
	}
}

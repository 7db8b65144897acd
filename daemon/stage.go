package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// A stage is one long-lived part of the daemon. run blocks until its context
// ends (nil), or returns an error when going on is useless.
type stage struct {
	name string
	run  func(ctx context.Context) error
}

// runStages starts the stages in order and blocks until ctx is done or a stage
// fails. Then it stops them in reverse, each after the one above it has ended,
// all within grace, and returns every failure. A stage that returns nil before
// it was asked to stop has simply finished.
func runStages(ctx context.Context, grace time.Duration, stages ...stage) error {
	type running struct {
		stage
		stop context.CancelFunc
		done chan error
	}
	failed := make(chan struct{}, len(stages))
	started := make([]running, len(stages))
	for i, s := range stages {
		// ctx is done on a signal; a stage may still need its own to finish work.
		own, stop := context.WithCancel(context.WithoutCancel(ctx))
		r := running{stage: s, stop: stop, done: make(chan error, 1)}
		started[i] = r
		go func() {
			err := s.run(own)
			if own.Err() != nil && errors.Is(err, context.Canceled) {
				err = nil // it ended as it was asked to
			}
			if err != nil {
				failed <- struct{}{}
			}
			r.done <- err
		}()
	}
	select {
	case <-ctx.Done():
	case <-failed:
	}
	deadline := time.NewTimer(grace)
	defer deadline.Stop()
	var failures []error
	late := false
	for i := len(started) - 1; i >= 0; i-- {
		s := started[i]
		s.stop()
		if late {
			continue
		}
		select {
		case err := <-s.done:
			if err != nil {
				failures = append(failures, fmt.Errorf("%s: %w", s.name, err))
			}
		case <-deadline.C:
			failures = append(failures, fmt.Errorf("stop %s: still running after %s", s.name, grace))
			late = true
		}
	}
	return errors.Join(failures...)
}

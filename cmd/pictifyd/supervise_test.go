package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/daemon"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// ran is a daemon whose runs are named by Settings.Dir. It runs "bad" not at
// all, and each of its first runs ends for the next configuration.
type ran struct {
	names []string
	next  []string
	stop  context.CancelFunc
}

func (r *ran) run(ctx context.Context, s *daemon.Settings, o daemon.Options) error {
	r.names = append(r.names, s.Dir)
	if s.Dir == "bad" {
		return problem.New(problem.Surroundings, "port 80 is in use")
	}
	o.Listening(nil)
	if len(r.next) > 0 {
		next := r.next[0]
		r.next = r.next[1:]
		return &daemon.RestartError{Settings: &daemon.Settings{Dir: next}, Sections: []string{"server"}}
	}
	r.stop()
	<-ctx.Done()
	return nil
}

// supervised lets a supervisor run "first", then each of names.
func supervised(t *testing.T, names ...string) (r *ran, log string, err error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var text strings.Builder
	r = &ran{next: names, stop: stop}
	s := supervisor{log: slog.New(slog.NewTextHandler(&text, nil)), run: r.run}
	err = s.supervise(ctx, &daemon.Settings{Dir: "first"})
	return r, text.String(), err
}

func TestRestartRunsTheNewConfiguration(t *testing.T) {
	r, _, err := supervised(t, "second")
	if diff := cmp.Diff([]string{"first", "second"}, r.names); diff != "" || err != nil {
		t.Errorf("ended with %v, runs (-want +got):\n%s", err, diff)
	}
}

func TestRestartThatCannotRunKeepsTheOneBefore(t *testing.T) {
	r, log, err := supervised(t, "bad", "second")
	if diff := cmp.Diff([]string{"first", "bad", "first", "second"}, r.names); diff != "" || err != nil {
		t.Errorf("ended with %v, runs (-want +got):\n%s", err, diff)
	}
	if !strings.Contains(log, "port 80 is in use") {
		t.Errorf("the log does not say why: %s", log)
	}
}

// taken is how a daemon ends whose ledger another one has taken over.
var taken = problem.New(problem.Surroundings, "the store's lock was lost").WithSlug("store_lost")

func TestStandbyThatLosesItsLedgerWaitsForItAgain(t *testing.T) {
	for standby, want := range map[bool]int{true: 3, false: 1} {
		runs := 0
		s := supervisor{log: slog.New(slog.DiscardHandler), options: daemon.Options{Standby: standby}, run: func(context.Context, *daemon.Settings, daemon.Options) error {
			if runs++; runs < 3 {
				return taken
			}
			return nil
		}}
		err := s.supervise(t.Context(), &daemon.Settings{})
		if runs != want || standby != (err == nil) {
			t.Errorf("standby %t: %d runs, want %d, and ended with %v", standby, runs, want, err)
		}
	}
}

func TestSignalDuringARestartEnds(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	s := supervisor{run: func(context.Context, *daemon.Settings, daemon.Options) error {
		stop()
		return &daemon.RestartError{Settings: &daemon.Settings{}}
	}}
	if err := s.supervise(ctx, &daemon.Settings{}); err != nil {
		t.Errorf("supervise = %v, want a clean end", err)
	}
}

func TestFirstConfigurationThatCannotRunEnds(t *testing.T) {
	s := supervisor{run: func(context.Context, *daemon.Settings, daemon.Options) error { return errors.New("no Chrome") }}
	if err := s.supervise(t.Context(), &daemon.Settings{}); err == nil {
		t.Error("supervise = nil")
	}
}

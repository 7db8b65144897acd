package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/daemon"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// ran is a daemon whose runs are named by Settings.Dir. It runs "bad" not at
// all, and gets a reload at the beginning of each of its first runs.
type ran struct {
	names   []string
	reload  chan os.Signal
	reloads int
	stop    context.CancelFunc
}

func (r *ran) run(ctx context.Context, s *daemon.Settings, o daemon.Options) error {
	r.names = append(r.names, s.Dir)
	if s.Dir == "bad" {
		return problem.New(problem.Surroundings, "port 80 is in use")
	}
	o.Listening(nil)
	if r.reloads--; r.reloads >= 0 {
		r.reload <- syscall.SIGHUP
	} else {
		r.stop()
	}
	<-ctx.Done()
	return nil
}

// supervised lets a supervisor run "first", with a reload of each of names.
func supervised(t *testing.T, names ...string) (r *ran, log string, err error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var text strings.Builder
	r = &ran{reload: make(chan os.Signal, 1), reloads: len(names), stop: stop}
	s := supervisor{
		log: slog.New(slog.NewTextHandler(&text, nil)), reload: r.reload, run: r.run,
		load: func() (*daemon.Settings, error) {
			next := names[0]
			names = names[1:]
			return &daemon.Settings{Dir: next}, nil
		},
	}
	err = s.supervise(ctx, &daemon.Settings{Dir: "first"})
	return r, text.String(), err
}

func TestReloadRunsTheNewConfiguration(t *testing.T) {
	r, _, err := supervised(t, "second")
	if diff := cmp.Diff([]string{"first", "second"}, r.names); diff != "" || err != nil {
		t.Errorf("ended with %v, runs (-want +got):\n%s", err, diff)
	}
}

func TestReloadThatCannotRunKeepsTheOneBefore(t *testing.T) {
	r, log, err := supervised(t, "bad", "second")
	if diff := cmp.Diff([]string{"first", "bad", "first", "second"}, r.names); diff != "" || err != nil {
		t.Errorf("ended with %v, runs (-want +got):\n%s", err, diff)
	}
	if !strings.Contains(log, "port 80 is in use") {
		t.Errorf("the log does not say why: %s", log)
	}
}

func TestFirstConfigurationThatCannotRunEnds(t *testing.T) {
	s := supervisor{run: func(context.Context, *daemon.Settings, daemon.Options) error { return errors.New("no Chrome") }}
	if err := s.supervise(t.Context(), &daemon.Settings{}); err == nil {
		t.Error("supervise = nil")
	}
}

package main

import (
	"context"
	"log/slog"
	"net"
	"os"
	"sync/atomic"

	"github.com/pictifyd/pictifyd/daemon"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A supervisor keeps one daemon running over reloads of the configuration.
type supervisor struct {
	log     *slog.Logger
	options daemon.Options
	reload  <-chan os.Signal
	load    func() (*daemon.Settings, error)
	run     func(context.Context, *daemon.Settings, daemon.Options) error
}

// supervise runs settings, and those of each reload after them, until ctx ends.
// A reload whose configuration is bad, or that this machine cannot run, is
// reported, and the one before goes on.
func (s supervisor) supervise(ctx context.Context, settings *daemon.Settings) error {
	var before *daemon.Settings
	for {
		next, started, err := s.untilReload(ctx, settings)
		switch {
		case next != nil && err == nil:
			before, settings = settings, next
		case err != nil && before != nil && !started && ctx.Err() == nil:
			s.log.Error("configuration cannot run here, the one before goes on", slog.Any("err", err))
			before, settings = nil, before
		default:
			return err
		}
	}
}

// untilReload runs settings until a reload has the next ones. It reports whether
// requests were ever answered.
func (s supervisor) untilReload(ctx context.Context, settings *daemon.Settings) (next *daemon.Settings, started bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	reloaded := make(chan *daemon.Settings, 1)
	go func() {
		defer cancel()
		reloaded <- s.reloaded(ctx)
	}()
	var listening atomic.Bool
	options := s.options
	options.Listening = func(net.Addr) { listening.Store(true) }
	err = s.run(ctx, settings, options)
	cancel()
	return <-reloaded, listening.Load(), err
}

// reloaded waits for a reload signal that finds a good configuration, and is
// nil when ctx ends first.
func (s supervisor) reloaded(ctx context.Context) *daemon.Settings {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.reload:
		}
		settings, err := s.load()
		if err == nil {
			s.log.Info("configuration read again")
			return settings
		}
		for _, p := range problem.All(err) {
			s.log.Error("configuration refused, the running one stays", slog.Any("err", p))
		}
	}
}

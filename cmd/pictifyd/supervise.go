package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"

	"github.com/pictifyd/pictifyd/daemon"
)

// A supervisor keeps one daemon running over changes of the configuration that
// it has to start anew for, and, where it stands by, over the loss of its ledger.
type supervisor struct {
	log     *slog.Logger
	options daemon.Options
	run     func(context.Context, *daemon.Settings, daemon.Options) error
}

// supervise runs settings, and those of each restart after them, until ctx ends.
// Settings that this machine cannot run are reported, and the ones before go on.
func (s supervisor) supervise(ctx context.Context, settings *daemon.Settings) error {
	var before *daemon.Settings
	for {
		started, err := s.once(ctx, settings)
		again := (*daemon.RestartError)(nil)
		switch {
		case errors.As(err, &again) && ctx.Err() == nil:
			before, settings = settings, again.Settings
		case daemon.Lost(err) && settings.Roles.Member() && ctx.Err() == nil:
			s.log.Error("the place beside the others was lost, this one joins anew", slog.Any("err", err))
			before = nil
		case daemon.Lost(err) && (s.options.Standby || settings.Roles.Partial()) && ctx.Err() == nil:
			s.log.Error("another pictifyd took over, this one stands by", slog.Any("err", err))
			before = nil
		case err != nil && before != nil && !started && ctx.Err() == nil:
			s.log.Error("configuration cannot run here, the one before goes on", slog.Any("err", err))
			before, settings = nil, before.Instead(settings)
		case errors.As(err, &again):
			return nil
		default:
			return err
		}
	}
}

// once runs settings, and reports whether requests were ever answered.
func (s supervisor) once(ctx context.Context, settings *daemon.Settings) (started bool, err error) {
	var listening atomic.Bool
	options := s.options
	options.Listening = func(net.Addr) { listening.Store(true) }
	err = s.run(ctx, settings, options)
	return listening.Load(), err
}

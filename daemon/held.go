package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
)

// holds reports whether the log last said that the guard holds something of f.
func (f *feed) holds() bool { return slices.Contains(slices.Collect(maps.Values(f.held)), true) }

// logHeld says once that the guard holds part of what f was read as, and once
// that it holds nothing any more. f's gate is entered.
func (d *Daemon) logHeld(ctx context.Context, f *feed, names []string) error {
	states, err := d.store.Bindings(ctx, names)
	if err != nil {
		return err
	}
	for _, s := range states {
		log := d.log.With(slog.String("binding", s.Binding))
		held := s.HeldReason != ""
		switch {
		case held == f.held[s.Binding]:
			continue
		case held:
			log.Warn("the guard holds a reading", slog.String("reason", s.HeldReason),
				slog.Int64("changes", s.HeldChanges), slog.Int64("removals", s.HeldRemoval),
				slog.String("next", fmt.Sprintf("correct the source, or POST /bindings/%s/guard/accept", s.Binding)))
		default:
			log.Info("the guard holds nothing any more")
		}
		if f.held == nil {
			f.held = map[string]bool{}
		}
		f.held[s.Binding] = held
	}
	return nil
}

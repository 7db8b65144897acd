package daemon

import (
	"context"
	"log/slog"
	"time"

	"github.com/pictifyd/pictifyd/internal/retry"
	"github.com/pictifyd/pictifyd/store"
)

const (
	restAfter   = 5         // failures, one after the other
	longestRest = time.Hour // whatever a sink asks for
)

// sinkRest is how long a sink rests, from rest to rest.
var sinkRest = retry.Backoff{Base: 5 * time.Second, Max: 5 * time.Minute}

// sinkPolicy says when a sink rests, and when it is disabled. Nobody could resume
// the webhook of a job: it never is.
func (d *Daemon) sinkPolicy(name string) store.SinkPolicy {
	p := store.SinkPolicy{Failures: restAfter, Rest: sinkRest, Longest: longestRest}
	if base := d.roster().wants[name]; base != nil {
		p.Patience = base.DisableAfter.Std()
	}
	if _, ok := store.SubscriptionOf(name); ok {
		p.Patience = subscriptionPatience
	}
	return p
}

// noteSinks has the store know which sinks a roster has. Where that can't be
// written down, what waits for a sink that is gone is tried in vain.
func (d *Daemon) noteSinks(ctx context.Context, now *roster) {
	changed, err := d.store.ConfigureSinks(ctx, now.sinkDigests)
	if err != nil {
		d.log.Error("how sinks are configured is not noted", slog.Any("err", err))
	}
	for _, name := range changed.Absent {
		d.log.Warn("deliveries wait for a sink that is no longer configured", slog.String("sink", name), slog.Duration("until they are dead letters", retriesTake))
	}
	for _, name := range changed.Disabled {
		d.log.Warn("the sink is configured otherwise, and stays disabled until somebody resumes it", slog.String("sink", name))
	}
}

// giveUpAbsent makes dead letters of what has waited for sinks that are no longer
// configured for as long as a delivery is tried.
func (d *Daemon) giveUpAbsent(ctx context.Context, now time.Time) error {
	n, err := d.store.GiveUpAbsent(ctx, now.Add(-retriesTake))
	if n > 0 {
		d.log.Error("deliveries given up: their sinks are no longer configured", slog.Int64("deliveries", n))
	}
	return err
}

// sinkChanged says so when a sink fares otherwise than before.
func (c *courier) sinkChanged(was, now store.SinkState) {
	if was.Is() == now.Is() {
		return
	}
	log := c.log.With(slog.String("sink", c.turn.Sink))
	switch now.Is() {
	case store.SinkDisabled:
		log.Error("the sink is disabled: deliveries wait until somebody resumes it", slog.String("reason", now.Reason))
		c.crash("sink.disabled")
	case store.SinkResting:
		log.Warn("the sink rests: deliveries wait", slog.Time("until", now.RestUntil), slog.Int64("failures", now.Failures))
	case store.SinkWell:
		if was.Is() == store.SinkResting {
			log.Info("the sink rests no more")
		}
	}
}

// A tally is how the deliveries of one turn went.
type tally struct {
	arrived int
	dead    bool // one was given up
}

// note adds deliveries, and says how many of them arrived.
func (t *tally) note(done []store.Delivered) (arrived int) {
	for _, d := range done {
		switch {
		case d.Err == nil:
			arrived++
		case d.Dead:
			t.dead = true
		}
	}
	t.arrived += arrived
	return arrived
}

// giveUpRows keeps the many events of a job's rows from being given up one by
// one where nobody takes them: when one is, or when nothing has arrived for as
// long as one is tried, and none of the turn arrived, all are.
func (c *courier) giveUpRows(ctx context.Context, now store.SinkState) error {
	if !store.IsRowsSink(c.turn.Sink) || c.tally.arrived > 0 {
		return nil
	}
	if !c.tally.dead && (now.FailingSince.IsZero() || time.Since(now.FailingSince) < retriesTake) {
		return nil
	}
	dropped, err := c.store.GiveUpRowEvents(ctx, c.turn.Sink)
	if dropped > 0 {
		c.log.Error("events about rows given up: nobody takes them", slog.String("sink", c.turn.Sink), slog.Int64("events", dropped))
	}
	return err
}

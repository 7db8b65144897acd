package daemon

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

const (
	// What a turn has in its hands beside what is on its way: as much as twice what
	// ended since it last asked, within these bounds. What it has cannot be
	// superseded any more.
	leastInHand = 8
	mostInHand  = 500

	// A turn begins with few deliveries at once, and makes twice as many after each
	// round in which some arrived.
	leastFlights = 8
	mostFlights  = 32

	recordWithin = 20 * time.Millisecond  // what was answered, at the latest
	recordMany   = 250                    // are recorded at once
	moreEvery    = 100 * time.Millisecond // for more to do while what is on its way takes long
	recordLimit  = 5 * time.Second        // for what was answered when grace ends
)

// A courier is a turn on one sink. It goes on as long as there is something to
// deliver, and records what was answered many at a time.
type courier struct {
	*Daemon

	turn   store.Turn
	policy store.SinkPolicy
	batch  sink.Batcher // nil: each delivery is told by itself
	tally  tally

	inHand  []store.DeliveryClaim // not on their way yet
	since   time.Time             // when the first of them came
	topped  bool                  // others were looked for since
	flights int                   // calls at once, at most
	inAir   int                   // calls
	landed  chan landing
	done    []store.Delivered // not recorded yet
	unsent  []string          // to be given back as if they had not been taken on
	late    time.Time         // when they have to be
	ask     bool              // there may be more to take on
	streak  int               // failures, one after the other
	hold    bool              // nothing goes out before the store has said how the sink fares
	idle    bool              // nothing may be sent now
	probes  bool              // one delivery tries for all
	failed  error             // of the machine: the turn comes again
}

// deliver is the work of one delivery turn on one sink. No other process is on it at the
// same time.
func (d *Daemon) deliver(ctx context.Context, t store.Turn) error {
	leave, err := d.couriers.take(ctx, t.Sink)
	if err != nil {
		return err
	}
	defer leave()
	if seated, err := d.store.Seat(ctx, t); err != nil || !seated {
		return err
	}
	c := &courier{Daemon: d, turn: t, policy: d.sinkPolicy(t.Sink), flights: leastFlights, landed: make(chan landing, mostFlights)}
	return c.work(ctx)
}

func (c *courier) work(ctx context.Context) error {
	look := time.NewTicker(moreEvery)
	defer look.Stop()
	for ended := false; !ended; {
		if c.failed != nil || ctx.Err() != nil {
			return c.stop(ctx)
		}
		c.batch, _ = c.roster().sinks[c.turn.Sink].(sink.Batcher)
		c.takeOff(ctx)
		if c.roundIsDue() {
			ended, c.failed = c.round(ctx)
			continue
		}
		c.wait(ctx, look.C)
	}
	return nil
}

// wait is until something may be different.
func (c *courier) wait(ctx context.Context, look <-chan time.Time) {
	wake := time.NewTimer(time.Until(c.nextRound()))
	defer wake.Stop()
	select {
	case l := <-c.landed:
		c.land(l)
	case <-wake.C:
	case <-look:
		c.lookForMore(ctx)
	case <-ctx.Done():
	}
}

// roundIsDue reports whether there is something to record or to take on.
func (c *courier) roundIsDue() bool {
	switch {
	case c.inAir == 0 && len(c.inHand) == 0, len(c.done) >= recordMany, c.ask && c.room() > 0, c.idle && len(c.inHand) > 0:
		return true
	case c.batch != nil && len(c.done) > 0, c.hold && len(c.done) > 0: // a batch ends at once
		return true
	}
	return !time.Now().Before(c.nextRound())
}

// nextRound is when there has to be one though nothing else happens.
func (c *courier) nextRound() time.Time {
	at := time.Now().Add(time.Hour)
	if len(c.done) > 0 {
		at = c.late
	}
	if c.lingers() && c.lingered().Before(at) {
		at = c.lingered()
	}
	return at
}

// room is how many deliveries the next round takes on.
func (c *courier) room() int {
	waiting := len(c.inHand)
	if c.idle {
		waiting = 0
	}
	if c.batch != nil {
		return c.batchSize() - waiting
	}
	return c.flights - c.inAir + min(max(2*len(c.done), leastInHand), mostInHand) - waiting
}

// round records what ended and takes on more. It ends the turn when there is
// nothing left.
func (c *courier) round(ctx context.Context) (ended bool, err error) {
	ctx, cancel := lasting(ctx)
	defer cancel()
	r := store.Round{Room: max(c.room(), 0)}
	if c.idle {
		c.unsent, c.inHand = append(c.unsent, idsOf(c.inHand)...), nil
	}
	r.End = c.inAir == 0 && len(c.inHand) == 0
	went, err := c.tell(ctx, r)
	if err != nil {
		return false, err
	}
	if len(c.inHand) == 0 {
		c.since, c.topped = time.Now(), false
	} else {
		c.topped = c.topped || !time.Now().Before(c.lingered())
	}
	c.inHand = append(c.inHand, went.Claims...)
	c.hold = false
	c.ask, c.idle, c.probes = false, went.Idle || went.Draining, !went.Now.RestUntil.IsZero()
	return went.Ended, c.giveUpRows(ctx, went.Now)
}

// tell is one round with the store, which hears what ended.
func (c *courier) tell(ctx context.Context, r store.Round) (store.Rounded, error) {
	r.Done, r.Untried, r.Policy = c.done, c.unsent, c.policy
	went, err := c.store.DeliverRound(ctx, c.turn, r)
	if err != nil {
		return went, err
	}
	if len(r.Done) > 0 {
		c.crash("delivery.recorded")
	}
	if len(went.Claims) > 0 {
		c.crash("delivery.claimed")
	}
	c.done, c.unsent = nil, nil
	if c.tally.note(r.Done) > 0 {
		c.flights = min(2*c.flights, flightsTo(c.turn.Sink))
	}
	c.sinkChanged(went.Was, went.Now)
	return went, nil
}

// flightsTo is how many calls of a sink there are at once at most.
func flightsTo(sink string) int {
	if store.IsRowsSink(sink) { // of a caller's, whom nobody asked how many it bears
		return leastFlights
	}
	return mostFlights
}

// lookForMore has a round made when something is due that could go out now.
func (c *courier) lookForMore(ctx context.Context) {
	if c.idle || c.probes || c.room() <= 0 || c.batch == nil && len(c.inHand) > 0 {
		return
	}
	due, err := c.store.DeliveriesDue(ctx, c.turn.Sink)
	c.ask = err == nil && due
}

// stop ends a turn that was cut off: what is on its way lands, what was answered
// is recorded, and what was not tried is given back as that.
func (c *courier) stop(ctx context.Context) error {
	c.landAll(ctx)
	longer, cancel := lasting(ctx)
	defer cancel()
	c.unsent = append(c.unsent, idsOf(c.inHand)...)
	if len(c.done)+len(c.unsent) > 0 {
		if _, err := c.tell(longer, store.Round{}); c.failed == nil {
			c.failed = err
		}
	}
	return errors.Join(c.failed, ctx.Err())
}

// landAll waits for what is on its way. A sink that does not even notice that ctx
// has ended is not waited for: what it was told waits, and is told again.
func (c *courier) landAll(ctx context.Context) {
	longer, cancel := lasting(ctx)
	defer cancel()
	for c.inAir > 0 {
		select {
		case l := <-c.landed:
			c.land(l)
		case <-longer.Done():
			c.log.Error("a sink does not end its calls", slog.String("sink", c.turn.Sink), slog.Int("calls", c.inAir))
			return
		}
	}
}

func idsOf(claims []store.DeliveryClaim) []string {
	ids := make([]string, len(claims))
	for i, c := range claims {
		ids[i] = c.ID
	}
	return ids
}

// lasting is a context for what must be recorded: it goes on for a while when ctx
// ends.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(recordLimit, cancel) })
	return longer, func() {
		stop()
		cancel()
	}
}

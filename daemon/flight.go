package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// deliveryLimit is for one call of a sink that sets no limit of its own.
const deliveryLimit = time.Minute

// limitOf is how long one call of a sink may take.
func limitOf(to sink.Sink) time.Duration {
	if l, ok := to.(sink.Limiter); ok {
		return max(l.Limit(), deliveryLimit)
	}
	return deliveryLimit
}

// A landing is how a call of a sink ended.
type landing struct {
	done   []store.Delivered // as far as they were answered
	unsent []string          // nobody was told of those
	fault  error             // of this machine
}

// takeOff sends out what may go now.
func (c *courier) takeOff(ctx context.Context) {
	if c.idle || c.hold {
		return
	}
	if c.batch != nil {
		c.takeOffTogether(ctx)
		return
	}
	for len(c.inHand) > 0 && c.inAir < c.flights {
		claim := c.inHand[0]
		c.inHand = c.inHand[1:]
		c.inAir++
		go func() { c.landed <- c.fly(ctx, claim) }()
	}
}

// takeOffTogether sends out a batch, one at a time: as soon as it is full, or its
// first has waited for others as long as it may.
func (c *courier) takeOffTogether(ctx context.Context) {
	if c.inAir > 0 || len(c.inHand) == 0 {
		return
	}
	size := min(len(c.inHand), c.batchSize())
	if c.lingers() && size < c.batchSize() {
		return
	}
	claims := c.inHand[:size:size]
	c.inHand, c.ask = c.inHand[size:], true
	c.since, c.topped = time.Now(), false
	c.inAir++
	batch := c.batch
	go func() { c.landed <- c.flyTogether(ctx, batch, claims) }()
}

func (c *courier) batchSize() int {
	most, _ := c.batch.Batch()
	return min(max(most, 1), mostInHand)
}

// lingers reports whether what is in hand waits for others.
func (c *courier) lingers() bool {
	if c.batch == nil || c.idle || c.topped || c.inAir > 0 || len(c.inHand) == 0 || len(c.inHand) >= c.batchSize() {
		return false
	}
	_, linger := c.batch.Batch()
	return linger > 0
}

// lingered is when what is in hand has waited long enough.
func (c *courier) lingered() time.Time {
	if c.batch == nil {
		return c.since
	}
	_, linger := c.batch.Batch()
	return c.since.Add(linger)
}

// land takes in what a call brought back.
func (c *courier) land(l landing) {
	c.inAir--
	if l.fault != nil {
		c.failed = l.fault
	}
	if len(c.done) == 0 && len(l.done) > 0 {
		c.late = time.Now().Add(recordWithin)
	}
	c.done, c.unsent = append(c.done, l.done...), append(c.unsent, l.unsent...)
	for _, d := range l.done {
		switch {
		case d.Err == nil:
			c.streak = 0
		case !d.OfRow:
			c.streak++
		}
		c.hold = c.hold || d.Gone || d.Asked > 0 || c.streak >= restAfter
	}
}

// fly makes one try of one delivery.
func (c *courier) fly(ctx context.Context, claim store.DeliveryClaim) landing {
	to, delivery, err := c.address(ctx, claim)
	if err != nil {
		return c.unwritten(ctx, claim, err)
	}
	if err := c.store.Certain(); err != nil { // another daemon may be about to tell it
		return landing{unsent: []string{claim.ID}, fault: err}
	}
	began := time.Now()
	on, part := c.telling(ctx, claim)
	receipt, err := c.try(on, to, delivery)
	part.End(err, statusOf(receipt.Status)...)
	return c.answered(ctx, began, []store.DeliveryClaim{claim}, []sink.Outcome{{Receipt: receipt, Err: err}})
}

// try tells a sink once.
func (d *Daemon) try(ctx context.Context, to sink.Sink, delivery sink.Delivery) (r sink.Receipt, err error) {
	ctx, cancel := context.WithTimeout(ctx, limitOf(to))
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = d.brokeDown(p)
		}
	}()
	return to.Deliver(ctx, delivery)
}

// brokeDown is the end of a call that panicked: a fault in one sink is none of
// the others'.
func (d *Daemon) brokeDown(panicked any) error {
	d.log.Error("a sink broke down", slog.Any("err", panicked), slog.String("stack", string(debug.Stack())))
	return problem.New(problem.Internal, "the sink broke down: %v", panicked).WithHint("that is a fault in pictifyd: please report it, with what the log says")
}

// flyTogether makes one try of several.
func (c *courier) flyTogether(ctx context.Context, to sink.Batcher, claims []store.DeliveryClaim) (l landing) {
	var sent []store.DeliveryClaim
	var deliveries []sink.Delivery
	for i, claim := range claims {
		_, delivery, err := c.address(ctx, claim)
		if err == nil {
			sent, deliveries = append(sent, claim), append(deliveries, delivery)
			continue
		}
		not := c.unwritten(ctx, claim, err)
		l.done, l.unsent = append(l.done, not.done...), append(l.unsent, not.unsent...)
		if not.fault != nil {
			l.unsent, l.fault = slices.Concat(l.unsent, idsOf(sent), idsOf(claims[i+1:])), not.fault
			return l
		}
	}
	if len(sent) == 0 {
		return l
	}
	if err := c.store.Certain(); err != nil { // another daemon may be about to tell them
		l.unsent, l.fault = append(l.unsent, idsOf(sent)...), err
		return l
	}
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, limitOf(to))
	defer cancel()
	outcomes := c.tryAll(limited, to, deliveries)
	c.toldTogether(ctx, began, sent, outcomes)
	l.done = append(l.done, c.answered(ctx, began, sent, outcomes).done...)
	return l
}

// tryAll tells a sink of several. Where it breaks down over one of them, that one
// is found by telling each alone.
func (d *Daemon) tryAll(ctx context.Context, to sink.Batcher, deliveries []sink.Delivery) []sink.Outcome {
	outcomes, err := d.callAll(ctx, to, deliveries)
	switch {
	case err != nil && len(deliveries) == 1:
		return []sink.Outcome{{Err: err}}
	case err != nil:
		outcomes = nil
		for i := range deliveries {
			outcomes = append(outcomes, d.tryAll(ctx, to, deliveries[i:i+1])...)
		}
		return outcomes
	}
	return forEach(outcomes, len(deliveries))
}

// forEach is one outcome for each of n deliveries: of what a sink says nothing
// about, nobody knows that it arrived.
func forEach(outcomes []sink.Outcome, n int) []sink.Outcome {
	for said := len(outcomes); len(outcomes) < n; {
		outcomes = append(outcomes, sink.Outcome{Err: fmt.Errorf("the sink said how %d of %d deliveries ended", said, n)})
	}
	return outcomes[:n]
}

func (d *Daemon) callAll(ctx context.Context, to sink.Batcher, deliveries []sink.Delivery) (outcomes []sink.Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = d.brokeDown(p)
		}
	}()
	return to.DeliverAll(ctx, deliveries), nil
}

// unwritten is a delivery that could not be written: its sink is not at fault.
func (c *courier) unwritten(ctx context.Context, claim store.DeliveryClaim, err error) landing {
	switch {
	case ctx.Err() != nil:
		return landing{unsent: []string{claim.ID}}
	case machineFault(err):
		return landing{unsent: []string{claim.ID}, fault: err}
	}
	done := c.judge(claim, err)
	done.At, done.OfRow = time.Now(), true
	return landing{done: []store.Delivered{done}}
}

// answered judges tries. One that was cut off by the end of grace is not the
// receiver's fault, and is not judged.
func (c *courier) answered(ctx context.Context, began time.Time, claims []store.DeliveryClaim, outcomes []sink.Outcome) (l landing) {
	took := time.Since(began)
	c.crash("delivery.answered")
	for i, claim := range claims {
		o := outcomes[i]
		if o.Err != nil && ctx.Err() != nil {
			continue
		}
		done := c.judge(claim, o.Err)
		done.At, done.Took, done.Receipt = began, took, o.Receipt
		l.done = append(l.done, done)
	}
	return l
}

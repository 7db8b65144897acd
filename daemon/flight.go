package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

// deliveryLimit is for one call of a sink.
const deliveryLimit = time.Minute

// A landing is how a call of a sink ended.
type landing struct {
	done  []store.Delivered // as far as they were answered
	fault error             // of this machine
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
	c.done = append(c.done, l.done...)
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
		return c.unsent(ctx, claim, err)
	}
	began := time.Now()
	receipt, err := try(ctx, to, delivery)
	return c.answered(ctx, began, []store.DeliveryClaim{claim}, []sink.Outcome{{Receipt: receipt, Err: err}})
}

func try(ctx context.Context, to sink.Sink, delivery sink.Delivery) (sink.Receipt, error) {
	ctx, cancel := context.WithTimeout(ctx, deliveryLimit)
	defer cancel()
	return to.Deliver(ctx, delivery)
}

// flyTogether makes one try of several.
func (c *courier) flyTogether(ctx context.Context, to sink.Batcher, claims []store.DeliveryClaim) (l landing) {
	var sent []store.DeliveryClaim
	var deliveries []sink.Delivery
	for _, claim := range claims {
		_, delivery, err := c.address(ctx, claim)
		if err != nil {
			not := c.unsent(ctx, claim, err)
			if not.fault != nil {
				return landing{fault: not.fault}
			}
			l.done = append(l.done, not.done...)
			continue
		}
		sent, deliveries = append(sent, claim), append(deliveries, delivery)
	}
	if len(sent) == 0 {
		return l
	}
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, deliveryLimit)
	defer cancel()
	outcomes := to.DeliverAll(limited, deliveries)
	for len(outcomes) < len(sent) {
		outcomes = append(outcomes, sink.Outcome{Err: fmt.Errorf("the sink said how %d of %d deliveries ended", len(outcomes), len(sent))})
	}
	l.done = append(l.done, c.answered(ctx, began, sent, outcomes).done...)
	return l
}

// unsent is a delivery that could not be written: its sink is not at fault.
func (c *courier) unsent(ctx context.Context, claim store.DeliveryClaim, err error) landing {
	switch {
	case ctx.Err() != nil:
		return landing{}
	case machineFault(err):
		return landing{fault: err}
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

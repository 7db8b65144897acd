package daemon

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/experiment"
)

var _ api.Exhibit = (*exhibit)(nil)

// clientAnonymous is the client of fetches without a unit, which are nobody's exposure.
const clientAnonymous = "anonymous"

// A choice is what a visit is shown, and how it is counted.
type choice struct {
	variant, channel, client string
	counted                  bool             // as a fetch
	suspect                  bool             // it is one of nobody who takes part
	place                    experiment.Place // of the row's image that is the unit's own
}

// Show implements api.Exhibit.
func (x *exhibit) Show(ctx context.Context, name string, v api.Visit) (api.Shown, error) {
	s, err := x.of(name)
	if err != nil {
		return api.Shown{}, err
	}
	c, err := x.choose(ctx, s, v)
	if err != nil {
		return api.Shown{}, err
	}
	shown, failed := x.picture(ctx, s, c)
	if c.counted {
		t := experiment.Tally{Fetches: 1}
		switch {
		case c.suspect:
			t.Suspects = 1
		case failed:
			t.Failures = 1
		}
		x.count(s, c, t)
	}
	return shown, nil
}

// choose is the variant that a visit is shown. Where that is a unit's first exposure,
// it is durable when choose returns.
func (x *exhibit) choose(ctx context.Context, s *stand, v api.Visit) (choice, error) {
	c := choice{variant: s.control, channel: experiment.Web, client: v.Client.Name, counted: s.running()}
	if s.over() {
		c.variant = s.last()
	}
	switch {
	case !v.Client.Countable:
		c.suspect = true
		return c, nil
	case v.Unit == "":
		c.client = clientAnonymous
		if !s.over() {
			c.variant, _ = s.chooser.Choose(rand.Text(), v.Facts)
		}
		return c, nil
	case v.Signature != "" && !x.keys.signed(s.ID, v.Unit, v.Signature):
		c.suspect = true // shown all the same: an image must not break because a mailer cut its address
		return c, nil
	case v.Signature == "" && s.over():
		return c, nil
	}
	known, ok, err := x.known(ctx, s, v.Unit)
	switch {
	case err != nil:
		return x.unrecorded(ctx, s, v, c, err)
	case ok:
		return x.chosen(ctx, s, v, c, known)
	case v.Signature != "" && s.Sticky() || !s.running():
		// Who was not assigned when the address was signed takes no part, and neither
		// does who comes for the first time while it is paused.
		c.counted = false
		if !s.over() && !s.Sticky() {
			c.variant, _ = s.chooser.Choose(v.Unit, v.Facts)
		}
		return c, nil
	}
	return x.meet(ctx, s, v, c)
}

// known is the assignment of a unit; ok is false where it has none.
func (x *exhibit) known(ctx context.Context, s *stand, unit string) (known knownUnit, ok bool, err error) {
	if known, ok = x.units.get(s.ID, unit); ok {
		return known, true, nil
	}
	found, err := x.daemon.store.Assigned(ctx, s.ID, []string{unit})
	if err != nil || len(found) == 0 {
		return known, false, err
	}
	return x.units.learn(found[0]), true, nil
}

// chosen is what a unit is shown that was given a variant before.
func (x *exhibit) chosen(ctx context.Context, s *stand, v api.Visit, c choice, known knownUnit) (choice, error) {
	c.channel = known.channel
	if !s.over() {
		c.variant = known.variant
		if !s.Sticky() {
			c.variant, _ = s.chooser.Choose(v.Unit, v.Facts)
		}
	}
	if v.Signature != "" {
		c.place = known.place // a row's image is for those alone who were sent its address
	} else if known.channel == experiment.Email {
		c.suspect = true
	}
	if known.exposed || known.channel != experiment.Web || !s.running() {
		return c, nil
	}
	_, err := x.expose(ctx, s, v, known.variant)
	if err != nil {
		return x.unrecorded(ctx, s, v, c, err)
	}
	return c, nil
}

// meet gives a unit its variant and counts it.
func (x *exhibit) meet(ctx context.Context, s *stand, v api.Visit, c choice) (choice, error) {
	variant, takesPart := s.chooser.Choose(v.Unit, v.Facts)
	c.variant = variant
	if !takesPart {
		c.counted = false
		return c, nil
	}
	met, err := x.expose(ctx, s, v, variant)
	if err != nil {
		return x.unrecorded(ctx, s, v, c, err)
	}
	if s.Sticky() {
		c.variant = met.Variant
	}
	return c, nil
}

// expose makes it durable that a unit is shown a variant on the web.
func (x *exhibit) expose(ctx context.Context, s *stand, v api.Visit, variant string) (experiment.Assignment, error) {
	met, err := x.meetings.do(ctx, experiment.Meeting{
		Assignment: experiment.Assignment{Experiment: s.ID, Unit: v.Unit, Variant: variant, Channel: experiment.Web, At: time.Now()},
		Exposed:    true, Client: v.Client.Name,
	})
	if err != nil {
		return experiment.Assignment{}, err
	}
	x.daemon.crash("unit.exposed")
	return met[0], nil
}

// unrecorded is for who cannot be looked up, or written down: an image is shown all
// the same, the one that the unit will be given when it comes again, and not counted.
func (x *exhibit) unrecorded(ctx context.Context, s *stand, v api.Visit, c choice, err error) (choice, error) {
	if ended := ctx.Err(); ended != nil {
		return c, ended
	}
	x.daemon.faults.note(x.daemon.log, "experiments", "exposures", err)
	if !s.over() && c.variant == s.control {
		c.variant, _ = s.chooser.Choose(v.Unit, v.Facts)
	}
	c.counted, c.place = false, experiment.Place{}
	return c, nil
}

// count counts one fetch of an image, or more about it.
func (x *exhibit) count(s *stand, c choice, t experiment.Tally) {
	t.Experiment, t.Variant, t.Channel, t.Client = s.ID, c.variant, c.channel, c.client
	x.tallies.add(t, time.Now())
}

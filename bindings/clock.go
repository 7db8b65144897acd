package bindings

import (
	"time"

	"github.com/pictifyd/pictifyd/expr"
)

// At is b by a clock that shows that moment. A reading that is planned with it
// plans also rows that did not change, if anything of b reads the clock.
func (b *Binding) At(moment time.Time) *Binding {
	if !b.clock {
		return b
	}
	at := *b
	at.cfg.Clock, at.moved = moment, true
	return &at
}

// ReadsClock reports whether something of b reads the clock.
func (b *Binding) ReadsClock() bool { return b.clock }

// now is what b's clock shows.
func (b *Binding) now(moment time.Time) time.Time {
	if b.cfg.Clock.IsZero() {
		return moment
	}
	return b.cfg.Clock
}

// Draws reports whether b has an image of the row, be it one that can't be made. j
// has what Needs asked for.
func (b *Binding) Draws(row map[string]any, j *Joined, now time.Time) bool {
	_, meets, refused := b.meet(row, j, b.now(now))
	return meets || refused != nil
}

// Selects reports whether there are rows that b has no image of.
func (b *Binding) Selects() bool { return b.where != nil }

// Version is that of the template.
func (b *Binding) Version() int64 { return b.drawing.outputs[0].spec.Version }

// env is what expressions over a row see beside it. What reads the clock sees it as
// the binding's zone has it, else as the schedule's.
func (b *Binding) env(now time.Time) expr.Env {
	env := expr.Env{Now: now}
	if b.clock {
		if env.Zone = b.cfg.Language.env().Zone; env.Zone == nil {
			env.Zone = now.Location()
		}
	}
	return env
}

package experiment

import "github.com/pictifyd/pictifyd/experiment/stats"

// A Chooser chooses the variants of one experiment, as it was when the chooser was made.
// It is safe for concurrent use.
type Chooser struct {
	e       Experiment
	control string
	ranges  []stats.Range
	windows []*window // by variant; nil: never
}

// NewChooser makes one. Of a schedule that can't be read no window is ever open.
func NewChooser(e Experiment) *Chooser {
	c := &Chooser{e: e, control: e.ControlVariant()}
	switch e.Type {
	case ABTest:
		c.ranges = stats.Ranges(e.Shares(), e.Coverage)
	case Scheduled:
		c.windows = make([]*window, len(e.Variants))
		for i, v := range e.Variants {
			if v.Schedule == nil {
				continue
			}
			if w, err := v.Schedule.window(); err == nil {
				c.windows[i] = &w
			}
		}
	}
	return c
}

// Choose is the variant of a unit that was not assigned one, and whether the unit
// counts. One outside of the coverage, and whoever comes while nothing is counted, gets
// the control; whoever comes after the end, the winner.
func (c *Chooser) Choose(unit string, f Facts) (variant string, counted bool) {
	switch c.e.Status {
	case Completed:
		if c.e.Winner != "" {
			return c.e.Winner, false
		}
		return c.control, false
	case Draft, Paused:
		if c.e.Sticky() {
			return c.control, false
		}
		return c.fitting(f), false
	}
	if !c.e.Sticky() {
		return c.fitting(f), true
	}
	i := stats.Choose(c.ranges, stats.Bucket(c.e.ID, unit))
	if i < 0 {
		return c.control, false
	}
	return c.e.Variants[i].ID, true
}

// fitting is the first variant whose conditions hold, or whose time it is.
func (c *Chooser) fitting(f Facts) string {
	for i, v := range c.e.Variants {
		switch {
		case v.Control:
		case c.e.Type == SmartLink && v.Conditions != nil && Holds(v.Conditions, f):
			return v.ID
		case c.e.Type == Scheduled && c.windows[i] != nil && c.windows[i].open(f.Time):
			return v.ID
		}
	}
	return c.control
}

// Choose is what a Chooser of the experiment chooses.
func Choose(e Experiment, unit string, f Facts) (variant string, counted bool) {
	return NewChooser(e).Choose(unit, f)
}

// Sticky is whether a unit keeps the variant that it was given: where variants are
// drawn. Elsewhere it is shown what fits at the moment, and what it does counts for what
// it saw first.
func (e Experiment) Sticky() bool { return e.Type == ABTest }

package experiment

import (
	"fmt"
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/schedule"
)

// The ways in which the window of a schedule comes again.
const (
	Once   = "none"
	Daily  = "daily"  // at the time of day at which it first began
	Weekly = "weekly" // and on that weekday
	Cron   = "cron"
)

// longestWindow is a year.
const longestWindow = 366 * 24 * 60

// A window is a schedule that can be asked.
type window struct {
	from, to time.Time // zero: open
	rule     *schedule.Rule
	length   time.Duration // of what recurs; 0: nothing does
}

// window reads a schedule.
func (s *Schedule) window() (w window, err error) {
	if s.StartAt != nil {
		w.from = *s.StartAt
	}
	if s.EndAt != nil {
		w.to = *s.EndAt
	}
	r := s.Recurrence
	if r == nil || r.Type == "" || r.Type == Once {
		return w, nil
	}
	line := r.Cron
	if r.Type != Cron {
		zone, err := schedule.Zone(r.Timezone)
		if err != nil {
			return w, err
		}
		first := w.from.In(zone)
		line = fmt.Sprintf("%d %d * * *", first.Minute(), first.Hour())
		if r.Type == Weekly {
			line = fmt.Sprintf("%d %d * * %d", first.Minute(), first.Hour(), first.Weekday())
		}
	}
	w.length = time.Duration(r.Minutes) * time.Minute
	w.rule, err = schedule.Parse(line, r.Timezone)
	return w, err
}

// open is whether the window is open at a moment. It is from its beginning up to, and
// without, its end.
func (w window) open(at time.Time) bool {
	if !w.from.IsZero() && at.Before(w.from) || !w.to.IsZero() && !at.Before(w.to) {
		return false
	}
	return w.rule == nil || !w.rule.Last(at.Add(-w.length), at).IsZero()
}

func (s *Schedule) validate(path string) problem.List {
	c := &check{}
	if s.StartAt != nil && s.EndAt != nil && !s.StartAt.Before(*s.EndAt) {
		c.bad(path+".endAt", "it ends before it begins")
	}
	r := s.Recurrence
	if r == nil || r.Type == Once || r.Type == "" {
		if s.StartAt == nil && s.EndAt == nil {
			c.bad(path, "it neither begins nor ends, nor comes again")
			c.hint("give it a startAt, an endAt or a recurrence")
		}
		return c.found
	}
	at := path + ".recurrence."
	if !c.oneOf(at+"type", r.Type, Once, Daily, Weekly, Cron) {
		return c.found
	}
	if r.Minutes < 1 || r.Minutes > longestWindow {
		c.bad(at+"durationMinutes", "it is %d, and goes from 1 to %d", r.Minutes, longestWindow)
		c.hint("it says how long the variant is shown each time")
	}
	if _, err := schedule.Zone(r.Timezone); err != nil {
		c.bad(at+"timezone", "%w", err)
		c.expecting("a name as Europe/Berlin; nothing is UTC")
		return c.found
	}
	switch {
	case r.Type == Cron:
		if _, err := schedule.Parse(r.Cron, r.Timezone); err != nil {
			c.bad(at+"cronExpression", "%w", err)
		}
	case r.Cron != "":
		c.bad(at+"cronExpression", "only a recurrence of type %s has one", Cron)
	case s.StartAt == nil:
		c.bad(path+".startAt", "it is missing: it says at what time of day the variant is shown")
	}
	return c.found
}

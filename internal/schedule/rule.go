package schedule

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// A Rule is a cron line in a time zone. It is immutable and safe for concurrent use.
type Rule struct {
	line  string
	zone  *time.Location
	clock cron.Schedule // of a clock that is never set, in UTC
	every bool          // in every hour
}

// Parse reads a line of five fields (minute, hour, day, month, weekday) or one of
// the words @yearly, @monthly, @weekly, @daily and @hourly. zone is the name of a
// time zone; "" is UTC.
func Parse(line, zone string) (*Rule, error) {
	place, err := Zone(zone)
	if err != nil {
		return nil, err
	}
	line = strings.TrimSpace(line)
	switch {
	case line == "":
		return nil, fmt.Errorf("the schedule is empty")
	case strings.HasPrefix(line, "@every"):
		return nil, fmt.Errorf("an interval is no schedule: write every: %s", strings.TrimSpace(strings.TrimPrefix(line, "@every")))
	case strings.HasPrefix(line, "TZ=") || strings.HasPrefix(line, "CRON_TZ="):
		return nil, fmt.Errorf("the time zone stands beside the schedule, as timezone: ZONE")
	case !strings.HasPrefix(line, "@") && len(strings.Fields(line)) != 5:
		return nil, fmt.Errorf("a schedule has 5 fields (minute hour day month weekday), and %q has %d", line, len(strings.Fields(line)))
	}
	parsed, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor).Parse(line)
	if err != nil {
		return nil, fmt.Errorf("the schedule %q can't be read: %w", line, err)
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return nil, fmt.Errorf("%q is no schedule", line)
	}
	spec.Location = time.UTC
	const all = 1<<24 - 1
	r := &Rule{line: line, zone: place, clock: spec, every: spec.Hour&all == all}
	if r.clock.Next(time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, fmt.Errorf("the schedule %q names a day that never comes", line)
	}
	return r, nil
}

// Zone is the time zone of that name; "" is UTC.
func Zone(name string) (*time.Location, error) {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		return nil, fmt.Errorf("there is no time zone %q", name)
	}
	return zone, nil
}

// String is the line with its zone: two rules with the same text are the same.
func (r *Rule) String() string { return r.line + " " + r.zone.String() }

// Zone is the zone of the rule's clock.
func (r *Rule) Zone() *time.Location { return r.zone }

// Next is the first time of r behind after, in its zone; zero where there is none
// within the five years that are looked through.
func (r *Rule) Next(after time.Time) time.Time {
	after = after.In(r.zone)
	next := r.nextOnce(after)
	if r.every {
		next = r.nextAgain(after, next)
	}
	return next
}

// nextOnce takes each time on the clock once.
func (r *Rule) nextOnce(after time.Time) time.Time {
	for clock := r.clock.Next(wall(after)); !clock.IsZero(); clock = r.clock.Next(clock) {
		// After the clock was set back it shows times that have been.
		if at := r.moment(clock); at.After(after) {
			return at
		}
	}
	return time.Time{}
}

// nextAgain is next, or a time before it that the clock shows a second time.
func (r *Rule) nextAgain(after, next time.Time) time.Time {
	_, end := after.ZoneBounds()
	periods := []time.Time{after} // at which to go on by the clock as it is then
	if !end.IsZero() {
		periods = append(periods, end.Add(-time.Nanosecond))
	}
	for i, from := range periods {
		at := from
		if i > 0 {
			at = end
		}
		_, offset := at.Zone()
		clock := r.clock.Next(from.UTC().Add(time.Duration(offset) * time.Second))
		again := clock.Add(-time.Duration(offset) * time.Second).In(r.zone)
		if _, ends := at.ZoneBounds(); !ends.IsZero() && !again.Before(ends) {
			continue // by then the clock is another one
		}
		if again.After(after) && again.Before(next) {
			next = again
		}
	}
	return next
}

// wall is what the clock shows at t, as a time of UTC.
func wall(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// moment is when the clock shows a time first: the moment of the skip where it
// never does.
func (r *Rule) moment(clock time.Time) time.Time {
	t := time.Date(clock.Year(), clock.Month(), clock.Day(), clock.Hour(), clock.Minute(), clock.Second(), 0, r.zone)
	start, end := t.ZoneBounds()
	switch shown := wall(t); {
	case shown.After(clock): // read by the clock from before the skip
		return start
	case shown.Before(clock):
		return end
	}
	if start.IsZero() {
		return t
	}
	// Before it was set back, the clock may have shown the same.
	_, offset := start.Add(-time.Nanosecond).Zone()
	if earlier := clock.Add(-time.Duration(offset) * time.Second).In(r.zone); earlier.Before(start) && wall(earlier).Equal(clock) {
		return earlier
	}
	return t
}

// Last is the newest time of r behind since and not behind now; zero where there
// is none.
func (r *Rule) Last(since, now time.Time) time.Time {
	const day = 24 * time.Hour
	for _, far := range []time.Duration{time.Hour, day, 32 * day, 366 * day, 5 * 366 * day} {
		from := now.Add(-far)
		whole := !from.After(since)
		if whole {
			from = since
		}
		var last time.Time
		for at := r.Next(from); !at.IsZero() && !at.After(now); at = r.Next(at) {
			last = at
		}
		if whole || !last.IsZero() {
			return last
		}
	}
	return time.Time{}
}

// Widest is the longest time between so many times behind after; zero where there
// are none.
func (r *Rule) Widest(after time.Time, times int) time.Duration {
	widest := time.Duration(0)
	before := r.Next(after)
	for range times {
		next := r.Next(before)
		if before.IsZero() || next.IsZero() {
			break
		}
		widest, before = max(widest, next.Sub(before)), next
	}
	return widest
}

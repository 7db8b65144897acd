package connectors

import (
	"fmt"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/schedule"
)

// What becomes of runs that were missed, and of one that is due while the one
// before goes on.
const (
	CatchUpOne   = "one"   // the newest of those that were missed is made up for
	CatchUpNone  = "none"  // they are let go
	OverlapSkip  = "skip"  // the new one is left out
	OverlapQueue = "queue" // the new one waits
)

// OfOneTime is why the reading of a Timed source that has all that its address
// names is not complete.
const OfOneTime = "it is of one time, and says nothing of rows of others"

// OfChanges is why the reading of a source that was asked for its changes alone is not
// complete: what it does not have is as it was, as far as the source tells.
const OfChanges = "it is of what changed, and says nothing of other rows"

// OnPurpose reports whether a reading that is not complete for this reason has all that
// the source was asked for.
func OnPurpose(reason string) bool { return reason == OfOneTime || reason == OfChanges }

// A Schedule says when a source is read, instead of every so often.
type Schedule struct {
	Cron     string          `yaml:"cron"`     // minute hour day month weekday, or @daily and the like; empty: every so often
	Timezone string          `yaml:"timezone"` // whose clock; empty is UTC
	CatchUp  string          `yaml:"catch_up"` // CatchUpOne or CatchUpNone; empty is one
	Overlap  string          `yaml:"overlap"`  // OverlapSkip or OverlapQueue; empty is skip
	Jitter   config.Duration `yaml:"jitter"`   // each run begins up to so much later
}

// maxJitter keeps a run on its day.
const maxJitter = 12 * time.Hour

// Plan is the schedule of the source of that name; nil where it is read every so
// often. An error is a problem.List with paths relative to the source.
func (s Schedule) Plan(source string) (*schedule.Plan, error) {
	if s.Cron == "" {
		return nil, s.unused()
	}
	var problems problem.List
	add := func(path, hint, format string, args ...any) {
		problems = append(problems, problem.New(problem.Invalid, format, args...).At(path).WithHint("%s", hint))
	}
	if _, err := schedule.Zone(s.Timezone); err != nil {
		add("timezone", "write a name of the IANA database, as in Europe/Berlin", "%s", err)
	}
	if s.CatchUp != "" && s.CatchUp != CatchUpOne && s.CatchUp != CatchUpNone {
		add("catch_up", "one or none", "there is no way %q to make up for runs that were missed", s.CatchUp)
	}
	if s.Overlap != "" && s.Overlap != OverlapSkip && s.Overlap != OverlapQueue {
		add("overlap", "skip or queue", "there is no way %q to treat a run that is due while another goes on", s.Overlap)
	}
	if j := s.Jitter.Std(); j < 0 || j > maxJitter {
		add("jitter", fmt.Sprintf("up to %s", maxJitter), "a run can't be put off by up to %s", j)
	}
	if _, err := schedule.Parse(s.Cron, ""); err != nil {
		add("cron", `write minute hour day month weekday, as in "0 6 1 * *", or @daily`, "%s", err)
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	rule, err := schedule.Parse(s.Cron, s.Timezone)
	if err != nil {
		return nil, err
	}
	return &schedule.Plan{Rule: rule, CatchUp: s.CatchUp != CatchUpNone, Jitter: s.Jitter.Std(), Seed: source}, nil
}

// unused says which settings say nothing without a cron line. A time zone is one
// in which moments are written.
func (s Schedule) unused() error {
	var problems problem.List
	for _, given := range []struct {
		path string
		set  bool
	}{{"catch_up", s.CatchUp != ""}, {"overlap", s.Overlap != ""}, {"jitter", s.Jitter != 0}} {
		if given.set {
			problems = append(problems, problem.New(problem.Invalid, "there is no schedule that this could be for").
				At(given.path).WithHint(`write cron: "0 6 1 * *", or leave it out`))
		}
	}
	if _, err := schedule.Zone(s.Timezone); err != nil {
		problems = append(problems, problem.New(problem.Invalid, "%s", err).At("timezone").WithHint("write a name of the IANA database, as in Europe/Berlin"))
	}
	return problems.Err()
}

// Zone is the zone of the schedule's clock, also where there is no cron line.
func (s Schedule) Zone() *time.Location {
	if zone, err := schedule.Zone(s.Timezone); err == nil {
		return zone
	}
	return time.UTC
}

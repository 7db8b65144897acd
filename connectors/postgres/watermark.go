package postgres

import (
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/config"
	"github.com/pictifyd/pictifyd/internal/cures"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/internal/schedule"
)

// What a watermark is read with where nothing else is said.
const (
	defaultLookback  = "5m"
	defaultBehind    = "1000" // of a number
	defaultReconcile = "1h"
)

// clockSlip is how far the clock may be set back before a reading of all rows counts as
// one of the future.
const clockSlip = time.Minute

// NoWatermark is the slug of a column that can't be a watermark.
const NoWatermark = "no_watermark"

// A markKind is a type that a watermark may have.
type markKind struct {
	cast  string // what its texts are read as
	lower string // the type of a watermark less the lookback, in the same family of indexes
	clock string // the latest that one can truly be; empty where no clock tells
}

// markKinds are those types by their OIDs. A time without a zone is of anybody's clock.
var markKinds = map[uint32]*markKind{
	1184: {cast: "timestamptz", lower: "timestamptz", clock: "now()"},
	1114: {cast: "timestamp", lower: "timestamp", clock: "(LOCALTIMESTAMP + interval '14 hours')"},
	1082: {cast: "date", lower: "timestamp", clock: "(CURRENT_DATE + 1)"},
	20:   {cast: "numeric", lower: "bigint"}, 21: {cast: "numeric", lower: "bigint"}, 23: {cast: "numeric", lower: "bigint"},
	1700: {cast: "numeric", lower: "numeric"},
}

func (k *markKind) isTime() bool { return k.clock != "" }

// lookback is how far before the cursor is read, as the server takes it.
func (k *markKind) lookback(given string) (string, error) {
	if !cures.WatermarkLookback {
		return "0", nil
	}
	wrong := func(format string, args ...any) *problem.Error {
		return problem.New(problem.Invalid, format, args...).At("lookback")
	}
	if !k.isTime() {
		if given == "" {
			given = defaultBehind
		}
		if n, ok := new(big.Int).SetString(given, 10); !ok || n.Sign() < 0 {
			return "", wrong("%q is no number, and the watermark is one", given).WithHint("as in lookback: %s", defaultBehind)
		}
		return given, nil
	}
	if given == "" {
		given = defaultLookback
	}
	d, err := config.ParseDuration(given)
	if err != nil {
		return "", wrong("%w; the watermark is a time", err)
	}
	return fmt.Sprintf("%d microseconds", d.Std().Microseconds()), nil
}

// watermarkProblems are those of the keys that a watermark has.
func (c *Config) watermarkProblems() (list problem.List) {
	bad := func(path, hint, format string, args ...any) {
		list = append(list, problem.New(problem.Invalid, format, args...).At(path).WithHint("%s", hint))
	}
	if c.Watermark == "" {
		if c.Lookback != "" {
			bad("lookback", "name the column in watermark, or leave it out", "there is no watermark that this could be for")
		}
		if c.Reconcile != "" {
			bad("reconcile", "leave it out, or name a column in watermark", "every reading compares all rows already")
		}
		return list
	}
	if c.Mode != poll {
		bad("watermark", "leave it out", "is for mode: poll; %s needs none", c.Mode)
	}
	if c.Cron != "" {
		bad("watermark", "leave out cron: or watermark:", "a schedule's runs read all rows each time")
	}
	if c.Lookback != "" {
		_, time := config.ParseDuration(c.Lookback)
		n, number := new(big.Int).SetString(c.Lookback, 10)
		if time != nil && (!number || n.Sign() < 0) {
			bad("lookback", "as in 5m, or 1000 where the watermark is a number", "%q is neither a time nor a number", c.Lookback)
		}
	}
	if every, _, err := c.reconciles(); err != nil {
		bad("reconcile", `as in 1h, or "0 3 * * *"`, "%s", err)
	} else if every > 0 && every < c.Every.Std() {
		bad("reconcile", "leave out watermark: where every reading is to be of all rows", "must not be less than every, which is %s", c.Every)
	}
	return list
}

// reconciles says when all rows are read: every so often, or by a schedule.
func (c *Config) reconciles() (every time.Duration, plan *schedule.Plan, err error) {
	text := c.Reconcile
	if text == "" {
		text = defaultReconcile
	}
	if !strings.ContainsAny(text, " @") {
		d, err := config.ParseDuration(text)
		if err == nil && d <= 0 {
			err = problem.New(problem.Invalid, "must be more than 0")
		}
		return d.Std(), nil, err
	}
	rule, err := schedule.Parse(text, c.Timezone)
	if err != nil {
		return 0, nil, err
	}
	return 0, &schedule.Plan{Rule: rule, CatchUp: true}, nil
}

// due reports whether all rows are to be read, which they were last at that time: it finds
// those that were deleted, and those that the watermark did not tell of. A time that lies
// ahead is of a clock that was wrong. It is a cure of pitfall P12.
func (s *source) due(last time.Time) bool {
	if !cures.WatermarkReconcile {
		return false
	}
	now := s.nowFunc()
	every, plan, err := s.cfg.reconciles()
	if plan != nil {
		do := plan.Decide(last, now)
		return do.Fault || !do.Run.IsZero()
	}
	return err != nil || now.Sub(last) >= every || last.Sub(now) > clockSlip
}

// markOf is the kind of the watermark column among those of a walk.
func (s *source) markOf(w *walk) (*markKind, error) {
	if err := hasColumns(w.names(), "watermark", []string{s.cfg.Watermark}); err != nil {
		return nil, err
	}
	for _, c := range w.columns {
		if c.name != s.cfg.Watermark {
			continue
		}
		if k := markKinds[c.oid]; k != nil {
			return k, nil
		}
	}
	return nil, problem.New(problem.Invalid, "the column %q is no watermark: it is neither a time, a date nor a number without a fraction that grows", s.cfg.Watermark).
		At("watermark").WithSlug(NoWatermark).WithHint("name a column that each change of a row raises, of type timestamptz or bigint")
}

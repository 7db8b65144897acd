package experiment

import (
	"encoding/json"
	"time"
)

// The types of experiments.
const (
	ABTest    = "ab_test"    // a unit's variant is drawn by weights, once
	SmartLink = "smart_link" // the first variant whose conditions hold
	Scheduled = "scheduled"  // the first variant whose time it is
)

// Whole is all of the traffic in basis points: what weights sum to.
const Whole = 10_000

// A Definition is what somebody wants compared, as it is sent and as it stands in
// pictifyd.yaml. Complete fills in what is not given; Validate judges it.
type Definition struct {
	Name       string    `json:"name"`
	Slug       string    `json:"slug"`
	Type       string    `json:"type"`
	Hypothesis string    `json:"hypothesis,omitempty"`
	Variants   []Variant `json:"variants"`
	Goal       Goal      `json:"goalConfig"`
	// Coverage is the share of units that take part, in basis points; the others get the
	// control, and are not counted. Raising it moves nobody.
	Coverage int `json:"coverage,omitempty"`

	MinimumSampleSize   int64   `json:"minimumSampleSize,omitempty"`   // units of each variant before a verdict
	ConfidenceThreshold float64 `json:"confidenceThreshold,omitempty"` // 1 - alpha
	MinimumRunDays      float64 `json:"minimumRunDays,omitempty"`
	PlannedSampleSize   int64   `json:"plannedSampleSize,omitempty"` // units of each variant after which no winner is a result too; 0: none

	Bandit  *Bandit `json:"banditConfig,omitempty"`
	Rollout string  `json:"rollout,omitempty"` // manual or automatic

	Output           Output `json:"outputConfig"`
	FallbackImageURL string `json:"fallbackImageUrl,omitempty"`
	// Rows is set where the variables come from the rows of batches and bindings:
	// nothing is rendered before the start.
	Rows bool `json:"rows,omitempty"`
}

// The ways in which the winner takes all.
const (
	RolloutManual    = "manual"    // a person says so
	RolloutAutomatic = "automatic" // after a day as the winner
)

// A Variant is one of the images that are compared.
type Variant struct {
	ID        string                     `json:"id"`
	Name      string                     `json:"name,omitempty"`
	Template  string                     `json:"templateUid"`
	Size      string                     `json:"size,omitempty"`
	Theme     string                     `json:"theme,omitempty"`
	Variables map[string]json.RawMessage `json:"variables,omitempty"` // laid over those of a row
	Weight    int                        `json:"weight"`              // basis points
	Control   bool                       `json:"isDefault,omitempty"` // what all others are compared with; exactly one

	Conditions *Condition `json:"conditions,omitempty"` // of a smart link
	Schedule   *Schedule  `json:"schedule,omitempty"`   // of a scheduled one
}

// The goals of experiments.
const (
	GoalClick       = "click_through"    // a click on the image
	GoalConversion  = "conversion"       // an event that the caller's page or server sends
	GoalImpressions = "impressions_only" // nothing is compared
)

// A Goal is what a unit may do that counts.
type Goal struct {
	Type string `json:"type"`
	// DestinationURL is where a click leads. It is the only place where it may lead.
	DestinationURL string `json:"destinationUrl,omitempty"`
}

// The algorithms of bandits.
const (
	ThompsonSampling = "thompson_sampling"
)

// A Bandit moves the weights of new units to what does better.
type Bandit struct {
	Enabled           bool    `json:"enabled"`
	Algorithm         string  `json:"algorithm,omitempty"`
	Warmup            int64   `json:"warmupImpressions,omitempty"` // units of each variant before weights move
	RecomputeInterval int64   `json:"recomputeIntervalMinutes,omitempty"`
	Floor             float64 `json:"floor,omitempty"` // the least share of a variant
}

// An Output is how the images are encoded.
type Output struct {
	Format  string `json:"format,omitempty"`
	Quality int    `json:"quality,omitempty"`
}

// A Condition is a group of conditions or a rule, as the seed writes them.
type Condition struct {
	Type     string          `json:"type"`               // group or rule
	Operator string          `json:"operator"`           // of a group AND or OR; of a rule equals … lte
	Children []Condition     `json:"children,omitempty"` // of a group
	Property string          `json:"property,omitempty"` // of a rule: device, country, time, custom.NAME
	Value    json.RawMessage `json:"value,omitempty"`    // of a rule
}

// A Schedule says when a variant is shown: between its ends, and where it recurs in
// the windows of its recurrence.
type Schedule struct {
	StartAt    *time.Time  `json:"startAt,omitempty"`
	EndAt      *time.Time  `json:"endAt,omitempty"`
	Recurrence *Recurrence `json:"recurrence,omitempty"`
}

// A Recurrence is the window of a schedule that comes again and again.
type Recurrence struct {
	Type     string `json:"type"`                     // none, daily, weekly or cron
	Cron     string `json:"cronExpression,omitempty"` // when a window begins
	Minutes  int64  `json:"durationMinutes,omitempty"`
	Timezone string `json:"timezone,omitempty"`
}

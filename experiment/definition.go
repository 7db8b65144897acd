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
	Name       string    `json:"name" yaml:"name"`
	Slug       string    `json:"slug" yaml:"slug"`
	Type       string    `json:"type" yaml:"type"`
	Hypothesis string    `json:"hypothesis,omitempty" yaml:"hypothesis"`
	Variants   []Variant `json:"variants" yaml:"variants"`
	Goal       Goal      `json:"goalConfig" yaml:"goal_config"`
	// Coverage is the share of units that take part, in basis points; the others get the
	// control, and are not counted. Raising it moves nobody.
	Coverage int `json:"coverage,omitempty" yaml:"coverage"`

	MinimumSampleSize   int64   `json:"minimumSampleSize,omitempty" yaml:"minimum_sample_size"`    // units of each variant before a verdict
	ConfidenceThreshold float64 `json:"confidenceThreshold,omitempty" yaml:"confidence_threshold"` // 1 - alpha
	MinimumRunDays      float64 `json:"minimumRunDays,omitempty" yaml:"minimum_run_days"`
	PlannedSampleSize   int64   `json:"plannedSampleSize,omitempty" yaml:"planned_sample_size"` // units of each variant after which no winner is a result too; 0: none

	Bandit  *Bandit `json:"banditConfig,omitempty" yaml:"bandit_config"`
	Rollout string  `json:"rollout,omitempty" yaml:"rollout"` // manual or automatic

	Output           Output `json:"outputConfig" yaml:"output_config"`
	FallbackImageURL string `json:"fallbackImageUrl,omitempty" yaml:"fallback_image_url"`
	// Rows is set where the variables come from the rows of batches and bindings:
	// nothing is rendered before the start.
	Rows bool `json:"rows,omitempty" yaml:"rows"`
}

// The ways in which the winner takes all.
const (
	RolloutManual    = "manual"    // a person says so
	RolloutAutomatic = "automatic" // after a day as the winner
)

// A Variant is one of the images that are compared.
type Variant struct {
	ID        string                     `json:"id" yaml:"id"`
	Name      string                     `json:"name,omitempty" yaml:"name"`
	Template  string                     `json:"templateUid" yaml:"template_uid"`
	Size      string                     `json:"size,omitempty" yaml:"size"`
	Theme     string                     `json:"theme,omitempty" yaml:"theme"`
	Variables map[string]json.RawMessage `json:"variables,omitempty" yaml:"variables"`  // laid over those of a row
	Weight    int                        `json:"weight" yaml:"weight"`                  // basis points
	Control   bool                       `json:"isDefault,omitempty" yaml:"is_default"` // what all others are compared with; exactly one

	Conditions *Condition `json:"conditions,omitempty" yaml:"conditions"` // of a smart link
	Schedule   *Schedule  `json:"schedule,omitempty" yaml:"schedule"`     // of a scheduled one
}

// The goals of experiments.
const (
	GoalClick       = "click_through"    // a click on the image
	GoalConversion  = "conversion"       // an event that the caller's page or server sends
	GoalImpressions = "impressions_only" // nothing is compared
)

// A Goal is what a unit may do that counts.
type Goal struct {
	Type string `json:"type" yaml:"type"`
	// DestinationURL is where a click leads. It is the only place where it may lead.
	DestinationURL string `json:"destinationUrl,omitempty" yaml:"destination_url"`
}

// The algorithms of bandits.
const (
	ThompsonSampling = "thompson_sampling"
)

// A Bandit moves the weights of new units to what does better.
type Bandit struct {
	Enabled           bool    `json:"enabled" yaml:"enabled"`
	Algorithm         string  `json:"algorithm,omitempty" yaml:"algorithm"`
	Warmup            int64   `json:"warmupImpressions,omitempty" yaml:"warmup_impressions"` // units of each variant before weights move
	RecomputeInterval int64   `json:"recomputeIntervalMinutes,omitempty" yaml:"recompute_interval_minutes"`
	Floor             float64 `json:"floor,omitempty" yaml:"floor"` // the least share of a variant
}

// An Output is how the images are encoded.
type Output struct {
	Format  string `json:"format,omitempty" yaml:"format"`
	Quality int    `json:"quality,omitempty" yaml:"quality"`
}

// A Condition is a group of conditions or a rule, as the seed writes them.
type Condition struct {
	Type     string          `json:"type" yaml:"type"`                   // group or rule
	Operator string          `json:"operator" yaml:"operator"`           // of a group AND or OR; of a rule equals … lte
	Children []Condition     `json:"children,omitempty" yaml:"children"` // of a group
	Property string          `json:"property,omitempty" yaml:"property"` // of a rule: device, country, time, custom.NAME
	Value    json.RawMessage `json:"value,omitempty" yaml:"value"`       // of a rule
}

// A Schedule says when a variant is shown: between its ends, and where it recurs in
// the windows of its recurrence.
type Schedule struct {
	StartAt    *time.Time  `json:"startAt,omitempty" yaml:"start_at"`
	EndAt      *time.Time  `json:"endAt,omitempty" yaml:"end_at"`
	Recurrence *Recurrence `json:"recurrence,omitempty" yaml:"recurrence"`
}

// A Recurrence is the window of a schedule that comes again and again.
type Recurrence struct {
	Type     string `json:"type" yaml:"type"`                                // none, daily, weekly or cron
	Cron     string `json:"cronExpression,omitempty" yaml:"cron_expression"` // when a window begins
	Minutes  int64  `json:"durationMinutes,omitempty" yaml:"duration_minutes"`
	Timezone string `json:"timezone,omitempty" yaml:"timezone"`
}

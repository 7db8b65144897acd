package api

import (
	"net/http"
	"slices"

	"github.com/pictifyd/pictifyd/experiment"
)

const likeExperiment = `{"name": "Spring banner", "slug": "spring-banner", "type": "ab_test", "variants": [` +
	`{"id": "plain", "templateUid": "banner", "weight": 5000, "isDefault": true, "variables": {"title": "Spring is here"}}, ` +
	`{"id": "offer", "templateUid": "banner", "weight": 5000, "variables": {"title": "20 % off until Sunday"}}], ` +
	`"goalConfig": {"type": "click_through", "destinationUrl": "https://shop.example/spring"}}`

// An experimentOrder is what an experiment shall be like. What is not sent stays as
// it is, and of a new one as the default has it.
type experimentOrder struct {
	Name       *string              `json:"name,omitempty"`
	Slug       *string              `json:"slug,omitempty"` // in the addresses of its images, unique for ever
	Type       *string              `json:"type,omitempty"` // ab_test, smart_link or scheduled
	Hypothesis *string              `json:"hypothesis,omitempty"`
	Variants   []experiment.Variant `json:"variants,omitempty"` // all of them
	Goal       *goalOrder           `json:"goalConfig,omitempty"`
	Coverage   *int                 `json:"coverage,omitempty"` // the share of units that take part, in basis points

	MinimumSampleSize   *int64   `json:"minimumSampleSize,omitempty"`   // units of each variant before a verdict
	ConfidenceThreshold *float64 `json:"confidenceThreshold,omitempty"` // 0.95
	MinimumRunDays      *float64 `json:"minimumRunDays,omitempty"`
	PlannedSampleSize   *int64   `json:"plannedSampleSize,omitempty"` // units of each variant after which no winner is a result too

	Bandit           *experiment.Bandit `json:"banditConfig,omitempty"`
	Rollout          *string            `json:"rollout,omitempty"` // manual or automatic
	Output           *experiment.Output `json:"outputConfig,omitempty"`
	FallbackImageURL *string            `json:"fallbackImageUrl,omitempty"`
	Rows             *bool              `json:"rows,omitempty"` // the variables come from the rows of batches and bindings
}

// A goalOrder is what a unit shall do that counts.
type goalOrder struct {
	Type           *string `json:"type,omitempty"`           // click_through, conversion or impressions_only
	DestinationURL *string `json:"destinationUrl,omitempty"` // where a click leads
}

// readExperiment reads a body into d.
func readExperiment(w http.ResponseWriter, r *http.Request, d *experiment.Definition) error {
	var o experimentOrder
	if err := decodeBody(w, r, replayBody, &o, likeExperiment); err != nil {
		return err
	}
	setSent(&d.Name, o.Name)
	setSent(&d.Slug, o.Slug)
	setSent(&d.Type, o.Type)
	setSent(&d.Hypothesis, o.Hypothesis)
	setSent(&d.Coverage, o.Coverage)
	setSent(&d.MinimumSampleSize, o.MinimumSampleSize)
	setSent(&d.ConfidenceThreshold, o.ConfidenceThreshold)
	setSent(&d.MinimumRunDays, o.MinimumRunDays)
	setSent(&d.PlannedSampleSize, o.PlannedSampleSize)
	setSent(&d.Rollout, o.Rollout)
	setSent(&d.Output, o.Output)
	setSent(&d.FallbackImageURL, o.FallbackImageURL)
	setSent(&d.Rows, o.Rows)
	if o.Goal != nil {
		setSent(&d.Goal.Type, o.Goal.Type)
		setSent(&d.Goal.DestinationURL, o.Goal.DestinationURL)
	}
	if o.Bandit != nil {
		d.Bandit = o.Bandit
	}
	if o.Variants != nil {
		d.Variants = slices.Clone(o.Variants)
	}
	return nil
}

// setSent sets what was sent.
func setSent[T any](to *T, sent *T) {
	if sent != nil {
		*to = *sent
	}
}

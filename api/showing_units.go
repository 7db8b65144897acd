package api

import "time"

// UnitURLs are the signed addresses of a unit.
type UnitURLs struct {
	Image string `json:"imageUrl"` // its image
	Click string `json:"clickUrl"` // leads to the destination, and counts; "" where there is none
	Pixel string `json:"pixelUrl"` // an invisible image that says that it was opened
}

// A FailingVariant is a variant for which its fallback stands.
type FailingVariant struct {
	Experiment string // its id
	Slug, Name string // of the experiment
	Variant    string // its id
	Since      time.Time
	Last       time.Time
	Shown      int64  // how often the fallback stood for it, since then
	Why        string // as people read it
}

package experiment

// The verdicts on experiments.
const (
	VerdictRunning     = "running"         // there is not enough to say yet
	VerdictNoWinner    = "no_clear_winner" // as many units as were planned came, and no variant is better
	VerdictUnhealthy   = "unhealthy"       // units are not spread as they should be: the numbers are worth nothing
	VerdictLowTraffic  = "low_traffic"     // there will not be enough units in any time worth waiting
	VerdictWinnerReady = "winner_ready"
	VerdictLowTrust    = "low_trust" // nobody says who is who
	VerdictCompleted   = "completed"
)

// A Report is what is known of an experiment at one moment.
type Report struct {
	Verdict  string
	Reasons  []string // in sentences, the weightiest first
	Best     string   // the variant that does best so far; "" where nothing is compared
	DaysLeft float64  // about, at the pace so far; below zero where nobody can tell
	Needed   int64    // units of each variant before there can be a verdict
	Variants []VariantReport
	SRM      SRM
}

// A VariantReport is how one variant does, in the order of the definition.
type VariantReport struct {
	ID                 string
	Units, Conversions int64
	Rate               float64
	Interval           [2]float64 // of the rate, 95 % credible
	Lift               float64    // over the control, relative
	LiftInterval       [2]float64 // always valid: it may be looked at whenever one likes
	P                  float64    // always valid
	ChanceBest         float64
	Loss               float64 // expected, of choosing it, absolute
}

// An SRM says whether units are spread over the variants as they should be.
type SRM struct {
	P        float64
	OK       bool
	Expected []float64 // units by variant
}

// A StoredEvent is an event with its number: later ones have higher ones.
type StoredEvent struct {
	Number int64
	Event
}

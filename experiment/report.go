package experiment

import "github.com/pictifyd/pictifyd/experiment/stats"

// A Verdict is what can be said about an experiment.
type Verdict string

// The verdicts.
const (
	GoesOn        Verdict = "running"         // too early
	NoClearWinner Verdict = "no_clear_winner" // the planned sample is there, and decides nothing
	Unhealthy     Verdict = "unhealthy"       // units were lost in one variant, so that no comparison means anything
	LowTraffic    Verdict = "low_traffic"     // it would take months
	WinnerReady   Verdict = "winner_ready"
	LowTrust      Verdict = "low_trust" // what is counted can't be compared
	Ended         Verdict = "completed"
)

// A Report is how the variants of an experiment compare.
type Report struct {
	Status   Verdict
	Reasons  []string // sentences, the one that decides first
	Best     string   // the variant that is probably best; the winner once there is one
	DaysLeft float64  // until a verdict is likely, as things go; 0 where nobody can say
	Needed   int64    // units of each variant, to tell apart what the two best seem to be
	Variants []Standing
	SRM      SampleRatio
	Excluded Excluded
}

// A Standing is what is known of one variant. What the counts do not determine is nil,
// and the control has no lift.
type Standing struct {
	ID           string
	Counts       // of all days, channels and clients
	Units        int64
	Rate         float64
	Interval     [2]float64 // credible, at the confidence of the experiment
	Lift         *float64   // relative to the control
	LiftInterval *[2]float64
	P            *float64 // always valid, as the interval of the lift is
	ChanceBest   float64
	Loss         float64 // expected, of choosing it, absolute
}

// A SampleRatio is how well the units of the variants fit to the weights.
type SampleRatio struct {
	P        float64
	OK       bool
	Expected []float64 // units by variant; nil where nothing can be expected
}

// Excluded is what was kept out of the counts.
type Excluded struct{ Bots, Prefetch, Duplicates int64 }

// Sum are the counts of the variants, in their order, over days, channels and clients.
func Sum(e Experiment, counts []Counts) []Standing {
	all := make([]Standing, len(e.Variants))
	for i, v := range e.Variants {
		all[i].ID, all[i].Variant = v.ID, v.ID
	}
	for _, c := range counts {
		if _, i, ok := e.Variant(c.Variant); ok {
			all[i].add(c)
		}
	}
	for i := range all {
		all[i].Units = all[i].Exposures
		all[i].Rate = armOf(all[i]).Rate()
	}
	return all
}

func (s *Standing) add(c Counts) {
	s.Fetches += c.Fetches
	s.Exposures += c.Exposures
	s.Suspects += c.Suspects
	s.Failures += c.Failures
	s.Clicks += c.Clicks
	s.Conversions += c.Conversions
	s.Impressions += c.Impressions
	s.Views += c.Views
	s.Duplicates += c.Duplicates
	s.Unassigned += c.Unassigned
	s.Mismatches += c.Mismatches
}

func armOf(s Standing) stats.Arm {
	return stats.Arm{Units: int(s.Exposures), Conversions: int(s.Conversions)}
}

func armsOf(all []Standing) []stats.Arm {
	arms := make([]stats.Arm, len(all))
	for i, s := range all {
		arms[i] = armOf(s)
	}
	return arms
}

func excludedOf(counts []Counts) (x Excluded) {
	for _, c := range counts {
		switch c.Client {
		case Bot:
			x.Bots += c.Suspects
		case Prefetch:
			x.Prefetch += c.Suspects
		}
		x.Duplicates += c.Duplicates
	}
	return x
}

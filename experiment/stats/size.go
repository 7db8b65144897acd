package stats

import (
	"fmt"
	"math"
)

// SampleSize is how many units each arm needs so that a two-sided test at level alpha
// finds, with the chance power, that a rate went from base to target. It is the pooled
// formula, rounded up (Fleiss, Levin, Paik: Statistical Methods for Rates and
// Proportions, chapter 4), with p̄ = (p₁+p₂)/2:
//
//	n = ( z(1−α/2) √(2p̄(1−p̄)) + z(power) √(p₁(1−p₁) + p₂(1−p₂)) )² / (p₂−p₁)²
//
// A sequence of looks needs more: it is what an experiment is planned with, no verdict.
func SampleSize(base, target, alpha, power float64) (int, error) {
	for _, share := range []struct {
		name  string
		value float64
	}{{"base rate", base}, {"target rate", target}, {"alpha", alpha}, {"power", power}} {
		if !(share.value > 0 && share.value < 1) {
			return 0, fmt.Errorf("%s is %v, which is not between 0 and 1", share.name, share.value)
		}
	}
	if base == target {
		return 0, fmt.Errorf("base and target rate are both %v: no number of units tells them apart", base)
	}
	pooled := (base + target) / 2
	root := quantile(1-alpha/2)*math.Sqrt(2*pooled*(1-pooled)) +
		quantile(power)*math.Sqrt(base*(1-base)+target*(1-target))
	n := math.Ceil(root * root / ((target - base) * (target - base)))
	if n > math.MaxInt32 {
		return 0, fmt.Errorf("%v and %v are so near that %.0f units an arm would be needed", base, target, n)
	}
	return int(n), nil
}

// quantile of the standard normal distribution.
func quantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// An Outcome is how a Race stands.
type Outcome int

// The outcomes.
const (
	Undecided Outcome = iota // go on
	Ahead                    // the arm has won
	NoWinner                 // the planned number was reached: stop
)

// Race is Evan Miller's "Simple Sequential A/B Testing" (2015), for rates so low that
// only conversions are worth counting: with planned conversions chosen before, the arm
// wins as soon as it leads the control by 2√planned, and nobody does when both together
// have planned conversions. It wants units split in halves, and a planned of at least 1.
func Race(planned, control, arm int) Outcome {
	planned, control, arm = max(1, planned), max(0, control), max(0, arm)
	switch {
	case float64(arm-control) >= 2*math.Sqrt(float64(planned)):
		return Ahead
	case arm >= planned-control: // their sum might overflow
		return NoWinner
	}
	return Undecided
}

package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// What is believed of an arm's rate, when nothing was known of it before, is the
// distribution Beta(1 + conversions, 1 + units − conversions).

// An Interval is from Low to High.
type Interval struct{ Low, High float64 }

// Credible is where the rate of an arm is with the probability level, 0.95 for
// instance; the rest is half below and half above. A level that is not between 0 and 1
// is taken for 0.95.
func (a Arm) Credible(level float64) Interval {
	if !(level > 0 && level < 1) {
		level = 0.95
	}
	alpha, beta := a.posterior()
	tail := (1 - level) / 2
	return Interval{
		Low:  mathext.InvRegIncBeta(alpha, beta, tail),
		High: 1 - mathext.InvRegIncBeta(beta, alpha, tail), // exact also where nearly all convert
	}
}

// posterior are the parameters of the Beta distribution.
func (a Arm) posterior() (alpha, beta float64) {
	a = a.clamp()
	return float64(1 + a.Conversions), float64(1 + a.Units - a.Conversions)
}

// longestSum is how many terms are summed before quadrature is cheaper.
const longestSum = 2000

// Beats is the probability that the rate of arm is above that of control: 0.5 when both
// counted the same. It is right to seven digits with a million units, to more with fewer.
// Looked at all day it says of every other experiment without a difference, at one time
// or another, that it has a winner: a Sequence does not.
func Beats(control, arm Arm) float64 {
	alphaA, betaA := control.posterior()
	alphaB, betaB := arm.posterior()
	// P(B > A) is also 1 − P(A > B), and what B converts more A fails to convert more:
	// of four sums that give the same the shortest is taken.
	switch shortest := min(alphaA, betaA, alphaB, betaB); {
	case shortest > longestSum:
		return Compare([]Arm{control, arm})[1].Best
	case shortest == alphaB:
		return miller(alphaA, betaA, alphaB, betaB)
	case shortest == betaA:
		return miller(betaB, alphaB, betaA, alphaA)
	case shortest == alphaA:
		return 1 - miller(alphaB, betaB, alphaA, betaA)
	default:
		return 1 - miller(betaA, alphaA, betaB, alphaB)
	}
}

// miller is P(B > A) by Evan Miller, "Formulas for Bayesian A/B Testing" (2015):
//
//	Σ_{i=0}^{α_B−1} B(α_A+i, β_A+β_B) / ( (β_B+i) B(1+i, β_B) B(α_A, β_A) )
//
// The first term is B(α_A, β_A+β_B) / B(α_A, β_A), by logarithms, and each further one
// is its predecessor by (α_A+i)(β_B+i) / ( (α_A+β_A+β_B+i)(1+i) ).
func miller(alphaA, betaA, alphaB, betaB float64) float64 {
	const large, logLarge = 1e200, 200 * math.Ln10
	log := mathext.Lbeta(alphaA, betaA+betaB) - mathext.Lbeta(alphaA, betaA)
	term, sum := 1.0, 0.0 // by e^log
	for i := 0.0; i < alphaB; i++ {
		sum += term
		term *= (alphaA + i) * (betaB + i) / ((alphaA + betaA + betaB + i) * (1 + i))
		if sum > large {
			term, sum, log = term/large, sum/large, log+logLarge
		}
	}
	return min(1, math.Exp(log+math.Log(sum)))
}

// A Chance is what the counts of all arms say about one of them.
type Chance struct {
	Best float64 // probability that its rate is the highest
	Loss float64 // by how much its rate is expected to be below the highest, absolute
}

// Compare is the chance of each arm. With f and F the density and the distribution
// function of what is believed of each rate:
//
//	Best_i = ∫ f_i Π_{j≠i} F_j
//	Loss_i = E[max_j p_j] − E[p_i] = ∫ F_i (1 − Π_{j≠i} F_j)
//
// Best sums to 1 over the arms. Two arms have the loss of Chris Stucchio, "Bayesian A/B
// Testing at VWO" (2015).
func Compare(arms []Arm) []Chance {
	chances := make([]Chance, len(arms))
	grid := newGrid(arms)
	beliefs := make([]belief, len(arms))
	for i, arm := range arms {
		beliefs[i] = grid.believe(arm)
	}
	for at, weight := range grid.weights {
		for i := range chances {
			others := 1.0
			for j := range beliefs {
				if j != i {
					others *= beliefs[j].below[at]
				}
			}
			chances[i].Best += weight * beliefs[i].density[at] * others
			chances[i].Loss += weight * beliefs[i].below[at] * (1 - others)
		}
	}
	return chances
}

package stats

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// DefaultDraws is how often a Bandit draws unless it is told otherwise: weights are
// then right to a percent.
const DefaultDraws = 10_000

// A Bandit shifts traffic to the arms that convert, before anybody knows which is best:
// Thompson sampling over Beta posteriors, for weights that are precomputed and kept until
// the next turn. Rates that are counted meanwhile are biased, and no A/B result.
type Bandit struct {
	Seed   uint64  // of the draws; the same seed and counts give the same weights
	Draws  int     // DefaultDraws when below 1
	Warmup int     // units that each arm must have before the weights are other than equal
	Floor  float64 // share that no arm falls below, so that it can still show itself
}

// Weights are basis points, one for each arm, that sum to Whole.
func (b Bandit) Weights(arms []Arm) []int {
	for _, arm := range arms {
		if arm.clamp().Units < b.Warmup {
			return BasisPoints(make([]float64, len(arms)))
		}
	}
	return BasisPoints(Floor(Thompson(arms, b.Seed, b.Draws), b.Floor))
}

// Thompson is how often each arm had the highest of the rates that were drawn from what
// is believed of them, as a share of all draws. It approaches Best of Compare, and is
// repeated bit for bit with the same seed, since generator (PCG) and method are fixed.
func Thompson(arms []Arm, seed uint64, draws int) []float64 {
	if draws < 1 {
		draws = DefaultDraws
	}
	won := make([]float64, len(arms))
	random := rand.New(rand.NewPCG(seed, 0))
	for range draws {
		best, highest := 0, -1.0
		for i, arm := range arms {
			alpha, beta := arm.posterior()
			x := gamma(random, alpha)
			if rate := x / (x + gamma(random, beta)); rate > highest {
				best, highest = i, rate
			}
		}
		if len(arms) > 0 {
			won[best]++
		}
	}
	for i := range won {
		won[i] /= float64(draws)
	}
	return won
}

// gamma draws from the gamma distribution of a shape of at least 1 and scale 1: Marsaglia
// and Tsang, "A Simple Method for Generating Gamma Variables" (2000). It is ours so that
// a new version of a library does not change what was drawn.
func gamma(random *rand.Rand, shape float64) float64 {
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := random.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-random.Float64()) < x*x/2+d*(1-v+math.Log(v)) {
			return d * v
		}
	}
}

// Floor raises every share to at least floor, and keeps their order and their sum of 1:
//
//	p_i = f + (1 − n f) w_i
//
// Raising only what is too low, and dividing by the new sum, would favour the low ones
// beyond what was asked. A floor below 0 is 0; one that leaves nothing to share, n f ≥ 1,
// makes all equal. Shares are scaled to sum to 1 first, as BasisPoints says.
func Floor(shares []float64, floor float64) []float64 {
	shares = normalize(shares)
	n := float64(len(shares))
	if !(floor > 0) { // NaN is no floor either
		return shares
	}
	floor = min(floor, 1/n)
	for i := range shares {
		shares[i] = floor + max(0, 1-n*floor)*shares[i]
	}
	return shares
}

// BasisPoints are the shares as whole numbers that sum to Whole exactly: each rounded
// down, and what is missing to those that lost most by it (largest remainder; of equal
// ones the first). Shares need not sum to 1. One that is negative, NaN or infinite counts
// as 0, and when none is left all are equal.
func BasisPoints(shares []float64) []int {
	shares = normalize(shares)
	points := make([]int, len(shares))
	order := make([]int, len(shares))
	missing := Whole
	for i := range shares {
		shares[i] *= Whole
		points[i] = int(shares[i])
		missing -= points[i]
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(shares[b]-float64(points[b]), shares[a]-float64(points[a]))
	})
	for _, i := range order[:min(missing, len(order))] {
		points[i]++
	}
	return points
}

// normalize is a copy of shares that sums to 1.
func normalize(shares []float64) []float64 {
	scaled := make([]float64, len(shares))
	highest := 0.0
	for _, share := range shares {
		if share > highest && !math.IsInf(share, 1) {
			highest = share
		}
	}
	sum := 0.0
	for i, share := range shares {
		switch {
		case highest == 0:
			scaled[i] = 1
		case share > 0 && share <= highest:
			scaled[i] = share / highest
		}
		sum += scaled[i]
	}
	for i := range scaled {
		scaled[i] /= sum
	}
	return scaled
}

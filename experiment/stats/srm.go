package stats

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// SampleRatio is how well the units of the arms fit to the weights with which they were
// assigned. A small P says that units were lost, or counted twice, in one arm more than
// in another: then no comparison of the arms means anything.
type SampleRatio struct {
	ChiSquared float64
	P          float64 // of a fit this bad where assignment is in order; for one look
}

// NewSampleRatio is Pearson's chi-squared test with k − 1 degrees of freedom. weights
// may have any scale: basis points, or the units that were expected of each arm where
// weights changed in between. Arms of weight 0 that have no units are left out.
func NewSampleRatio(units []int, weights []float64) (SampleRatio, error) {
	shares, total, err := expected(units, weights)
	if err != nil {
		return SampleRatio{}, err
	}
	arms, sum := 0, 0.0
	for i, share := range shares {
		if share == 0 {
			continue
		}
		arms++
		if want := total * share; want > 0 {
			off := float64(units[i]) - want
			sum += off * off / want
		}
	}
	if arms < 2 {
		return SampleRatio{P: 1}, nil // one arm alone has whatever there is
	}
	sum = min(sum, math.MaxFloat64)
	return SampleRatio{ChiSquared: sum, P: mathext.GammaIncRegComp(float64(arms-1)/2, sum/2)}, nil
}

// concentration is c of LogBayesFactor: how near to the weights a wrong split is
// believed to be. 100 finds a split that is off by a few percent of the whole.
const concentration = 100

// LogBayesFactor is the logarithm of how much better the units are explained by shares
// that nobody knows than by the weights: a Dirichlet prior of parameters α = c·p around
// the weights p, against p itself.
//
//	ln BF = ln B(α + n) − ln B(α) − Σ nᵢ ln pᵢ,  c = 100
//
// It may be looked at as often as one likes: see SequentialP. The idea is that of
// Lindon and Malek, "Anytime-Valid Inference For Multinomial Count Data" (2022,
// arXiv:2011.03567), which Optimizely published as ssrm-test. weights are those of
// NewSampleRatio. Where they changed, the factors of each time that had the same weights,
// of the units that were assigned in it, are added up.
func LogBayesFactor(units []int, weights []float64) (float64, error) {
	shares, total, err := expected(units, weights)
	if err != nil {
		return 0, err
	}
	sum := lgamma(concentration) - lgamma(concentration+total)
	for i, share := range shares {
		if share == 0 {
			continue
		}
		n, alpha := float64(units[i]), concentration*share
		sum += lgamma(alpha+n) - lgamma(alpha) - n*math.Log(share)
	}
	return sum, nil
}

// SequentialP is the p-value that holds over all looks, of the largest LogBayesFactor
// that any of them had: p ≤ 1/max BF (Ville's inequality).
func SequentialP(largest float64) float64 {
	if math.IsNaN(largest) {
		return 1
	}
	return math.Exp(-max(0, largest))
}

// expected are the weights as shares of 1, and the sum of the units.
func expected(units []int, weights []float64) (shares []float64, total float64, err error) {
	if len(units) != len(weights) || len(units) == 0 {
		return nil, 0, fmt.Errorf("units of %d arms and weights of %d: each arm has both", len(units), len(weights))
	}
	sum := 0.0
	for i, weight := range weights {
		switch {
		case !(weight >= 0) || math.IsInf(weight, 1):
			return nil, 0, fmt.Errorf("weight %v of arm %d: it must be 0 or above", weight, i)
		case units[i] < 0:
			return nil, 0, fmt.Errorf("arm %d has %d units, which no arm can have", i, units[i])
		case weight == 0 && units[i] > 0:
			return nil, 0, fmt.Errorf("arm %d has %d units, though its weight is 0: what it got under other weights is not to be counted here", i, units[i])
		}
		sum += weight
		total += float64(units[i])
	}
	if sum == 0 || math.IsInf(sum, 1) {
		return nil, 0, fmt.Errorf("the weights sum to %v", sum)
	}
	shares = make([]float64, len(weights))
	for i, weight := range weights {
		shares[i] = weight / sum
	}
	return shares, total, nil
}

func lgamma(x float64) float64 {
	l, _ := math.Lgamma(x)
	return l
}

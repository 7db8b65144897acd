package stats

import "math"

// What a Sequence takes where it is told nothing that can be.
const (
	DefaultAlpha   = 0.05
	DefaultPlanned = 5000
)

// A Sequence is an always-valid confidence sequence: however often somebody looks, and
// whenever he stops because of what he saw, the chance that one of its intervals ever
// missed the truth is at most Alpha. A fixed interval promises that for one look only.
//
// It is the asymptotic sequence of Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas,
// "Time-uniform central limit theory and asymptotic confidence sequences" (2023,
// arXiv:2103.06476), in the form that GrowthBook uses. Being asymptotic, it keeps its
// promise when each arm has some forty conversions: ask for them before you trust it.
type Sequence struct {
	Alpha float64 // chance of ever being wrong, of this comparison
	Rho   float64 // which number of units it is narrowest for
}

// NewSequence is the sequence of an experiment with so many arms, one of them the
// control. alpha is the chance of being wrong about any of the others, of which each
// comparison gets its part (Bonferroni): alpha / (arms - 1). planned is the number of
// units, of both arms together, at which intervals are narrowest; to be right always
// it must stay what it was when the experiment began.
//
// An alpha that is not between 0 and 1 is taken for DefaultAlpha, and a planned below 1
// for DefaultPlanned.
func NewSequence(alpha float64, planned, arms int) Sequence {
	if !(alpha > 0 && alpha < 1) { // NaN is neither
		alpha = DefaultAlpha
	}
	alpha /= float64(max(1, arms-1))
	if planned < 1 {
		planned = DefaultPlanned
	}
	return Sequence{Alpha: alpha, Rho: rho(alpha, planned)}
}

// rho makes intervals narrowest at n units:
//
//	ρ = √((−2 ln α + ln(−2 ln α + 1)) / n)
func rho(alpha float64, n int) float64 {
	l := -2 * math.Log(alpha)
	return math.Sqrt((l + math.Log1p(l)) / float64(n))
}

// An Effect is how far an arm is from the control. The interval and P belong together:
// P < Alpha where, and only where, 0 is outside the interval.
type Effect struct {
	Estimate  float64
	Low, High float64
	P         float64 // always valid, as the interval is
}

// Excludes reports whether no effect at all, 0, is outside the interval.
func (e Effect) Excludes() bool { return e.Low > 0 || e.High < 0 }

// Lift is by how much the rate of an arm is above that of the control, relative to the
// latter: 0.3 is 30 % more. It is false where the counts determine no lift: the control
// has converted nobody, an arm has no units, or neither has any variance (each converted
// all or none).
//
// While conversions are few the interval errs towards a lift below 0: before each arm has
// forty, more than Alpha of arms that are no worse are called worse. Difference does not
// err so, and is the same whichever of two arms is the control.
func (s Sequence) Lift(control, arm Arm) (Effect, bool) {
	mean, deviation := relativeLift(control.clamp(), arm.clamp())
	return s.around(mean, deviation, control, arm)
}

// relativeLift is the estimated lift and its standard deviation by the delta method; of
// 0 where there is none:
//
//	μ = (m_b − m_a) / m_a,  σ² = v_b/(n_b m_a²) + v_a m_b²/(n_a m_a⁴),  v = m(1−m)
func relativeLift(control, arm Arm) (mean, deviation float64) {
	if control.Conversions == 0 || arm.Units == 0 {
		return 0, 0
	}
	ma, mb := control.Rate(), arm.Rate()
	na, nb := float64(control.Units), float64(arm.Units)
	variance := mb*(1-mb)/(nb*ma*ma) + ma*(1-ma)*mb*mb/(na*ma*ma*ma*ma)
	return (mb - ma) / ma, math.Sqrt(variance)
}

// Difference is by how much the rate of an arm is above that of the control: 0.01 is one
// more in a hundred. It is false where an arm has no units, or neither any variance.
//
//	μ = m_b − m_a,  σ² = v_b/n_b + v_a/n_a,  v = m(1−m)
func (s Sequence) Difference(control, arm Arm) (Effect, bool) {
	a, b := control.clamp(), arm.clamp()
	if a.Units == 0 || b.Units == 0 {
		return Effect{}, false
	}
	ma, mb := a.Rate(), b.Rate()
	variance := mb*(1-mb)/float64(b.Units) + ma*(1-ma)/float64(a.Units)
	return s.around(mb-ma, math.Sqrt(variance), control, arm)
}

// around is the interval around an estimate μ with standard deviation σ, of N units:
//
//	μ ± σ √N √( 2(Nρ²+1)/(N²ρ²) · ln(√(Nρ²+1)/α) )
//	p = min(1, 1/E),  E = exp( ρ²S / (2(Nρ²+1)) ) / √(Nρ²+1),  S = μ² N / σ²
//
// It is false where that is no number: nothing was estimated without a deviation, and a
// Sequence that NewSequence did not make may be none.
func (s Sequence) around(mean, deviation float64, control, arm Arm) (Effect, bool) {
	n := float64(control.clamp().Units) + float64(arm.clamp().Units)
	nr := n * s.Rho * s.Rho // Nρ²
	half := deviation * math.Sqrt(2*(nr+1)/nr*math.Log(math.Sqrt(nr+1)/s.Alpha))
	if !(half > 0 && half <= math.MaxFloat64 && s.Alpha < 1) {
		return Effect{}, false
	}
	score := mean / deviation
	logE := nr/(nr+1)*score*score/2 - math.Log1p(nr)/2
	return Effect{
		Estimate: mean, Low: mean - half, High: mean + half,
		P: math.Exp(-max(0, logE)),
	}, true
}

package stats

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"
)

// Methods that pictifyd judges nothing by. They stand on relativeLift, as a Sequence
// does, and others published their numbers: so these judge it.

// fixed is the interval and the pooled z test for whoever looks once.
func fixed(control, arm Arm, alpha float64) Effect {
	mean, deviation := relativeLift(control, arm)
	half := quantile(1-alpha/2) * deviation
	na, nb := float64(control.Units), float64(arm.Units)
	pooled := float64(control.Conversions+arm.Conversions) / (na + nb)
	z := (arm.Rate() - control.Rate()) / math.Sqrt(pooled*(1-pooled)*(1/na+1/nb))
	return Effect{Estimate: mean, Low: mean - half, High: mean + half, P: math.Erfc(math.Abs(z) / math.Sqrt2)}
}

// gaussianRisk is what is lost on average by keeping the control, and by taking the arm,
// when the lift is normal.
func gaussianRisk(mean, deviation float64) (control, arm float64) {
	lift := distuv.Normal{Mu: mean, Sigma: deviation}
	gain := mean*(1-lift.CDF(0)) + deviation*deviation*lift.Prob(0)
	return gain, gain - mean
}

func TestGaussianPosteriorIsThePublishedOne(t *testing.T) {
	mean, deviation := relativeLift(Arm{100, 49}, Arm{100, 51})
	near(t, "row 1: lift", mean, 0.04082, 5e-6)
	near(t, "row 1: sd", deviation, 0.14725, 5e-6)
	lift := distuv.Normal{Mu: mean, Sigma: deviation}
	near(t, "row 1: low", lift.Quantile(0.025), -0.24779, 5e-6)
	near(t, "row 1: high", lift.Quantile(0.975), 0.32943, 5e-6)
	near(t, "row 1: chance to win", 1-lift.CDF(0), 0.60918, 5e-6)
	keep, take := gaussianRisk(mean, deviation)
	near(t, "row 1: risk of the control", keep, 0.0814, 5e-6)
	near(t, "row 1: risk of the arm", take, 0.04058, 5e-6)

	keep, take = gaussianRisk(0.1, 0.05)
	near(t, "row 17: risk of the control", keep, 0.1004245351, 5e-11)
	near(t, "row 17: risk of the arm", take, 0.0004245351, 5e-11)
}

func TestWelchIntervalIsThePublishedOne(t *testing.T) {
	control, arm := Arm{28, 14}, Arm{30, 16}
	mean, deviation := relativeLift(control, arm)
	part := func(a Arm) (variance, ofDegrees float64) {
		n := float64(a.Units)
		v := a.Rate() * (1 - a.Rate()) / n
		return v, v * v / (n - 1)
	}
	va, da := part(control)
	vb, db := part(arm)
	student := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: (va + vb) * (va + vb) / (da + db)}
	half := student.Quantile(0.975) * deviation
	near(t, "row 3: lift", mean, 0.06667, 5e-6)
	near(t, "row 3: low", mean-half, -0.47767, 5e-6)
	near(t, "row 3: high", mean+half, 0.61101, 5e-6)
	near(t, "row 3: p", 2*(1-student.CDF(mean/deviation)), 0.80707, 5e-6)
}

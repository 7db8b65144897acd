package stats

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mathext"
	"pgregory.net/rapid"
)

func TestBeatsIsTheReferenceProbability(t *testing.T) {
	for name, c := range map[string]struct {
		control, arm    Arm
		want, tolerance float64
	}{
		"row 2":                       {Arm{100, 49}, Arm{100, 51}, 0.610770522688, 1e-12},
		"row 2, GrowthBook's nearly":  {Arm{100, 49}, Arm{100, 51}, 0.61052, 3e-4}, // by a log-normal approximation
		"row 6":                       {Arm{10_000, 200}, Arm{10_000, 260}, 0.9976775, 5e-8},
		"row 7":                       {Arm{1000, 100}, Arm{1000, 125}, 0.961361187, 5e-10},
		"row 8, first":                {Arm{10, 0}, Arm{10, 1}, 16.0 / 21, 1e-15},
		"row 8, second":               {Arm{1, 1}, Arm{1, 0}, 1.0 / 6, 1e-15},
		"row 8, third":                {Arm{10, 0}, Arm{10, 0}, 0.5, 1e-15},
		"nobody":                      {Arm{0, 0}, Arm{0, 0}, 0.5, 1e-15},
		"nobody, and all of many":     {Arm{0, 0}, Arm{100, 100}, 101.0 / 102, 1e-13},
		"a million, one converted":    {Arm{1_000_000, 0}, Arm{1_000_000, 1}, 0.750000124999938, 2e-8},
		"a million, some hundred":     {Arm{1_000_000, 300}, Arm{1_000_000, 345}, 0.961742537478683, 2e-8},
		"a million, a hundredth":      {Arm{1_000_000, 10_000}, Arm{1_000_000, 10_150}, 0.855891941577393, 1e-11},
		"a million, a tenth":          {Arm{1_000_000, 100_000}, Arm{1_000_000, 100_800}, 0.970100574649905, 1e-11},
		"a million, as good as sure":  {Arm{1_000_000, 10_000}, Arm{1_000_000, 10_900}, 0.999999999806273, 1e-13},
		"nearly all of some thousand": {Arm{5000, 4990}, Arm{5000, 4980}, 0.0351610028669598, 1e-12},
	} {
		near(t, name, Beats(c.control, c.arm), c.want, c.tolerance)
		near(t, name+", the other way round", Beats(c.arm, c.control), 1-c.want, c.tolerance)
		near(t, name+", by quadrature", Compare([]Arm{c.control, c.arm})[1].Best, c.want, min(c.tolerance*1e3, 1e-11)+c.tolerance)
	}
}

func TestLossIsTheReferenceLoss(t *testing.T) {
	for name, c := range map[string]struct {
		a, b         Arm
		wantA, wantB float64
		tolerance    float64
	}{
		"row 2":             {Arm{100, 49}, Arm{100, 51}, 0.038724304, 0.019116461, 5e-10},
		"row 2, GrowthBook": {Arm{100, 49}, Arm{100, 51}, 0.03872, 0.01912, 5e-6},
		"row 7":             {Arm{1000, 100}, Arm{1000, 125}, 0.02516992, 0.00021982, 5e-9},
		// From here on by Stucchio's formula with 40 digits.
		"row 6's arms":           {Arm{10_000, 200}, Arm{10_000, 260}, 0.00600026000368, 1.45976372983e-6, 1e-13},
		"nobody":                 {Arm{}, Arm{}, 1.0 / 6, 1.0 / 6, 1e-14},
		"ten":                    {Arm{10, 0}, Arm{10, 1}, 0.101449275362, 0.018115942029, 1e-12},
		"a million, none or one": {Arm{1_000_000, 0}, Arm{1_000_000, 1}, 1.24999712501e-6, 2.49999125002e-7, 1e-16},
		"nearly all":             {Arm{5000, 4990}, Arm{5000, 4980}, 1.58425751719e-5, 0.00201504289504, 1e-14},
		"a million":              {Arm{1_000_000, 10_000}, Arm{1_000_000, 10_150}, 0.00016044133615, 1.04416361492e-5, 1e-15},
		"a million, sure":        {Arm{1_000_000, 10_000}, Arm{1_000_000, 10_900}, 0.000899998200008, 4.24936808632e-15, 1e-15},
	} {
		got := Compare([]Arm{c.a, c.b})
		near(t, name+": loss of A", got[0].Loss, c.wantA, c.tolerance)
		near(t, name+": loss of B", got[1].Loss, c.wantB, c.tolerance)
	}
}

func TestCompareOfThreeArmsIsTheReference(t *testing.T) {
	got := Compare([]Arm{{200, 20}, {200, 25}, {200, 35}})
	for i, want := range []float64{0.0110423, 0.0798897, 0.9090679} {
		near(t, "row 9", got[i].Best, want, 5e-8)
	}
}

func TestCompareOfOneArmOrNone(t *testing.T) {
	if got := Compare(nil); len(got) != 0 {
		t.Errorf("no arms have %v", got)
	}
	got := Compare([]Arm{{50, 3}})
	near(t, "one arm is best", got[0].Best, 1, 1e-12)
	near(t, "one arm loses", got[0].Loss, 0, 0)
}

func TestOneArmIsBest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := arms(1, 7).Draw(t, "arms")
		sum := 0.0
		for i, chance := range Compare(all) {
			sum += chance.Best
			if chance.Best < 0 || chance.Loss < 0 || chance.Loss > 1 {
				t.Errorf("arm %d: %+v", i, chance)
			}
		}
		if math.Abs(sum-1) > 1e-10 {
			t.Errorf("the chances sum to %.15g", sum)
		}
	})
}

func TestEqualArmsHaveEqualChances(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		one := arms(1, 1).Draw(t, "arm")[0]
		n := rapid.IntRange(2, 6).Draw(t, "arms")
		all := make([]Arm, n)
		for i := range all {
			all[i] = one
		}
		for _, chance := range Compare(all) {
			if math.Abs(chance.Best-1/float64(n)) > 1e-11 {
				t.Errorf("one of %d equal arms is best with %.15g", n, chance.Best)
			}
		}
	})
}

// Quadrature, the closed form and Stucchio's loss are three ways to the same numbers.
func TestQuadratureAgreesWithTheClosedForm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := arms(2, 2).Draw(t, "arms")
		alphaA, betaA := all[0].posterior()
		alphaB, betaB := all[1].posterior()
		if min(alphaA, betaA, alphaB, betaB) > longestSum {
			t.Skip("Beats is by quadrature itself")
		}
		chances := Compare(all)
		// Logarithms of the gamma function of a million have 8 digits behind the point.
		if closed := Beats(all[0], all[1]); math.Abs(closed-chances[1].Best) > 3e-8 {
			t.Errorf("P(B>A) is %.12g, by quadrature %.12g", closed, chances[1].Best)
		}
		if difference := chances[0].Loss - chances[1].Loss; math.Abs(difference-alphaB/(alphaB+betaB)+alphaA/(alphaA+betaA)) > 1e-12 {
			t.Errorf("the losses %+v differ by %.12g, the means do not", chances, difference)
		}
	})
}

func TestAllFourSumsAreTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) float64 { return float64(rapid.IntRange(1, 300).Draw(t, name)) }
		a, b, c, d := draw("αA"), draw("βA"), draw("αB"), draw("βB")
		want := miller(a, b, c, d)
		for i, got := range []float64{1 - miller(c, d, a, b), miller(d, c, b, a), 1 - miller(b, a, d, c)} {
			if math.Abs(got-want) > 1e-11 {
				t.Errorf("sum %d is %.15g, the first %.15g", i+2, got, want)
			}
		}
	})
}

func TestCredibleIntervalIsOfTheBetaDistribution(t *testing.T) {
	for _, c := range []struct { // by the sum of binomial terms with 30 digits
		arm       Arm
		low, high float64
	}{
		{Arm{0, 0}, 0.025, 0.975},
		{Arm{100, 0}, 0.000250639950739, 0.03586462039},
		{Arm{10, 1}, 0.0228311983, 0.412779916988},
		{Arm{10_000, 200}, 0.0174380474107, 0.0229356346531},
		{Arm{10_000, 260}, 0.0230614953444, 0.0293075304953},
		{Arm{1_000_000, 0}, 2.5317782346e-8, 3.68886896134e-6},
		{Arm{1_000_000, 1}, 2.42209128107e-7, 5.57162508356e-6},
		{Arm{1_000_000, 3000}, 0.00289473052812, 0.00310914035581},
	} {
		got := c.arm.Credible(0.95)
		near(t, "low", got.Low, c.low, 1e-8*c.low)
		near(t, "high", got.High, c.high, 1e-8*c.high)
		mirrored := Arm{c.arm.Units, c.arm.Units - c.arm.Conversions}.Credible(0.95)
		near(t, "low of those who do not", mirrored.Low, 1-c.high, 1e-8)
		near(t, "high of those who do not", mirrored.High, 1-c.low, 1e-8)
	}
	if (Arm{10, 1}).Credible(0) != (Arm{10, 1}).Credible(0.95) {
		t.Error("a level of 0 is not 0.95")
	}
}

func TestCredibleIntervalHoldsItsLevel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		arm := arms(1, 1).Draw(t, "arm")[0]
		level := rapid.Float64Range(0.5, 0.999).Draw(t, "level")
		alpha, beta := arm.posterior()
		got := arm.Credible(level)
		if held := mathext.RegIncBeta(alpha, beta, got.High) - mathext.RegIncBeta(alpha, beta, got.Low); math.Abs(held-level) > 1e-6 {
			t.Errorf("%+v holds %v of %v", got, held, level)
		}
	})
}

func BenchmarkCompare(b *testing.B) {
	for name, all := range map[string][]Arm{
		"two":  {{1_000_000, 20_000}, {1_000_000, 20_300}},
		"five": {{1_000_000, 20_000}, {1_000_000, 20_300}, {1_000_000, 20_100}, {1_000_000, 19_900}, {1_000_000, 0}},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Compare(all)
			}
		})
	}
}

func BenchmarkBeats(b *testing.B) {
	for b.Loop() {
		Beats(Arm{1_000_000, 1900}, Arm{1_000_000, 2000})
	}
}

func BenchmarkSequence(b *testing.B) {
	s := NewSequence(0.05, 5000, 2)
	for b.Loop() {
		s.Lift(Arm{1_000_000, 20_000}, Arm{1_000_000, 20_300})
	}
}

package stats

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Rows are those of the table of reference numbers that pictifyd's research gathered: of
// published tests (GrowthBook, Wikipedia), or worked out by exact arithmetic.

func near(tb testing.TB, what string, got, want, tolerance float64) {
	tb.Helper()
	if !(math.Abs(got-want) <= tolerance) { // NaN is near nothing
		tb.Errorf("%s is %.12g, want %.12g ± %g", what, got, want, tolerance)
	}
}

// arms draws counts that can be, with those that are none, all or equal.
func arms(least, most int) *rapid.Generator[[]Arm] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Arm {
		units := rapid.SampledFrom([]int{0, 1, 2, 40, 1000, 10_000, 1_000_000}).Draw(t, "units")
		conversions := rapid.OneOf(rapid.SampledFrom([]int{0, units / 50, units / 2, units}), rapid.IntRange(0, units)).Draw(t, "conversions")
		return Arm{units, conversions}
	}), least, most)
}

// anyArm draws also counts that cannot be.
var anyArm = rapid.Custom(func(t *rapid.T) Arm {
	count := rapid.OneOf(rapid.IntRange(-3, 2_000_000), rapid.SampledFrom([]int{math.MinInt, 0, 1, 1_000_000, most - 1, math.MaxInt}))
	return Arm{count.Draw(t, "units"), count.Draw(t, "conversions")}
})

// anyFloat draws also numbers that are none.
var anyFloat = rapid.OneOf(rapid.Float64(), rapid.Float64Range(-1, 2),
	rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, 1, -1, math.MaxFloat64, math.SmallestNonzeroFloat64}))

func TestNothingThatIsNotFiniteComesOutWhateverGoesIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		finite := func(what string, numbers ...float64) {
			for _, x := range numbers {
				if math.IsNaN(x) || math.IsInf(x, 0) {
					t.Errorf("%s gives %v", what, numbers)
				}
			}
		}
		all := rapid.SliceOfN(anyArm, 2, 4).Draw(t, "arms")
		floats := rapid.SliceOfN(anyFloat, 0, 5).Draw(t, "floats")
		x, y := anyFloat.Draw(t, "x"), anyFloat.Draw(t, "y")
		n := rapid.IntRange(-5, 20_000).Draw(t, "n")

		finite("Rate", all[0].Rate())
		interval := all[0].Credible(x)
		finite("Credible", interval.Low, interval.High)
		finite("Beats", Beats(all[0], all[1]))
		for _, chance := range Compare(all) {
			finite("Compare", chance.Best, chance.Loss)
		}
		for _, s := range []Sequence{NewSequence(x, n, n), {Alpha: x, Rho: y}, {}} {
			lift, _ := s.Lift(all[0], all[1])
			finite("Lift", lift.Estimate, lift.Low, lift.High, lift.P)
			difference, _ := s.Difference(all[0], all[1])
			finite("Difference", difference.Estimate, difference.Low, difference.High, difference.P)
		}
		finite("Thompson", Thompson(all, uint64(n), 10)...)
		finite("Floor", Floor(floats, x)...)
		units := make([]int, len(floats))
		for i := range units {
			units[i] = all[i%len(all)].Units
		}
		if ratio, err := NewSampleRatio(units, floats); err == nil {
			finite("NewSampleRatio", ratio.ChiSquared, ratio.P)
		}
		if factor, err := LogBayesFactor(units, floats); err == nil {
			finite("LogBayesFactor", factor, SequentialP(factor))
		}
		finite("SequentialP", SequentialP(x))
		if size, err := SampleSize(x, y, 0.05, 0.8); err == nil && size < 1 {
			t.Errorf("SampleSize(%v, %v) is %d", x, y, size)
		}
	})
}

func TestCountsThatCannotBeAreClamped(t *testing.T) {
	for given, want := range map[Arm]Arm{
		{10, 11}: {10, 10}, {-1, 5}: {0, 0}, {5, -1}: {5, 0}, {7, 3}: {7, 3}, {math.MaxInt, math.MaxInt}: {most, most},
	} {
		if got := given.clamp(); got != want {
			t.Errorf("%+v is taken for %+v, want %+v", given, got, want)
		}
	}
}

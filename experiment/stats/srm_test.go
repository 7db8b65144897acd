package stats

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestSampleRatioIsTheReference(t *testing.T) {
	for name, c := range map[string]struct {
		units        []int
		weights      []float64
		p, tolerance float64
	}{
		"row 10":         {[]int{600, 400}, []float64{1, 1}, 2.5396e-10, 5e-15},
		"row 11":         {[]int{821_588, 815_482}, []float64{1, 1}, 1.8218e-6, 5e-11},
		"row 12, first":  {[]int{5100, 4900}, []float64{5000, 5000}, 0.0455003, 5e-8},
		"row 12, second": {[]int{5200, 4800}, []float64{0.5, 0.5}, 6.334e-5, 5e-9},
		"row 12, third":  {[]int{1000, 1000, 1100}, []float64{1, 1, 1}, 0.0397237, 5e-8},
		"row 12, fourth": {[]int{500, 300, 200}, []float64{5000, 3000, 2000}, 1, 0},
		"nobody":         {[]int{0, 0}, []float64{1, 1}, 1, 0},
		"one arm":        {[]int{50}, []float64{1}, 1, 0},
		"without one":    {[]int{5100, 0, 4900}, []float64{1, 0, 1}, 0.0455003, 5e-8},
	} {
		got, err := NewSampleRatio(c.units, c.weights)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		near(t, name, got.P, c.p, c.tolerance)
	}
	got, _ := NewSampleRatio([]int{600, 400}, []float64{1, 1})
	near(t, "row 10: χ²", got.ChiSquared, 40, 1e-12)
}

func TestLogBayesFactorIsTheReference(t *testing.T) {
	for _, c := range []struct {
		units []int
		want  float64
	}{{[]int{600, 400}, 17.09894}, {[]int{5200, 4800}, 5.61361}, {[]int{510, 490}, -1.01923}} {
		got, err := LogBayesFactor(c.units, []float64{5000, 5000})
		if err != nil {
			t.Error(err)
		}
		near(t, "row 13", got, c.want, 5e-6)
	}
	near(t, "p of no evidence", SequentialP(-1), 1, 0)
	near(t, "p of 20 to 1", SequentialP(math.Log(20)), 0.05, 1e-15)
}

// Who looks after every ten units of an assignment that is in order is warned of at most
// one experiment in a hundred, and of nearly each that loses a fifth of an arm; also when
// weights change at half time, and the factors of both halves are added.
func TestSequentialSampleRatioMayBeLookedAtAllDay(t *testing.T) {
	const runs, units = 300, 5000
	warned := func(lost float64) (of int) {
		for run := range runs {
			random, largest := newRandom(uint64(run)), 0.0
			before, weights, counts := 0.0, []float64{1, 1}, []int{0, 0}
			for unit := 1; unit <= units; unit++ {
				arm := 0
				if random.Float64() < weights[1]/(weights[0]+weights[1]) {
					arm = 1
				}
				if arm == 0 || random.Float64() >= lost {
					counts[arm]++
				}
				if unit%10 != 0 {
					continue
				}
				factor, err := LogBayesFactor(counts, weights)
				if err != nil {
					t.Fatal(err)
				}
				largest = max(largest, before+factor)
				if unit == units/2 {
					before, weights, counts = before+factor, []float64{4, 6}, []int{0, 0}
				}
			}
			if SequentialP(largest) < 0.01 {
				of++
			}
		}
		return of
	}
	if of := warned(0); of > runs/100 {
		t.Errorf("%d of %d experiments in order are warned of", of, runs)
	}
	if of := warned(0.2); of < runs*98/100 {
		t.Errorf("only %d of %d are warned of that lose a fifth of an arm", of, runs)
	}
}

func TestSampleRatioRefusesWhatCannotBe(t *testing.T) {
	for name, c := range map[string]struct {
		units   []int
		weights []float64
	}{
		"nothing":          {nil, nil},
		"too few weights":  {[]int{1, 2}, []float64{1}},
		"negative units":   {[]int{1, -2}, []float64{1, 1}},
		"negative weight":  {[]int{1, 2}, []float64{1, -1}},
		"no number":        {[]int{1, 2}, []float64{1, math.NaN()}},
		"infinite":         {[]int{1, 2}, []float64{1, math.Inf(1)}},
		"infinite sum":     {[]int{1, 2}, []float64{math.MaxFloat64, math.MaxFloat64}},
		"no weight at all": {[]int{0, 0}, []float64{0, 0}},
		"unweighted units": {[]int{1, 2}, []float64{1, 0}},
	} {
		if got, err := NewSampleRatio(c.units, c.weights); err == nil {
			t.Errorf("%s: chi-squared gives %+v", name, got)
		}
		if got, err := LogBayesFactor(c.units, c.weights); err == nil {
			t.Errorf("%s: the Bayes factor is %v", name, got)
		}
	}
}

func TestSampleRatioDependsOnNoScaleOfWeights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		units := rapid.SliceOfN(rapid.IntRange(0, 10_000), 2, 6).Draw(t, "units")
		weights := rapid.SliceOfN(rapid.Float64Range(1, 100), len(units), len(units)).Draw(t, "weights")
		scaled := slices.Clone(weights)
		for i := range scaled {
			scaled[i] *= 1024
		}
		a, errA := NewSampleRatio(units, weights)
		b, errB := NewSampleRatio(units, scaled)
		if errA != nil || errB != nil || a != b {
			t.Errorf("%+v and %+v (%v, %v)", a, b, errA, errB)
		}
	})
}

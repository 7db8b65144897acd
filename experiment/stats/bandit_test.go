package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func TestFloorIsGrowthBooks(t *testing.T) {
	for i, want := range []float64{0.8745, 0.067, 0.0585} {
		near(t, "row 15", Floor([]float64{0.97, 0.02, 0.01}, 0.05)[i], want, 1e-15)
	}
}

func TestFloorAtItsEnds(t *testing.T) {
	for name, c := range map[string]struct{ floor, want float64 }{
		"none": {0, 0.75}, "below none": {-0.3, 0.75}, "no number": {math.NaN(), 0.75},
		"all": {0.5, 0.5}, "beyond all": {0.9, 0.5}, "infinite": {math.Inf(1), 0.5},
	} {
		got := Floor([]float64{0.75, 0.25}, c.floor)
		near(t, name, got[0], c.want, 0)
		near(t, name, got[1], 1-c.want, 0)
	}
}

func TestFloorKeepsOrderAndSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shares := rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 8).Draw(t, "shares")
		floor := rapid.Float64Range(0, 0.2).Draw(t, "floor")
		got, sum := Floor(shares, floor), 0.0
		for i := range got {
			sum += got[i]
			if got[i] < min(floor, 1/float64(len(got)))-1e-12 {
				t.Errorf("%v is below %v", got, floor)
			}
			for j := range got {
				if shares[i] > shares[j] && got[i] < got[j] {
					t.Errorf("%v and %v are in another order", shares, got)
				}
			}
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Errorf("%v sum to %v", got, sum)
		}
	})
}

func TestBasisPointsGoToTheLargestRemainders(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for name, c := range map[string]struct {
		shares []float64
		want   []int
	}{
		"exact":          {[]float64{0.29, 0.71}, []int{2900, 7100}},
		"thirds":         {[]float64{1, 1, 1}, []int{3334, 3333, 3333}},
		"of any sum":     {[]float64{3, 1}, []int{7500, 2500}},
		"largest":        {[]float64{0.00014, 0.00016, 0.9997}, []int{1, 2, 9997}},
		"nothing":        {[]float64{0, 0}, []int{5000, 5000}},
		"no numbers":     {[]float64{nan, inf, -inf, -3}, []int{2500, 2500, 2500, 2500}},
		"one number":     {[]float64{nan, 0.2, inf}, []int{0, 10_000, 0}},
		"beyond any sum": {[]float64{math.MaxFloat64, math.MaxFloat64}, []int{5000, 5000}},
		"hardly any":     {[]float64{math.SmallestNonzeroFloat64, 0}, []int{10_000, 0}},
		"none":           {nil, []int{}},
	} {
		if got := BasisPoints(c.shares); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v is %v, want %v", name, c.shares, got, c.want)
		}
	}
}

func TestBasisPointsSumToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shares := rapid.SliceOfN(anyFloat, 1, 12).Draw(t, "shares")
		sum := 0
		for _, points := range BasisPoints(shares) {
			if points < 0 {
				t.Errorf("%v has %d", shares, points)
			}
			sum += points
		}
		if sum != Whole {
			t.Errorf("%v sums to %d", shares, sum)
		}
	})
}

func TestThompsonApproachesTheChanceToBeBest(t *testing.T) {
	all := []Arm{{200, 20}, {200, 25}, {200, 35}}
	for seed := range uint64(5) {
		for i, got := range Thompson(all, seed, 10_000) {
			near(t, "row 9, drawn", got, []float64{0.0110423, 0.0798897, 0.9090679}[i], 0.01)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		all := arms(2, 4).Draw(t, "arms")
		drawn := Thompson(all, rapid.Uint64().Draw(t, "seed"), 4000)
		for i, chance := range Compare(all) {
			if math.Abs(drawn[i]-chance.Best) > 0.05 { // six deviations
				t.Errorf("arm %d of %v was best in %v, want %v", i, all, drawn[i], chance.Best)
			}
		}
	})
}

// The weights of an experiment that ran under an older pictifyd must come out again: if
// this fails, a change of Go or of ours makes other draws of the same seed.
func TestDrawsAreReplayed(t *testing.T) {
	all := []Arm{{200, 20}, {200, 25}, {200, 35}}
	bandit := Bandit{Seed: 42, Floor: 0.01, Warmup: 100}
	want := []int{213, 924, 8863}
	for range 2 {
		if got := bandit.Weights(all); !slices.Equal(got, want) {
			t.Errorf("the weights are %v, want %v", got, want)
		}
	}
	bandit.Seed = 43
	if got := bandit.Weights(all); slices.Equal(got, want) {
		t.Errorf("another seed draws the same %v", got)
	}
}

func TestBanditKeepsArmsEqualWhileTheyAreWarm(t *testing.T) {
	bandit := Bandit{Seed: 1, Draws: 1000, Warmup: 100, Floor: 0.01}
	if got, want := bandit.Weights([]Arm{{100_000, 1}, {99, 50}}), []int{5000, 5000}; !slices.Equal(got, want) {
		t.Errorf("with 99 units: %v", got)
	}
	if got, want := bandit.Weights([]Arm{{100_000, 1}, {100, 50}}), []int{100, 9900}; !slices.Equal(got, want) {
		t.Errorf("with 100 units: %v, want %v: the floor, and all else", got, want)
	}
	if got := bandit.Weights(nil); len(got) != 0 {
		t.Errorf("no arms have %v", got)
	}
}

// What a bandit is for: over its turns most of the traffic goes to the better arm.
func TestBanditFindsTheBetterArm(t *testing.T) {
	random := newRandom(7)
	rates, all, weights := []float64{0.05, 0.05, 0.10}, make([]Arm, 3), []int{3334, 3333, 3333}
	for turn := range 40 {
		ranges := Ranges(weights, Whole)
		for range 250 {
			arm := Choose(ranges, random.IntN(Whole))
			all[arm].Units++
			if random.Float64() < rates[arm] {
				all[arm].Conversions++
			}
		}
		weights = Bandit{Seed: uint64(turn), Draws: 2000, Warmup: 100, Floor: 0.01}.Weights(all)
	}
	if weights[2] < 9000 || all[2].Units < 7000 {
		t.Errorf("the better arm has %d basis points and %d of 10,000 units", weights[2], all[2].Units)
	}
}

func BenchmarkThompson(b *testing.B) {
	for b.Loop() {
		Thompson([]Arm{{1_000_000, 20_000}, {1_000_000, 20_300}, {1_000_000, 20_100}}, 1, DefaultDraws)
	}
}

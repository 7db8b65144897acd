package stats

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Of GrowthBook's packages/sdk-js/test/cases.json, spec 0.8.0.
func TestBucketIsThePublishedOne(t *testing.T) {
	for _, published := range []struct {
		seed, unit string
		bucket     int
	}{
		{"seed", "a", 505}, {"seed", "b", 2696}, {"foo", "ab", 2575}, {"foo", "def", 2019},
		{"89123klj", "8952klfjas09ujkasdf", 1240}, {"90850943850283058242805", "123", 7516},
		{"()**(%$##$%#$#", `___)((*":&`, 128},
	} {
		if got := Bucket(published.seed, published.unit); got != published.bucket {
			t.Errorf("%q in %q has bucket %d, want %d", published.unit, published.seed, got, published.bucket)
		}
	}
	// Version 1 is the same hash, once, of unit and seed, by thousandths.
	if got := fnv32a("a"+"") % 1000; got != 220 {
		t.Errorf("version 1 of a is %d, want 220", got)
	}
}

func TestUnitThatIsNotASCIIStandsForItsHash(t *testing.T) {
	const hash = "2752b88686847fa5c86f47b94ce652b7b3f22a91c37617d451a4db9afa431450" // printf zoë | sha256sum
	if got, want := Bucket("seed", "zoë"), Bucket("seed", hash); got != want {
		t.Errorf("zoë has bucket %d, its hash %d", got, want)
	}
	if got, want := Bucket("zoë", "a"), Bucket(hash, "a"); got != want {
		t.Errorf("in zoë a has bucket %d, in its hash %d", got, want)
	}
}

// Two seeds are two throws of the dice, and all buckets are met alike.
func TestSeedsPlaceUnitsIndependently(t *testing.T) {
	const units = 40_000
	both := make([]int, 16)
	for i := range units {
		unit := fmt.Sprint("customer-", i)
		both[Bucket("one", unit)*4/Whole*4+Bucket("two", unit)*4/Whole]++
	}
	even := slices.Repeat([]float64{1}, len(both))
	ratio, err := NewSampleRatio(both, even)
	if err != nil || ratio.P < 0.001 {
		t.Errorf("quarters of two seeds together have %v units, p %v (%v)", both, ratio.P, err)
	}
}

func TestRangesAreThePublishedOnes(t *testing.T) {
	for name, c := range map[string]struct {
		weights  []int
		coverage int
		want     []Range
	}{
		"two arms":                {[]int{5000, 5000}, 10_000, []Range{{0, 5000}, {5000, 10_000}}},
		"half covered":            {[]int{5000, 5000}, 5000, []Range{{0, 2500}, {5000, 7500}}},
		"three of a fifth":        {[]int{2000, 3000, 5000}, 2000, []Range{{0, 400}, {2000, 2600}, {5000, 6000}}},
		"coverage below 0":        {[]int{5000, 5000}, -2000, []Range{{0, 0}, {5000, 5000}}},
		"coverage above all":      {[]int{5000, 5000}, 15_000, []Range{{0, 5000}, {5000, 10_000}}},
		"weights below the whole": {[]int{4000, 1000}, 10_000, []Range{{0, 5000}, {5000, 10_000}}},
		"weights above the whole": {[]int{7000, 6000}, 10_000, []Range{{0, 5000}, {5000, 10_000}}},
		"negative weight":         {[]int{12_000, -2000}, 10_000, []Range{{0, 5000}, {5000, 10_000}}},
		"no arms":                 {nil, 10_000, []Range{}},
		"three without weights":   {[]int{0, 0, 0}, 10_000, []Range{{0, 3334}, {3334, 6667}, {6667, 10_000}}},
	} {
		if diff := cmp.Diff(c.want, Ranges(c.weights, c.coverage)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestChoiceIsThePublishedOne(t *testing.T) {
	halves, quarters := []Range{{0, 5000}, {5000, 10_000}}, []Range{{0, 2500}, {5000, 7500}}
	for _, c := range []struct {
		ranges       []Range
		bucket, want int
	}{
		{halves, 0, 0}, {halves, 4999, 0}, {halves, 5000, 1}, {halves, 9999, 1}, {halves, 10_000, -1}, {halves, -1, -1},
		{quarters, 2499, 0}, {quarters, 2500, -1}, {quarters, 5000, 1}, {quarters, 7500, -1}, {nil, 0, -1},
	} {
		if got := Choose(c.ranges, c.bucket); got != c.want {
			t.Errorf("bucket %d in %v is arm %d, want %d", c.bucket, c.ranges, got, c.want)
		}
	}
}

// weights draws basis points that sum to the whole.
var weights = rapid.Custom(func(t *rapid.T) []int {
	return BasisPoints(rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 8).Draw(t, "shares"))
})

func TestRangesPartitionTheBuckets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := weights.Draw(t, "weights")
		met := make([]int, len(weights))
		ranges := Ranges(weights, Whole)
		for bucket := range Whole {
			met[Choose(ranges, bucket)]++ // -1 would panic
		}
		if !slices.Equal(met, weights) {
			t.Errorf("weights %v are met by %v buckets", weights, met)
		}
	})
}

func TestRaisedCoverageMovesNobody(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := weights.Draw(t, "weights")
		low := rapid.IntRange(0, Whole).Draw(t, "low")
		high := rapid.IntRange(low, Whole).Draw(t, "high")
		before, after := Ranges(weights, low), Ranges(weights, high)
		covered := 0
		for bucket := range Whole {
			was := Choose(before, bucket)
			if was >= 0 {
				covered++
			}
			if is := Choose(after, bucket); was >= 0 && is != was {
				t.Fatalf("bucket %d goes from arm %d to %d as coverage goes from %d to %d", bucket, was, is, low, high)
			}
		}
		if covered > low || covered <= low-len(weights) {
			t.Errorf("coverage %d covers %d buckets of %d arms", low, covered, len(weights))
		}
	})
}

package stats

import (
	"math"
	"testing"
)

func TestSampleSizeIsTheReference(t *testing.T) {
	for _, c := range []struct {
		base, target float64
		want         int
	}{{0.04, 0.05, 6745}, {0.05, 0.06, 8158}, {0.10, 0.12, 3841}, {0.20, 0.25, 1094}, {0.02, 0.024, 21109}, {0.05, 0.04, 6745}} {
		if got, err := SampleSize(c.base, c.target, 0.05, 0.8); got != c.want || err != nil {
			t.Errorf("row 14: from %v to %v %d units are needed, want %d (%v)", c.base, c.target, got, c.want, err)
		}
	}
}

func TestSampleSizeRefusesWhatNothingTellsApart(t *testing.T) {
	nan := math.NaN()
	for _, c := range [][4]float64{
		{0, 0.1, 0.05, 0.8}, {0.1, 1, 0.05, 0.8}, {0.1, 0.2, 0, 0.8}, {0.1, 0.2, 0.05, 1}, {0.1, 0.1, 0.05, 0.8},
		{nan, 0.1, 0.05, 0.8}, {0.1, nan, 0.05, 0.8}, {0.1, 0.2, nan, 0.8}, {0.1, 0.2, 0.05, nan}, {0.5, 0.5000001, 0.05, 0.8},
	} {
		if got, err := SampleSize(c[0], c[1], c[2], c[3]); err == nil {
			t.Errorf("%v needs %d units", c, got)
		}
	}
}

func TestRaceEndsAtTheLeadOrAtItsPlan(t *testing.T) {
	for _, c := range []struct {
		planned, control, arm int
		want                  Outcome
	}{
		{400, 100, 139, Undecided}, {400, 100, 140, Ahead}, {400, 140, 100, Undecided}, // row 16: a lead of 40
		{400, 200, 199, Undecided}, {400, 200, 200, NoWinner}, {400, 180, 220, Ahead}, {400, 210, 190, NoWinner},
		{0, 0, 0, Undecided}, {0, 0, 2, Ahead}, {0, 1, 0, NoWinner}, {400, -5, 40, Ahead},
		{math.MaxInt, math.MaxInt, math.MaxInt, NoWinner},
	} {
		if got := Race(c.planned, c.control, c.arm); got != c.want {
			t.Errorf("%d to %d of %d is %d, want %d", c.arm, c.control, c.planned, got, c.want)
		}
	}
}

package stats

import (
	"fmt"
	"testing"

	"github.com/pictifyd/pictifyd/internal/campaign"
)

// Arms that are the same, looked at after every hundred units: whoever is told of a
// winner is told something false. The naive rule is here so that nobody makes the shipped
// one simpler: it must fail.
func TestIdenticalArmsHaveNoWinnerHoweverOftenSomebodyLooks(t *testing.T) {
	runs := 500
	if campaign.Leaves(t) { // the race detector sees nothing in sums
		runs = 60
	}
	for _, rate := range []float64{0.02, 0.05, 0.20} {
		for _, arms := range []int{2, 4} {
			t.Run(fmt.Sprintf("%d that convert %v", arms, rate), func(t *testing.T) {
				wrong := map[string]int{}
				for run := range runs {
					for rule := range look(uint64(run), rate, arms) {
						wrong[rule]++
					}
				}
				t.Logf("of %d runs a false winner was declared by: %v", runs, wrong)
				for _, rule := range []string{gatedLift, difference, gatedDifference} {
					if wrong[rule]*100 > runs*5 {
						t.Errorf("%s: %d of %d runs have a false winner, want at most 5 %%", rule, wrong[rule], runs)
					}
				}
				if wrong[naive]*100 <= runs*30 {
					t.Errorf("%s: only %d of %d runs have a false winner: then few of them prove nothing", naive, wrong[naive], runs)
				}
			})
		}
	}
}

// The rules that may declare a winner.
const (
	naive           = "P(best) above 0.95"
	lift            = "lift"
	gatedLift       = "lift with the gates"
	difference      = "difference"
	gatedDifference = "difference with the gates"
)

// look goes through one experiment of 10,000 units and tells which rules ever declared
// that an arm is better or worse than the control. The gates are those on counts: 1000
// units and 40 conversions in both.
func look(seed uint64, rate float64, arms int) map[string]bool {
	random, all, s := newRandom(seed), make([]Arm, arms), NewSequence(0.05, DefaultPlanned, arms)
	declared := map[string]bool{}
	declare := func(rule string, is bool) {
		if is {
			declared[rule] = true
		}
	}
	for unit := range 10_000 {
		arm := &all[random.IntN(arms)]
		arm.Units++
		if random.Float64() < rate {
			arm.Conversions++
		}
		if unit%100 != 99 {
			continue
		}
		for _, arm := range all[1:] {
			gates := min(all[0].Units, arm.Units) >= 1000 && min(all[0].Conversions, arm.Conversions) >= 40
			beats := Beats(all[0], arm)
			declare(naive, beats > 0.95 || beats < 0.05)
			effect, _ := s.Lift(all[0], arm)
			declare(lift, effect.Excludes())
			declare(gatedLift, effect.Excludes() && gates)
			effect, _ = s.Difference(all[0], arm)
			declare(difference, effect.Excludes())
			declare(gatedDifference, effect.Excludes() && gates)
		}
	}
	return declared
}

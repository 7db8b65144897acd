package experiment

import (
	"slices"
	"time"

	"github.com/pictifyd/pictifyd/experiment/stats"
)

// A Point is how a variant stood at the end of a day, of all that was counted up to then.
type Point struct {
	Day        time.Time
	Variant    string
	Units      int64
	NewUnits   int64 // of that day
	Converted  int64
	Rate       float64
	Interval   [2]float64 // credible, at the confidence of the experiment
	ChanceBest float64
}

// Series is how the variants stood day by day, those of one day in their order. Days on
// which nothing was counted are left out.
func Series(e Experiment, counts []Counts) []Point {
	byDay := map[time.Time][]Counts{}
	var days []time.Time
	for _, c := range counts {
		if byDay[c.Day] == nil {
			days = append(days, c.Day)
		}
		byDay[c.Day] = append(byDay[c.Day], c)
	}
	slices.SortFunc(days, time.Time.Compare)
	arms := make([]stats.Arm, len(e.Variants))
	points := make([]Point, 0, len(days)*len(arms))
	for _, day := range days {
		added := Sum(e, byDay[day])
		for i, s := range added {
			arms[i].Units += int(s.Exposures)
			arms[i].Conversions += int(s.Conversions)
		}
		for i, chance := range stats.Compare(arms) {
			band := arms[i].Credible(e.ConfidenceThreshold)
			points = append(points, Point{
				Day: day, Variant: e.Variants[i].ID, Units: int64(arms[i].Units), NewUnits: added[i].Exposures, Converted: int64(arms[i].Conversions),
				Rate: arms[i].Rate(), Interval: [2]float64{band.Low, band.High}, ChanceBest: chance.Best,
			})
		}
	}
	return points
}

// Why weights were what they were.
const (
	WhyStart   = "start"
	WhyBandit  = "bandit"
	WhyRollout = "rollout"
	WhyWinner  = "winner"
	WhyEdit    = "edit"
)

// Allocate notes the weights of e, with what was counted up to now: Judge expects of
// the units that come then what these weights say.
func Allocate(e Experiment, counts []Counts, why string, now time.Time) Allocation {
	a := Allocation{At: now, Weights: slices.Clone(e.Shares()), Why: why}
	for _, s := range Sum(e, counts) {
		a.Units, a.Goals = append(a.Units, s.Exposures), append(a.Goals, s.Conversions)
	}
	return a
}

// Draw is what the bandit of e gives to new units from now on. The same seed and counts
// give the same weights, and Redraw repeats them. ok is false where they would not
// change, or no bandit is at work.
func Draw(e Experiment, counts []Counts, seed uint64, now time.Time) (a Allocation, ok bool) {
	if e.Bandit == nil || !e.Bandit.Enabled || !e.Sticky() || e.Status != Running {
		return Allocation{}, false
	}
	a = Allocate(e, counts, WhyBandit, now)
	a.Seed = seed
	a.Weights = Redraw(*e.Bandit, a)
	return a, !slices.Equal(a.Weights, e.Shares())
}

// Redraw are the weights that a bandit gave at an allocation.
func Redraw(b Bandit, a Allocation) []int {
	arms := make([]stats.Arm, min(len(a.Units), len(a.Goals)))
	for i := range arms {
		arms[i] = stats.Arm{Units: int(a.Units[i]), Conversions: int(a.Goals[i])}
	}
	return stats.Bandit{Seed: a.Seed, Warmup: int(b.Warmup), Floor: b.Floor}.Weights(arms)
}

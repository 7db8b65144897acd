package experiment_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/campaign"
)

// begun is an experiment that runs since noon; later is ten days on.
func begun(t *testing.T) experiment.Experiment {
	t.Helper()
	return mustMove(t, trial(experiment.Draft), experiment.Start, noon)
}

var later = noon.Add(10 * 24 * time.Hour)

// counted are units and conversions of variants a, b, c …
func counted(arms ...[2]int64) (all []experiment.Counts) {
	for i, arm := range arms {
		all = append(all, experiment.Counts{
			Variant: string(rune('a' + i)), Channel: experiment.Web, Client: experiment.Other, Day: noon.Truncate(24 * time.Hour),
			Fetches: 2 * arm[0], Exposures: arm[0], Clicks: arm[1], Conversions: arm[1],
		})
	}
	return all
}

func mustSay(t *testing.T, r experiment.Report, status experiment.Verdict, reason string) {
	t.Helper()
	if r.Status != status || !strings.Contains(strings.Join(r.Reasons, "\n"), reason) {
		t.Errorf("the verdict is %s because of %q, want %s and %q", r.Status, r.Reasons, status, reason)
	}
}

func TestWinnerIsSaidOnlyBehindAllGates(t *testing.T) {
	won := counted([2]int64{10_000, 1000}, [2]int64{10_000, 1500})
	for name, c := range map[string]struct {
		change func(*experiment.Experiment)
		counts []experiment.Counts
		status experiment.Verdict
		reason string
	}{
		"a clear winner":        {nil, won, experiment.WinnerReady, "b is better than variant a, the control, by 50.0 %"},
		"the control":           {nil, counted([2]int64{10_000, 1500}, [2]int64{10_000, 1000}), experiment.WinnerReady, "the control, is better than all others"},
		"too few days":          {func(e *experiment.Experiment) { e.MinimumRunDays = 11 }, won, experiment.GoesOn, "it ran for 10 days of at least 11 days"},
		"too few units":         {func(e *experiment.Experiment) { e.MinimumSampleSize = 10_001 }, won, experiment.GoesOn, "10000 of at least 10001 units"},
		"too few conversions":   {nil, counted([2]int64{10_000, 39}, [2]int64{10_000, 400}), experiment.GoesOn, "variant a has 39 of at least 40 conversions"},
		"what looks won":        {nil, counted([2]int64{10_000, 200}, [2]int64{10_000, 260}), experiment.GoesOn, "may still be no better than variant a"},
		"no difference":         {nil, counted([2]int64{10_000, 500}, [2]int64{10_000, 510}), experiment.GoesOn, "may still be no better"},
		"a planned sample":      {func(e *experiment.Experiment) { e.PlannedSampleSize = 10_000 }, counted([2]int64{10_000, 500}, [2]int64{10_000, 510}), experiment.NoClearWinner, "planned 10000 units"},
		"a mismatch":            {nil, counted([2]int64{5200, 600}, [2]int64{4800, 900}), experiment.Unhealthy, "variant b has 4800 units, where 5000 are expected"},
		"hardly a mismatch":     {nil, counted([2]int64{5100, 510}, [2]int64{4900, 735}), experiment.WinnerReady, ""},
		"nothing to compare":    {func(e *experiment.Experiment) { e.Goal.Type = experiment.GoalImpressions }, won, experiment.GoesOn, "nothing is compared"},
		"a smart link":          {func(e *experiment.Experiment) { e.Type = experiment.SmartLink }, won, experiment.LowTrust, "not drawn"},
		"no units":              {nil, []experiment.Counts{{Variant: "a", Fetches: 500}}, experiment.LowTrust, "never with a unit"},
		"nothing at all":        {nil, nil, experiment.GoesOn, "variant a has 0 of at least 1000 units"},
		"little":                {func(e *experiment.Experiment) { e.MinimumSampleSize = 100_000 }, counted([2]int64{100, 5}, [2]int64{101, 5}), experiment.LowTraffic, "days more"},
		"a bandit's winner":     {func(e *experiment.Experiment) { e.Bandit = &experiment.Bandit{Enabled: true} }, won, experiment.WinnerReady, "not comparable with those of an A/B test"},
		"a failing variant":     {nil, append(counted([2]int64{10_000, 1000}, [2]int64{10_000, 1500}), experiment.Counts{Variant: "b", Failures: 12}), experiment.WinnerReady, "variant b was not shown 12 times"},
		"a completed one":       {func(e *experiment.Experiment) { e.Status, e.Winner, e.EndedAt = experiment.Completed, "a", noon }, won, experiment.Ended, "variant a serves all traffic since 2026-05-04"},
		"less confidence asked": {func(e *experiment.Experiment) { e.ConfidenceThreshold = 0.8 }, counted([2]int64{10_000, 200}, [2]int64{10_000, 290}), experiment.WinnerReady, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := begun(t)
			if c.change != nil {
				c.change(&e)
			}
			mustSay(t, experiment.Judge(e, c.counts, nil, later), c.status, c.reason)
		})
	}
}

func TestReportHasTheReferenceNumbers(t *testing.T) {
	near := func(what string, got, want, tolerance float64) {
		t.Helper()
		if !(math.Abs(got-want) <= tolerance) {
			t.Errorf("%s is %v, want %v", what, got, want)
		}
	}
	r := experiment.Judge(begun(t), counted([2]int64{10_000, 200}, [2]int64{10_000, 260}), nil, later)
	a, b := r.Variants[0], r.Variants[1]
	near("the lift", *b.Lift, 0.30, 1e-9)
	near("its low end", b.LiftInterval[0], -0.07801, 1e-5)
	near("its high end", b.LiftInterval[1], 0.67801, 1e-5)
	near("its p", *b.P, 0.28903, 1e-5)
	near("the chance of b", b.ChanceBest, 0.9976775, 1e-6)
	near("the rate of a", a.Rate, 0.02, 1e-12)
	if a.Lift != nil || a.P != nil {
		t.Error("the control has a lift")
	}
	r = experiment.Judge(begun(t), counted([2]int64{1000, 100}, [2]int64{1000, 125}), nil, later)
	near("the loss of a", r.Variants[0].Loss, 0.02516992, 1e-7)
	near("the loss of b", r.Variants[1].Loss, 0.00021982, 1e-7)
	r = experiment.Judge(begun(t), counted([2]int64{600, 1}, [2]int64{400, 1}), nil, later)
	near("the mismatch", r.SRM.P, 2.5396e-10, 1e-13)
	if r.Best != "b" || r.SRM.OK {
		t.Errorf("the best is %q, the ratio %+v", r.Best, r.SRM)
	}
	r = experiment.Judge(begun(t), counted([2]int64{100, 4}, [2]int64{100, 5}), nil, later)
	if r.Needed != 6745 {
		t.Errorf("%d units are needed to tell 4 %% and 5 %% apart, want 6745", r.Needed)
	}
	near("days left", r.DaysLeft, (6745-100)/10.0, 1e-9)
}

func TestThreeArmsAreComparedWithTheControlAndTheRunnerUp(t *testing.T) {
	e := begun(t)
	e.Variants = append(slices.Clone(e.Variants), experiment.Variant{ID: "c", Template: "card"})
	for i, w := range []int{3334, 3333, 3333} {
		e.Variants[i].Weight = w
	}
	e.Weights = nil
	// c beats the control; whether it beats b nobody knows, and a wrong choice would cost.
	r := experiment.Judge(e, counted([2]int64{10_000, 1000}, [2]int64{10_000, 1480}, [2]int64{10_000, 1500}), nil, later)
	mustSay(t, r, experiment.GoesOn, "variant c may still be no better than variant b")
	// With so many units it would cost nothing.
	r = experiment.Judge(e, counted([2]int64{1_000_000, 100_000}, [2]int64{1_000_000, 149_900}, [2]int64{1_000_000, 150_000}), nil, later)
	mustSay(t, r, experiment.WinnerReady, "variant c is better")
	r = experiment.Judge(e, counted([2]int64{10_000, 1000}, [2]int64{10_000, 1100}, [2]int64{10_000, 1500}), nil, later)
	mustSay(t, r, experiment.WinnerReady, "variant c is better")
}

func TestVariantThatWasGivenUpKeepsNothingOpen(t *testing.T) {
	e := begun(t)
	e.Variants = append(slices.Clone(e.Variants), experiment.Variant{ID: "c", Template: "card"})
	e.Weights = []int{5000, 5000, 0}
	r := experiment.Judge(e, counted([2]int64{10_000, 1000}, [2]int64{10_000, 1500}, [2]int64{0, 0}), nil, later)
	mustSay(t, r, experiment.WinnerReady, "variant b is better")
	if r.Variants[2].ChanceBest != 0 || r.SRM.Expected == nil {
		t.Errorf("it has a chance of %v, and the ratio is %+v", r.Variants[2].ChanceBest, r.SRM)
	}
	e.Weights = []int{4000, 4000, 2000}
	drawn := []experiment.Allocation{experiment.Allocate(e, nil, experiment.WhyStart, noon)}
	mustSay(t, experiment.Judge(e, counted([2]int64{10_000, 1000}, [2]int64{10_000, 1500}, [2]int64{0, 0}), drawn, later), experiment.Unhealthy, "variant c has 0 units")
}

func TestWeightsThatMovedAreNoMismatch(t *testing.T) {
	e := begun(t)
	first := counted([2]int64{5000, 500}, [2]int64{5000, 750})
	allocations := []experiment.Allocation{experiment.Allocate(e, nil, experiment.WhyStart, noon)}
	e, err := experiment.Rebalance(e, []int{1000, 9000})
	if err != nil {
		t.Fatal(err)
	}
	allocations = append(allocations, experiment.Allocate(e, first, experiment.WhyRollout, noon))
	second := append(first, counted([2]int64{1000, 100}, [2]int64{9000, 1350})...)
	r := experiment.Judge(e, second, allocations, later)
	if !r.SRM.OK || r.SRM.P < 0.99 || !slices.Equal(r.SRM.Expected, []float64{6000, 14_000}) {
		t.Errorf("the ratio is %+v", r.SRM)
	}
	mustSay(t, r, experiment.WinnerReady, "variant b")
	if r := experiment.Judge(e, second, allocations[:1], later); r.SRM.OK {
		t.Errorf("without the change it is %+v", r.SRM)
	}
}

func TestCountsAreSummedAndWhatIsExcludedIsSaid(t *testing.T) {
	counts := []experiment.Counts{
		{Variant: "a", Client: experiment.Gmail, Fetches: 5, Exposures: 3, Duplicates: 2}, {Variant: "a", Client: experiment.Bot, Suspects: 7},
		{Variant: "b", Client: experiment.Prefetch, Suspects: 4, Failures: 1}, {Duplicates: 1, Unassigned: 3}, {Variant: "gone", Exposures: 9},
	}
	r := experiment.Judge(begun(t), counts, nil, later)
	if r.Excluded != (experiment.Excluded{Bots: 7, Prefetch: 4, Duplicates: 3}) {
		t.Errorf("excluded are %+v", r.Excluded)
	}
	if a, b := r.Variants[0], r.Variants[1]; a.Fetches != 5 || a.Units != 3 || a.Suspects != 7 || b.Failures != 1 || b.Suspects != 4 {
		t.Errorf("summed are %+v", r.Variants)
	}
}

func TestSeriesAddsUpDayByDay(t *testing.T) {
	day := noon.Truncate(24 * time.Hour)
	counts := counted([2]int64{100, 10}, [2]int64{100, 20})
	next := counted([2]int64{50, 5}, [2]int64{60, 0})
	for i := range next {
		next[i].Day = day.Add(24 * time.Hour)
	}
	points := experiment.Series(begun(t), append(next, counts...))
	var got []string
	for _, p := range points {
		got = append(got, fmt.Sprintf("%s %s %d+%d %d", p.Day.Format(time.DateOnly), p.Variant, p.Units, p.NewUnits, p.Converted))
		if !(p.Interval[0] < p.Rate && p.Rate < p.Interval[1]) {
			t.Errorf("the rate is %v, its band %v", p.Rate, p.Interval)
		}
	}
	want := []string{"2026-05-04 a 100+100 10", "2026-05-04 b 100+100 20", "2026-05-05 a 150+50 15", "2026-05-05 b 160+60 20"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

// Whoever looks after every 200 units, and stops when he is told a winner, is told a
// wrong one of two equal variants in at most 5 % of all experiments. That the same
// looks at the chance to be best tell far more wrong ones says that the looks are many
// enough to tempt.
func TestEqualVariantsHaveNoWinner(t *testing.T) {
	const units, look = 10_000, 200
	seeds := 100
	if campaign.Whole() {
		seeds = 500
	}
	for _, rate := range []float64{0.05, 0.2} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			wrong, naive := 0, 0
			for seed := range seeds {
				e := begun(t)
				random := rand.New(rand.NewPCG(uint64(seed), 3))
				var arms [2][2]int64
				won, looked := false, false
				for n := 1; n <= units && !(won && looked); n++ {
					arm := random.IntN(2)
					arms[arm][0]++
					if random.Float64() < rate {
						arms[arm][1]++
					}
					if n%look > 0 {
						continue
					}
					r := experiment.Judge(e, counted(arms[:]...), nil, later)
					won = won || r.Status == experiment.WinnerReady
					looked = looked || max(r.Variants[0].ChanceBest, r.Variants[1].ChanceBest) > 0.95
				}
				if won {
					wrong++
				}
				if looked {
					naive++
				}
			}
			if wrong*100 > 5*seeds {
				t.Errorf("%d of %d experiments have a wrong winner", wrong, seeds)
			}
			if naive*100 < 30*seeds {
				t.Errorf("%d of %d experiments tempted: the looks prove nothing", naive, seeds)
			}
			t.Logf("%d of %d have a wrong winner, %d tempted", wrong, seeds, naive)
		})
	}
}

func BenchmarkJudge(b *testing.B) {
	e, counts := trial(experiment.Running), counted([2]int64{10_000, 200}, [2]int64{10_000, 260})
	for b.Loop() {
		experiment.Judge(e, counts, nil, later)
	}
}

func TestBanditIsReplayed(t *testing.T) {
	e := begun(t)
	e.Bandit = (experiment.Definition{Bandit: &experiment.Bandit{Enabled: true}}).Complete().Bandit
	counts := counted([2]int64{1000, 50}, [2]int64{1000, 80})
	a, ok := experiment.Draw(e, counts, 42, later)
	if !ok || a.Weights[1] < 9000 || a.Weights[0] < 100 || a.Weights[0]+a.Weights[1] != experiment.Whole || a.Why != experiment.WhyBandit {
		t.Errorf("drawn %+v, %v", a, ok)
	}
	if again := experiment.Redraw(*e.Bandit, a); !slices.Equal(again, a.Weights) {
		t.Errorf("drawn again %v, was %v", again, a.Weights)
	}
	if _, ok := experiment.Draw(e, counted([2]int64{99, 1}, [2]int64{1000, 80}), 42, later); ok {
		t.Error("weights moved while it was warming up")
	}
	e.Status = experiment.Paused
	if _, ok := experiment.Draw(e, counts, 42, later); ok {
		t.Error("weights moved in a pause")
	}
}

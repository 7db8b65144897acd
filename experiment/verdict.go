package experiment

import (
	"fmt"
	"math"
	"time"

	"github.com/pictifyd/pictifyd/experiment/stats"
)

const (
	fewestConversions = 40     // of each arm that is compared: the sequence is asymptotic
	negligible        = 0.0005 // what a wrong choice between the two best may cost, absolute
	mismatch          = 0.001  // the P of a sample ratio that is no chance
	tooLong           = 30.0   // days that nobody waits
)

// A judge holds what a report is made of.
type judge struct {
	e       Experiment
	now     time.Time
	report  *Report
	arms    []stats.Arm
	chances []stats.Chance
	control int
	best    int
	second  int
	out     []bool  // arms that were given up: no new units, and too few for a verdict
	wait    float64 // days until the smallest sample is there
}

// Judge compares the variants of an experiment by its counts. allocations are the
// weights that it had, the earliest first. The verdict may be looked at as often as one
// likes: a winner is declared wrongly in at most 1 - confidenceThreshold of all
// experiments, over all looks.
func Judge(e Experiment, counts []Counts, allocations []Allocation, now time.Time) Report {
	r := Report{Status: GoesOn, Variants: Sum(e, counts), SRM: SampleRatio{P: 1, OK: true}, Excluded: excludedOf(counts), Needed: e.MinimumSampleSize}
	j := &judge{e: e, now: now, report: &r, arms: armsOf(r.Variants)}
	if len(j.arms) == 0 {
		return r
	}
	_, j.control, _ = e.Variant(e.ControlVariant())
	j.control = max(0, j.control)
	j.compare()
	if e.Sticky() {
		r.SRM = sampleRatio(e, r.Variants, allocations)
	}
	j.plan()
	j.decide()
	for i, v := range r.Variants {
		if v.Failures > 0 {
			j.because("%s was not shown %d times: its picture could not be had, and its fallback stood for it", j.at(i), v.Failures)
		}
	}
	return r
}

// sequence is the one of the experiment. What it is narrowest for is frozen while the
// experiment runs, as it must be.
func (e Experiment) sequence() stats.Sequence {
	return stats.NewSequence(1-e.ConfidenceThreshold, int(2*e.PlannedSampleSize), len(e.Variants))
}

func (j *judge) compare() {
	j.giveUp()
	j.chances = j.compareKept()
	sequence := j.e.sequence()
	for i := range j.report.Variants {
		v := &j.report.Variants[i]
		v.ChanceBest, v.Loss = j.chances[i].Best, j.chances[i].Loss
		credible := j.arms[i].Credible(j.e.ConfidenceThreshold)
		v.Interval = [2]float64{credible.Low, credible.High}
		if i == j.control {
			continue
		}
		if lift, ok := sequence.Lift(j.arms[j.control], j.arms[i]); ok {
			low := max(lift.Low, -1) // no rate is below zero
			v.Lift, v.LiftInterval, v.P = &lift.Estimate, &[2]float64{low, lift.High}, &lift.P
		}
	}
	j.best = j.likeliest(-1)
	j.second = j.likeliest(j.best)
	if j.arms[j.best].Units > 0 && j.e.Goal.Type != GoalImpressions {
		j.report.Best = j.e.Variants[j.best].ID
	}
}

// giveUp leaves out arms that get no units any more and never had enough of them: else
// what nobody knows about them would keep open what is known about the others.
func (j *judge) giveUp() {
	j.out = make([]bool, len(j.arms))
	if j.e.Status == Completed || !j.e.Sticky() {
		return
	}
	for i, share := range j.e.Shares() {
		j.out[i] = i != j.control && share == 0 && int64(j.arms[i].Units) < j.e.MinimumSampleSize
	}
}

// compareKept compares the arms that were not given up; the others have no chance.
func (j *judge) compareKept() []stats.Chance {
	var kept []stats.Arm
	for i, a := range j.arms {
		if !j.out[i] {
			kept = append(kept, a)
		}
	}
	compared, chances := stats.Compare(kept), make([]stats.Chance, len(j.arms))
	for i := range chances {
		if !j.out[i] {
			chances[i], compared = compared[0], compared[1:]
		}
	}
	return chances
}

// likeliest is the arm that is most probably the best one, beside except; -1 where there
// is none.
func (j *judge) likeliest(except int) int {
	likeliest := -1
	for i, chance := range j.chances {
		if i != except && !j.out[i] && (likeliest < 0 || chance.Best > j.chances[likeliest].Best) {
			likeliest = i
		}
	}
	return likeliest
}

// sampleRatio holds the units against the weights that they were drawn with. Nothing is
// said while there are so few that a chance may look like anything.
func sampleRatio(e Experiment, all []Standing, allocations []Allocation) SampleRatio {
	fine := SampleRatio{P: 1, OK: true}
	units, expected := make([]int, len(all)), make([]float64, len(all))
	for i, s := range all {
		units[i] = int(s.Exposures)
	}
	before := make([]int64, len(all))
	weights := Experiment{Definition: e.Definition}.Shares()
	during := func(upTo func(i int) int64) {
		drawn := int64(0)
		for i := range all {
			drawn += upTo(i) - before[i]
		}
		for i, w := range weights {
			expected[i] += float64(max(0, drawn)) * float64(w) / Whole
		}
	}
	for _, a := range allocations {
		if len(a.Weights) != len(all) {
			continue
		}
		if len(a.Units) == len(all) {
			during(func(i int) int64 { return a.Units[i] })
			copy(before, a.Units)
		}
		weights = a.Weights
	}
	during(func(i int) int64 { return all[i].Exposures })
	for i := range expected {
		if none := expected[i] == 0 && units[i] == 0; expected[i] < 5 && !none {
			return fine
		}
	}
	ratio, err := stats.NewSampleRatio(units, expected)
	if err != nil {
		return fine
	}
	return SampleRatio{P: ratio.P, OK: ratio.P >= mismatch, Expected: expected}
}

// plan estimates what is still needed.
func (j *judge) plan() {
	r := j.report
	if j.second >= 0 {
		high, low := j.arms[j.best].Rate(), j.arms[j.second].Rate()
		if needed, err := stats.SampleSize(low, high, 1-j.e.ConfidenceThreshold, 0.8); err == nil {
			r.Needed = max(r.Needed, int64(needed))
		}
	}
	if r.Needed > j.e.PlannedSampleSize && j.e.PlannedSampleSize > 0 {
		r.Needed = j.e.PlannedSampleSize
	}
	ran := j.e.RanFor(j.now).Hours() / 24
	if j.e.Status != Running || ran <= 0 {
		return
	}
	j.wait = j.daysUntil(j.e.MinimumSampleSize, ran)
	if left := max(j.e.MinimumRunDays-ran, j.daysUntil(r.Needed, ran)); left > 0 && !math.IsInf(left, 1) {
		r.DaysLeft = left
	}
}

// daysUntil is how long it takes until each variant has so many units, as things go.
func (j *judge) daysUntil(units int64, ran float64) (days float64) {
	for i, a := range j.arms {
		if missing := units - int64(a.Units); missing > 0 && j.e.Shares()[i] > 0 {
			days = max(days, float64(missing)*ran/float64(a.Units))
		}
	}
	return days
}

// because adds a reason.
func (j *judge) because(format string, args ...any) {
	j.report.Reasons = append(j.report.Reasons, fmt.Sprintf(format, args...))
}

func (j *judge) decide() {
	r, e := j.report, j.e
	fetches, exposures := int64(0), int64(0)
	for _, v := range r.Variants {
		fetches += v.Fetches
		exposures += v.Exposures
	}
	switch {
	case e.Status == Completed:
		r.Status, r.Best, r.DaysLeft = Ended, e.Winner, 0
		j.because("%s serves all traffic since %s", j.name(e.Winner), e.EndedAt.UTC().Format(time.DateOnly))
		return
	case e.Goal.Type == GoalImpressions:
		j.because("the goal is impressions_only: nothing is compared")
		return
	case !e.Sticky():
		r.Status = LowTrust
		j.because("the variants of a %s are not drawn: who sees which one depends on who they are or when they come, so that rates are not comparable", e.Type)
		return
	case exposures == 0 && fetches >= 100:
		r.Status = LowTrust
		j.because("the image was fetched %d times, never with a unit in its URL: nobody can tell who saw what", fetches)
		return
	case !r.SRM.OK:
		r.Status = Unhealthy
		j.because("the units of the variants do not fit to the weights (p = %.2g): some were lost, or counted twice, in one variant more than in another. Look for redirects, caches or bots that treat them differently, mend it, and begin anew", r.SRM.P)
		j.unfit()
		return
	}
	open := j.gates()
	if len(open) == 0 {
		if open = j.decides(); len(open) == 0 {
			r.Status, r.DaysLeft = WinnerReady, 0
			j.won()
			return
		}
	}
	switch {
	case j.planned():
		r.Status, r.DaysLeft = NoClearWinner, 0
		j.because("each variant has the planned %d units, and they decide nothing: the difference, if there is one, is smaller than was planned for", e.PlannedSampleSize)
	case j.wait > tooLong && !math.IsInf(j.wait, 1) && e.RanFor(j.now) >= 24*time.Hour:
		r.Status = LowTraffic
		j.because("at this rate it would take some %.0f days more until each variant has %d units", j.wait, e.MinimumSampleSize)
	}
	r.Reasons = append(r.Reasons, open...)
	if e.Bandit != nil && e.Bandit.Enabled {
		j.because("weights move while it runs, so that rates are biased: they are not comparable with those of an A/B test")
	}
}

// name is how a variant is called in a sentence.
func (j *judge) name(id string) string {
	v, _, ok := j.e.Variant(id)
	if !ok || v.Name == "" || v.Name == id {
		return fmt.Sprintf("variant %s", id)
	}
	return fmt.Sprintf("%s (%s)", v.Name, id)
}

func (j *judge) at(i int) string { return j.name(j.e.Variants[i].ID) }

func (j *judge) unfit() {
	for i, v := range j.report.Variants {
		j.because("%s has %d units, where %.0f are expected", j.at(i), v.Units, j.report.SRM.Expected[i])
	}
}

// gates are those that are still shut: before them no interval is looked at.
func (j *judge) gates() (shut []string) {
	e := j.e
	if ran := e.RanFor(j.now).Hours() / 24; ran < e.MinimumRunDays {
		shut = append(shut, fmt.Sprintf("it ran for %s of at least %s", lasted(ran), lasted(e.MinimumRunDays)))
	}
	for i, a := range j.arms {
		if !j.out[i] && int64(a.Units) < e.MinimumSampleSize {
			shut = append(shut, fmt.Sprintf("%s has %d of at least %d units", j.at(i), a.Units, e.MinimumSampleSize))
		}
	}
	for i, a := range j.arms {
		if compared := i == j.best || i == j.second || i == j.control; compared && a.Conversions < fewestConversions {
			shut = append(shut, fmt.Sprintf("%s has %d of at least %d conversions", j.at(i), a.Conversions, fewestConversions))
		}
	}
	return shut
}

// lasted is a number of days in words.
func lasted(days float64) string {
	minutes := days * 24 * 60
	switch {
	case minutes < 2:
		return fmt.Sprintf("%.2g s", minutes*60)
	case minutes < 90:
		return fmt.Sprintf("%.0f min", math.Floor(minutes))
	case days < 2:
		return fmt.Sprintf("%.0f h", math.Floor(minutes/60))
	}
	return fmt.Sprintf("%.3g days", days)
}

// decides says why the intervals decide nothing yet; nothing where they do.
func (j *judge) decides() (not []string) {
	if j.second < 0 {
		return []string{"there is one variant only"}
	}
	if j.best != j.control && !j.beats(j.control) {
		not = append(not, fmt.Sprintf("%s may still be no better than %s, the control", j.at(j.best), j.at(j.control)))
	}
	switch {
	case j.second == j.control || j.beats(j.second): // said above, or so
	case j.best == j.control:
		not = append(not, fmt.Sprintf("%s, the control, may still be no better than %s", j.at(j.best), j.at(j.second)))
	case j.chances[j.best].Loss >= negligible:
		not = append(not, fmt.Sprintf("%s may still be no better than %s, and if so choosing it would cost more than %.2f %%", j.at(j.best), j.at(j.second), negligible*100))
	}
	return not
}

// beats is whether the best arm is above another one with the confidence that was asked
// for: by what is shown, and by the difference, which has no side.
func (j *judge) beats(other int) bool {
	sequence := j.e.sequence()
	difference, ok := sequence.Difference(j.arms[other], j.arms[j.best])
	if !ok || difference.Low <= 0 {
		return false
	}
	if j.best == j.control {
		lift, ok := sequence.Lift(j.arms[j.best], j.arms[other])
		return ok && lift.High < 0
	}
	lift, ok := sequence.Lift(j.arms[other], j.arms[j.best])
	return ok && lift.Low > 0
}

func (j *judge) won() {
	v := j.report.Variants[j.best]
	if v.LiftInterval != nil {
		j.because("%s is better than %s, the control, by %.1f %% (between %.1f and %.1f %%, however often one looked)",
			j.at(j.best), j.at(j.control), *v.Lift*100, v.LiftInterval[0]*100, v.LiftInterval[1]*100)
	} else {
		j.because("%s, the control, is better than all others", j.at(j.best))
	}
	j.because("the chance that it is the best one is %.1f %%", v.ChanceBest*100)
	if j.e.Bandit != nil && j.e.Bandit.Enabled {
		j.because("weights move while it runs, so that rates are biased: they are not comparable with those of an A/B test")
	}
}

// planned is whether each variant has what was planned.
func (j *judge) planned() bool {
	if j.e.PlannedSampleSize == 0 || j.e.RanFor(j.now).Hours()/24 < j.e.MinimumRunDays {
		return false
	}
	for i, a := range j.arms {
		if !j.out[i] && int64(a.Units) < j.e.PlannedSampleSize {
			return false
		}
	}
	return true
}

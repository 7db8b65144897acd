package api

import (
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A desk of experiments in memory, with the numbers that a test gives it.
type experimentDesk struct {
	all         []experiment.Experiment
	standing    Standing
	moves       []ExperimentMove
	assignments []experiment.Assignment
	events      []experiment.Kept
	erased      []string
}

var experimentsBegan = time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC)

func (d *experimentDesk) add(slug string, status experiment.Status) *experiment.Experiment {
	d.all = append(d.all, experiment.Experiment{
		ID: fmt.Sprint("exp_", len(d.all)+1), Revision: 3, Status: status, Origin: OfCallers, Author: "Ada", CreatedAt: experimentsBegan, UpdatedAt: experimentsBegan,
		StartedAt: experimentsBegan, Weights: []int{4000, 6000},
		Definition: experiment.Definition{
			Name: "Spring", Slug: slug, Type: experiment.ABTest, Goal: experiment.Goal{Type: experiment.GoalConversion, DestinationURL: "https://shop.example/"},
			Variants: []experiment.Variant{{ID: "a", Template: testTemplate, Weight: 5000, Control: true}, {ID: "b", Name: "Offer", Template: testTemplate, Weight: 5000}},
		},
	})
	return &d.all[len(d.all)-1]
}

func (d *experimentDesk) find(id string) *experiment.Experiment {
	return &d.all[slices.IndexFunc(d.all, func(e experiment.Experiment) bool { return e.ID == id })]
}

func (d *experimentDesk) Experiments(context.Context) ([]experiment.Experiment, error) {
	return slices.Clone(d.all), nil
}

func (d *experimentDesk) Create(_ context.Context, def experiment.Definition, author string) (experiment.Experiment, error) {
	e := d.add(def.Slug, experiment.Draft)
	e.Definition, e.Author, e.Revision = def, author, 1
	return *e, nil
}

func (d *experimentDesk) Change(_ context.Context, e experiment.Experiment, def experiment.Definition) (experiment.Experiment, error) {
	one := d.find(e.ID)
	one.Definition = def
	one.Revision++
	return *one, nil
}

func (d *experimentDesk) Move(_ context.Context, e experiment.Experiment, m ExperimentMove) (experiment.Experiment, error) {
	one := d.find(e.ID)
	to := map[string]experiment.Status{MoveStart: experiment.Running, MovePause: experiment.Paused, MoveResume: experiment.Running, MoveComplete: experiment.Completed, MoveRollout: experiment.Running}[m.Move]
	if m.Move == MoveStart && one.Status != experiment.Draft {
		return e, problem.New(problem.Conflict, "it is running").WithSlug("invalid_transition")
	}
	d.moves = append(d.moves, m)
	one.Status, one.Winner = to, m.Winner
	one.Revision++
	return *one, nil
}

func (d *experimentDesk) Remove(_ context.Context, e experiment.Experiment) error {
	d.find(e.ID).Retired = true
	return nil
}

func (d *experimentDesk) Standing(_ context.Context, _ experiment.Experiment, whole bool) (Standing, error) {
	st := d.standing
	if !whole {
		st.Series, st.Allocations = nil, nil
	}
	return st, nil
}

func (d *experimentDesk) Assignments(_ context.Context, _, after string, limit int) (page []experiment.Assignment, err error) {
	for _, a := range d.assignments {
		if a.Unit > after && len(page) < min(limit, 2) {
			page = append(page, a)
		}
	}
	return page, nil
}

func (d *experimentDesk) Events(_ context.Context, _ string, after int64, limit int) (page []experiment.Kept, err error) {
	for _, e := range d.events {
		if e.Seq > after && len(page) < min(limit, 2) {
			page = append(page, e)
		}
	}
	return page, nil
}

func (d *experimentDesk) EraseUnit(_ context.Context, _, unit string) error {
	d.erased = append(d.erased, unit)
	return nil
}

type oneExperimentAnswer struct{ Experiment experimentView }

func TestAnExperimentIsMadeChangedAndMoved(t *testing.T) {
	w := newWorld()
	s := mustServer(t, open(), w)
	body := strings.ReplaceAll(likeExperiment, `"banner"`, `"`+testTemplate+`"`)
	made := mustAnswer[oneExperimentAnswer](t, post("/v1/experiments/api", body).to(t, s), 201).Experiment
	if made.Slug != "spring-banner" || made.Status != experiment.Draft || len(made.Variants) != 2 || made.Variants[1].ID != "offer" ||
		string(made.Variants[0].Variables["title"]) != `"Spring is here"` || made.Goal.DestinationURL != "https://shop.example/spring" ||
		!strings.HasSuffix(made.URLs.UnitImage, "/s/spring-banner/{unit}.png") {
		t.Errorf("made was %+v", made)
	}
	changed := mustAnswer[oneExperimentAnswer](t, call{method: "PATCH", path: "/experiments/spring-banner", body: `{"goalConfig":{"destinationUrl":"https://shop.example/2"},"coverage":5000}`}.to(t, s), 200).Experiment
	if changed.Goal != (experiment.Goal{Type: experiment.GoalClick, DestinationURL: "https://shop.example/2"}) || changed.Coverage != 5000 || changed.Name != "Spring banner" || len(changed.Variants) != 2 {
		t.Errorf("changed was %+v", changed)
	}
	stale := call{"PATCH", "/experiments/spring-banner", `{"name":"x"}`, map[string]string{"If-Match": `"1"`}, ""}.to(t, s)
	if stale.Code != 412 {
		t.Errorf("a stale change was a %d: %s", stale.Code, stale.Body)
	}
	for _, c := range []call{
		post("/experiments/spring-banner/start", ""), post("/experiments/api/"+made.ID+"/pause", ""), post("/experiments/spring-banner/resume", ""),
		post("/experiments/spring-banner/rollout", `{"weights":{"plain":1000,"offer":9000}}`), post("/experiments/spring-banner/complete", `{"winnerVariantId":"offer","force":true}`),
	} {
		if out := c.to(t, s); out.Code != 200 {
			t.Errorf("%s: %d %s", c.path, out.Code, out.Body)
		}
	}
	want := []ExperimentMove{
		{Move: MoveStart}, {Move: MovePause}, {Move: MoveResume}, {Move: MoveRollout, Weights: map[string]int{"plain": 1000, "offer": 9000}},
		{Move: MoveComplete, Winner: "offer", Force: true},
	}
	if diff := cmp.Diff(want, w.experiments.moves); diff != "" {
		t.Errorf("moves: %s", diff)
	}
}

func TestAKeyOfOtherTemplatesSeesNoExperiment(t *testing.T) {
	w := newWorld()
	w.experiments.add("spring-banner", experiment.Running)
	s := mustServer(t, locked(Key{Name: "cards", Key: secret("key-for-the-cards"), Templates: []string{"card"}}, Key{Name: "all", Key: secret("key-for-all-of-it")}), w)
	theirs := map[string]string{"Authorization": "Bearer key-for-the-cards"}
	if out := (call{"GET", "/experiments", "", theirs, ""}).to(t, s); out.Code != 200 || strings.Contains(out.Body.String(), "spring") {
		t.Errorf("the list was %d %s", out.Code, out.Body)
	}
	for _, path := range []string{"", "/results", "/export.csv"} {
		if out := (call{"GET", "/experiments/spring-banner" + path, "", theirs, ""}).to(t, s); out.Code != 404 {
			t.Errorf("GET %s: %d %s", path, out.Code, out.Body)
		}
	}
	if out := (call{"POST", "/experiments", strings.ReplaceAll(likeExperiment, `"banner"`, `"`+testTemplate+`"`), theirs, ""}).to(t, s); out.Code != 403 || !strings.Contains(out.Body.String(), "variants[1].templateUid") {
		t.Errorf("making one was %d %s", out.Code, out.Body)
	}
	if out := (call{"GET", "/experiments/spring-banner", "", map[string]string{"Authorization": "Bearer key-for-all-of-it"}, ""}).to(t, s); out.Code != 200 {
		t.Errorf("another key: %d %s", out.Code, out.Body)
	}
}

func TestResultsTellWhatIsKnownAndNothingElse(t *testing.T) {
	w := newWorld()
	w.experiments.add("spring-banner", experiment.Running)
	day := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	lift, p := 1.0, .001
	report := experiment.Report{
		Status: experiment.WinnerReady, Reasons: []string{"b does better"}, Best: "b", Needed: 1000,
		Variants: []experiment.Standing{
			{ID: "a", Units: 1200, Rate: .05, Interval: [2]float64{.04, .06}, ChanceBest: .01, Loss: math.NaN(), Counts: experiment.Counts{Fetches: 1500, Exposures: 1200, Suspects: 16, Failures: 2, Conversions: 60, Clicks: 70}},
			{ID: "b", Units: 1210, Rate: .1, Interval: [2]float64{.08, .12}, Lift: &lift, LiftInterval: &[2]float64{.3, math.Inf(1)}, P: &p, ChanceBest: .99},
		},
		SRM: experiment.SampleRatio{P: .8, OK: true, Expected: []float64{1205, 1205}}, Excluded: experiment.Excluded{Bots: 9, Prefetch: 7, Duplicates: 3},
	}
	w.experiments.standing = Standing{
		Report: report, WriteKey: "wk_1",
		Series: []experiment.Point{{Day: day, Variant: "a"}, {Day: day, Variant: "b", Units: 1210, NewUnits: 10, Converted: 121, Rate: .1, Interval: [2]float64{.08, .12}, ChanceBest: .99}},
		Counts: []experiment.Counts{
			{Variant: "a", Channel: experiment.Web, Client: "other", Day: day, Fetches: 1500, Exposures: 1200, Conversions: 60, Clicks: 70},
			{Variant: "b", Channel: experiment.Web, Client: "other", Day: day, Fetches: 1300, Exposures: 1210, Conversions: 121},
			{Variant: "a", Channel: experiment.Web, Client: "prefetch", Day: day, Suspects: 7},
			{Variant: "a", Channel: experiment.Email, Client: "bot", Day: day, Suspects: 9},
			{Variant: "a", Channel: experiment.Web, Client: "other", Day: day.AddDate(0, 0, 1), Failures: 2, Mismatches: 4},
			{Channel: experiment.Web, Client: "other", Day: day, Unassigned: 5},
		},
		Allocations: []experiment.Allocation{{At: day, Weights: []int{5000, 5000}, Why: "bandit", Seed: math.MaxUint64}},
	}
	s := mustServer(t, open(), w)
	got := mustAnswer[experimentResults](t, get("/experiments/spring-banner/results").to(t, s), 200)
	if !got.Decision.Ready || got.Decision.SuggestedWinner != "b" || got.Decision.DaysLeft != nil || got.Experiment.WriteKey != "wk_1" {
		t.Errorf("the decision was %+v", got.Decision)
	}
	a, b := got.Variants[0], got.Variants[1]
	if a.Fetches != 1500 || a.Exposures != 1200 || a.Suspects != 16 || a.Failures != 2 || a.Conversions != 60 || a.Clicks != 70 || a.Lift != nil || a.P != nil || a.ExpectedLoss != nil {
		t.Errorf("the control was %+v", a)
	}
	if b.LiftInterval != nil || *b.Lift != 1 || *b.P != .001 || *b.ProbabilityBest != .99 {
		t.Errorf("the other was %+v", b)
	}
	if got.Experiment.Excluded != (excludedView{Bots: 9, Prefetch: 7, Duplicates: 3, Repeats: 390, Unassigned: 5, Mismatches: 4}) {
		t.Errorf("excluded were %+v", got.Experiment.Excluded)
	}
	want := []segmentView{
		{Channel: "email", Client: "bot", Variant: "a", Suspects: 9},
		{Channel: "web", Client: "other"},
		{Channel: "web", Client: "other", Variant: "a", Fetches: 1500, Exposures: 1200, Conversions: 60, Clicks: 70},
		{Channel: "web", Client: "other", Variant: "b", Fetches: 1300, Exposures: 1210, Conversions: 121},
		{Channel: "web", Client: "prefetch", Variant: "a", Suspects: 7},
	}
	if diff := cmp.Diff(want, got.Segments); diff != "" {
		t.Errorf("segments: %s", diff)
	}
	if len(got.Series) != 2 || got.Series[0].Rate != nil || got.Series[1].Day != "2026-11-02" || got.Series[1].NewExposures != 10 || *got.Series[1].High != .12 || got.Allocations[0].Seed != "18446744073709551615" {
		t.Errorf("series %+v, allocations %+v", got.Series, got.Allocations)
	}
}

func TestAnExportHasEveryLineAndNoFormula(t *testing.T) {
	w := newWorld()
	w.experiments.add("spring-banner", experiment.Running)
	for i := range 5 {
		w.experiments.assignments = append(w.experiments.assignments, experiment.Assignment{Unit: fmt.Sprint("u", i), Variant: "a", Channel: experiment.Web, At: experimentsBegan})
		w.experiments.events = append(w.experiments.events, experiment.Kept{Seq: int64(i + 1), Event: experiment.Event{ID: fmt.Sprint("e", i), Kind: experiment.Click, Unit: "=cmd|' /C calc'!A0", At: experimentsBegan, Suspect: "bot"}})
	}
	s := mustServer(t, open(), w)
	out := get("/experiments/spring-banner/export.csv").to(t, s)
	lines, err := csv.NewReader(out.Body).ReadAll()
	if err != nil || out.Code != 200 || len(lines) != 11 {
		t.Fatalf("%d, %d lines: %v", out.Code, len(lines), err)
	}
	if lines[1][0] != "assignment" || lines[1][1] != "u0" || lines[6][0] != "event" || lines[6][1] != "'=cmd|' /C calc'!A0" || lines[10][9] != "e4" || lines[10][13] != "bot" {
		t.Errorf("lines were %q", lines)
	}
	if out := (call{method: "DELETE", path: "/experiments/spring-banner/units/a%2Fb%20c"}).to(t, s); out.Code != 204 || w.experiments.erased[0] != "a/b c" {
		t.Errorf("erasing was %d, of %q", out.Code, w.experiments.erased)
	}
}

package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/store"
)

// trial is the experiment of most tests.
const trial = "exp_trial"

// newExperiment has something in each field.
func newExperiment(id string) experiment.Experiment {
	return experiment.Experiment{
		ID: id, Status: experiment.Running, Origin: "api", Author: "ci", CreatedAt: start, StartedAt: start, Since: start.Add(time.Hour),
		Ran: 90 * time.Minute, EndedAt: start.Add(2 * time.Hour), Winner: "b", ReadySince: start.Add(time.Minute), Retired: true, Weights: []int{2500, 7500},
		Definition: experiment.Definition{
			Name: "Cards", Slug: id[len("exp_"):], Type: experiment.ABTest, Goal: experiment.Goal{Type: experiment.GoalClick, DestinationURL: "https://shop.example/?a=1&b=2"},
			Variants: []experiment.Variant{{ID: "a", Template: "card", Weight: 5000, Control: true}, {ID: "b", Template: "card", Theme: "dark", Weight: 5000}}, Coverage: 10_000,
		},
	}
}

// startTrial keeps an experiment that runs and whose goal is one of that kind.
func startTrial(tb testing.TB, s *store.Store, goal string) {
	tb.Helper()
	e := newExperiment(trial)
	e.Retired, e.Winner, e.Goal.Type = false, "", goal
	got(s.SaveExperiment(tb.Context(), e))(tb)
}

// meets is a unit that comes to the trial.
func meets(unit, variant string, exposed bool) experiment.Meeting {
	return experiment.Meeting{Assignment: experiment.Assignment{Experiment: trial, Unit: unit, Variant: variant, Channel: experiment.Web, At: start},
		Exposed: exposed, Client: "other"}
}

// does is an event of a unit of the trial, a minute after it was exposed.
func does(id, kind, unit string) experiment.Event {
	return experiment.Event{Experiment: trial, ID: id, Kind: kind, Unit: unit, Channel: experiment.Web, At: start.Add(time.Minute)}
}

// totals are the counts of the trial by variant.
func totals(tb testing.TB, s *store.Store) map[string]experiment.Counts {
	tb.Helper()
	all := map[string]experiment.Counts{}
	for _, c := range got(s.ExperimentCounts(tb.Context(), trial))(tb) {
		t := all[c.Variant]
		t.Fetches += c.Fetches
		t.Exposures += c.Exposures
		t.Suspects += c.Suspects
		t.Failures += c.Failures
		t.Clicks += c.Clicks
		t.Conversions += c.Conversions
		t.Impressions += c.Impressions
		t.Views += c.Views
		t.Duplicates += c.Duplicates
		t.Unassigned += c.Unassigned
		t.Mismatches += c.Mismatches
		all[c.Variant] = t
	}
	return all
}

// variants are what units were given, "unit=variant".
func variants(all []experiment.Assignment) (given []string) {
	for _, a := range all {
		given = append(given, a.Unit+"="+a.Variant)
	}
	return given
}

var experiments = map[string]func(*testing.T, Open){
	"ExperimentsComeBackAsTheyWereKept": func(t *testing.T, open Open) {
		s := open(t)
		want := newExperiment("exp_one")
		kept := got(s.SaveExperiment(t.Context(), want))(t)
		want.Revision = 1
		ignored := cmpopts.IgnoreFields(experiment.Experiment{}, "UpdatedAt")
		if diff := cmp.Diff(want, kept, ignored); diff != "" {
			t.Errorf("kept (-want +got):\n%s", diff)
		}
		must(t, s.Close())
		s = newStore(t, open)
		if diff := cmp.Diff([]experiment.Experiment{kept}, got(s.Experiments(t.Context()))(t)); diff != "" {
			t.Errorf("found (-kept +found):\n%s", diff)
		}
		kept.Since, kept.Winner, kept.Retired, kept.EndedAt, kept.ReadySince = time.Time{}, "", false, time.Time{}, time.Time{}
		kept.StartedAt, kept.Weights, kept.Name = time.Time{}, nil, "Other cards"
		saved := got(s.SaveExperiment(t.Context(), kept))(t)
		kept.Revision = 2
		if diff := cmp.Diff(kept, saved, ignored); diff != "" {
			t.Errorf("changed (-want +got):\n%s", diff)
		}
		for _, name := range []string{"exp_one", "one"} {
			if diff := cmp.Diff(saved, got(s.Experiment(t.Context(), name))(t)); diff != "" {
				t.Errorf("by %q (-saved +found):\n%s", name, diff)
			}
		}
		if _, err := s.Experiment(t.Context(), "two"); problem.CodeOf(err) != problem.NotFound {
			t.Errorf("another one: %v", err)
		}
	},

	"ExperimentsAreNewestFirst": func(t *testing.T, open Open) {
		s := newStore(t, open)
		for i, id := range []string{"exp_old", "exp_new", "exp_mid"} {
			e := newExperiment(id)
			e.CreatedAt = start.Add([]time.Duration{0, 2, 1}[i] * time.Hour)
			got(s.SaveExperiment(t.Context(), e))(t)
		}
		var ids []string
		for _, e := range got(s.Experiments(t.Context()))(t) {
			ids = append(ids, e.ID)
		}
		if want := []string{"exp_new", "exp_mid", "exp_old"}; !slices.Equal(ids, want) {
			t.Errorf("got %v, want %v", ids, want)
		}
	},

	"ChangeOfAnExperimentThatMovedIsRefused": func(t *testing.T, open Open) {
		s := newStore(t, open)
		first := got(s.SaveExperiment(t.Context(), newExperiment("exp_one")))(t)
		got(s.SaveExperiment(t.Context(), first))(t)
		if _, err := s.SaveExperiment(t.Context(), first); slugOf(err) != store.ExperimentMoved {
			t.Errorf("a stale change: %v", err)
		}
		if _, err := s.SaveWeights(t.Context(), first, experiment.Allocation{At: start}); slugOf(err) != store.ExperimentMoved {
			t.Errorf("stale weights: %v", err)
		}
		if all := got(s.Allocations(t.Context(), "exp_one"))(t); len(all) != 0 {
			t.Errorf("stale weights left %v", all)
		}
		missing := newExperiment("exp_two")
		missing.Revision = 3
		if _, err := s.SaveExperiment(t.Context(), missing); slugOf(err) != store.ExperimentNotFound {
			t.Errorf("a change of nothing: %v", err)
		}
		again := newExperiment("exp_one")
		if _, err := s.SaveExperiment(t.Context(), again); slugOf(err) != store.ExperimentMoved {
			t.Errorf("a new one of the same id: %v", err)
		}
	},

	"SlugIsGivenOnceForEver": func(t *testing.T, open Open) {
		s := newStore(t, open)
		first := newExperiment("exp_one") // retired
		got(s.SaveExperiment(t.Context(), first))(t)
		second := newExperiment("exp_two")
		second.Slug = first.Slug
		if _, err := s.SaveExperiment(t.Context(), second); slugOf(err) != store.SlugTaken || problem.CodeOf(err) != problem.Conflict {
			t.Errorf("the slug of a retired one: %v", err)
		}
		second.Slug = "two"
		kept := got(s.SaveExperiment(t.Context(), second))(t)
		kept.Slug = first.Slug
		if _, err := s.SaveExperiment(t.Context(), kept); slugOf(err) != store.SlugTaken {
			t.Errorf("a change to a slug that is taken: %v", err)
		}
	},

	"OnlyDraftsAreRemoved": func(t *testing.T, open Open) {
		s := newStore(t, open)
		for _, status := range []experiment.Status{experiment.Running, experiment.Paused, experiment.Completed} {
			e := newExperiment("exp_" + string(status))
			e.Status = status
			got(s.SaveExperiment(t.Context(), e))(t)
			if err := s.RemoveExperiment(t.Context(), e.ID); slugOf(err) != store.ExperimentStarted {
				t.Errorf("%s: %v", status, err)
			}
		}
		draft := newExperiment("exp_draft")
		draft.Status = experiment.Draft
		got(s.SaveExperiment(t.Context(), draft))(t)
		must(t, s.RemoveExperiment(t.Context(), draft.ID))
		if err := s.RemoveExperiment(t.Context(), draft.ID); slugOf(err) != store.ExperimentNotFound {
			t.Errorf("removed twice: %v", err)
		}
		again := newExperiment("exp_again")
		again.Slug = draft.Slug
		got(s.SaveExperiment(t.Context(), again))(t)
	},

	"UnitKeepsItsVariant": func(t *testing.T, open Open) {
		s := newStore(t, open)
		startTrial(t, s, experiment.GoalClick)
		first := got(s.Meet(t.Context(), []experiment.Meeting{meets("u2", "a", true), meets("u1", "b", false), meets("u2", "b", true)}))(t)
		if want := []string{"u2=a", "u1=b", "u2=a"}; !slices.Equal(variants(first), want) {
			t.Errorf("first %v, want %v", variants(first), want)
		}
		if first[0].ExposedAt != start || !first[1].ExposedAt.IsZero() {
			t.Errorf("exposed at %v and %v", first[0].ExposedAt, first[1].ExposedAt)
		}
		later := meets("u1", "a", true)
		later.At = start.Add(time.Hour)
		second := got(s.Meet(t.Context(), []experiment.Meeting{later, meets("u2", "b", true), meets("u3", "b", true)}))(t)
		if want := []string{"u1=b", "u2=a", "u3=b"}; !slices.Equal(variants(second), want) {
			t.Errorf("second %v, want %v", variants(second), want)
		}
		if second[0].ExposedAt != later.At || second[0].At != start || second[1].ExposedAt != start {
			t.Errorf("met at %v, exposed at %v and %v", second[0].At, second[0].ExposedAt, second[1].ExposedAt)
		}
		if diff := cmp.Diff(map[string]experiment.Counts{"a": {Exposures: 1}, "b": {Exposures: 2}}, totals(t, s)); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		known := got(s.Assigned(t.Context(), trial, []string{"u9", "u3", "u1"}))(t)
		slices.SortFunc(known, func(a, b experiment.Assignment) int { return strings.Compare(a.Unit, b.Unit) })
		if diff := cmp.Diff([]experiment.Assignment{second[0], second[2]}, known); diff != "" {
			t.Errorf("assigned (-met +assigned):\n%s", diff)
		}
	},

	"ExposureIsCountedOnceInTheChannelWhereItWas": func(t *testing.T, open Open) {
		s := newStore(t, open)
		startTrial(t, s, experiment.GoalClick)
		got(s.Meet(t.Context(), []experiment.Meeting{meets("u", "a", false)}))(t)
		mailed := meets("u", "a", true)
		mailed.Channel, mailed.Client, mailed.At = experiment.Email, "gmail", start.Add(25*time.Hour)
		got(s.Meet(t.Context(), []experiment.Meeting{mailed, mailed}))(t)
		a := got(s.Meet(t.Context(), []experiment.Meeting{meets("u", "a", true)}))(t)[0]
		if a.Channel != experiment.Email {
			t.Errorf("the channel is %s", a.Channel)
		}
		got(s.TakeEvents(t.Context(), []experiment.Event{{Experiment: trial, ID: "1", Kind: experiment.Click, Unit: "u", Channel: experiment.Web, At: mailed.At}}))(t)
		want := []experiment.Counts{{Variant: "a", Channel: experiment.Email, Client: "gmail", Day: start.Truncate(24 * time.Hour).Add(24 * time.Hour),
			Exposures: 1, Clicks: 1, Conversions: 1}}
		if diff := cmp.Diff(want, got(s.ExperimentCounts(t.Context(), trial))(t)); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
	},

	"UnitHasTheRowThatWasPlannedLast": func(t *testing.T, open Open) {
		s := newStore(t, open)
		startTrial(t, s, experiment.GoalClick)
		placed := func(owner, key string) experiment.Meeting {
			m := meets("u", "a", true)
			m.Place = experiment.Place{Owner: owner, Key: key}
			return m
		}
		for _, m := range []experiment.Meeting{placed("", ""), placed("job/1", "k"), placed("", ""), placed("binding/cards", "k"), placed("binding/cards", "k2")} {
			a := got(s.Meet(t.Context(), []experiment.Meeting{m}))(t)[0]
			if m.Place.Owner != "" && a.Place != m.Place || m.Place.Owner == "" && a.Place.Owner != "" && a.Place.Owner != "job/1" {
				t.Errorf("planned at %v, it is at %v", m.Place, a.Place)
			}
			if found := got(s.Assigned(t.Context(), trial, []string{"u"}))(t); found[0].Place != a.Place {
				t.Errorf("met at %v, found at %v", a.Place, found[0].Place)
			}
		}
		if c := totals(t, s)["a"]; c.Exposures != 1 {
			t.Errorf("exposed %d times", c.Exposures)
		}
	},

	"EventCountsOnceForEver": func(t *testing.T, open Open) {
		s := newStore(t, open)
		startTrial(t, s, experiment.GoalConversion)
		got(s.Meet(t.Context(), []experiment.Meeting{meets("u", "a", true), meets("v", "b", true)}))(t)
		events := []experiment.Event{
			does("1", experiment.Impression, "u"), does("2", experiment.View, "u"), does("3", experiment.Click, "u"), does("4", experiment.Click, "u"),
			does("5", experiment.Conversion, "u"), does("5", experiment.Conversion, "v"), does("6", experiment.Conversion, "u"), does("7", experiment.Impression, "u"),
		}
		want := make([]experiment.Taken, len(events))
		for i := range want {
			want[i] = experiment.Taken{Variant: "a"}
		}
		want[5] = experiment.Taken{Variant: "b", Duplicate: true}
		if diff := cmp.Diff(want, got(s.TakeEvents(t.Context(), events))(t)); diff != "" {
			t.Errorf("taken (-want +got):\n%s", diff)
		}
		counted := map[string]experiment.Counts{
			"a": {Exposures: 1, Impressions: 2, Views: 1, Clicks: 1, Conversions: 1}, "b": {Exposures: 1, Duplicates: 1},
		}
		if diff := cmp.Diff(counted, totals(t, s)); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		for i := range want {
			want[i].Duplicate = true
		}
		if diff := cmp.Diff(want, got(s.TakeEvents(t.Context(), events))(t)); diff != "" {
			t.Errorf("taken again (-want +got):\n%s", diff)
		}
		a, b := counted["a"], counted["b"]
		a.Duplicates, b.Duplicates = 7, 2
		if diff := cmp.Diff(map[string]experiment.Counts{"a": a, "b": b}, totals(t, s)); diff != "" {
			t.Errorf("counts again (-want +got):\n%s", diff)
		}
		u := got(s.Assigned(t.Context(), trial, []string{"u"}))(t)[0]
		if u.ClickedAt != start.Add(time.Minute) || u.ConvertedAt != start.Add(time.Minute) {
			t.Errorf("clicked at %v, converted at %v", u.ClickedAt, u.ConvertedAt)
		}
	},

	"SameIDInAnotherExperimentIsAnotherEvent": func(t *testing.T, open Open) {
		s := newStore(t, open)
		startTrial(t, s, experiment.GoalClick)
		got(s.SaveExperiment(t.Context(), newExperiment("exp_other")))(t)
		one, two := does("1", experiment.Click, "u"), does("1", experiment.Click, "u")
		two.Experiment = "exp_other"
		for i, taken := range got(s.TakeEvents(t.Context(), []experiment.Event{one, two}))(t) {
			if taken.Duplicate {
				t.Errorf("event %d is a duplicate", i)
			}
		}
	},

	"GoalIsTheOneOfTheExperiment": func(t *testing.T, open Open) {
		for goal, want := range map[string]int64{experiment.GoalClick: 1, experiment.GoalConversion: 0, experiment.GoalImpressions: 0} {
			t.Run(goal, func(t *testing.T) {
				s := newStore(t, open)
				startTrial(t, s, goal)
				got(s.Meet(t.Context(), []experiment.Meeting{meets("u", "a", true)}))(t)
				got(s.TakeEvents(t.Context(), []experiment.Event{does("1", experiment.Click, "u")}))(t)
				if c := totals(t, s)["a"]; c.Clicks != 1 || c.Conversions != want {
					t.Errorf("counted %+v", c)
				}
			})
		}
	},

	"EventsThatDoNotCountAreKeptAndSaid": func(t *testing.T, open Open) {
		s := newStore(t, open)
		startTrial(t, s, experiment.GoalClick)
		got(s.Meet(t.Context(), []experiment.Meeting{meets("u", "a", true), meets("unseen", "b", false)}))(t)
		forged, bot, early := does("forged", experiment.View, "u"), does("bot", experiment.Click, "u"), does("early", experiment.Click, "u")
		forged.Claimed, bot.Suspect, early.At = "b", "bot", start.Add(-time.Hour)
		forged.Metadata, forged.Device, forged.Referrer = []byte(`{"n":1}`), "mobile", "https://shop.example/"
		nowhere := does("nowhere", experiment.Click, "u")
		nowhere.Experiment = "exp_nowhere"
		events := []experiment.Event{forged, bot, early, does("unseen", experiment.Click, "unseen"), does("unknown", experiment.Click, "w"), nowhere}
		want := []experiment.Taken{
			{Variant: "a", Mismatch: true}, {Variant: "a", Suspect: "bot"}, {Variant: "a", Suspect: experiment.Early},
			{Variant: "b", Unassigned: true}, {Unassigned: true}, {Unassigned: true},
		}
		if diff := cmp.Diff(want, got(s.TakeEvents(t.Context(), events))(t)); diff != "" {
			t.Errorf("taken (-want +got):\n%s", diff)
		}
		counted := map[string]experiment.Counts{"a": {Exposures: 1, Views: 1, Mismatches: 1, Suspects: 2}, "b": {Unassigned: 1}, "": {Unassigned: 1}}
		if diff := cmp.Diff(counted, totals(t, s)); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(want[5:], got(s.TakeEvents(t.Context(), []experiment.Event{nowhere}))(t)); diff != "" {
			t.Errorf("taken alone (-want +got):\n%s", diff)
		}
		early.Suspect = experiment.Early
		var kept []experiment.Kept
		for i, e := range []experiment.Event{forged, bot, early, events[3], events[4]} {
			kept = append(kept, experiment.Kept{Event: e, Seq: int64(i + 1), Variant: want[i].Variant, Unassigned: want[i].Unassigned})
		}
		if diff := cmp.Diff(kept[:2], got(s.ExportEvents(t.Context(), trial, 0, 2))(t)); diff != "" {
			t.Errorf("exported (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(kept[2:], got(s.ExportEvents(t.Context(), trial, 2, 10))(t)); diff != "" {
			t.Errorf("exported the rest (-want +got):\n%s", diff)
		}
		// A unit that is shown the image later can still click.
		got(s.Meet(t.Context(), []experiment.Meeting{meets("unseen", "a", true)}))(t)
		got(s.TakeEvents(t.Context(), []experiment.Event{does("seen", experiment.Click, "unseen"), does("early 2", experiment.Click, "u")}))(t)
		if c := totals(t, s); c["b"].Clicks != 1 || c["a"].Clicks != 1 {
			t.Errorf("counted %+v", c)
		}
	},

	"TalliesAreAddedUp": func(t *testing.T, open Open) {
		s := newStore(t, open)
		one := experiment.Tally{Experiment: trial, Variant: "a", Channel: experiment.Web, Client: "other", Day: start, Fetches: 3, Suspects: 2, Failures: 1}
		two := one
		two.Day = start.Add(24 * time.Hour)
		must(t, s.Count(t.Context(), []experiment.Tally{one, two, one}))
		must(t, s.Count(t.Context(), []experiment.Tally{one}))
		day := start.Truncate(24 * time.Hour)
		want := []experiment.Counts{
			{Variant: "a", Channel: experiment.Web, Client: "other", Day: day, Fetches: 9, Suspects: 6, Failures: 3},
			{Variant: "a", Channel: experiment.Web, Client: "other", Day: day.Add(24 * time.Hour), Fetches: 3, Suspects: 2, Failures: 1},
		}
		if diff := cmp.Diff(want, got(s.ExperimentCounts(t.Context(), trial))(t)); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
	},

	"AllocationsComeBackInTheirOrder": func(t *testing.T, open Open) {
		s := newStore(t, open)
		startTrial(t, s, experiment.GoalClick)
		first := experiment.Allocation{At: start, Weights: []int{5000, 5000}, Why: "start"}
		second := experiment.Allocation{At: start.Add(time.Hour), Weights: []int{1000, 9000}, Why: "bandit", Seed: 1<<64 - 1, Units: []int64{10, 20}, Goals: []int64{1, 2}}
		must(t, s.AddAllocation(t.Context(), trial, first))
		e := got(s.Experiment(t.Context(), trial))(t)
		e.Weights = second.Weights
		if kept := got(s.SaveWeights(t.Context(), e, second))(t); !slices.Equal(kept.Weights, second.Weights) || kept.Revision != e.Revision+1 {
			t.Errorf("kept %v at revision %d", kept.Weights, kept.Revision)
		}
		if diff := cmp.Diff([]experiment.Allocation{first, second}, got(s.Allocations(t.Context(), trial))(t)); diff != "" {
			t.Errorf("allocations (-want +got):\n%s", diff)
		}
	},

	"ErasedUnitLeavesItsCounts": func(t *testing.T, open Open) {
		s := newStore(t, open)
		startTrial(t, s, experiment.GoalClick)
		got(s.Meet(t.Context(), []experiment.Meeting{meets("ann", "a", true), meets("bob", "a", true)}))(t)
		said := does("1", experiment.Click, "ann")
		said.Device, said.Referrer, said.Metadata = "mobile", "https://ann.example", []byte(`{"name":"Ann"}`)
		got(s.TakeEvents(t.Context(), []experiment.Event{said, does("2", experiment.Click, "bob")}))(t)
		before := totals(t, s)
		must(t, s.EraseUnit(t.Context(), trial, "ann"))
		if diff := cmp.Diff(before, totals(t, s)); diff != "" {
			t.Errorf("counts (-before +after):\n%s", diff)
		}
		if all := variants(got(s.ExportAssignments(t.Context(), trial, "", 10))(t)); !slices.Equal(all, []string{"bob=a"}) {
			t.Errorf("assignments %v", all)
		}
		bare := does("1", experiment.Click, "")
		want := []experiment.Kept{{Event: bare, Seq: 1, Variant: "a"}, {Event: does("2", experiment.Click, "bob"), Seq: 2, Variant: "a"}}
		if diff := cmp.Diff(want, got(s.ExportEvents(t.Context(), trial, 0, 10))(t)); diff != "" {
			t.Errorf("events (-want +got):\n%s", diff)
		}
		if taken := got(s.TakeEvents(t.Context(), []experiment.Event{said}))(t); !taken[0].Duplicate {
			t.Errorf("sent again it is %+v", taken[0])
		}
	},

	"ExportsGoOnWhereTheyStood": func(t *testing.T, open Open) {
		s := newStore(t, open)
		startTrial(t, s, experiment.GoalClick)
		var all []experiment.Meeting
		for i := range 25 {
			all = append(all, meets(fmt.Sprintf("u%02d", i), "a", true))
		}
		got(s.Meet(t.Context(), all))(t)
		var units []string
		for after := ""; ; {
			page := got(s.ExportAssignments(t.Context(), trial, after, 10))(t)
			if len(page) == 0 {
				break
			}
			for _, a := range page {
				units = append(units, a.Unit)
			}
			after = units[len(units)-1]
		}
		if len(units) != 25 || !slices.IsSorted(units) {
			t.Errorf("exported %v", units)
		}
	},

	"CountsAreExactWhateverComesAtOnce": func(t *testing.T, open Open) {
		s := newStore(t, open)
		startTrial(t, s, experiment.GoalClick)
		const workers, units = 4, 200
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				for at := range units {
					u := (at*7 + w*50) % units // each worker in an order of its own
					unit, variant := fmt.Sprint(u), []string{"a", "b"}[(u+w)%2]
					next := fmt.Sprint((u + 1) % units)
					if _, err := s.Meet(t.Context(), []experiment.Meeting{meets(unit, variant, true), meets(next, variant, false)}); err != nil {
						t.Error(err)
					}
					// Two workers send the same event, and each another one of its own.
					if _, err := s.TakeEvents(t.Context(), []experiment.Event{
						does(fmt.Sprintf("v%d/%d", w/2, u), experiment.View, unit), does(fmt.Sprintf("c%d/%d", w, u), experiment.Click, unit),
					}); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		var sum experiment.Counts
		for _, c := range totals(t, s) {
			sum.Exposures += c.Exposures
			sum.Clicks += c.Clicks
			sum.Conversions += c.Conversions
			sum.Views += c.Views
			sum.Duplicates += c.Duplicates
		}
		want := experiment.Counts{Exposures: units, Clicks: units, Conversions: units, Views: units * workers / 2, Duplicates: units * workers / 2}
		if diff := cmp.Diff(want, sum); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		byVariant := map[string]int64{}
		for _, a := range got(s.ExportAssignments(t.Context(), trial, "", units+1))(t) {
			byVariant[a.Variant]++
		}
		for variant, c := range totals(t, s) {
			if c.Exposures != byVariant[variant] {
				t.Errorf("%s was given to %d units and counted %d times", variant, byVariant[variant], c.Exposures)
			}
		}
	},

	"SweepLeavesWhatAnExperimentShows": func(t *testing.T, open Open) {
		s := newStore(t, open)
		endedJob(t, s, "j1", "shown", "alone")
		got(s.ExpireJobs(t.Context(), soon()))(t)
		got(s.EmptyJobs(t.Context()))(t)
		mustBe(t, "marked before", markAll(t, s, time.Now(), hashOf("alone"), hashOf("shown"), "fallback"), "fallback", hashOf("alone"), hashOf("shown"))
		pictures := map[string]experiment.Picture{
			"a": {Hash: hashOf("shown"), Ext: "png", Fingerprint: "fp-card-shown"}, "": {Hash: "fallback", Ext: "jpg"},
		}
		if !got(s.ShowExperiment(t.Context(), trial, pictures))(t) {
			t.Error("pictures that are there were refused")
		}
		mustBe(t, "marked", markAll(t, s, time.Now(), hashOf("alone"), hashOf("shown"), "fallback"), hashOf("alone"))
		mustBe(t, "due", condemned(t, s, soon()), hashOf("alone"))
		w := got(s.BeginSweep(t.Context()))(t)
		mustBe(t, "to be made again when somebody asks", got(w.Remakable(t.Context(), []string{hashOf("shown"), "fallback"}))(t))
		if diff := cmp.Diff(map[string]map[string]experiment.Picture{trial: pictures}, got(s.ExperimentPictures(t.Context()))(t)); diff != "" {
			t.Errorf("pictures (-want +got):\n%s", diff)
		}
		// The render of alone went with its bytes.
		if got(s.ShowExperiment(t.Context(), trial, map[string]experiment.Picture{"a": {Hash: hashOf("alone"), Ext: "png", Fingerprint: "fp-card-alone"}}))(t) {
			t.Error("a picture that was given up was noted")
		}
		delete(pictures, "")
		got(s.ShowExperiment(t.Context(), trial, pictures))(t)
		mustBe(t, "due after another fallback", append(markAll(t, s, time.Now(), hashOf("shown"), "fallback"), condemned(t, s, soon())...), "fallback", "fallback", hashOf("alone"))
	},

	"JobStaysWhileAnExperimentShowsItsRows": func(t *testing.T, open Open) {
		s := newStore(t, open)
		startTrial(t, s, experiment.GoalClick)
		endedJob(t, s, "placed", "x")
		endedJob(t, s, "other", "y")
		m := meets("u", "a", true)
		m.Place = experiment.Place{Owner: "job/placed", Key: "0"}
		got(s.Meet(t.Context(), []experiment.Meeting{m}))(t)
		if n := got(s.ExpireJobs(t.Context(), soon()))(t); n != 1 {
			t.Errorf("%d jobs expired, want the other one", n)
		}
		e := got(s.Experiment(t.Context(), trial))(t)
		e.Status = experiment.Completed
		got(s.SaveExperiment(t.Context(), e))(t)
		if n := got(s.ExpireJobs(t.Context(), soon()))(t); n != 1 {
			t.Errorf("%d jobs expired after the experiment", n)
		}
	},
}

package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
)

// twoCards is a definition with gates that a test can pass.
func twoCards(slug string) experiment.Definition {
	d := newExperiment(slug).Definition
	d.Goal = experiment.Goal{Type: experiment.GoalConversion}
	d.MinimumSampleSize, d.MinimumRunDays = 100, 1e-9
	return d
}

// convert has units meet both variants of e, and some of them convert.
func (d *Daemon) convert(tb testing.TB, e experiment.Experiment, each, plain, bold int) {
	tb.Helper()
	var met []experiment.Meeting
	var events []experiment.Event
	for i := range each {
		for _, v := range []struct {
			id    string
			goals int
		}{{"plain", plain}, {"bold", bold}} {
			unit := fmt.Sprint(v.id, i)
			met = append(met, experiment.Meeting{
				Assignment: experiment.Assignment{Experiment: e.ID, Unit: unit, Variant: v.id, Channel: experiment.Web, At: time.Now()}, Exposed: true, Client: "other",
			})
			if i < v.goals {
				events = append(events, experiment.Event{Experiment: e.ID, ID: unit, Kind: experiment.Conversion, Unit: unit, Channel: experiment.Web, At: time.Now().Add(time.Second)})
			}
		}
	}
	if _, err := d.store.Meet(tb.Context(), met); err != nil {
		tb.Fatal(err)
	}
	if _, err := d.store.TakeEvents(tb.Context(), events); err != nil {
		tb.Fatal(err)
	}
}

// hears subscribes to all that experiments tell of.
func (d *Daemon) hears(tb testing.TB) {
	tb.Helper()
	_, _, err := d.Subscribe(tb.Context(), sink.Subscription{
		Events: []string{sink.ExperimentStarted, sink.ExperimentSRM, sink.ExperimentWinnerReady, sink.ExperimentCompleted, sink.ExperimentWeightsChanged, sink.ExperimentFailing},
		URL:    "https://hooks.example/1", Platform: "custom",
	}, api.Limits{Subscriptions: 1, KeySubscriptions: 1})
	if err != nil {
		tb.Fatal(err)
	}
}

// heard are the events that were planned, oldest first.
func (d *Daemon) heard(tb testing.TB) (events []string) {
	tb.Helper()
	all, err := d.store.Deliveries(tb.Context(), sink.Selection{}, sink.Place{}, 100)
	if err != nil {
		tb.Fatal(err)
	}
	for _, one := range all {
		events = append([]string{strings.TrimPrefix(one.Event, "experiment.")}, events...)
	}
	return events
}

func slugOfProblem(err error) string {
	if p := (*problem.Error)(nil); errors.As(err, &p) {
		return p.Slug
	}
	return ""
}

func TestAnExperimentRunsToItsWinner(t *testing.T) {
	d := newSite(t, "").open()
	d.hears(t)
	desk := experimentDesk{d}
	e, err := desk.Create(t.Context(), twoCards("two-cards"), "Ada")
	if err != nil {
		t.Fatal(err)
	}
	if e.Status != experiment.Draft || !strings.HasPrefix(e.ID, "exp_") || e.Author != "Ada" {
		t.Errorf("made was %+v", e)
	}
	if _, err := d.exhibit.of("two-cards"); problem.CodeOf(err) != problem.NotFound {
		t.Errorf("a draft is shown: %v", err)
	}
	if e, err = desk.Move(t.Context(), e, api.ExperimentMove{Move: api.MoveStart}); err != nil {
		t.Fatal(err)
	}
	shown, err := d.exhibit.of("two-cards")
	if err != nil || shown.pictures["bold"].Hash == "" || shown.pictures["bold"].Hash == shown.pictures["plain"].Hash {
		t.Fatalf("shown is %+v: %v", shown, err)
	}
	if _, err = desk.Move(t.Context(), e, api.ExperimentMove{Move: api.MoveComplete, Winner: "bold"}); slugOfProblem(err) != "minimum_not_reached" || !strings.Contains(err.Error(), "units") {
		t.Errorf("too early is %v", err)
	}
	d.convert(t, e, 600, 60, 180)
	st, err := desk.Standing(t.Context(), e, true)
	if len(st.Pictures) < 2 || st.Pictures["bold"] != shown.pictures["bold"] {
		t.Errorf("the pictures that are shown: %+v", st.Pictures)
	}
	if err != nil {
		t.Fatal(err)
	}
	if st.Report.Status != experiment.WinnerReady || st.Report.Best != "bold" || len(st.Series) != 2 || st.Series[1].Converted != 180 || len(st.Allocations) != 1 || st.WriteKey == "" {
		t.Errorf("it stands at %+v", st)
	}
	if _, err = desk.Move(t.Context(), e, api.ExperimentMove{Move: api.MoveComplete, Winner: "plain"}); slugOfProblem(err) != "minimum_not_reached" || !strings.Contains(err.Error(), `"bold"`) {
		t.Errorf("another winner is %v", err)
	}
	if _, err = desk.Move(t.Context(), e, api.ExperimentMove{Move: api.MoveComplete, Winner: "bald", Force: true}); slugOfProblem(err) != "variant_not_found" {
		t.Errorf("an unknown winner is %v", err)
	}
	if e, err = desk.Move(t.Context(), e, api.ExperimentMove{Move: api.MoveComplete}); err != nil {
		t.Fatal(err)
	}
	if e.Winner != "bold" || e.Status != experiment.Completed || e.Weights[1] != experiment.Whole {
		t.Errorf("completed is %+v", e)
	}
	if st, err = desk.Standing(t.Context(), e, true); err != nil || st.Report.Status != experiment.Ended || len(st.Allocations) != 2 || st.Allocations[1].Goals[1] != 180 {
		t.Errorf("in the end it stands at %+v: %v", st, err)
	}
	if got := strings.Join(d.heard(t), " "); got != "started completed" {
		t.Errorf("told was %q", got)
	}
	if err := desk.Remove(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if shown, err = d.exhibit.of("two-cards"); err != nil || shown.last() != "bold" {
		t.Errorf("retired, it shows %+v: %v", shown, err)
	}
}

func TestWhatBeganTakesOnlyWhatComparesTheSame(t *testing.T) {
	d := newSite(t, "").open()
	desk := experimentDesk{d}
	e, err := desk.Create(t.Context(), twoCards("frozen"), "")
	if err != nil {
		t.Fatal(err)
	}
	def := e.Definition
	def.Variants = append([]experiment.Variant(nil), def.Variants...)
	def.Variants[0].Weight, def.Variants[1].Weight = 2000, 8000
	if e, err = desk.Change(t.Context(), e, def); err != nil || e.Weights[1] != 8000 {
		t.Fatalf("a draft became %+v: %v", e, err)
	}
	if e, err = desk.Move(t.Context(), e, api.ExperimentMove{Move: api.MoveStart}); err != nil {
		t.Fatal(err)
	}
	def = e.Definition
	def.Goal.Type = experiment.GoalImpressions
	if _, err = desk.Change(t.Context(), e, def); slugOfProblem(err) != experiment.FrozenField {
		t.Errorf("another goal is %v", err)
	}
	def = e.Definition
	def.Name = "Another name"
	stale := e
	if e, err = desk.Change(t.Context(), e, def); err != nil || e.Name != "Another name" {
		t.Errorf("another name is %+v: %v", e, err)
	}
	if _, err = desk.Change(t.Context(), stale, def); slugOfProblem(err) != api.SlugExperimentMoved {
		t.Errorf("a stale change is %v", err)
	}
	if e, err = desk.Move(t.Context(), e, api.ExperimentMove{Move: api.MoveRollout, Weights: map[string]int{"bold": 9000, "plain": 1000}}); err != nil || e.Weights[0] != 1000 {
		t.Errorf("rolled out is %+v: %v", e, err)
	}
	for _, weights := range []map[string]int{{"bold": 9000}, {"bald": 10000}, {"bold": 11000, "plain": -1000}} {
		if _, err = desk.Move(t.Context(), e, api.ExperimentMove{Move: api.MoveRollout, Weights: weights}); problem.CodeOf(err) != problem.Invalid {
			t.Errorf("weights %v are %v", weights, err)
		}
	}
	if err := desk.Remove(t.Context(), e); slugOfProblem(err) != experiment.InvalidTransition {
		t.Errorf("removing what runs is %v", err)
	}
	var moved *experiment.TransitionError
	if _, err = desk.Move(t.Context(), e, api.ExperimentMove{Move: api.MoveResume}); !errors.As(err, &moved) || moved.Status != experiment.Running {
		t.Errorf("resuming what runs is %v", err)
	}
	for _, move := range []string{api.MovePause, api.MoveResume} {
		if e, err = desk.Move(t.Context(), e, api.ExperimentMove{Move: move}); err != nil {
			t.Errorf("%s: %v", move, err)
		}
	}
	if e, err = desk.Move(t.Context(), e, api.ExperimentMove{Move: api.MoveComplete, Winner: "plain", Force: true}); err != nil || e.Winner != "plain" {
		t.Errorf("forced is %+v: %v", e, err)
	}
}

func TestAStartThatCannotBeDrawnStartsNothing(t *testing.T) {
	d := newSite(t, "").open()
	desk := experimentDesk{d}
	def := twoCards("broken")
	def.Variants[1].Variables = map[string]json.RawMessage{"colour": json.RawMessage(`"red"`)}
	e, err := desk.Create(t.Context(), def, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = desk.Move(t.Context(), e, api.ExperimentMove{Move: api.MoveStart}); problem.CodeOf(err) != problem.Invalid || !strings.Contains(err.Error(), "colour") {
		t.Errorf("the start is %v", err)
	}
	if e, err = d.store.Experiment(t.Context(), "broken"); err != nil || e.Status != experiment.Draft {
		t.Errorf("it is %+v: %v", e, err)
	}
	if err := desk.Remove(t.Context(), e); err != nil {
		t.Error(err)
	}
}

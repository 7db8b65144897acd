package storetest

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/sink"
	"github.com/pictifyd/pictifyd/store"
)

var experimentNews = map[string]func(*testing.T, Open){
	"news of an experiment are told with what changed": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hears := subscribe(t, s, "hears", sink.ExperimentCompleted, sink.ExperimentSRM)
		deaf := subscribe(t, s, "deaf", sink.ExperimentStarted)
		other := newSubscription("other", sink.ExperimentCompleted)
		other.Filter, other.Templates = sink.Filter{}, []string{"poster"} // it may not see the templates of the trial
		others := subscribeTo(t, s, other)
		startTrial(t, s, experiment.GoalClick)
		e := got(s.Experiment(t.Context(), trial))(t)
		e.Status, e.Winner = experiment.Completed, "b"
		because := experiment.Allocation{At: start, Weights: []int{0, experiment.Whole}, Why: "winner"}
		news := store.ExperimentNews{Event: sink.ExperimentCompleted, Data: sink.ExperimentNews{Experiment: e.Slug, Winner: "b"}}
		kept := got(s.KeepExperiment(t.Context(), e, &because, news))(t)
		if kept.Revision != e.Revision+1 || kept.Winner != "b" {
			t.Errorf("kept was %+v", kept)
		}
		if _, err := s.KeepExperiment(t.Context(), e, &because, news); problem.CodeOf(err) != problem.Conflict {
			t.Errorf("a stale one was %v", err)
		}
		if all := got(s.Allocations(t.Context(), trial))(t); len(all) != 1 || all[0].Why != "winner" {
			t.Errorf("allocations were %+v", all)
		}
		sent := deliver(t, s, hears, nil)
		if len(sent) != 1 || sent[0].Event != sink.ExperimentCompleted || sent[0].Row["winner"] != "b" || sent[0].Owner.Job() != "" || sent[0].Owner.Binding() != "" {
			t.Errorf("told was %+v", sent)
		}
		if more := slices.Concat(deliver(t, s, deaf, nil), deliver(t, s, others, nil)); len(more) != 0 {
			t.Errorf("others were told %+v", more)
		}
		if shown := got(s.Deliveries(t.Context(), sink.Selection{}, sink.Place{}, 10))(t); len(shown) != 1 || shown[0].Key != "" {
			t.Errorf("shown as %+v", shown)
		}
	},
	"what is told once is told once": func(t *testing.T, open Open) {
		s := newStore(t, open)
		hears := subscribe(t, s, "hears", sink.ExperimentFailing, sink.ExperimentSRM)
		startTrial(t, s, experiment.GoalClick)
		e := got(s.Experiment(t.Context(), trial))(t)
		var told []string
		for range 2 {
			must(t, s.TellExperiment(t.Context(), e,
				store.ExperimentNews{Event: sink.ExperimentSRM, Number: 1},
				store.ExperimentNews{Event: sink.ExperimentFailing, Number: 7, Data: sink.ExperimentNews{Variant: "a"}},
				store.ExperimentNews{Event: sink.ExperimentFailing, Number: 7, Data: sink.ExperimentNews{Variant: "b"}}))
			told = append(told, eventsOf(deliver(t, s, hears, nil))...)
		}
		slices.Sort(told)
		want := []string{"experiment.failing #experiment.failing/a", "experiment.failing #experiment.failing/b", "experiment.srm #experiment.srm"}
		if diff := cmp.Diff(want, told); diff != "" {
			t.Error(diff)
		}
	},
}

package daemon

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pictifyd/pictifyd/api"
	"github.com/pictifyd/pictifyd/experiment"
)

// runs is an experiment of that definition, started.
func (d *Daemon) runs(tb testing.TB, def experiment.Definition) experiment.Experiment {
	tb.Helper()
	desk := experimentDesk{d}
	e, err := desk.Create(tb.Context(), def, "")
	if err == nil {
		e, err = desk.Move(tb.Context(), e, api.ExperimentMove{Move: api.MoveStart})
	}
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

// reviewed is e after it was looked at.
func (w *experimentWatch) reviewed(tb testing.TB, e experiment.Experiment, now time.Time) experiment.Experiment {
	tb.Helper()
	if err := w.review(tb.Context(), e, now); err != nil {
		tb.Fatal(err)
	}
	e, err := w.daemon.store.Experiment(tb.Context(), e.ID)
	if err != nil {
		tb.Fatal(err)
	}
	return e
}

func TestAWinnerHasToLastADayBeforeItTakesAll(t *testing.T) {
	for _, rollout := range []string{experiment.RolloutAutomatic, experiment.RolloutManual} {
		t.Run(rollout, func(t *testing.T) {
			d := newSite(t, "").open()
			d.hears(t)
			def := twoCards("two-cards")
			def.Rollout = rollout
			e := d.runs(t, def)
			w := newExperimentWatch(d)
			now := time.Now().Add(time.Second)
			if e = w.reviewed(t, e, now); !e.ReadySince.IsZero() {
				t.Fatalf("ready without numbers: %+v", e)
			}
			d.convert(t, e, 600, 60, 180)
			e = w.reviewed(t, e, now)
			if e.ReadySince.IsZero() {
				t.Fatal("it is not ready")
			}
			for range 3 { // which tells nobody again
				e = w.reviewed(t, e, now.Add(23*time.Hour))
			}
			if e.Status != experiment.Running {
				t.Errorf("too soon it is %+v", e)
			}
			e = w.reviewed(t, e, now.Add(24*time.Hour+time.Second))
			want, told := experiment.Completed, "started winner_ready completed"
			if rollout == experiment.RolloutManual {
				want, told = experiment.Running, "started winner_ready"
			}
			if e.Status != want || want == experiment.Completed && e.Winner != "bold" {
				t.Errorf("after a day it is %+v", e)
			}
			if got := strings.Join(d.heard(t), " "); got != told {
				t.Errorf("told was %q, want %q", got, told)
			}
		})
	}
}

func TestAWinnerThatIsNoneAnyMoreBeginsAgain(t *testing.T) {
	d := newSite(t, "").open()
	e := d.runs(t, twoCards("two-cards"))
	e.ReadySince = time.Now().Add(-48 * time.Hour)
	e, err := d.store.SaveExperiment(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if e = newExperimentWatch(d).reviewed(t, e, time.Now()); !e.ReadySince.IsZero() {
		t.Errorf("without numbers it is ready since %s", e.ReadySince)
	}
}

func TestUnitsThatAreSpreadWrongAreToldOfOnce(t *testing.T) {
	d := newSite(t, "").open()
	d.hears(t)
	e := d.runs(t, twoCards("two-cards"))
	d.convert(t, e, 300, 30, 90)
	var met []experiment.Meeting
	for i := range 300 {
		met = append(met, experiment.Meeting{Assignment: experiment.Assignment{Experiment: e.ID, Unit: "more" + string(rune('a'+i%26)) + strings.Repeat("x", i/26), Variant: "bold", Channel: experiment.Web, At: time.Now()}, Exposed: true})
	}
	if _, err := d.store.Meet(t.Context(), met); err != nil {
		t.Fatal(err)
	}
	w := newExperimentWatch(d)
	for range 3 {
		e = w.reviewed(t, e, time.Now())
	}
	if got := strings.Join(d.heard(t), " "); got != "started srm" || !e.ReadySince.IsZero() {
		t.Errorf("told was %q, ready since %s", got, e.ReadySince)
	}
}

func TestABanditMovesWeightsAndItsDrawsCanBeRepeated(t *testing.T) {
	d := newSite(t, "").open()
	d.hears(t)
	def := twoCards("two-cards")
	def.MinimumSampleSize = 100_000
	def.Bandit = &experiment.Bandit{Enabled: true, Warmup: 200, RecomputeInterval: 15}
	e := d.runs(t, def)
	w := newExperimentWatch(d)
	later := time.Now().Add(16 * time.Minute)
	if e = w.reviewed(t, e, later); !cmp.Equal(e.Weights, []int{5000, 5000}) {
		t.Fatalf("cold, it has the weights %v", e.Weights)
	}
	d.convert(t, e, 400, 40, 60)
	if e = w.reviewed(t, e, time.Now().Add(14*time.Minute)); !cmp.Equal(e.Weights, []int{5000, 5000}) {
		t.Fatalf("before its time it has the weights %v", e.Weights)
	}
	if e = w.reviewed(t, e, later); e.Weights[1] < 8000 || e.Weights[0] < 100 || e.Weights[0]+e.Weights[1] != experiment.Whole {
		t.Fatalf("warm, it has the weights %v", e.Weights)
	}
	all, err := d.store.Allocations(t.Context(), e.ID)
	if err != nil || len(all) != 2 || all[1].Seed == 0 {
		t.Fatalf("allocations are %+v: %v", all, err)
	}
	if again := experiment.Redraw(*e.Bandit, all[1]); !cmp.Equal(again, e.Weights) {
		t.Errorf("repeated, the draws give %v, not %v", again, e.Weights)
	}
	if e = w.reviewed(t, e, later.Add(time.Minute)); len(mustAllocations(t, d, e.ID)) != 2 {
		t.Error("it drew twice in its interval")
	}
	if got := strings.Join(d.heard(t), " "); got != "started weights_changed" {
		t.Errorf("told was %q", got)
	}
	if _, err := (experimentDesk{d}).Move(t.Context(), e, api.ExperimentMove{Move: api.MoveRollout, Weights: map[string]int{"bold": 10000}}); slugOfProblem(err) != "bandit_moves_weights" {
		t.Errorf("a rollout beside the bandit is %v", err)
	}
}

func mustAllocations(tb testing.TB, d *Daemon, id string) []experiment.Allocation {
	tb.Helper()
	all, err := d.store.Allocations(tb.Context(), id)
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

func TestAFailingVariantIsToldOf(t *testing.T) {
	d := newSite(t, "").open()
	d.hears(t)
	e := d.runs(t, twoCards("two-cards"))
	at := time.Now()
	for _, variant := range []string{"plain", "bold", "bold"} {
		if err := d.tellFailing(t.Context(), api.FailingVariant{Experiment: e.ID, Variant: variant, Last: at, Shown: 3, Why: "its bytes are gone"}); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(d.heard(t), " "); got != "started failing failing" {
		t.Errorf("told was %q", got)
	}
}

func TestExperimentsAreLookedAtEveryMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour+time.Second)
		defer cancel()
		looks := 0
		everyMinute(ctx, func(context.Context) { looks++ })
		if looks != 60 {
			t.Errorf("in an hour it looked %d times", looks)
		}
	})
}

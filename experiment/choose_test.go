package experiment_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/pictifyd/pictifyd/experiment"
	"github.com/pictifyd/pictifyd/experiment/stats"
)

func TestUnitsAreDrawnByWeights(t *testing.T) {
	e := trial(experiment.Running)
	e.Weights = []int{2000, 8000}
	chooser, drawn := experiment.NewChooser(e), map[string]int{}
	for i := range 10_000 {
		variant, counted := chooser.Choose(fmt.Sprintf("u%d", i), experiment.Facts{})
		if !counted {
			t.Fatalf("u%d does not count", i)
		}
		drawn[variant]++
	}
	if drawn["a"] < 1800 || drawn["a"] > 2200 || drawn["a"]+drawn["b"] != 10_000 {
		t.Errorf("drawn %v, want 2000 and 8000", drawn)
	}
}

func TestUnitOutsideOfTheCoverageGetsTheControlAndDoesNotCount(t *testing.T) {
	e := trial(experiment.Running)
	e.Coverage = 5000
	before := map[string]string{}
	for i := range 2000 {
		unit := fmt.Sprintf("u%d", i)
		variant, counted := experiment.Choose(e, unit, experiment.Facts{})
		if counted {
			before[unit] = variant
		} else if variant != "a" {
			t.Errorf("%s, not covered, gets %s", unit, variant)
		}
	}
	if len(before) < 900 || len(before) > 1100 {
		t.Errorf("%d of 2000 units are covered", len(before))
	}
	e.Coverage = 9000
	for unit, was := range before {
		if variant, counted := experiment.Choose(e, unit, experiment.Facts{}); variant != was || !counted {
			t.Errorf("with more coverage %s moved from %s to %s", unit, was, variant)
		}
	}
}

func TestSeedIsTheIDAndNotTheSlug(t *testing.T) {
	e, other := trial(experiment.Running), trial(experiment.Running)
	other.ID = "exp_other"
	same := 0
	for i := range 1000 {
		unit := fmt.Sprintf("u%d", i)
		one, _ := experiment.Choose(e, unit, experiment.Facts{})
		two, _ := experiment.Choose(other, unit, experiment.Facts{})
		if one == two {
			same++
		}
		if want := []string{"a", "b"}[stats.Bucket(e.ID, unit)/5000]; one != want {
			t.Fatalf("%s gets %s, and its bucket is %d", unit, one, stats.Bucket(e.ID, unit))
		}
	}
	if same < 400 || same > 600 {
		t.Errorf("%d of 1000 units get the same of two experiments with one slug", same)
	}
}

func TestNothingIsDrawnWhileItDoesNotRun(t *testing.T) {
	for status, want := range map[experiment.Status]string{experiment.Draft: "a", experiment.Paused: "a", experiment.Completed: "b"} {
		e := trial(status)
		if status == experiment.Completed {
			e.Winner = "b"
		}
		for i := range 50 {
			if variant, counted := experiment.Choose(e, fmt.Sprint(i), experiment.Facts{}); variant != want || counted {
				t.Errorf("%s: %s, counted %v", status, variant, counted)
			}
		}
	}
}

func TestSmartLinkShowsTheFirstVariantThatFits(t *testing.T) {
	e := trial(experiment.Running)
	e.Type = experiment.SmartLink
	e.Variants = append(e.Variants, experiment.Variant{ID: "c", Template: "card"})
	rule := func(property, value string) *experiment.Condition {
		return &experiment.Condition{Type: "rule", Property: property, Operator: "equals", Value: json.RawMessage(`"` + value + `"`)}
	}
	e.Variants[1].Conditions, e.Variants[2].Conditions = rule("device", "mobile"), rule("country", "DE")
	for facts, want := range map[[2]string]string{
		{"mobile", "DE"}: "b", {"desktop", "DE"}: "c", {"desktop", "FR"}: "a", {"", ""}: "a", {"mobile", ""}: "b",
	} {
		variant, counted := experiment.Choose(e, "u", experiment.Facts{Device: facts[0], Country: facts[1]})
		if variant != want || !counted {
			t.Errorf("%v: %s, counted %v; want %s", facts, variant, counted, want)
		}
	}
	if e.Sticky() {
		t.Error("what fits once is shown for ever")
	}
}

func BenchmarkChoose(b *testing.B) {
	chooser := experiment.NewChooser(trial(experiment.Running))
	for b.Loop() {
		chooser.Choose("customer-123456", experiment.Facts{})
	}
}

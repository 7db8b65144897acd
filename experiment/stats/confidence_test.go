package stats

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestRhoIsTheReferenceValue(t *testing.T) {
	near(t, "row 5: ρ(0.05, 5000)", rho(0.05, 5000), 0.0398400667714, 1e-13)
}

func TestSequenceGivesTheReferenceIntervals(t *testing.T) {
	for name, c := range map[string]struct {
		control, arm Arm
		want         Effect
		tolerance    float64
	}{
		"row 4, GrowthBook":  {Arm{3000, 1396}, Arm{3461, 2422}, Effect{0.50386, 0.40098, 0.60675, 0}, 5e-6},
		"row 4, recomputed":  {Arm{3000, 1396}, Arm{3461, 2422}, Effect{0.50386332, 0.4009785, 0.60674821, 0}, 5e-8},
		"row 6, not yet won": {Arm{10_000, 200}, Arm{10_000, 260}, Effect{0.30, -0.07801, 0.67801, 0.28903}, 5e-6},
		"row 7":              {Arm{1000, 100}, Arm{1000, 125}, Effect{0.25, -0.24391, 0.74391, 0.78973}, 5e-6},
	} {
		got, ok := NewSequence(0.05, 5000, 2).Lift(c.control, c.arm)
		if !ok {
			t.Errorf("%s: there is no lift", name)
		}
		near(t, name+": lift", got.Estimate, c.want.Estimate, c.tolerance)
		near(t, name+": low", got.Low, c.want.Low, c.tolerance)
		near(t, name+": high", got.High, c.want.High, c.tolerance)
		near(t, name+": p", got.P, c.want.P, c.tolerance)
	}
	_, deviation := relativeLift(Arm{10_000, 200}, Arm{10_000, 260})
	near(t, "row 6: standard error", deviation, 0.12088011, 5e-9)
}

// The case that gave the method its place: whoever looks once and stops finds a winner,
// and whoever may look at any time has none yet.
func TestWhatLooksWonIsNotYet(t *testing.T) {
	control, arm := Arm{10_000, 200}, Arm{10_000, 260}
	once := fixed(control, arm, 0.05)
	near(t, "row 6: fixed low", once.Low, 0.06308, 5e-6)
	near(t, "row 6: fixed high", once.High, 0.53692, 5e-6)
	near(t, "row 6: pooled z p", once.P, 0.0046511, 5e-8)
	if always, _ := NewSequence(0.05, 5000, 2).Lift(control, arm); !once.Excludes() || always.Excludes() {
		t.Errorf("the fixed interval is %+v, the sequence's %+v", once, always)
	}
}

func TestIntervalAndPAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := arms(2, 2).Draw(t, "arms")
		s := NewSequence(rapid.Float64Range(0.001, 0.5).Draw(t, "alpha"), rapid.IntRange(1, 100_000).Draw(t, "planned"), rapid.IntRange(0, 9).Draw(t, "arms of all"))
		for _, compare := range []func(control, arm Arm) (Effect, bool){s.Lift, s.Difference} {
			effect, ok := compare(all[0], all[1])
			if !ok {
				continue
			}
			if effect.Excludes() != (effect.P < s.Alpha) && math.Abs(effect.P-s.Alpha) > 1e-9*s.Alpha {
				t.Errorf("alpha %v: %+v", s.Alpha, effect)
			}
			if !(effect.Low < effect.Estimate && effect.Estimate < effect.High && effect.P <= 1) {
				t.Errorf("%+v", effect)
			}
		}
	})
}

func TestDifferenceIsTheSameFromBothSides(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := arms(2, 2).Draw(t, "arms")
		s := NewSequence(0.05, 5000, 2)
		there, ok := s.Difference(all[0], all[1])
		back, okToo := s.Difference(all[1], all[0])
		if ok != okToo || math.Abs(there.Low+back.High) > 1e-15 || math.Abs(there.High+back.Low) > 1e-15 || math.Abs(there.P-back.P) > 1e-12 {
			t.Errorf("%+v and back %+v", there, back)
		}
	})
}

// By the formula with 30 digits.
func TestDifferenceOfTheReferenceArms(t *testing.T) {
	got, ok := NewSequence(0.05, 5000, 2).Difference(Arm{10_000, 200}, Arm{10_000, 260})
	if !ok {
		t.Fatal("there is no difference")
	}
	near(t, "difference", got.Estimate, 0.006, 1e-15)
	near(t, "low", got.Low, -0.00062800676664157, 1e-15)
	near(t, "high", got.High, 0.012628006766642, 1e-15)
	near(t, "p", got.P, 0.11765089761206, 1e-12)
}

func TestEachOfManyComparisonsGetsItsPartOfAlpha(t *testing.T) {
	for arms, want := range map[int]float64{0: 0.05, 1: 0.05, 2: 0.05, 3: 0.025, 6: 0.01} {
		s := NewSequence(0.05, 5000, arms)
		near(t, "alpha", s.Alpha, want, 1e-17)
		if s.Rho != rho(want, 5000) {
			t.Errorf("ρ of %d arms is %v", arms, s.Rho)
		}
	}
	if NewSequence(0, 0, 2) != NewSequence(DefaultAlpha, DefaultPlanned, 2) {
		t.Error("zero is not the default")
	}
}

func TestCountsThatDetermineNoLiftGiveNone(t *testing.T) {
	s := NewSequence(0.05, 5000, 2)
	for name, c := range map[string][2]Arm{
		"nobody":               {{0, 0}, {0, 0}},
		"control without":      {{100, 0}, {100, 5}},
		"arm of nobody":        {{100, 5}, {0, 0}},
		"all converted":        {{100, 100}, {100, 100}},
		"none against some":    {{100, 5}, {100, 0}},
		"not made, only zeros": {{0, 3}, {-5, 3}},
	} {
		if lift, ok := s.Lift(c[0], c[1]); ok || lift != (Effect{}) {
			t.Errorf("%s: %+v", name, lift)
		}
	}
	for name, c := range map[string][2]Arm{
		"nobody": {{0, 0}, {100, 5}}, "arm of nobody": {{100, 5}, {0, 0}}, "all converted": {{100, 100}, {90, 90}}, "none": {{100, 0}, {90, 0}},
	} {
		if difference, ok := s.Difference(c[0], c[1]); ok || difference != (Effect{}) {
			t.Errorf("%s: %+v", name, difference)
		}
	}
	if lift, ok := (Sequence{}).Lift(Arm{100, 5}, Arm{100, 9}); ok || lift != (Effect{}) {
		t.Errorf("a sequence that nobody made gives %+v", lift)
	}
}

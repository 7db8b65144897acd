package bindings

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// If this test fails, every picture of every installation is made again.
func TestFingerprintIsTheOneOfOldLedgers(t *testing.T) {
	spec := Spec{
		Template: "product-card", Version: 3, Size: "story",
		Page:   "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		Values: []string{"Trail Runner 2", "€ 116,55", ""}, Encoding: Encoding{Format: "jpeg", Quality: 90},
	}
	const want = "d24628b8be93d197a241ac1cb4a626160fa50534a3006cd8825a5608684f44a8"
	if got := Fingerprint(spec, 1); got != want {
		t.Errorf("Fingerprint = %s, want %s", got, want)
	}
}

func TestFingerprintKnowsOnlyWhatThePictureShows(t *testing.T) {
	spec := Spec{Template: "card", Version: 1, Page: "p", Size: "story", Values: []string{"a", "b"}, Encoding: Encoding{Format: "jpeg", Quality: 80}}
	fingerprint := func(epoch int64, change func(*Spec)) string {
		s := spec
		s.Values = slices.Clone(spec.Values)
		change(&s)
		return Fingerprint(s, epoch)
	}
	base := fingerprint(1, func(*Spec) {})
	for name, same := range map[string]string{
		"template name": fingerprint(1, func(s *Spec) { s.Template = "other" }),
		"version":       fingerprint(1, func(s *Spec) { s.Version = 9 }),
		"size's name":   fingerprint(1, func(s *Spec) { s.Size = "" }),
		"word for jpeg": fingerprint(1, func(s *Spec) { s.Format = "jpg" }),
	} {
		if same != base {
			t.Errorf("the %s is in the fingerprint", name)
		}
	}
	for name, other := range map[string]string{
		"page":            fingerprint(1, func(s *Spec) { s.Page = "q" }),
		"value":           fingerprint(1, func(s *Spec) { s.Values[1] = "c" }),
		"order of values": fingerprint(1, func(s *Spec) { slices.Reverse(s.Values) }),
		"cut of values":   fingerprint(1, func(s *Spec) { s.Values = []string{"ab", ""} }),
		"number of them":  fingerprint(1, func(s *Spec) { s.Values = append(s.Values, "") }),
		"format":          fingerprint(1, func(s *Spec) { s.Format = "webp" }),
		"quality":         fingerprint(1, func(s *Spec) { s.Quality = 81 }),
		"epoch":           fingerprint(2, func(*Spec) {}),
	} {
		if other == base {
			t.Errorf("the %s is not in the fingerprint", name)
		}
	}
}

func TestQualityIsWhatTheEncoderMakesOfIt(t *testing.T) {
	of := func(format string, quality int) string {
		return Fingerprint(Spec{Page: "p", Encoding: Encoding{Format: format, Quality: quality}}, 1)
	}
	if of("png", 10) != of("png", 0) {
		t.Error("a PNG has a quality")
	}
	if of("webp", 0) != of("webp", DefaultQuality) {
		t.Error("no quality is not the default one")
	}
	if of("jpeg", 0) == of("jpeg", DefaultQuality-1) {
		t.Error("the quality of a JPEG does not count")
	}
}

// Property: two lists of texts have the same input only when they are the same list.
func TestTupleHashKeepsListsApart(t *testing.T) {
	texts := rapid.SliceOfN(rapid.SampledFrom([]string{"", "a", "b", "ab", "\x00", "\x00\x00\x00\x00\x00\x00\x00\x01a"}), 0, 4)
	rapid.Check(t, func(t *rapid.T) {
		a, b := texts.Draw(t, "a"), texts.Draw(t, "b")
		same := Fingerprint(Spec{Values: a}, 1) == Fingerprint(Spec{Values: b}, 1)
		if same != slices.Equal(a, b) {
			t.Fatalf("%q and %q: same %v", a, b, same)
		}
	})
}

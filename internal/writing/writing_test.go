package writing

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestScriptsOfTextsAreCounted(t *testing.T) {
	for text, want := range map[string][]string{
		"":                {},
		"1,234.50 € – 7%": {},
		"Größe":           {"Latin"},
		"Привет, World":   {"Latin", "Cyrillic"},
		"東京タワー":           {"Japanese"},
		"北京":              {"Chinese"},
		"مرحبا 😀":         {"Arabic", "emoji"},
		"한국어":             {"Korean"},
	} {
		var c Count
		c.Add(text)
		if diff := cmp.Diff(want, c.Names()); diff != "" {
			t.Errorf("scripts of %q (-want +got):\n%s", text, diff)
		}
	}
}

func TestAFontHasAScriptOnlyWithAllItsSamples(t *testing.T) {
	lacking := func(missing rune) func(rune) bool {
		return func(r rune) bool { return r < 0x250 && r != missing }
	}
	if got := Covered(lacking(0)); !cmp.Equal(got, []string{"Latin"}) {
		t.Errorf("a font with Latin letters has %v", got)
	}
	if got := Covered(lacking('ß')); len(got) != 0 {
		t.Errorf("a font without ß has %v", got)
	}
}

func TestEachScriptHasItsOwnSamples(t *testing.T) {
	for _, s := range scripts {
		var c Count
		c.Add(string(s.Samples))
		if got := c.Names(); !cmp.Equal(got, []string{s.Name}) {
			t.Errorf("the samples of %s are of %v", s.Name, got)
		}
	}
}

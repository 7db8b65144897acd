package paper

import (
	"math"
	"testing"
)

func TestSizesAreThoseOfTheSheets(t *testing.T) {
	for name, want := range map[string]Size{"a4": {793.70, 1122.52}, "a5": {559.37, 793.70}, "letter": {816, 1056}, "tabloid": {1056, 1632}} {
		got, ok := Named(name)
		if !ok || math.Abs(got.Width-want.Width) > 0.01 || math.Abs(got.Height-want.Height) > 0.01 {
			t.Errorf("%s is %v, %t, want %v", name, got, ok, want)
		}
	}
	for _, name := range Names() {
		if s, ok := Named(name); !ok || s.Width >= s.Height {
			t.Errorf("%s is %v, %t, not upright", name, s, ok)
		}
	}
	if _, ok := Named("A4"); ok {
		t.Error("names are in lower case")
	}
}

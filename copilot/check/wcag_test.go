package check_test

import (
	"fmt"
	"image/color"
	"math"
	"testing"

	"github.com/pictifyd/pictifyd/copilot/check"
)

func hex(t testing.TB, s string) color.NRGBA {
	t.Helper()
	c := color.NRGBA{A: 255}
	if _, err := fmt.Sscanf(s, "#%02x%02x%02x", &c.R, &c.G, &c.B); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRatiosAreThoseOfWCAG(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want float64
	}{
		{"#777777", "#ffffff", 4.4781}, {"#767676", "#ffffff", 4.5422}, {"#949494", "#ffffff", 3.0335}, {"#959595", "#ffffff", 2.9953},
		{"#667eea", "#ffffff", 3.6602}, {"#ffffff", "#0f172a", 17.8525}, {"#e11d48", "#0f172a", 3.8007}, {"#000000", "#ffffff", 21}, {"#123456", "#123456", 1},
	} {
		a, b := hex(t, c.a), hex(t, c.b)
		if got := check.Ratio(a, b); math.Abs(got-c.want) > 0.0001 || got != check.Ratio(b, a) {
			t.Errorf("%s on %s is %.4f, want %.4f", c.a, c.b, got, c.want)
		}
	}
}

func TestLargeTextNeedsLess(t *testing.T) {
	for _, c := range []struct {
		px   float64
		bold bool
		want float64
	}{{24, false, 3}, {23.9, false, 4.5}, {18.66, true, 3}, {18.6, true, 4.5}, {18.67, false, 4.5}, {10, false, 4.5}} {
		if got := check.Need(c.px, c.bold); got != c.want {
			t.Errorf("%g px, bold %t, needs %g, want %g", c.px, c.bold, got, c.want)
		}
	}
}

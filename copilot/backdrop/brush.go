package backdrop

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// A brush is what a painter has: the colours of the template, where it is quiet, and
// chance, which is the same for the same seed.
type brush struct {
	inks  []ink
	amp   float64 // how strong, from 0 to 1
	rand  *rand.Rand
	short float64 // the shorter side of the page, in pixels
	focus point   // of the page, each from 0 to 1: where what is strongest goes
	spots []spot  // all places for something, the focus first
}

// place gives the brush its places; where a page has none, corners.
func (b *brush) place(spots []spot) {
	b.spots = spots
	for _, p := range []point{{1, 0}, {0, 1}, {1, 1}, {0, 0}} {
		if len(b.spots) < 4 {
			b.spots = append(b.spots, spot{p, 0.5})
		}
	}
	b.focus = b.spots[0].point
}

// near is a place by chance around the nth spot, and how calm it is there.
func (b *brush) near(n int) (point, float64) {
	s := b.spots[n%len(b.spots)]
	return point{s.x + b.between(-0.06, 0.06), s.y + b.between(-0.06, 0.06)}, s.calm
}

type point struct{ x, y float64 }

// A piece is what a painter made: the style of an element, or the inside of an SVG
// of side × side that is cropped to the page, with its style.
type piece struct {
	style []string // name: value
	inner string
}

// side is the width and height of the canvas of SVGs.
const side = 1200

// ink is the nth colour, others of the same family where the template has fewer:
// the hue turned a little.
func (b *brush) ink(n int) string {
	if n < len(b.inks) {
		return b.inks[n].css
	}
	base := b.inks[n%len(b.inks)].css
	turn := []int{30, -28, 52, -50}[(n-len(b.inks))%4]
	return fmt.Sprintf("oklch(from %s l c calc(h + %d))", base, turn)
}

// tint is the nth colour with so much of it, in percent at full strength.
func (b *brush) tint(n int, share float64) string {
	return mixed(b.ink(n), share*b.amp)
}

// line is the colour of the text, with so much of it.
func (b *brush) line(share float64) string { return mixed("currentColor", share*b.amp) }

func mixed(css string, share float64) string {
	return fmt.Sprintf("color-mix(in oklab, %s %s%%, transparent)", css, num(share))
}

// num is a number with at most one digit behind the point; of small ones two.
func num(v float64) string {
	s := fmt.Sprintf("%.1f", v)
	if math.Abs(v) < 10 {
		s = fmt.Sprintf("%.2f", v)
	}
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// between is a number by chance.
func (b *brush) between(low, high float64) float64 { return low + (high-low)*b.rand.Float64() }

// percent is a place on the page in CSS.
func percent(v float64) string { return num(v*100) + "%" }

func at(p point) string { return percent(p.x) + " " + percent(p.y) }

// soft is a blob of the nth colour that fades out without an edge.
func (b *brush) soft(p point, w, h float64, n int, share float64) string {
	var stops []string
	for _, s := range []struct{ at, of float64 }{{0, 1}, {22, 0.85}, {42, 0.54}, {62, 0.24}, {82, 0.06}} {
		stops = append(stops, fmt.Sprintf("%s %s%%", b.tint(n, share*s.of), num(s.at)))
	}
	return fmt.Sprintf("radial-gradient(%s %s at %s, %s, transparent 100%%)", percent(w), percent(h), at(p), strings.Join(stops, ", "))
}

// fading is a mask that leaves what is around the focus, and takes away the rest.
func (b *brush) fading(reach float64) string {
	return fmt.Sprintf("radial-gradient(%s %s at %s, #000 0%%, #000c 30%%, #0006 60%%, #0000 100%%)", percent(reach), percent(reach), at(b.focus))
}

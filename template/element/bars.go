package element

import (
	"fmt"
	"slices"
	"strings"
)

// barMost is how much of a plot's width one point takes at most.
const barMost = .17

// slot is the width of all bars of one point.
func (p *plot) slot() float64 {
	share := .68
	if len(p.Series) > 1 && !p.stacks() {
		share = .78
	}
	return min(share*p.spacing(), barMost*float64(max(1, p.sideBySide())))
}

func (p *plot) sideBySide() int {
	if p.Kind != "bar" || p.stacks() {
		return 1
	}
	return len(p.Series)
}

// barCentre is the middle of series j's bar at point i.
func (p *plot) barCentre(i, j int) float64 {
	n := p.sideBySide()
	if n == 1 {
		return p.x(i)
	}
	return p.x(i) + p.slot()*((float64(j)+.5)/float64(n)-.5)
}

// A bar reaches from the zero line to end.
type bar struct {
	centre, end float64
	series      int
	inner       bool // another one of its stack reaches further
}

// bars draws what is above the zero line and what is below it, each in an svg
// of its own. That cuts the bars at the line, so that only their far ends are
// round.
func (p *plot) bars() string {
	var up, down []bar
	for i := range p.n {
		above, below := p.stackAt(i)
		up, down = append(up, above...), append(down, below...)
	}
	zero := p.scale.zero()
	return p.side(up, 1-zero, func(b bar) (y, height float64) {
		return (1 - p.scale.at(b.end)) / (1 - zero), 4
	}, 0) + p.side(down, zero, func(b bar) (y, height float64) {
		return -3, 3 + (zero-p.scale.at(b.end))/zero
	}, 1-zero)
}

// stackAt are the bars of point i. Those of a stack lie behind one another, the
// longest first.
func (p *plot) stackAt(i int) (up, down []bar) {
	plus, minus := 0.0, 0.0
	for j, s := range p.Series {
		v := s.Values[i]
		if v == nil || *v == 0 {
			continue
		}
		side, sum := &up, &plus
		if *v < 0 {
			side, sum = &down, &minus
		}
		end := *v
		if p.stacks() {
			*sum += *v
			end = *sum
			if n := len(*side); n > 0 {
				(*side)[n-1].inner = true
			}
		}
		*side = append(*side, bar{centre: p.barCentre(i, j), end: end, series: j})
	}
	if p.stacks() {
		slices.Reverse(up)
		slices.Reverse(down)
	}
	return up, down
}

func (p *plot) side(bars []bar, share float64, extent func(bar) (y, height float64), top float64) string {
	if len(bars) == 0 || share <= 0 {
		return ""
	}
	width := p.slot() / float64(p.sideBySide())
	if p.sideBySide() > 1 {
		width *= .9
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg y="%s" width="100%%" height="%s">`, percent(top), percent(share))
	for _, bar := range bars {
		y, height := extent(bar)
		round := ` rx="3"`
		if bar.inner {
			round = ""
		}
		fmt.Fprintf(&b, `<rect class="p-chart-bar" x="%s" y="%s" width="%s" height="%s"%s fill="%s"/>`,
			percent(bar.centre-width/2), percent(y), percent(width), percent(height), round, colour(bar.series))
	}
	b.WriteString("</svg>")
	return b.String()
}

package element

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A canvas is stretched to the plot; its strokes are not.
const (
	canvasSide = 1000
	canvas     = `<svg viewBox="0 0 1000 1000" preserveAspectRatio="none" width="100%%" height="100%%" overflow="%s" fill="none" stroke-linecap="round" stroke-linejoin="round">`
	strokeOnly = `vector-effect="non-scaling-stroke"`
)

// A point is a place on a canvas.
type point struct{ x, y float64 }

func (p *plot) point(i int, v float64) point {
	return point{p.x(i) * canvasSide, (1 - p.scale.at(v)) * canvasSide}
}

// lines draws lines, and areas below them.
func (p *plot) lines() string {
	overflow := "visible"
	if low, high := p.extent(); low < p.scale.low || high > p.scale.high {
		overflow = "hidden"
	}
	var b strings.Builder
	fmt.Fprintf(&b, canvas, overflow)
	base := make([]float64, p.n)
	type drawn struct {
		colour string
		pieces [][]point
	}
	var all []drawn
	for j, s := range p.Series {
		pieces := p.pieces(s.Values, base)
		if p.Kind == "area" {
			p.areas(&b, colour(j), pieces, base)
		}
		all = append(all, drawn{colour(j), pieces})
		if p.stacks() {
			for i, v := range s.Values {
				if v != nil {
					base[i] += *v
				}
			}
		}
	}
	for _, l := range all {
		strokes(&b, l.colour, l.pieces)
	}
	b.WriteString("</svg>")
	return b.String()
}

// pieces are the points of a series between its gaps.
func (p *plot) pieces(values []*float64, base []float64) [][]point {
	var out [][]point
	open := false
	for i, v := range values {
		if v == nil {
			open = false
			continue
		}
		if !open {
			out = append(out, nil)
			open = true
		}
		last := len(out) - 1
		out[last] = append(out[last], p.point(i, base[i]+*v))
	}
	return out
}

// areas fills from each piece down to what it stands on.
func (p *plot) areas(b *strings.Builder, colour string, pieces [][]point, base []float64) {
	var d strings.Builder
	for _, piece := range pieces {
		if len(piece) < 2 {
			continue
		}
		outline := append([]point{}, piece...)
		for k := len(piece) - 1; k >= 0; k-- {
			i := int(math.Round(piece[k].x / canvasSide / p.spacing()))
			foot := math.Max(p.scale.low, math.Min(p.scale.high, base[i]))
			outline = append(outline, point{piece[k].x, (1 - p.scale.at(foot)) * canvasSide})
		}
		polyline(&d, outline)
		d.WriteByte('z')
	}
	if d.Len() > 0 {
		fmt.Fprintf(b, `<path class="p-chart-area" d="%s" fill="%s" fill-opacity="var(--chart-area, .16)"/>`, d.String(), colour)
	}
}

// strokes draws the pieces of one line. A point between two gaps is a dot.
func strokes(b *strings.Builder, colour string, pieces [][]point) {
	var line, dots strings.Builder
	for _, piece := range pieces {
		if len(piece) == 1 {
			polyline(&dots, []point{piece[0], piece[0]})
			continue
		}
		polyline(&line, piece)
	}
	if line.Len() > 0 {
		fmt.Fprintf(b, `<path class="p-chart-stroke" d="%s" stroke="%s" stroke-width="var(--chart-stroke, 2.5)" %s/>`, line.String(), colour, strokeOnly)
	}
	if dots.Len() > 0 {
		fmt.Fprintf(b, `<path class="p-chart-dot" d="%s" stroke="%s" stroke-width="8" %s/>`, dots.String(), colour, strokeOnly)
	}
}

func polyline(b *strings.Builder, points []point) {
	for i, p := range points {
		switch i {
		case 0:
			b.WriteByte('M')
		case 1:
			b.WriteByte('L')
		default:
			b.WriteByte(' ')
		}
		b.WriteString(tenth(p.x) + " " + tenth(p.y))
	}
}

// tenth is a coordinate of a canvas, on which a unit is less than a pixel or two.
func tenth(f float64) string { return strconv.FormatFloat(math.Round(f*10)/10+0, 'f', -1, 64) }

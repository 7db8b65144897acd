package element

import (
	"fmt"
	"math"
	"strings"
)

// sparkline draws the course of numbers without a scale, its end marked.
func (d *chartData) sparkline() string {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range d.heights() {
		low, high = math.Min(low, v), math.Max(high, v)
	}
	if low > high {
		return ""
	}
	p := &plot{chartData: d, scale: tight(low, high, d.Min, d.Max), n: d.points()}
	var b strings.Builder
	b.WriteString(`<span class="p-chart-box p-chart-sparkline" style="display:block;box-sizing:border-box;width:100%;height:100%;padding:4px;direction:ltr">`)
	fmt.Fprintf(&b, strings.Replace(canvas, "<svg", `<svg style="display:block" aria-hidden="true"`, 1), "visible")
	floor := make([]float64, p.n)
	for i := range floor {
		floor[i] = p.scale.low
	}
	for j, s := range d.Series {
		pieces := p.pieces(s.Values, make([]float64, p.n))
		if len(d.Series) == 1 && p.n > 1 {
			p.areas(&b, colour(j), pieces, floor)
		}
		strokes(&b, colour(j), pieces)
		if n := len(pieces); n > 0 && len(pieces[n-1]) > 1 {
			end := pieces[n-1][len(pieces[n-1])-1]
			strokes(&b, colour(j), [][]point{{end}})
		}
	}
	b.WriteString("</svg></span>")
	return b.String()
}

// tight is a scale without room around the numbers; equal ones lie in its middle.
func tight(low, high float64, least, most *float64) scale {
	if least != nil {
		low = *least
	}
	if most != nil {
		high = *most
	}
	if size := math.Max(math.Abs(low), math.Abs(high)); high-low <= size*1e-9 {
		size = math.Max(size, 1)
		low, high = low-size, low+size
	}
	return scale{low: low, high: high}
}

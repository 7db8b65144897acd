package element

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// The layout of charts with axes is HTML, since only the browser knows how wide
// words are; what is drawn between the axes is SVG, placed in shares of the
// plot, so that a chart fills a box of any size with its lines and letters
// undistorted.
const (
	chartBox = `display:grid;grid-template:auto minmax(0,1fr) auto/auto minmax(0,1fr);box-sizing:border-box;width:100%;height:100%;` +
		`direction:ltr;line-height:1.2;white-space:nowrap;font-variant-numeric:tabular-nums`
	legendBox = `grid-area:1/1/2/3;display:flex;flex-wrap:wrap;gap:.2em 1.4em`
	scaleBox  = `grid-area:2/1;display:flex;flex-direction:column;text-align:right;line-height:0;padding-right:.7em;opacity:.65`
	plotBox   = `grid-area:2/2;position:relative;container-type:inline-size`
	wordsBox  = `grid-area:3/2;position:relative;container-type:inline-size;opacity:.65`
)

// How wide plots are taken to be, in the size of their letters. What has no room
// in a wide one is left out; what would stick out of a narrow one gets padding.
const (
	wideEms   = 60
	narrowEms = 16
)

// axes draws the frame of a chart and its marks within.
func (d *chartData) axes(marks func(*plot) string) string {
	low, high := d.extent()
	p := &plot{chartData: d, scale: newScale(low, high, d.Min, d.Max), format: d.numbers(), n: d.points()}
	words := p.words()
	ticks := p.format.ticks(p.scale)
	var b strings.Builder
	fmt.Fprintf(&b, `<span class="p-chart-box p-chart-%s" style="%s%s">`, d.Kind, chartBox, p.padding(words, ticks))
	b.WriteString(d.legend())
	if d.Axis {
		b.WriteString(p.scaleLabels(ticks))
	}
	fmt.Fprintf(&b, `<span class="p-chart-plot" style="%s"><svg width="100%%" height="100%%" style="position:absolute;inset:0;overflow:visible" aria-hidden="true">%s%s%s</svg>%s</span>`,
		plotBox, p.grid(), marks(p), p.zeroLine(), p.valueLabels())
	if d.Axis {
		b.WriteString(words.markup())
	}
	b.WriteString("</span>")
	return b.String()
}

// A plot is a chart with its scale.
type plot struct {
	*chartData
	scale  scale
	format format
	n      int
}

// extent is the least and the greatest number that must have room.
func (d *chartData) extent() (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range d.heights() {
		low, high = math.Min(low, v), math.Max(high, v)
	}
	if low > high {
		return 0, 1
	}
	// Bars and areas grow from zero. A line may leave it out when it would
	// otherwise lie flat under the top.
	if d.Kind != "line" || low >= 0 && low <= high/2 || high <= 0 && high >= low/2 {
		low, high = math.Min(low, 0), math.Max(high, 0)
	}
	return low, high
}

// heights are the numbers that marks reach, stacked where they are stacked.
func (d *chartData) heights() []float64 {
	var out []float64
	up, down := make([]float64, d.points()), make([]float64, d.points())
	for _, s := range d.Series {
		for i, v := range s.Values {
			switch {
			case v == nil:
				continue
			case !d.stacks():
				out = append(out, *v)
			case *v >= 0:
				up[i] += *v
			default:
				down[i] += *v
			}
		}
	}
	if d.stacks() {
		return slices.Concat(up, down)
	}
	return out
}

func (d *chartData) stacks() bool { return d.Stacked && d.Kind != "line" }

// x is where point i stands: bars in the middle of their share, lines from edge
// to edge.
func (p *plot) x(i int) float64 {
	if p.Kind == "bar" || p.n == 1 {
		return (float64(i) + .5) / float64(p.n)
	}
	return float64(i) / float64(p.n-1)
}

func (p *plot) spacing() float64 {
	if p.Kind == "bar" || p.n == 1 {
		return 1 / float64(p.n)
	}
	return 1 / float64(p.n-1)
}

func (p *plot) grid() string {
	if !p.Axis {
		return ""
	}
	var b strings.Builder
	b.WriteString(`<g class="p-chart-grid" stroke="var(--grid, currentColor)" stroke-opacity="var(--grid-opacity, .14)" shape-rendering="crispEdges">`)
	for _, v := range p.scale.ticks {
		y := percent(1 - p.scale.at(v))
		fmt.Fprintf(&b, `<line x2="100%%" y1="%s" y2="%s"/>`, y, y)
	}
	b.WriteString("</g>")
	return b.String()
}

// zeroLine is drawn where numbers can be below it, or bars stand on it.
func (p *plot) zeroLine() string {
	if z := p.scale.at(0); z < 0 || z > 1 || z == 0 && p.Kind != "bar" {
		return ""
	}
	y := percent(1 - p.scale.at(0))
	return fmt.Sprintf(`<line class="p-chart-zero" x2="100%%" y1="%s" y2="%s" stroke="var(--axis, currentColor)" stroke-opacity=".55" shape-rendering="crispEdges"/>`, y, y)
}

// scaleLabels stand beside the grid. Each takes the height down to the next, and
// hangs on its own line.
func (p *plot) scaleLabels(ticks []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<span class="p-chart-scale" style="%s">`, scaleBox)
	above := 1.0
	for i := len(ticks) - 1; i >= 0; i-- {
		at := p.scale.at(p.scale.ticks[i])
		if i == len(ticks)-1 && above-at > 1e-9 {
			fmt.Fprintf(&b, `<span style="flex:%s 1 0"></span>`, num((above-at)*100))
		}
		below := 0.0
		if i > 0 {
			below = p.scale.at(p.scale.ticks[i-1])
		}
		fmt.Fprintf(&b, `<span style="flex:%s 1 0;min-height:0">%s</span>`, num((at-below)*100), escape(ticks[i]))
	}
	b.WriteString("</span>")
	return b.String()
}

// headroom is what stands above the top of the scale: half a line of it, or a
// whole one of numbers.
func (d *chartData) headroom() float64 {
	if d.Values {
		return 1.5
	}
	return .6
}

// padding keeps what stands out of the plot inside the box.
func (p *plot) padding(words words, ticks []string) string {
	if !p.Axis && !p.Values {
		return ""
	}
	top, gutter, right := p.headroom(), 0.0, 0.0
	if p.legend() != "" {
		top = 0 // the legend keeps the distance
	}
	for _, t := range ticks {
		gutter = math.Max(gutter, ems(t)+.7)
	}
	left := 0.0
	for i, w := range words.shown {
		if !words.wrap && p.Axis {
			left = math.Max(left, ems(w)/2-p.x(i)*narrowEms-gutter)
			right = math.Max(right, ems(w)/2-(1-p.x(i))*narrowEms)
		}
	}
	bottom := 0.0
	if !p.Axis || len(words.shown) == 0 {
		bottom = p.headroom()
	}
	return fmt.Sprintf(";padding:%sem %sem %sem %sem", num(top), num(right), num(bottom), num(left))
}

package element

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// words are the labels below a plot that have room there.
type words struct {
	plot   *plot
	shown  map[int]string
	stride int
	wrap   bool // on two lines
}

// Few bars keep all their names, on two lines if need be: a name left out there
// is not to be guessed from its neighbours, as the month between two others is.
const namedBars = 8

func (p *plot) words() words {
	widest := 0.0
	for i := range p.n {
		widest = max(widest, ems(p.label(i)))
	}
	w := words{plot: p, shown: map[int]string{}, stride: p.stride(widest)}
	if w.wrap = w.stride > 1 && p.Kind == "bar" && p.n <= namedBars; w.wrap {
		w.stride = 1
	}
	for i := 0; i < p.n; i += w.stride {
		if s := p.label(i); s != "" {
			w.shown[i] = s
		}
	}
	return w
}

// stride is every which point has room for a text of so many ems.
func (p *plot) stride(width float64) int {
	for n := 1; n < p.n; n++ {
		if float64(n)*p.spacing()*plotEms >= width+.7 {
			return n
		}
	}
	return max(1, p.n)
}

// ems is about how wide s is, in the size of its letters.
func ems(s string) float64 {
	width := 0.0
	for _, r := range s {
		switch {
		case r >= 0x1100 && (unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana) || r >= 0xff00):
			width++
		case strings.ContainsRune(".,:;'|! ilIjtf()", r):
			width += .32
		case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r):
		case unicode.IsUpper(r):
			width += .68
		default:
			width += .56
		}
	}
	return width
}

func (w words) markup() string {
	if len(w.shown) == 0 {
		return ""
	}
	height, lines := 1.2, "text-overflow:ellipsis"
	if w.wrap {
		height, lines = 2.4, "white-space:normal;overflow-wrap:anywhere;display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2"
	}
	width := w.plot.spacing() * float64(w.stride)
	var b strings.Builder
	fmt.Fprintf(&b, `<span class="p-chart-labels" style="%s;height:%sem">`, wordsBox, num(height))
	for _, i := range slices.Sorted(maps.Keys(w.shown)) {
		fmt.Fprintf(&b, `<span dir="auto" style="position:absolute;left:%s;width:%s;box-sizing:border-box;padding:0 .15em;text-align:center;overflow:hidden;%s">%s</span>`,
			percent(w.plot.x(i)-width/2), percent(width), lines, escape(w.shown[i]))
	}
	b.WriteString("</span>")
	return b.String()
}

// valueLabels stand at the points of one series, or at every bar, where they
// have room.
func (p *plot) valueLabels() string {
	if !p.Values || len(p.Series) > 1 && p.Kind != "bar" {
		return ""
	}
	type label struct {
		x, height float64
		text      string
	}
	var labels []label
	widest := 0.0
	add := func(x, v float64) {
		text := p.format.value(v)
		widest = max(widest, ems(text))
		labels = append(labels, label{x, v, text})
	}
	groups := 1
	if p.Kind == "bar" && !p.stacks() {
		groups = len(p.Series)
	}
	for i := range p.n {
		if p.stacks() {
			if total, some := p.total(i); some {
				add(p.x(i), total)
			}
			continue
		}
		for j, s := range p.Series {
			if v := s.Values[i]; v != nil {
				add(p.barCentre(i, j), *v)
			}
		}
	}
	stride := p.stride(widest * float64(groups))
	if groups > 1 && stride > 1 {
		return ""
	}
	var b strings.Builder
	for k := 0; k < len(labels); k += stride {
		l := labels[k]
		y := min(1, max(0, p.scale.at(l.height)))
		side, shift := "bottom:"+percent(y), "-50%,-.25em"
		if l.height < 0 {
			side, shift = "top:"+percent(1-y), "-50%,.25em"
		}
		fmt.Fprintf(&b, `<span class="p-chart-value" style="position:absolute;left:%s;%s;transform:translate(%s)">%s</span>`,
			percent(l.x), side, shift, escape(l.text))
	}
	return b.String()
}

// total is where the stack of point i ends above zero, or below it when nothing
// is above.
func (p *plot) total(i int) (float64, bool) {
	up, down, some := 0.0, 0.0, false
	for _, s := range p.Series {
		if v := s.Values[i]; v != nil {
			up, down, some = up+max(*v, 0), down+min(*v, 0), true
		}
	}
	if up == 0 {
		return down, some
	}
	return up, some
}

// colour is that of series i, counted from 0.
func colour(i int) string {
	i %= len(palette)
	return fmt.Sprintf("var(--chart-%d, %s)", i+1, palette[i])
}

// palette is readable on white and on black.
var palette = [chartSeries]string{
	"var(--accent, #4178d4)", "#e08a3c", "#3ba58b", "#c2569b", "#8a75d6", "#c9a227",
	"#5aa6cf", "#d2605b", "#7da34a", "#a9795a", "#7f8a99", "#4f9aa0",
}

// legend names the series by their colours.
func (d *chartData) legend() string {
	if !d.Legend {
		return ""
	}
	var b strings.Builder
	for i, s := range d.Series {
		if s.Name != "" {
			fmt.Fprintf(&b, `<span style="display:flex;align-items:center;gap:.5em">%s<span dir="auto">%s</span></span>`, swatch(colour(i)), escape(s.Name))
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return fmt.Sprintf(`<span class="p-chart-legend" style="%s;padding-bottom:%sem">%s</span>`, legendBox, num(d.headroom()+.3), b.String())
}

func swatch(colour string) string {
	return fmt.Sprintf(`<svg width=".7em" height=".7em" style="flex:none" aria-hidden="true"><rect width="100%%" height="100%%" rx="2" fill="%s"/></svg>`, colour)
}

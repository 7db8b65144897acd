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
	widest float64 // in ems
	wrap   bool    // on two lines, each in the width of its bar
}

// Few bars keep all their names, on two lines if need be: a name left out there
// is not to be guessed from its neighbours, as the month between two others is.
const namedBars = 8

func (p *plot) words() words {
	w := words{plot: p, shown: map[int]string{}}
	for i := range p.n {
		w.widest = max(w.widest, ems(p.label(i)))
	}
	w.stride = p.stride(w.widest)
	if w.wrap = p.Kind == "bar" && p.n <= namedBars && w.widest > 4; w.wrap {
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
		if float64(n)*p.spacing()*wideEms >= width+wordGap {
			return n
		}
	}
	return max(1, p.n)
}

// wordGap is the least distance between two texts, in ems.
const wordGap = .7

// room is a style that hides the i-th of texts in a plot that is too narrow for
// it: every second goes first, then every second of those that are left.
// Only the browser knows the width, so that it is CSS that decides: a text of
// which the condition does not hold is not wider than nothing.
func (p *plot) room(i, stride int, width float64) string {
	if i == 0 {
		return "max-width:100cqw"
	}
	for i /= stride; i%2 == 0; i /= 2 {
		stride *= 2
	}
	return fmt.Sprintf("max-width:clamp(0px,(100cqw - %sem)*999,100cqw)", num((width+wordGap)/(float64(stride)*p.spacing())))
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
	height, above := 1.2, .7
	if w.wrap {
		height = 2.4
	}
	if w.plot.Values && w.plot.scale.low < 0 {
		above = 1.5 // for the numbers below the lowest bars
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<span class="p-chart-labels" style="%s;height:%sem;margin-top:%sem">`, wordsBox, num(height), num(above))
	for _, i := range slices.Sorted(maps.Keys(w.shown)) {
		fmt.Fprintf(&b, `<span dir="auto" style="position:absolute;left:%s;transform:translate(-50%%);text-align:center;overflow:hidden;%s">%s</span>`,
			percent(w.plot.x(i)), w.room(i), escape(w.shown[i]))
	}
	b.WriteString("</span>")
	return b.String()
}

func (w words) room(i int) string {
	if !w.wrap {
		return "text-overflow:ellipsis;" + w.plot.room(i, w.stride, w.widest)
	}
	return "width:" + percent(w.plot.spacing()) + ";box-sizing:border-box;padding:0 .15em;" +
		"white-space:normal;overflow-wrap:anywhere;display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2"
}

// valueLabels stand at the points of one series, or at every bar, where they
// have room.
func (p *plot) valueLabels() string {
	if !p.Values || len(p.Series) > 1 && p.Kind != "bar" {
		return ""
	}
	type label struct {
		i         int
		x, height float64
		text      string
	}
	var labels []label
	widest := 0.0
	add := func(i int, x, v float64) {
		text := p.format.value(v)
		widest = max(widest, ems(text))
		labels = append(labels, label{i, x, v, text})
	}
	groups := 1
	if p.Kind == "bar" && !p.stacks() {
		groups = len(p.Series)
	}
	for i := range p.n {
		if p.stacks() {
			if total, some := p.total(i); some {
				add(i, p.x(i), total)
			}
			continue
		}
		for j, s := range p.Series {
			if v := s.Values[i]; v != nil {
				add(i, p.barCentre(i, j), *v)
			}
		}
	}
	stride := p.stride(widest * float64(groups))
	if groups > 1 && stride > 1 {
		return ""
	}
	var b strings.Builder
	for _, l := range labels {
		if l.i%stride != 0 {
			continue
		}
		y := min(1, max(0, p.scale.at(l.height)))
		side, shift := "bottom:"+percent(y), "-50%,-.25em"
		if l.height < 0 {
			side, shift = "top:"+percent(1-y), "-50%,.25em"
		}
		fmt.Fprintf(&b, `<span class="p-chart-value" style="position:absolute;left:%s;%s;transform:translate(%s);overflow:hidden;%s">%s</span>`,
			percent(l.x), side, shift, p.room(l.i, stride, widest*float64(groups)), escape(l.text))
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

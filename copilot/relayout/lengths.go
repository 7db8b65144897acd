package relayout

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/template/markup"
)

// A measureOf says by how much the lengths of a rule change.
type measureOf struct {
	k, head        float64
	isHead         bool
	roomy          bool // it takes the room that its layer gets
	from, to       rect // of the layer
	square, nested bool
	formed         bool // it is for a picture, which keeps its form
	page           bool
	frame          bool    // it is a picture of a frame around the page
	rules          float64 // pixels that borders take, which stay as thick as they were
}

var (
	typeSizes = []string{"font-size", "line-height", "letter-spacing", "word-spacing", "text-indent", "-webkit-text-stroke-width", "tab-size"}
	lengths   = []string{
		"padding", "padding-top", "padding-right", "padding-bottom", "padding-left", "padding-inline", "padding-inline-start", "padding-inline-end", "padding-block",
		"padding-block-start", "padding-block-end",
		"margin", "margin-top", "margin-right", "margin-bottom", "margin-left", "margin-inline", "margin-inline-start", "margin-inline-end", "margin-block", "margin-block-start", "margin-block-end",
		"gap", "row-gap", "column-gap", "border-radius", "border-top-left-radius", "border-top-right-radius", "border-bottom-left-radius", "border-bottom-right-radius",
		"top", "left", "right", "bottom", "inset", "inset-inline-start", "inset-inline-end", "grid-template-columns", "grid-template-rows", "column-width", "background-position", "border-spacing", "translate",
	}
	fontShort = regexp.MustCompile(`(-?[\d.]+)px(?:\s*/\s*([\d.]+px))?`)
	sizePart  = regexp.MustCompile(`/\s*((?:[\d.]+px|auto|[\d.]+%)(?:\s+(?:[\d.]+px|auto|[\d.]+%))?)`)
)

// declare writes one declaration if it is another in the new size.
func (w *writer) declare(selector, name, value string, m measureOf) bool {
	kt := m.k
	if m.isHead {
		kt = m.head
	}
	scaled := value
	switch {
	case (name == "mask" || name == "mask-image") && m.frame && strings.Contains(value, "url(") && strings.Contains(value, "contain") && !strings.Contains(value, "{{"):
		return w.frame(selector, value)
	case name == "border-radius" && len(strings.Fields(value)) == 4 && !m.nested && (m.from.H > m.from.W) != (m.to.H > m.to.W):
		w.set(selector, name, scaledLengths(transposed(value), m.k)) // what was at the left is at the top
		return true
	case name == "line-height" && !m.nested && !m.page && centred(value, m.from.H): // one line in the middle
		scaled = scaledLengths(value, m.to.H/m.from.H)
	case slices.Contains(typeSizes, name):
		scaled = scaledLengths(value, kt)
	case name == "font":
		f := fontShort.FindStringSubmatch(value)
		if f == nil {
			return false
		}
		w.set(selector, "font-size", scaledLengths(f[1]+"px", kt))
		if f[2] != "" {
			w.set(selector, "line-height", scaledLengths(f[2], kt))
		}
		return false
	case slices.Contains(lengths, name) || strings.HasPrefix(name, "--") && strings.HasSuffix(value, "px"):
		scaled = scaledLengths(value, m.k)
	case name == "flex" || name == "flex-basis":
		scaled = eachLength(value, func(v float64) float64 { return w.across(v, m) })
	case name == "width" || name == "min-width" || name == "max-width":
		scaled = eachLength(value, func(v float64) float64 { return w.across(v, m) })
	case name == "height" || name == "min-height" || name == "max-height":
		scaled = eachLength(value, func(v float64) float64 { return w.down(v, m) })
	case name == "transform" && strings.Contains(value, "translate"):
		scaled = scaledLengths(value, m.k)
	case name == "background" || name == "mask" || name == "background-size" || name == "mask-size":
		return w.pattern(selector, name, value, m)
	}
	if scaled == value {
		return false
	}
	w.set(selector, name, scaled)
	return true
}

// centred reports whether a line is as high as its box.
func centred(lineHeight string, height float64) bool {
	v, ok := pixels(lineHeight)
	return ok && v > 0 && math.Abs(v-height) < 2
}

// transposed are the corners of a panel that was turned: the upper right one is
// the lower left one.
func transposed(radii string) string {
	r := strings.Fields(radii)
	return strings.Join([]string{r[0], r[3], r[2], r[1]}, " ")
}

// frame draws a frame that was a picture of the whole page in parts: its corners
// keep their form, and its sides are repeated.
func (w *writer) frame(selector, value string) bool {
	address := regexp.MustCompile(`url\([^)]*\)`).FindString(value)
	width, height := float64(w.g.size.Width), float64(w.g.size.Height)
	part := 0.11 * math.Min(width, height)
	share := func(whole float64) string {
		return strconv.FormatFloat(math.Round(part/whole*10000)/100, 'f', -1, 64) + "%"
	}
	w.set(selector, "mask-image", "none")
	w.set(selector, "-webkit-mask-box-image", address+" "+share(height)+" "+share(width)+" / "+px(math.Round(part*w.k))+" round")
	return true
}

// across is a width inside a layer.
func (w *writer) across(v float64, m measureOf) float64 {
	kx := m.to.W / math.Max(1, m.from.W)
	switch {
	case !m.nested || m.square:
		return v * m.k
	case v >= 0.8*m.from.W:
		return v * kx
	case v >= 0.4*m.from.W && !m.formed:
		return v * kx
	case v >= 0.25*m.from.W && !m.formed:
		return v * clamp(kx, math.Min(m.k, kx), m.k*1.6)
	}
	return v * m.k
}

// down is a height inside a layer.
func (w *writer) down(v float64, m measureOf) float64 {
	switch {
	case !m.nested || m.square || m.page:
		return v * m.k
	case m.roomy:
		return math.Max(v*m.k*0.5, v*m.k+m.to.H-m.k*m.from.H)
	case v >= 0.9*m.from.H:
		return v * m.to.H / math.Max(1, m.from.H)
	}
	return math.Ceil(v*m.k-0.01) + m.rules
}

// pattern writes the size of tiles and pictures in the ground of a layer.
func (w *writer) pattern(selector, name, value string, m measureOf) bool {
	sizes := []string{value}
	if !strings.HasSuffix(name, "-size") {
		sizes = nil
		for _, part := range markup.SplitCSS(value, ',') {
			if f := sizePart.FindStringSubmatch(markupless(part)); f != nil {
				sizes = append(sizes, f[1])
			} else {
				sizes = append(sizes, "auto")
			}
		}
	}
	if !strings.Contains(strings.Join(sizes, " "), "px") {
		return false
	}
	for i, s := range sizes {
		k := m.k
		if f := strings.Fields(s); len(f) == 2 && !m.nested {
			tw, okW := pixels(f[0])
			th, okH := pixels(f[1])
			if okW && okH && tw >= m.from.W-1 && th >= m.from.H-1 {
				k = math.Max(m.to.W/tw, m.to.H/th)
			}
		}
		sizes[i] = scaledLengths(s, k)
	}
	w.set(selector, strings.TrimSuffix(name, "-size")+"-size", strings.Join(sizes, ", "))
	return strings.HasSuffix(name, "-size")
}

// markupless is a value without addresses and expressions.
func markupless(value string) string { return addresses.ReplaceAllString(value, "url()") }

var (
	addresses = regexp.MustCompile(`url\((?s:.*?)\)\)?\s*(?:\}\})?\)?`)
	length    = regexp.MustCompile(`(^|[\s,(/:-]|)(-?(?:\d+\.?\d*|\.\d+))px\b`)
)

func scaledLengths(value string, k float64) string {
	return eachLength(value, func(v float64) float64 { return v * k })
}

// eachLength maps the lengths in pixels of a value; those up to 2 are hairlines.
func eachLength(value string, to func(float64) float64) string {
	if strings.Contains(value, "url(") {
		return value
	}
	return length.ReplaceAllStringFunc(value, func(s string) string {
		m := length.FindStringSubmatch(s)
		v, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return s
		}
		v = to(v)
		switch {
		case math.Abs(v) >= 12:
			v = math.Round(v)
		case math.Abs(v) >= 3:
			v = math.Round(v*2) / 2
		default:
			v = math.Round(v*100) / 100
		}
		if v == 0 {
			return m[1] + "0"
		}
		return m[1] + strconv.FormatFloat(v, 'f', -1, 64) + "px"
	})
}

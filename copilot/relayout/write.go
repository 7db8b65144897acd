package relayout

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/template/markup"
)

// An entry is a rule of the sheet that is written.
type entry struct {
	selector string
	decls    []markup.Decl
}

// A writer makes the style sheet of a size.
type writer struct {
	g       *design
	to      target
	k       float64 // of what stands on pages themselves
	spots   map[*layer]spot
	owner   map[*markup.Node]*layer
	entries []*entry
	scale   bool               // all is as it was, at another scale
	wanting map[string]float64 // by the ids of texts, how much more room they want
	settled map[string]bool    // subject and property that the sheet of the size that is looked at decides
}

func (w *writer) set(selector, name, value string) {
	var e *entry
	for _, old := range w.entries {
		if old.selector == selector {
			e = old
		}
	}
	if e == nil {
		e = &entry{selector: selector}
		w.entries = append(w.entries, e)
	}
	for i := range e.decls {
		if e.decls[i].Name == name {
			e.decls[i].Value = value
			return
		}
	}
	e.decls = append(e.decls, markup.Decl{Name: name, Value: value})
}

// sheet is the style sheet.
func (w *writer) sheet() string {
	w.settled, w.owner = map[string]bool{}, map[*markup.Node]*layer{}
	for _, r := range w.g.rules {
		if r.own && len(tokensOf(r)) == 0 {
			for _, d := range r.decls {
				w.settled[r.subject+" "+d.Name] = true
			}
		}
	}
	for _, p := range w.g.pages {
		for _, l := range p.layers {
			l.node.All(func(n *markup.Node) bool {
				w.owner[n] = l
				return true
			})
			w.place(l.selector, l, w.spots[l])
		}
	}
	for _, r := range w.g.rules {
		w.rule(r)
	}
	for _, p := range w.g.pages {
		w.states(p)
	}
	var b strings.Builder
	for _, e := range w.entries {
		if len(e.decls) == 0 {
			continue
		}
		b.WriteString("\n  " + e.selector + " {")
		for _, d := range e.decls {
			b.WriteString(" " + d.Name + ": " + d.Value + ";")
		}
		b.WriteString(" }")
	}
	return b.String() + "\n"
}

// place writes where a layer is.
func (w *writer) place(selector string, l *layer, s spot) {
	if s.k == 0 {
		return
	}
	box := rect{math.Round(s.box.X), math.Round(s.box.Y), math.Round(s.box.W), math.Round(s.box.H)}
	if s.box.bottom() > w.to.h-1 { // no hair between a plate and the edge
		box.H = math.Max(box.H, w.to.h-box.Y)
	}
	if l.kind == isShape && l.box.H < 6 {
		box.H = math.Max(1, l.box.H)
	}
	if l.kind == isShape && l.box.W < 6 {
		box.W = math.Max(1, l.box.W)
	}
	if w.whole(l) { // zoom, not scale: the layout script measures through it, and lengths of the layer itself are zoomed too
		w.set(selector, "left", px(s.box.X/s.k))
		w.set(selector, "top", px(s.box.Y/s.k))
		if l.declared["width"] || l.opaque {
			w.set(selector, "width", px(s.box.W/s.k))
		}
		if l.declared["height"] || l.box.H > 0.9*float64(w.g.size.Height) {
			w.set(selector, "height", px(s.box.H/s.k))
		}
		w.set(selector, "zoom", strconv.FormatFloat(math.Round(s.k*1000)/1000, 'f', -1, 64))
		return
	}
	w.set(selector, "left", px(box.X))
	w.set(selector, "top", px(box.Y))
	if l.declared["width"] {
		w.set(selector, "width", px(box.W))
	}
	if l.declared["height"] {
		w.set(selector, "height", px(box.H))
	}
	if s.pad[0] > 0 {
		w.set(selector, "padding-top", px(s.pad[0]))
	}
	if s.pad[2] > 0 {
		w.set(selector, "padding-bottom", px(s.pad[2]))
	}
}

// whole reports whether a layer with all in it is made larger or smaller as one:
// what rules cannot reach, and what is to be no other than it was.
func (w *writer) whole(l *layer) bool {
	return l.opaque || w.scale && (l.kind == isText || l.kind == isStack)
}

func px(v float64) string {
	v = math.Round(v*4) / 4
	if v == 0 {
		return "0"
	}
	return strconv.FormatFloat(v, 'f', -1, 64) + "px"
}

// rule writes a rule of the document as it is in the new size.
func (w *writer) rule(r rule) {
	var l *layer
	top, onPage := false, false
	for _, n := range r.nodes {
		if n.Page() {
			onPage = true
		}
		if o := w.owner[n]; o != nil {
			if l == nil || w.spots[o].box.W/o.box.W < w.spots[l].box.W/l.box.W {
				l = o
			}
			top = top || o.node == n
		}
	}
	if l == nil && !onPage {
		if r.own {
			for _, d := range r.decls {
				w.set(r.selector, d.Name, d.Value)
			}
		}
		return
	}
	s := spot{k: w.k, head: w.k, box: rect{W: w.to.w, H: w.to.h}}
	from := rect{W: float64(w.g.size.Width), H: float64(w.g.size.Height)}
	if l != nil {
		s, from = w.spots[l], l.box
		if w.whole(l) {
			if r.own {
				for _, d := range r.decls {
					if !top || !slices.Contains(geometry, d.Name) {
						w.set(r.selector, d.Name, d.Value)
					}
				}
			}
			return
		}
	}
	head := l != nil && l.grows && slices.Contains(r.nodes, l.headline)
	roomy := head || l != nil && slices.ContainsFunc(r.nodes, func(n *markup.Node) bool { return w.wanting[n.ID()] > 1 })
	for _, d := range r.decls {
		value, _ := get([]markup.Decl{d}, d.Name)
		if top && slices.Contains(geometry, d.Name) || onPage && (d.Name == "width" || d.Name == "height") {
			continue
		}
		if !r.own && w.settled[r.subject+" "+d.Name] {
			continue
		}
		if top && s.pad[0]+s.pad[2] > 0 && strings.HasPrefix(d.Name, "padding") {
			w.padding(r.selector, d.Name, value, s)
			continue
		}
		square := false
		if a, ok := get(r.decls, "width"); ok {
			b, _ := get(r.decls, "height")
			square = a == b
		}
		changed := w.declare(r.selector, d.Name, value, measureOf{k: s.k, head: s.head, isHead: head, roomy: roomy, from: from, to: s.box, square: square, nested: !top, page: onPage && l == nil, formed: formedAll(r.nodes), frame: top && w.framed(l), rules: borders(r.decls) * math.Max(0, 1-s.k)})
		if r.own && !changed {
			w.set(r.selector, d.Name, value)
		}
	}
}

// framed reports whether a layer shows one picture that fits the page that was,
// and not the one that is to be.
func (w *writer) framed(l *layer) bool {
	was, is := float64(w.g.size.Width)/float64(w.g.size.Height), w.to.w/w.to.h
	if l.kind != isShape || l.box.W < 0.95*float64(w.g.size.Width) || l.box.H < 0.95*float64(w.g.size.Height) || math.Abs(math.Log(was/is)) < 0.05 {
		return false
	}
	return w.spots[l].box.same(rect{0, 0, w.to.w, w.to.h}, 2)
}

// borders are the pixels that the borders of a rule take of its height.
func borders(decls []markup.Decl) (sum float64) {
	for _, name := range []string{"border", "border-top", "border-bottom"} {
		if v, ok := get(decls, name); ok {
			if f := length.FindStringSubmatch(v); f != nil {
				px, _ := strconv.ParseFloat(f[2], 64)
				sum += px
				if name == "border" {
					sum += px
				}
			}
		}
	}
	return math.Ceil(sum)
}

// formedAll reports whether all of the nodes are pictures or drawn.
func formedAll(nodes []*markup.Node) bool {
	return !slices.ContainsFunc(nodes, func(n *markup.Node) bool { return kindOf(n) != isPicture && !has(n, "p-rating") })
}

// padding keeps the sides of a padding whose top or bottom is another now.
func (w *writer) padding(selector, name, value string, s spot) {
	if name != "padding" {
		if name == "padding-top" && s.pad[0] > 0 || name == "padding-bottom" && s.pad[2] > 0 {
			return
		}
		w.set(selector, name, scaledLengths(value, s.k))
		return
	}
	parts := strings.Fields(value)
	if len(parts) == 0 || len(parts) > 4 {
		return
	}
	side := parts[min(1, len(parts)-1)]
	w.set(selector, "padding-right", scaledLengths(side, s.k))
	if len(parts) == 4 {
		side = parts[3]
	}
	w.set(selector, "padding-left", scaledLengths(side, s.k))
}

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

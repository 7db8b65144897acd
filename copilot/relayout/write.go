package relayout

import (
	"math"
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
	scale   bool // all is as it was, at another scale
	wishes
	settled map[string]bool // subject and property that the sheet of the size that is looked at decides
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

// wholly reports whether layers are zoomed: what they inherit from the page is
// zoomed with them.
func (w *writer) wholly() bool {
	for _, p := range w.g.pages {
		if slices.ContainsFunc(p.layers, w.whole) {
			return true
		}
	}
	return false
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
	if l == nil && (!onPage || w.wholly()) {
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
	roomy := head || l != nil && slices.ContainsFunc(r.nodes, func(n *markup.Node) bool { return w.texts[n.ID()] > 1 })
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

package relayout

import (
	"maps"
	"math"
	"slices"
	"strings"
)

// states writes where layers are while rows have them elsewhere: right to left,
// without a picture, with something left out.
func (w *writer) states(p *page) {
	size := rect{0, 0, float64(w.g.size.Width), float64(w.g.size.Height)}
	turned := mirrors(p, size.W)
	w.follow(p, turned, size)
	done := map[string]bool{}
	for _, l := range p.layers {
		for _, st := range l.states {
			prefix := strings.TrimSuffix(st.selector, "#"+l.id)
			mirror := slices.ContainsFunc(st.tokens, func(t string) bool { return turned[t] })
			if len(st.tokens) > 0 && !mirror && !done[prefix] && prefix != st.selector && w.without(p, st, prefix) {
				done[prefix] = true
			}
			if done[prefix] {
				continue
			}
			s := w.spots[l]
			s.box = w.stateBox(p, l, st, turned, size)
			w.place(st.selector, l, s)
			if st.end { // it hangs on the right edge
				w.set(st.selector, "left", "auto")
				w.set(st.selector, "right", px(math.Round(w.to.w-s.box.right())/w.zoom(l, s)))
			}
		}
	}
}

// follow has layers change sides with the others that had no side to change: they
// went from edge to edge, and do so no longer.
func (w *writer) follow(p *page, turned map[string]bool, size rect) {
	prefixes := map[string]bool{}
	for _, l := range p.layers {
		for _, st := range l.states {
			prefix := strings.TrimSuffix(st.selector, "#"+l.id)
			if len(st.tokens) == 1 && turned[st.tokens[0]] && strings.HasSuffix(prefix, " ") {
				prefixes[prefix] = true
			}
		}
	}
	for _, prefix := range slices.Sorted(maps.Keys(prefixes)) {
		for _, l := range p.layers {
			s := w.spots[l]
			if slices.ContainsFunc(l.states, func(st state) bool { return st.selector == prefix+"#"+l.id }) ||
				math.Abs(l.box.X-(size.W-l.box.right())) > 6 || math.Abs(s.box.X-(w.to.w-s.box.right())) <= 2 {
				continue
			}
			s.box.X = w.to.w - s.box.right()
			w.place(prefix+"#"+l.id, l, s)
		}
	}
}

// zoom is by how much lengths of a layer itself are multiplied.
func (w *writer) zoom(l *layer, s spot) float64 {
	if w.whole(l) {
		return s.k
	}
	return 1
}

// mirrors are the conditions under which layers change sides.
func mirrors(p *page, width float64) map[string]bool {
	same, all := map[string]int{}, map[string]int{}
	for _, l := range p.layers {
		for _, st := range l.states {
			if len(st.tokens) != 1 || math.Abs(st.box.X-l.box.X) < 2 {
				continue
			}
			all[st.tokens[0]]++
			if math.Abs(st.box.X-(width-l.box.right())) < 6 {
				same[st.tokens[0]]++
			}
		}
	}
	out := map[string]bool{}
	for token, n := range all {
		out[token] = 2*same[token] > n || rightToLeft(token) && same[token] > 0
	}
	for token := range all {
		if rightToLeft(token) {
			out[token] = true
		}
	}
	return out
}

func rightToLeft(token string) bool { return strings.Contains(token, "rtl") }

// stateBox is where a layer is to be in a state.
func (w *writer) stateBox(p *page, l *layer, st state, turned map[string]bool, size rect) rect {
	box := w.spots[l].box
	if len(st.tokens) == 0 {
		return w.moved(p, l, st.box, size)
	}
	var rest []string
	mirror := false
	for _, t := range st.tokens {
		if turned[t] {
			mirror = true
		} else {
			rest = append(rest, t)
		}
	}
	if len(rest) > 0 {
		for _, other := range l.states {
			if len(other.tokens) == len(rest) && subset(other.tokens, rest) {
				box = w.moved(p, l, other.box, size)
			}
		}
		if !mirror {
			box = w.moved(p, l, st.box, size)
		}
	}
	if mirror {
		moved := st.box
		if math.Abs(moved.Y-l.box.Y) > 2 && len(rest) == 0 {
			box.Y = w.moved(p, l, rect{l.box.X, moved.Y, l.box.W, l.box.H}, size).Y
		}
		in := rect{W: w.to.w}
		if s := w.spots[l]; len(s.host) > 0 && !slices.ContainsFunc(s.host, func(h *layer) bool { return hasState(h, st.tokens) }) {
			in = s.on // the picture stays where it is
		}
		box.X = in.X + in.right() - box.right()
	}
	return box
}

func hasState(l *layer, tokens []string) bool {
	return slices.ContainsFunc(l.states, func(s state) bool { return subset(s.tokens, tokens) })
}

// moved is where b, a place of l in the size that is looked at, is in the new one:
// in the place of another layer, or between the edges that it shared with others.
func (w *writer) moved(p *page, l *layer, b rect, size rect) rect {
	s := w.spots[l]
	for _, o := range p.layers {
		if o == l || o.kind != isText && o.kind != isStack {
			continue
		}
		if b.meets(o.box).area() > 0.6*math.Max(b.area(), o.box.area()) {
			return w.spots[o].box
		}
	}
	out := rect{s.box.X + (b.X-l.box.X)*s.k, s.box.Y + (b.Y-l.box.Y)*s.k, b.W / l.box.W * s.box.W, b.H / math.Max(1, l.box.H) * s.box.H}
	near := func(at func(rect) float64, v float64) (float64, bool) {
		best, found, distance := 0.0, false, math.Inf(1)
		for _, o := range p.layers {
			if math.Abs(at(o.box)-v) > 2 {
				continue
			}
			if d := math.Abs(o.box.Y-b.Y) + math.Abs(o.box.X-b.X); d < distance {
				best, found, distance = at(w.spots[o].box), true, d
			}
		}
		return best, found
	}
	left := func(r rect) float64 { return r.X }
	right := func(r rect) float64 { return r.right() }
	bottom := func(r rect) float64 { return r.bottom() }
	top := func(r rect) float64 { return r.Y }
	if math.Abs(b.X-l.box.X) < 2 {
		out.X = s.box.X
	} else if v, ok := near(left, b.X); ok {
		out.X = v
	}
	switch v, ok := near(right, b.right()); {
	case math.Abs(b.W-l.box.W) < 2:
		out.W = s.box.W
	case ok && v > out.X+20:
		out.W = v - out.X
	case math.Abs(b.X+b.right()-size.W) < 6:
		out.W = w.to.w - 2*out.X
	}
	switch v, ok := near(top, b.Y); {
	case math.Abs(b.Y-l.box.Y) < 2:
		out.Y = s.box.Y
	case ok:
		out.Y = v
	default:
		if v, ok := near(bottom, b.bottom()); ok {
			out.Y = v - out.H
		}
	}
	out.X = clamp(out.X, 0, math.Max(0, w.to.w-out.W))
	out.Y = clamp(out.Y, 0, math.Max(0, w.to.h-out.H))
	return out
}

// without lays the page out anew where layers take the place of a picture that
// is not there, and writes that; false where they take none.
func (w *writer) without(p *page, st state, prefix string) bool {
	boxes := map[*layer]rect{}
	for _, l := range p.layers {
		boxes[l] = l.box
		for _, s := range l.states {
			if subset(s.tokens, st.tokens) {
				boxes[l] = s.box
			}
		}
	}
	gone := map[*layer]bool{}
	for _, o := range p.layers {
		if o.kind != isPicture || o.role != "image" || o.box.area() < 0.04*float64(w.g.size.Width*w.g.size.Height) {
			continue
		}
		for l, b := range boxes {
			if l.kind != isShape && l != o && b != l.box && b.meets(o.box).area() > 0.05*o.box.area() && l.box.meets(o.box).area() < 0.02*o.box.area() {
				gone[o] = true
			}
		}
	}
	if len(gone) == 0 {
		return false
	}
	alone := &page{node: p.node}
	moved := map[*layer]*layer{}
	for _, l := range p.layers {
		if gone[l] {
			continue
		}
		c := *l
		c.box = boxes[l]
		moved[l] = &c
		alone.layers = append(alone.layers, &c)
	}
	spots, _ := flowed(alone, rect{0, 0, float64(w.g.size.Width), float64(w.g.size.Height)}, w.to, w.k, w.wishes)
	for _, l := range p.layers {
		if c := moved[l]; c != nil && !spots[c].box.same(w.spots[l].box, 1) {
			w.place(prefix+"#"+l.id, l, spots[c])
		}
	}
	return true
}

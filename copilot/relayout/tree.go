package relayout

import (
	"math"
	"slices"
)

type form int

const (
	isLeaf   form = iota // layers that share one box, or a small group that keeps its form
	isPlate              // a panel or picture with what lies on it
	isRow                // units side by side
	isColumn             // units below each other
	isPile               // units that overlap each other
)

// A unit is a part of a page that is placed as one.
type unit struct {
	form    form
	layers  []*layer // of a leaf; of a plate those that make its ground
	box     rect
	kids    []*unit // of rows, columns and piles; what lies on a picture or keeps its place in a group
	content *unit   // of a plate: what is laid out in it
	order   int     // in which it is painted
}

// A sketch is how a page is made up.
type sketch struct {
	grounds   []*layer          // that cover the page
	backdrops []*layer          // large ornaments behind everything
	edges     map[*layer]*layer // ornaments on the edge of a panel, and the panel
	root      *unit
}

// sketchOf understands the layers of a page of w by h pixels.
func sketchOf(layers []*layer, w, h float64) sketch {
	s := sketch{edges: map[*layer]*layer{}}
	page := rect{0, 0, w, h}
	var units []*unit
	for i, l := range layers {
		if l.kind != isText && l.kind != isStack && l.box.W >= 0.95*w && l.box.H >= 0.95*h {
			s.grounds = append(s.grounds, l)
			continue
		}
		if panel := edgeOf(l, layers); panel != nil {
			s.edges[l] = panel
			continue
		}
		if twin := twinOf(units, l); twin != nil {
			twin.layers = append(twin.layers, l)
			continue
		}
		units = append(units, &unit{layers: []*layer{l}, box: l.box, order: i})
	}
	units = slices.DeleteFunc(units, func(u *unit) bool {
		if !crossed(u, units, page) {
			return false
		}
		s.backdrops = append(s.backdrops, u.layers...)
		return true
	})
	inside := nest(units, page)
	for _, u := range slices.Backward(units) {
		if list := inside[u]; len(list) > 0 || bleeding(u, page) && u.ground() {
			u.form = isPlate
			u.settle(list, page)
		}
	}
	units = slices.DeleteFunc(units, func(u *unit) bool { return nestedIn(inside, u) })
	s.root = arranged(units)
	return s
}

// edgeOf is the panel on whose edge a small ornament sits; nil if it is none.
func edgeOf(l *layer, layers []*layer) *layer {
	if l.kind != isShape || math.Min(l.box.W, l.box.H) > 90 {
		return nil
	}
	cx, cy := l.box.X+l.box.W/2, l.box.Y+l.box.H/2
	reach := 0.3 * math.Min(l.box.W, l.box.H)
	var best *layer
	for _, o := range layers {
		if o == l || o.kind != isShape || o.box.area() < 8*l.box.area() || math.Min(o.box.W, o.box.H) < 120 || l.box.within(o.box, 0) {
			continue
		}
		on := cx > o.box.X-reach && cx < o.box.right()+reach && cy > o.box.Y-reach && cy < o.box.bottom()+reach
		near := math.Min(math.Min(math.Abs(cx-o.box.X), math.Abs(cx-o.box.right())), math.Min(math.Abs(cy-o.box.Y), math.Abs(cy-o.box.bottom()))) <= reach
		if on && near && (best == nil || o.box.area() < best.box.area()) {
			best = o
		}
	}
	return best
}

// twinOf is a unit in the same place, which is shown in turn with l or below it.
func twinOf(units []*unit, l *layer) *unit {
	for _, u := range units {
		if u.box.same(l.box, 2) {
			return u
		}
	}
	return nil
}

// ground reports whether a unit can have others lie on it.
func (u *unit) ground() bool {
	return slices.ContainsFunc(u.layers, func(l *layer) bool { return l.kind == isShape || l.kind == isPicture && l.role != "logo" })
}

func (u *unit) picture() bool {
	return slices.ContainsFunc(u.layers, func(l *layer) bool {
		return l.kind == isPicture || l.kind == isShape && l.role == "image"
	})
}

// crossed reports whether a ground lies under parts of others: it is an ornament
// and no panel.
func crossed(u *unit, units []*unit, page rect) bool {
	if !u.ground() || u.picture() || u.box.area() < 0.2*page.area() || bleeding(u, page) {
		return false
	}
	across, in := 0.0, 0.0
	for _, o := range units {
		if o == u || o.order < u.order {
			continue
		}
		common := o.box.meets(u.box).area()
		switch {
		case o.box.within(u.box, 6):
			in += o.box.area()
		case common > 0.25*o.box.area():
			across += common
		}
	}
	return across > in*0.5
}

// edgesOf says which edges of a box a unit touches: top, right, bottom, left.
func edgesOf(b, in rect) [4]bool {
	const slack = 3
	return [4]bool{b.Y <= in.Y+slack, b.right() >= in.right()-slack, b.bottom() >= in.bottom()-slack, b.X <= in.X+slack}
}

func touches(b, in rect) int {
	n := 0
	for _, t := range edgesOf(b, in) {
		if t {
			n++
		}
	}
	return n
}

// bleeding reports whether a unit runs off the edges of what it is in.
func bleeding(u *unit, in rect) bool {
	switch u.form {
	case isRow, isColumn:
		return len(u.kids) > 0 && !slices.ContainsFunc(u.kids, func(k *unit) bool { return !bleeding(k, in) })
	case isPile:
		return false
	}
	if math.Min(u.box.W, u.box.H) < 12 {
		return false // a rule
	}
	for _, l := range u.layers {
		if l.kind == isText || l.kind == isStack && !l.painted {
			if u.form != isPlate && !u.ground() {
				return false
			}
		}
	}
	return touches(u.box, in) >= 2
}

// nest says for each unit which lie on it.
func nest(units []*unit, page rect) map[*unit][]*unit {
	inside := map[*unit][]*unit{}
	for _, u := range units {
		var best *unit
		for _, o := range units {
			if o == u || !o.ground() || o.order > u.order || !u.box.within(o.box, 6) || u.box.area() > 0.97*o.box.area() || o.box.area() < 400 {
				continue
			}
			if best == nil || o.box.area() < best.box.area() {
				best = o
			}
		}
		if best != nil {
			inside[best] = append(inside[best], u)
		}
	}
	return inside
}

func nestedIn(inside map[*unit][]*unit, u *unit) bool {
	for _, list := range inside {
		if slices.Contains(list, u) {
			return true
		}
	}
	return false
}

// settle gives a plate what lies on it: laid out in it, or where it is.
func (u *unit) settle(list []*unit, page rect) {
	if len(list) == 0 {
		return
	}
	if u.box.area() < 0.06*page.area() {
		u.form, u.kids = isLeaf, list
		return
	}
	covered := rect{}
	words := false
	for _, k := range list {
		covered = covered.hull(k.box)
		words = words || k.box.W > 0.45*u.box.W && k.kindly(isText, isStack)
	}
	if u.picture() && !words && covered.area() < 0.5*u.box.area() {
		u.kids = list
		return
	}
	u.content = arranged(list)
}

// keepsForm reports whether the sides of a unit keep their proportion: a picture, an ornament, or what is shown instead of it.
func (u *unit) keepsForm() bool {
	if u.form != isLeaf {
		return false
	}
	return slices.ContainsFunc(u.layers, func(l *layer) bool { return l.kind == isPicture }) || !u.kindly(isText, isStack, isChart)
}

func (u *unit) kindly(kinds ...kind) bool {
	return slices.ContainsFunc(u.layers, func(l *layer) bool { return slices.Contains(kinds, l.kind) })
}

// arranged are units as rows and columns of each other.
func arranged(units []*unit) *unit {
	switch len(units) {
	case 0:
		return nil
	case 1:
		return units[0]
	}
	box := rect{}
	order := units[0].order
	for _, u := range units {
		box = box.hull(u.box)
		order = min(order, u.order)
	}
	if groups := cut(units, false); len(groups) > 1 {
		c := &unit{form: isColumn, box: box, order: order}
		for _, g := range groups {
			c.kids = append(c.kids, arranged(g))
		}
		c.kids = joined(c.kids)
		if len(c.kids) == 1 {
			return c.kids[0]
		}
		return c
	}
	if groups := cut(units, true); len(groups) > 1 {
		r := &unit{form: isRow, box: box, order: order}
		for _, g := range groups {
			r.kids = append(r.kids, arranged(g))
		}
		return r
	}
	return &unit{form: isPile, box: box, kids: units, order: order}
}

// cut parts units where a straight line meets none of them; they may lap over by
// a third of the smaller one.
func cut(units []*unit, across bool) [][]*unit {
	from := func(u *unit) float64 {
		if across {
			return u.box.X
		}
		return u.box.Y
	}
	to := func(u *unit) float64 {
		if across {
			return u.box.right()
		}
		return u.box.bottom()
	}
	sorted := slices.Clone(units)
	slices.SortStableFunc(sorted, func(a, b *unit) int {
		if d := from(a) - from(b); math.Abs(d) > 0.5 {
			return int(math.Copysign(1, d))
		}
		return a.order - b.order
	})
	groups := [][]*unit{{sorted[0]}}
	for i := 1; i < len(sorted); i++ {
		clean := true
		for _, a := range sorted[:i] {
			for _, b := range sorted[i:] {
				if lap := to(a) - from(b); lap > 4 && lap > 0.38*math.Min(to(a)-from(a), to(b)-from(b)) {
					clean = false
				}
			}
		}
		if clean {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], sorted[i])
	}
	return groups
}

// joined makes rows that follow each other and are parted at the same place one
// row of columns: a heading belongs to what is below it.
func joined(kids []*unit) []*unit {
	var out []*unit
	for _, k := range kids {
		if len(out) > 0 {
			if last := out[len(out)-1]; last.form == isRow && k.form == isRow && len(last.kids) == 2 && len(k.kids) == 2 && aligned(last, k) {
				row := &unit{form: isRow, box: last.box.hull(k.box), order: min(last.order, k.order)}
				for i := range 2 {
					column := &unit{form: isColumn, box: last.kids[i].box.hull(k.kids[i].box), order: last.kids[i].order}
					for _, part := range []*unit{last.kids[i], k.kids[i]} {
						if part.form == isColumn {
							column.kids = append(column.kids, part.kids...)
						} else {
							column.kids = append(column.kids, part)
						}
					}
					row.kids = append(row.kids, column)
				}
				out[len(out)-1] = row
				continue
			}
		}
		out = append(out, k)
	}
	return out
}

func aligned(a, b *unit) bool {
	return math.Abs(a.kids[1].box.X-b.kids[1].box.X) < 8 && a.kids[0].box.right() < b.kids[1].box.X+4 && b.kids[0].box.right() < a.kids[1].box.X+4
}

// all are the layers of a unit.
func (u *unit) all() []*layer {
	if u == nil {
		return nil
	}
	out := slices.Clone(u.layers)
	for _, k := range u.kids {
		out = append(out, k.all()...)
	}
	return append(out, u.content.all()...)
}

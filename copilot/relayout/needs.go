package relayout

import (
	"math"
	"slices"
)

// least is the width that a unit needs at the scale of the flow.
func (f *flow) least(u *unit) float64 {
	if u == nil {
		return 0
	}
	w := u.box.W * f.k
	switch u.form {
	case isRow:
		sum := 0.0
		for i, k := range u.kids {
			sum += f.least(k)
			if i > 0 {
				sum += math.Min(f.gap(u.kids[i-1].box.right(), k.box.X), 0.06*f.to.w)
			}
		}
		return sum
	case isColumn:
		most := 0.0
		for _, k := range u.kids {
			most = math.Max(most, f.least(k))
		}
		return most
	case isPlate:
		if u.content != nil {
			return f.least(u.content) + (u.box.W-u.content.box.W)*f.k
		}
		return 0.6 * w
	case isPile:
		return 0.85 * w
	}
	for _, l := range u.layers {
		switch {
		case l.kind == isStack:
			return 0.86 * w
		case l.kind == isText && u.box.H > 0.3*u.box.W:
			return 0.55 * w
		case l.kind == isText && l.role == "headline":
			return 0.5 * w
		case l.kind == isText:
			return 0.6 * w
		case l.kind == isChart:
			return 0.6 * w
		case l.kind == isShape && u.box.H < 8:
			return 0
		}
	}
	return w
}

func (f *flow) gap(from, to float64) float64 { return (to - from) * f.k }

// tall is the height that a unit likes to have in a width.
func (f *flow) tall(u *unit, width float64) float64 {
	if u == nil {
		return 0
	}
	h := u.box.H * f.k
	switch u.form {
	case isColumn:
		if r := f.spread(u, width); r != nil {
			return f.tall(r, width)
		}
		sum := 0.0
		for i, k := range u.kids {
			sum += f.tall(k, f.widthIn(k, u, width))
			if i > 0 {
				sum += f.gap(u.kids[i-1].box.bottom(), k.box.Y)
			}
		}
		return sum
	case isRow:
		if !f.fitsRow(u, width) {
			return f.tall(turned(u, f.k), width)
		}
		most := 0.0
		widths := f.widths(u, width)
		for i, k := range u.kids {
			most = math.Max(most, f.tall(k, widths[i])+(k.box.Y-u.box.Y)*f.k)
		}
		return most
	case isPlate:
		if u.content != nil {
			return f.tallIn(u.content, u.box, width)
		}
		return h
	case isPile:
		return h
	}
	for _, l := range u.layers {
		h *= f.want(l)
	}
	if narrower := u.box.W * f.k / math.Max(1, width); narrower > 1.02 && u.kindly(isText) && u.box.H > 60 {
		return h * math.Min(narrower, 1.5)
	}
	return h
}

// want is how much taller than it was a layer wants to be, for the texts in it.
func (f *flow) want(l *layer) float64 {
	most := 1.0
	for id, v := range f.texts {
		if v > most && (l.id == id || l.node.Find(id) != nil) {
			most = v
			if l.id != id {
				most = 1 + (v-1)*0.5 // others share the stack with it
			}
		}
	}
	return most
}

// tallIn is the height that a region likes to have in a width.
func (f *flow) tallIn(u *unit, src rect, width float64) float64 {
	sections := f.sections(u, src)
	if len(sections) == 1 && !sections[0].bleeds {
		p := f.pads(u, src, rect{Y: 1, W: width}, true)
		return f.tall(u, width-p[1]-p[3]) + p[0] + p[2]
	}
	besides := u.form == isRow && f.besides(sections, width)
	sum, most, pictures := 0.0, 0.0, 0
	for _, s := range sections {
		if s.picture {
			pictures++
			continue
		}
		w := width
		if besides {
			w = width * s.src.W / src.W
		}
		p := f.pads(s.inner(), s.src, rect{Y: 1, W: w}, true)
		h := f.tall(s.inner(), w-p[1]-p[3]) + p[0] + p[2]
		sum += h
		most = math.Max(most, h)
	}
	if besides {
		return most
	}
	return sum / (1 - 0.3*float64(min(pictures, 2)))
}

// spread is a column as a picture with the rest beside it, where the room is so
// much wider than the column was; nil where it is not.
func (f *flow) spread(u *unit, width float64) *unit {
	if len(u.kids) < 2 || width < 2.1*u.box.W*f.k {
		return nil
	}
	at := slices.IndexFunc(u.kids, func(k *unit) bool {
		return k.keepsForm() && k.box.H > 0.25*u.box.H && k.box.W < 2*k.box.H
	})
	if at < 0 {
		return nil
	}
	rest := &unit{form: isColumn, order: u.order}
	y := u.kids[at].box.Y
	for i, k := range u.kids {
		if i == at {
			continue
		}
		c := *k
		c.shift(u.kids[at].box.right()+32-u.box.X, y-k.box.Y)
		y = c.box.bottom()
		if i+1 < len(u.kids) {
			y += math.Max(8, u.kids[i+1].box.Y-k.box.bottom())
		}
		rest.kids = append(rest.kids, &c)
		rest.box = rest.box.hull(c.box)
	}
	if len(rest.kids) == 1 {
		rest = rest.kids[0]
	}
	return &unit{form: isRow, kids: []*unit{u.kids[at], rest}, box: u.kids[at].box.hull(rest.box), order: u.order}
}

// stretch says how much taller than it likes a unit may become, in pixels.
func (f *flow) stretch(u *unit, h float64) float64 {
	switch u.form {
	case isColumn, isRow:
		most := 0.0
		for _, k := range u.kids {
			s := f.stretch(k, k.box.H*f.k)
			if u.form == isColumn {
				most += s
			} else {
				most = math.Max(most, s)
			}
		}
		return most
	case isPlate:
		if u.content != nil {
			return f.stretch(u.content, h)
		}
		return 0.5 * h
	}
	for _, l := range u.layers {
		switch {
		case l.kind == isChart:
			return 0.9 * h
		case l.headline != nil:
			return 0.55 * h
		}
	}
	return 0
}

// shrink says how much shorter than it likes a unit may become.
func (f *flow) shrink(u *unit, h float64) float64 {
	for _, l := range u.all() {
		if f.want(l) > 1 {
			return 0
		}
	}
	for _, l := range u.all() {
		if l.headline != nil || l.kind == isChart {
			return 0.22 * h
		}
	}
	return 0
}

// turned is a row as a column.
func turned(u *unit, k float64) *unit {
	c := &unit{form: isColumn, order: u.order}
	kids := slices.Clone(u.kids)
	slices.SortStableFunc(kids, func(a, b *unit) int {
		return int(b2i(b.form == isPlate && b.picture()) - b2i(a.form == isPlate && a.picture()))
	})
	y := u.box.Y
	for i, kid := range kids {
		moved := *kid
		if i > 0 {
			gap := 0.0
			if i < len(u.kids) {
				gap = math.Max(16, u.kids[i].box.X-u.kids[i-1].box.right())
			}
			y += math.Min(gap, 48)
		}
		moved.shift(u.box.X-kid.box.X, y-kid.box.Y)
		c.kids = append(c.kids, &moved)
		y += moved.box.H
		c.box = c.box.hull(moved.box)
	}
	return c
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// shift moves a copy of a unit and all in it.
func (u *unit) shift(dx, dy float64) {
	u.box.X += dx
	u.box.Y += dy
	kids := make([]*unit, len(u.kids))
	for i, k := range u.kids {
		c := *k
		c.shift(dx, dy)
		kids[i] = &c
	}
	u.kids = kids
	if u.content != nil {
		c := *u.content
		c.shift(dx, dy)
		u.content = &c
	}
}

func (f *flow) fitsRow(u *unit, width float64) bool { return f.least(u) <= width*1.12 }

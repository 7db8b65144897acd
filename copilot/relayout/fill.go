package relayout

import (
	"math"
)

// fill lays a unit out in a box.
func (f *flow) fill(u *unit, box rect) {
	switch u.form {
	case isColumn:
		if r := f.spread(u, box.W); r != nil {
			f.line(r, box)
			return
		}
		f.stack(u, box)
	case isRow:
		if t := turned(u, f.k); !f.fitsRow(u, box.W) || f.upright(u.box, box) && box.H > 1.4*u.box.H*f.k && f.tall(t, box.W) < box.H*1.04 {
			f.stack(t, box)
			return
		}
		f.line(u, box)
	case isPlate:
		for _, l := range u.layers {
			f.put(l, box)
		}
		if u.content != nil {
			f.region2(u.content, u.box, box)
		}
		for _, k := range u.kids {
			f.overlay(k, u.box, box, u.layers)
		}
	case isPile:
		k := math.Min(box.W/u.box.W, math.Max(f.k, box.H/u.box.H))
		k = math.Min(k, f.k*1.2)
		w, h := u.box.W*k, u.box.H*k
		at := rect{box.X + (box.W-w)/2, box.Y + (box.H-h)/2, w, h}
		for _, kid := range u.kids {
			f.fill(kid, stretched(kid.box, u.box, at))
		}
	default:
		f.leaf(u, box)
	}
}

func (f *flow) leaf(u *unit, box rect) {
	for _, l := range u.layers {
		f.put(l, box)
		s := f.spots[l]
		if l.kind == isStack {
			f.narrow = math.Min(f.narrow, box.W/(0.86*l.box.W*f.k))
		}
		if l.grows && has(l.headline, "p-fit") {
			s.head = clamp(math.Sqrt(box.area()/l.box.area()), f.k, 1.4*f.k)
		}
		f.spots[l] = s
	}
	for _, k := range u.kids {
		f.rigid(k, stretched(k.box, u.box, box))
	}
}

// stack places the kids of a column in a box: what is left over goes to what can
// use it, then to the gaps.
func (f *flow) stack(u *unit, box rect) {
	n := len(u.kids)
	heights, gaps := make([]float64, n), make([]float64, n)
	total, gapSum, can := 0.0, 0.0, 0.0
	stretches := make([]float64, n)
	for i, k := range u.kids {
		heights[i] = f.tall(k, f.widthIn(k, u, box.W))
		if i > 0 {
			gaps[i] = f.gap(u.kids[i-1].box.bottom(), k.box.Y)
			gapSum += math.Max(0, gaps[i])
		}
		total += heights[i] + gaps[i]
	}
	extra := box.H - total
	switch {
	case extra > 0:
		for i, k := range u.kids {
			stretches[i] = f.stretch(k, heights[i])
			can += stretches[i]
		}
		if give := math.Min(can, extra*0.75); give > 0 {
			for i := range u.kids {
				heights[i] += give * stretches[i] / can
			}
			extra -= give
		}
		if give := math.Min(extra, gapSum*1.4); give > 0 {
			for i := range gaps {
				gaps[i] += give * math.Max(0, gaps[i]) / gapSum
			}
			extra -= give
		}
	case extra < 0:
		give := math.Min(-extra, gapSum*0.5)
		for i := range gaps {
			if gapSum > 0 {
				gaps[i] -= give * math.Max(0, gaps[i]) / gapSum
			}
		}
		extra += give
		for i, k := range u.kids {
			stretches[i] = f.shrink(k, heights[i])
			can += stretches[i]
		}
		if give := math.Min(-extra, can); give > 0 {
			for i := range u.kids {
				heights[i] -= give * stretches[i] / can
			}
			extra += give
		}
		if extra < -1 {
			f.short += -extra
			fit := box.H / (box.H - extra)
			for i := range heights {
				heights[i], gaps[i] = heights[i]*fit, gaps[i]*fit
			}
		}
		extra = 0
	}
	y := box.Y + extra/2
	for i, k := range u.kids {
		y += gaps[i]
		w := f.widthIn(k, u, box.W)
		b := rect{box.X, y, w, heights[i]}
		switch alignment(k.box, u.box) {
		case 0:
			b.X = box.X + (box.W-w)/2
		case 1:
			b.X = box.right() - w
		}
		f.fill(k, b)
		y += heights[i]
	}
}

// widthIn is how wide a kid of a column becomes.
func (f *flow) widthIn(k, column *unit, width float64) float64 {
	w := k.box.W * f.k
	pictured := k.keepsForm()
	switch {
	case k.box.W >= 0.92*column.box.W && (!pictured || k.box.H < 8):
		return width
	case pictured && k.box.H < 8:
		return math.Min(width, math.Max(w, k.box.W/column.box.W*width))
	case pictured:
		return math.Min(width, w)
	case k.form == isLeaf && k.kindly(isText, isStack, isChart):
		return math.Min(width, math.Max(w, k.box.W/math.Max(1, column.box.W)*width))
	}
	if k.box.W > 0.55*column.box.W {
		return width
	}
	return math.Min(width, math.Max(w, k.box.W/math.Max(1, column.box.W)*width))
}

// alignment is -1 for what stands at the left of a column, 0 in its middle, 1 at
// its right.
func alignment(b, in rect) int {
	left, right := b.X-in.X, in.right()-b.right()
	switch {
	case math.Abs(left-right) <= 0.03*in.W:
		return 0
	case left <= right:
		return -1
	}
	return 1
}

// widths parts a width among the kids of a row.
func (f *flow) widths(u *unit, width float64) []float64 {
	n := len(u.kids)
	out := make([]float64, n)
	fixed, loose := 0.0, 0.0
	for i, k := range u.kids {
		if i > 0 {
			fixed += f.rowGap(u, i, width)
		}
		if k.keepsForm() || k.form == isPlate && k.content == nil {
			out[i] = math.Min(k.box.W*f.k, 0.5*width)
			fixed += out[i]
		} else {
			loose += k.box.W
		}
	}
	for i, k := range u.kids {
		if out[i] == 0 {
			out[i] = math.Max(8, (width-fixed)*k.box.W/math.Max(1, loose))
		}
	}
	return out
}

func (f *flow) rowGap(u *unit, i int, width float64) float64 {
	gap := u.kids[i].box.X - u.kids[i-1].box.right()
	if gap > 0.12*u.box.W { // what stands at both ends
		return gap / u.box.W * width
	}
	return math.Min(gap*f.k, math.Max(0.08*width, gap/u.box.W*width))
}

// line places the kids of a row in a box.
func (f *flow) line(u *unit, box rect) {
	widths := f.widths(u, box.W)
	x := box.X
	for i, k := range u.kids {
		if i > 0 {
			x += f.rowGap(u, i, box.W)
		}
		b := rect{x, box.Y, widths[i], math.Min(box.H, f.tall(k, widths[i]))}
		above, under := k.box.Y-u.box.Y, u.box.bottom()-k.box.bottom()
		switch {
		case above < 3 && under < 3 || k.box.H > 0.9*u.box.H:
			b.H = box.H
		case math.Abs(above-under) < 0.12*u.box.H:
			b.Y = box.Y + (box.H-b.H)/2
		case above <= under:
			b.Y = box.Y + math.Min(above*f.k, box.H-b.H)
		default:
			b.Y = box.bottom() - b.H - math.Min(under*f.k, box.H-b.H)
		}
		if k.keepsForm() && k.box.H > 8 { // pictures keep their form
			h := k.box.H * widths[i] / k.box.W
			b.Y, b.H = b.Y+(b.H-h)/2, h
		}
		f.fill(k, b)
		x += widths[i]
	}
}

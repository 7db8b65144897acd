package relayout

import (
	"math"
	"slices"
)

// A spot is where a layer is to be, and how much larger what is in it becomes.
type spot struct {
	box  rect
	k    float64 // of lengths: type, gaps, pictures
	head float64 // of the type of its headline
	pad  [4]float64
	on   rect     // the picture that it lies on
	host []*layer // and the layers of that
}

// A target is the page that is to be filled.
type target struct {
	w, h float64
	safe Safe
}

// wishes are what a layout that had faults gives to the next one.
type wishes struct {
	texts    map[string]float64 // by their ids, how much more room they want than they had
	pictures float64            // how much of the room that they would like pictures get
	least    float64            // the scale below which columns had better stay columns
	upright  bool               // columns become rows where the page becomes upright
}

// A flow lays the parts of a page out anew.
type flow struct {
	source rect
	to     target
	k      float64
	spots  map[*layer]spot
	short  float64 // pixels of height that were missing
	narrow float64 // how much smaller things would have to be to have the width that they need; 1 is enough
	framed bool    // a frame runs around the page

	wishes
}

// flowed lays out a page; the scale is the largest up to k at which it has room.
// What stood side by side on a page that becomes upright is laid below each other,
// unless that would take a third of the scale.
func flowed(p *page, from rect, to target, k float64, w wishes) (map[*layer]spot, float64) {
	w.upright = true
	if spots, own := tried(p, from, to, k, w); own > w.least {
		return spots, own
	}
	w.upright = false
	return tried(p, from, to, k, w)
}

func tried(p *page, from rect, to target, k float64, w wishes) (map[*layer]spot, float64) {
	s := sketchOf(p.layers, from.W, from.H)
	for try := 0; ; try++ {
		f := &flow{source: from, to: to, k: k, spots: map[*layer]spot{}, narrow: 1, wishes: w}
		f.page(s)
		if try >= 14 || f.short < 2 && f.narrow > 0.97 {
			return f.spots, k
		}
		k *= clamp(math.Min(f.narrow, 0.94), 0.8, 0.97)
	}
}

func (f *flow) page(s sketch) {
	whole := rect{0, 0, f.to.w, f.to.h}
	for _, l := range s.grounds {
		f.put(l, stretched(l.box, f.source, whole))
		f.framed = f.framed || l.frame
	}
	for _, l := range s.backdrops {
		grow := math.Min(whole.W/f.source.W, whole.H/f.source.H) * 1.15
		w, h := l.box.W*grow, l.box.H*grow
		cx, cy := (l.box.X+l.box.W/2)/f.source.W*whole.W, (l.box.Y+l.box.H/2)/f.source.H*whole.H
		f.put(l, rect{cx - w/2, cy - h/2, w, h})
	}
	if s.root != nil {
		f.region(s.root, f.source, whole)
	}
	for l, panel := range s.edges {
		f.put(l, f.onEdge(l.box, panel.box, f.spots[panel].box))
	}
}

// onEdge is where an ornament on the edge of a panel is when the panel is moved;
// where an upright panel now lies, what was at its left is at its top.
func (f *flow) onEdge(b, from, to rect) rect {
	fx, fy := (b.X+b.W/2-from.X)/from.W, (b.Y+b.H/2-from.Y)/from.H
	w, h := b.W, b.H
	if from.W > 0 && to.W > 0 && (from.H > 1.1*from.W) != (to.H > 1.1*to.W) && (from.W > 1.1*from.H) != (to.W > 1.1*to.H) {
		fx, fy = fy, fx
		w, h = h, w
		from.W, from.H = from.H, from.W
	}
	grow := func(v, was, is float64) float64 {
		if v > 0.5*was { // it runs along the edge
			return is - (was-v)*f.k
		}
		return v * f.k
	}
	w, h = grow(w, from.W, to.W), grow(h, from.H, to.H)
	return rect{to.X + fx*to.W - w/2, to.Y + fy*to.H - h/2, w, h}
}

// stretched is where b is when from becomes to.
func stretched(b, from, to rect) rect {
	kx, ky := to.W/from.W, to.H/from.H
	return rect{to.X + (b.X-from.X)*kx, to.Y + (b.Y-from.Y)*ky, b.W * kx, b.H * ky}
}

func (f *flow) put(l *layer, box rect) {
	f.spots[l] = spot{box: box, k: f.k, head: f.k}
}

// region fills dst with a unit that filled src.
func (f *flow) region(u *unit, src, dst rect) {
	sections := f.sections(u, src)
	if len(sections) == 1 {
		if sections[0].bleeds {
			f.plate(u, src, dst)
			return
		}
		f.padded(u, src, dst)
		return
	}
	down := u.form == isColumn
	if !down && (!f.besides(sections, dst.W) || f.upright(src, dst) && (f.wishes.upright || f.below(sections, dst))) {
		down = true
		slices.SortStableFunc(sections, func(a, b section) int { // a picture begins a column
			return rank(b) - rank(a)
		})
	} else if down && (!f.below(sections, dst) || f.lying(sections, src, dst)) && f.besides(sideBySide(sections), dst.W) {
		down = false
		sections = sideBySide(sections)
	}
	if down {
		f.column(sections, dst)
		return
	}
	f.row(sections, dst)
}

// column gives sections their heights.
func (f *flow) column(sections []section, dst rect) {
	total, whole := 0.0, areaOf(sections)
	for i := range sections {
		s := &sections[i]
		if s.picture {
			share := clamp(s.src.area()/whole, 0.28, 0.46) * f.pictures
			s.need, s.low, s.high = share*dst.H, 0.2*dst.H, 0.54*dst.H*f.pictures
		} else {
			p := f.pads(s.inner(), s.src, f.edge(dst, i == 0, i+1 == len(sections)), false)
			s.need = f.tall(s.inner(), dst.W-p[1]-p[3]) + p[0] + p[2]
			s.low, s.high = s.need, s.need*1.5
			if s.inner() == nil {
				s.need = s.src.H * f.k
				s.low, s.high = s.need*0.5, s.need*1.5
			}
		}
		total += s.need
	}
	f.short += share(sections, dst.H, total)
	y := dst.Y
	for i, s := range sections {
		h := s.size
		if i+1 == len(sections) {
			h = dst.bottom() - y
		}
		f.section(s, rect{dst.X, y, dst.W, h})
		y += h
	}
}

// edge is a box like dst that is at the top or bottom of the page only where a
// section is.
func (f *flow) edge(dst rect, first, last bool) rect {
	if !first {
		dst.Y += 1
		dst.H -= 1
	}
	if !last {
		dst.H -= 1
	}
	return dst
}

// row gives sections their widths.
func (f *flow) row(sections []section, dst rect) {
	total, whole, area := 0.0, 0.0, areaOf(sections)
	for _, s := range sections {
		whole += s.src.W
	}
	for i := range sections {
		s := &sections[i]
		if s.picture {
			share := clamp(s.src.area()/area, 0.28, 0.46) * f.pictures
			s.need, s.low, s.high = share*dst.W, 0.18*dst.W, 0.5*dst.W*f.pictures
		} else {
			p := f.pads(s.inner(), s.src, dst, true)
			s.low = f.least(s.inner()) + p[1] + p[3]
			s.need = math.Max(s.low, s.src.W/whole*dst.W)
			s.high = dst.W
			if s.inner() == nil {
				s.low = s.need * 0.5
			}
		}
		total += s.need
	}
	if over := share(sections, dst.W, total); over > 1 {
		f.narrow = math.Min(f.narrow, dst.W/(dst.W+over))
	}
	x := dst.X
	for i, s := range sections {
		w := s.size
		if i+1 == len(sections) {
			w = dst.right() - x
		}
		f.section(s, rect{x, dst.Y, w, dst.H})
		x += w
	}
}

// region2 is a region that is no plate: it has its margins.
func (f *flow) region2(u *unit, src, dst rect) {
	if (u.form == isRow || u.form == isColumn) && slices.ContainsFunc(u.kids, func(k *unit) bool { return bleeding(k, src) }) {
		f.region(u, src, dst)
		return
	}
	f.padded(u, src, dst)
}

// plate fills dst with a plate, or with a row or column of plates.
func (f *flow) plate(u *unit, src, dst rect) {
	if u.form == isRow || u.form == isColumn {
		f.region(u, src, dst)
		return
	}
	for _, l := range u.layers {
		f.put(l, dst)
		if l.kind == isStack || l.kind == isText {
			f.inset(l, dst)
		}
	}
	if u.content != nil {
		f.region2(u.content, u.box, dst)
	}
	for _, k := range u.kids {
		f.overlay(k, u.box, dst, u.layers)
	}
}

// inset keeps what a painted stack at the edge of the page has in it free of the
// strips that apps cover.
func (f *flow) inset(l *layer, dst rect) {
	s := f.spots[l]
	if dst.bottom() > f.to.h-1 {
		s.pad[2] = float64(f.to.safe.Bottom)
	}
	if dst.Y < 1 {
		s.pad[0] = float64(f.to.safe.Top)
	}
	f.spots[l] = s
}

// overlay places what lies on a picture: as near to its corner as it was.
func (f *flow) overlay(u *unit, src, dst rect, host []*layer) {
	b := u.box
	w, h := b.W*f.k, b.H*f.k
	box := rect{W: w, H: h}
	left, right := b.X-src.X, src.right()-b.right()
	top, bottom := b.Y-src.Y, src.bottom()-b.bottom()
	box.X = anchored(left, right, dst.X, dst.right(), w, f.k)
	box.Y = anchored(top, bottom, dst.Y, dst.bottom(), h, f.k)
	safe := rect{float64(f.to.safe.Left), float64(f.to.safe.Top), f.to.w, f.to.h - float64(f.to.safe.Top+f.to.safe.Bottom)}
	box.Y = clamp(box.Y, safe.Y+boolTimes(f.to.safe.Top > 0, 24*f.k), math.Max(safe.Y, safe.bottom()-h))
	f.rigid(u, box)
	for _, l := range u.all() {
		s := f.spots[l]
		s.on, s.host = dst, host
		f.spots[l] = s
	}
}

func boolTimes(b bool, v float64) float64 {
	if b {
		return v
	}
	return 0
}

func anchored(before, after, from, to, size, k float64) float64 {
	switch {
	case math.Abs(before-after) < 0.06*(before+after+size):
		return (from+to)/2 - size/2
	case before <= after:
		return from + before*k
	}
	return to - after*k - size
}

// rigid places a leaf and what keeps its place in it.
func (f *flow) rigid(u *unit, box rect) {
	for _, l := range u.layers {
		f.put(l, box)
	}
	for _, k := range u.kids {
		f.rigid(k, stretched(k.box, u.box, box))
	}
	if u.content != nil {
		f.rigid(u.content, stretched(u.content.box, u.box, box))
	}
}

// padded lays content out within the margins of dst.
func (f *flow) padded(u *unit, src, dst rect) {
	if u == nil {
		return
	}
	p := f.pads(u, src, dst, false)
	f.fill(u, dst.inset(p[0], p[1], p[2], p[3]))
}

// pads are the margins of content in dst: those that it had, within what looks
// like margins on the new page; the strips that apps cover are added.
func (f *flow) pads(u *unit, src, dst rect, bare bool) [4]float64 {
	if u == nil {
		return [4]float64{}
	}
	had := [4]float64{u.box.Y - src.Y, src.right() - u.box.right(), src.bottom() - u.box.bottom(), u.box.X - src.X}
	side := math.Min(f.to.w, f.to.h)
	most := 0.085
	if f.framed && dst.W > 0.98*f.to.w {
		most = 0.16
	}
	var p [4]float64
	least := math.Min(math.Max(0, math.Min(had[1], had[3])), math.Max(0, math.Min(had[0], had[2])))
	for i, v := range had {
		v = math.Max(v, least)
		p[i] = clamp(v*math.Min(f.k, 1.25), 0.035*side, most*side)
		if v < 6 {
			p[i] = math.Max(0, v)
		}
	}
	even := math.Min(p[1], p[3])
	p[1], p[3] = even, even // a ragged right edge is no margin
	if bare {
		return p
	}
	if dst.Y < 0.5 && f.to.safe.Top > 0 {
		p[0] = float64(f.to.safe.Top) + 0.4*math.Min(p[0], 40)
	}
	if dst.bottom() > f.to.h-0.5 && f.to.safe.Bottom > 0 {
		p[2] = float64(f.to.safe.Bottom) + 0.2*math.Min(p[2], 40)
	}
	return p
}

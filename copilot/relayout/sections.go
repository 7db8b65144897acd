package relayout

import (
	"math"
	"slices"
)

// A section is a part of a region along its main axis.
type section struct {
	u       *unit // a plate that bleeds, or the content between plates
	bleeds  bool
	picture bool
	src     rect
	need    float64
	low     float64
	high    float64
	size    float64
}

func rank(s section) int {
	if s.bleeds && s.picture {
		return 1
	}
	return 0
}

// sections parts a unit into the plates that bleed and what is between them.
func (f *flow) sections(u *unit, src rect) []section {
	if u.form != isRow && u.form != isColumn {
		return []section{{u: u, bleeds: bleeding(u, src), picture: u.picture(), src: src}}
	}
	down := u.form == isColumn
	var out []section
	var rest []*unit
	flush := func() {
		if len(rest) > 0 {
			c := &unit{form: u.form, kids: rest}
			for _, k := range rest {
				c.box = c.box.hull(k.box)
			}
			if len(rest) == 1 {
				c = rest[0]
			}
			out = append(out, section{u: c})
			rest = nil
		}
	}
	for _, k := range u.kids {
		if bleeding(k, src) {
			flush()
			out = append(out, section{u: k, bleeds: true, picture: k.picture() && k.content == nil, src: k.box})
		} else {
			rest = append(rest, k)
		}
	}
	flush()
	for i := range out { // what is between plates begins and ends at them
		if out[i].bleeds {
			continue
		}
		r := src
		if i > 0 {
			if down {
				r.H -= out[i-1].src.bottom() - r.Y
				r.Y = out[i-1].src.bottom()
			} else {
				r.W -= out[i-1].src.right() - r.X
				r.X = out[i-1].src.right()
			}
		}
		if i+1 < len(out) {
			if down {
				r.H = out[i+1].src.Y - r.Y
			} else {
				r.W = out[i+1].src.X - r.X
			}
		}
		out[i].src = r
	}
	return out
}

// besides reports whether sections have room side by side.
func (f *flow) besides(sections []section, width float64) bool {
	need := 0.0
	for _, s := range sections {
		if s.picture {
			need += 0.24 * width * f.pictures
			continue
		}
		p := f.pads(s.inner(), s.src, rect{W: width}, true)
		need += f.least(s.inner()) + p[1] + p[3]
	}
	return need <= width+1
}

// upright reports whether a region becomes so much taller than it was that what
// stood side by side better stands below each other.
func (f *flow) upright(src, dst rect) bool {
	return dst.W/dst.H < 0.62*src.W/src.H && dst.H > 0.6*f.to.h
}

// below reports whether sections have room below each other.
func (f *flow) below(sections []section, dst rect) bool {
	need := 0.0
	for _, s := range sections {
		if s.picture {
			need += 0.26 * dst.H * f.pictures
			continue
		}
		p := f.pads(s.inner(), s.src, dst, true)
		h := f.tall(s.inner(), dst.W-p[1]-p[3])
		need += 0.8*h + p[0] + p[2]
	}
	return need <= dst.H+1
}

// sideBySide orders what was a column as a row: a picture and the rest.
func sideBySide(sections []section) []section {
	var pictures, rest []section
	for _, s := range parts(sections) {
		if s.picture && len(pictures) == 0 {
			pictures = append(pictures, s)
		} else {
			rest = append(rest, s)
		}
	}
	if len(pictures) == 0 || len(rest) == 0 {
		return sections
	}
	if len(rest) == 1 {
		return append(pictures, rest...)
	}
	c := &unit{form: isColumn}
	src := rect{}
	for _, s := range rest {
		c.kids = append(c.kids, s.u)
		c.box = c.box.hull(s.u.box)
		src = src.hull(s.src)
	}
	return append(pictures, section{u: c, src: src})
}

// parts are sections with the plates of a row each for itself.
func parts(sections []section) (out []section) {
	for _, s := range sections {
		if !s.bleeds || s.u.form != isRow {
			out = append(out, s)
			continue
		}
		for _, k := range s.u.kids {
			out = append(out, section{u: k, bleeds: true, picture: k.picture() && k.content == nil, src: k.box})
		}
	}
	return out
}

// inner is what is laid out in a section; nil for a bare picture.
func (s section) inner() *unit {
	if s.bleeds && s.u.form == isPlate {
		return s.u.content
	}
	return s.u
}

// lying reports whether a region becomes so much wider than it was that a
// picture that lay above the rest better stands beside it.
func (f *flow) lying(sections []section, src, dst rect) bool {
	return dst.W/dst.H > 1.55*src.W/src.H && slices.ContainsFunc(parts(sections), func(s section) bool { return s.picture })
}

func areaOf(sections []section) (sum float64) {
	for _, s := range sections {
		sum += s.src.area()
	}
	return math.Max(1, sum)
}

// share gives sections their sizes, and returns what is missing.
func share(sections []section, whole, total float64) (missing float64) {
	extra := whole - total
	for i := range sections {
		sections[i].size = sections[i].need
	}
	for _, pictures := range []bool{true, false} {
		room, weight := 0.0, 0.0
		for _, s := range sections {
			if s.picture != pictures {
				continue
			}
			weight += s.need
			if extra > 0 {
				room += math.Max(0, s.high-s.need)
			} else {
				room += math.Max(0, s.need-s.low)
			}
		}
		if room <= 0 || weight <= 0 {
			continue
		}
		give := math.Min(math.Abs(extra), room)
		if extra > 0 && pictures {
			give *= 0.6
		}
		for i := range sections {
			s := &sections[i]
			if s.picture != pictures {
				continue
			}
			if extra > 0 {
				s.size += give * math.Max(0, s.high-s.need) / room
			} else {
				s.size -= give * math.Max(0, s.need-s.low) / room
			}
		}
		if extra > 0 {
			extra -= give
		} else {
			extra += give
		}
	}
	if extra < 0 {
		rest := whole / (whole - extra)
		for i := range sections {
			sections[i].size *= rest
		}
		return -extra
	}
	sum := 0.0
	for _, s := range sections {
		sum += s.size
	}
	for i := range sections {
		sections[i].size *= whole / sum
	}
	return 0
}

func (f *flow) section(s section, dst rect) {
	if s.bleeds {
		f.plate(s.u, s.src, dst)
		return
	}
	f.region2(s.u, s.src, dst)
}

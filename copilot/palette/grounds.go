package palette

import (
	"slices"
)

// nested is the lightness of a ground that lies on another one: lighter, and the
// more so the more it differed.
func nested(below, was, wasBelow float64) float64 {
	if was > wasBelow {
		return below + 0.03 + 0.45*(was-wasBelow)
	}
	return below + min(0.13, 0.035+0.55*(wasBelow-was))
}

// ground is a surface of the dark theme.
func (d *deriver) ground(token string, plain tone, s *source) tone {
	o := plain.color.lch()
	on := s.parent
	colourful := o.c >= 0.06
	switch {
	case on == d.picture && s.reads == 0:
		return plain
	case on == d.picture: // a plate on a photograph
		if o.l < 0.6 || colourful {
			return plain
		}
		return d.setGround(token, o, pageTone+0.02)
	case s.area >= large:
		return d.pageGround(token, plain, s)
	case on == nil:
		return d.pageGround(token, plain, s)
	}
	below, wasBelow := d.dark(on).lch(), on.color.lch()
	if !d.changes(on) && wasBelow.l < 0.6 || !d.changes(on) && on.color.lch().c >= 0.06 {
		return plain // on a ground that stays
	}
	switch {
	case colourful && o.l < 0.95: // a colour that means something
		return d.apart(token, plain, below)
	case o.l >= 0.6 && o.c >= tintChroma: // a tint: its hue is the point
		return d.setTint(token, o, nested(below.l, o.l, wasBelow.l)+0.03)
	case o.l >= 0.6:
		return d.setGround(token, o, nested(below.l, o.l, wasBelow.l))
	case s.area < small && wasBelow.l >= 0.6: // a dark button on a light ground
		return d.set(token, lch{0.92, min(o.c, 0.03), o.h})
	}
	return d.apart(token, plain, below)
}

// pageGround is the ground of a page, or one as large.
func (d *deriver) pageGround(token string, plain tone, s *source) tone {
	o := plain.color.lch()
	l := pageTone
	for _, other := range d.sources {
		if other.parent == s && other.family == surface && other.area >= 0.3 && other.color.lch().l > 0.6 && other.color.lch().c < 0.06 {
			l = deepTone
		}
	}
	if s.parent != nil && s.parent != d.picture && d.changes(s.parent) {
		l = nested(d.dark(s.parent).lch().l, o.l, s.parent.color.lch().l)
	}
	switch {
	case o.l < 0.36 && o.c < 0.06:
		return plain // it is dark already
	case o.c >= 0.06:
		return d.set(token, lch{min(o.l, 0.28), min(o.c, 0.055), o.h})
	}
	return d.setGround(token, o, l)
}

func (d *deriver) setGround(token string, o lch, l float64) tone {
	return d.set(token, lch{l, min(o.c*0.9, groundTint), o.h})
}

func (d *deriver) setTint(token string, o lch, l float64) tone {
	return d.set(token, lch{l, min(0.06, o.c*1.3), o.h})
}

// apart keeps a colour, lifted as far as it would otherwise be lost on its ground.
func (d *deriver) apart(token string, plain tone, below lch) tone {
	o := plain.color.lch()
	if contrast(plain.color, below.rgb()) >= 1.25 {
		return plain
	}
	o, _ = o.reaching(below.rgb(), 1.25, true)
	return d.set(token, o)
}

// veil is a ground that lets what is below it show: over a photograph it stays.
func (d *deriver) veil(token string, plain tone) tone {
	var below *source
	photo, all, most := 0, 0, 0
	for _, s := range d.byToken[token] {
		for _, o := range d.sources {
			n := s.below[o]
			all += n
			switch {
			case o == d.picture:
				photo += n
			case n > most:
				below, most = o, n
			}
		}
	}
	if all == 0 || photo*3 > all || !d.changes(below) {
		return plain
	}
	o := plain.color.lch()
	c := lch{lightTone, min(o.c, textTint), o.h}.rgb()
	if o.l >= 0.6 {
		c = lch{nested(d.dark(below).lch().l, o.l, below.color.lch().l) + 0.02, min(o.c, groundTint), o.h}.rgb()
	}
	c.a = plain.color.a
	return tone{c.String(), c}
}

// darkPage reports whether some ground of a page becomes dark.
func (d *deriver) darkPage() bool {
	return slices.ContainsFunc(d.sources, func(s *source) bool {
		return s.parent == nil && s.family == surface && s.area > 0.2 && d.changes(s)
	})
}

// mainGround is the ground of the first page.
func (d *deriver) mainGround() *source {
	var best *source
	for _, s := range d.sources {
		if s.family == surface && s.parent == nil && s != d.picture && s.area >= 0.2 && (best == nil || s.area > best.area) {
			best = s
		}
	}
	return best
}

// codePaper is the ground of bar codes and QR codes: light, as they need it.
func (d *deriver) codePaper(plain tone) tone {
	if d.tokens["code-paper"] != "transparent" && plain.color.a == 1 {
		return plain
	}
	for _, s := range d.byToken["code-ink"] {
		if s.site < 0 && s.parent != nil && d.changes(s.parent) {
			o := s.parent.color.lch()
			light := lch{0.94, min(o.c, 0.008), o.h}.rgb()
			return tone{light.String(), light}
		}
	}
	return plain
}

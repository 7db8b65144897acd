package palette

import (
	"image"
	"slices"

	"github.com/pictifyd/pictifyd/copilot/check"
)

func pixel(img *image.NRGBA, x, y int) uint32 {
	i := img.PixOffset(x, y)
	return uint32(img.Pix[i])<<16 | uint32(img.Pix[i+1])<<8 | uint32(img.Pix[i+2])
}

func colorAt(img *image.NRGBA, x, y int) rgb {
	i := img.PixOffset(x, y)
	return fromBytes(img.Pix[i], img.Pix[i+1], img.Pix[i+2])
}

// through notes what shows through what is clear.
func (p *probe) through(bare, veiled *image.NRGBA) {
	b := bare.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			below, above := p.byCode[pixel(bare, x, y)], p.byCode[pixel(veiled, x, y)]
			if above != nil && above != below {
				above.below[below]++
			}
		}
	}
}

// count notes how much each source paints, in which colour and beside what.
func (p *probe) count(v *probed) {
	b := v.bare.Bounds()
	const reach = 3 // edges are blends
	pixels, around := map[*source]int{}, map[*source]image.Rectangle{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			s := p.byCode[pixel(v.bare, x, y)]
			if s == nil {
				continue
			}
			pixels[s]++
			if r := around[s]; !(image.Point{x, y}).In(r) {
				around[s] = r.Union(image.Rect(x, y, x+1, y+1))
			}
			for _, o := range []image.Point{{x + reach, y}, {x, y + reach}} {
				if !o.In(b) {
					continue
				}
				if n := p.byCode[pixel(v.bare, o.X, o.Y)]; n != nil && n != s {
					s.near[n]++
					n.near[s]++
				}
			}
			if (x+y)%3 == 0 && pixel(v.marked, x, y) == s.code {
				c := colorAt(v.real, x, y)
				s.seen[0], s.seen[1], s.seen[2], s.count = s.seen[0]+c.r, s.seen[1]+c.g, s.seen[2]+c.b, s.count+1
			}
		}
	}
	for s, n := range pixels {
		s.pixels += n
		s.area = max(s.area, float64(n)/float64(b.Dx()*b.Dy()))
		s.span = max(s.span, float64(around[s].Dx()*around[s].Dy())/float64(b.Dx()*b.Dy()))
	}
}

// read notes which text stands on what.
func (p *probe) read(v *probed) {
	scale := float64(v.real.Bounds().Dx()) / float64(v.width)
	for _, box := range v.boxes {
		if box.Text == nil || box.Text.Decorative {
			continue
		}
		found := map[meeting]*pair{}
		need := check.Need(box.Text.FontPx, box.Text.Weight >= 700)
		for _, l := range box.Text.Lines {
			r := image.Rect(int(l.X*scale), int(l.Y*scale), int((l.X+l.Width)*scale)+1, int((l.Y+l.Height)*scale)+1).Intersect(v.real.Bounds())
			for y := r.Min.Y; y < r.Max.Y; y++ {
				for x := r.Min.X; x < r.Max.X; x++ {
					text, ground := p.textAt(v, x, y)
					if text == nil || ground == nil {
						continue
					}
					k := meeting{text, ground}
					if found[k] == nil {
						found[k] = &pair{text: text, ground: k.ground, layer: box.Text.Layer, need: need, px: box.Text.FontPx, letter: colorAt(v.real, x, y)}
					}
					found[k].pixels++
				}
			}
		}
		most := 0
		for _, one := range found {
			most = max(most, one.pixels)
		}
		for _, s := range p.sources { // in their order
			for _, g := range p.sources {
				if one := found[meeting{s, g}]; one != nil && one.pixels >= 6 && one.pixels*5 >= most {
					s.pairs = append(s.pairs, one)
					g.reads += one.pixels
				}
			}
		}
	}
}

// textAt is the text at a pixel that is all letter, and what it stands on; nil for
// none. The edges of letters are blends, and may look like any code.
func (p *probe) textAt(v *probed, x, y int) (text, ground *source) {
	above := pixel(v.marked, x, y)
	if above == pixel(v.bare, x, y) {
		return nil, nil
	}
	text = p.byCode[above]
	if text == nil || text.family == surface || text.family == line || text == p.picture {
		return nil, nil
	}
	return text, p.groundAt(v, x, y)
}

// groundAt is what is below a pixel: what has its code, or where something clear
// lies on that, the large ground whose code is nearest.
func (p *probe) groundAt(v *probed, x, y int) *source {
	code := pixel(v.bare, x, y)
	if s := p.byCode[code]; s != nil {
		return s
	}
	var best *source
	nearest := 48 * 48
	for _, s := range p.sources {
		if s.area < 0.05 {
			continue
		}
		away := 0
		for _, shift := range []uint{0, 8, 16} {
			d := int(code>>shift&0xff) - int(s.code>>shift&0xff)
			away += d * d
		}
		if away < nearest {
			best, nearest = s, away
		}
	}
	return best
}

// holds reports whether s can lie on n: the ground of a page is larger around than
// what lies on it, even where that covers most of it.
func (n *source) holds(s *source) bool {
	const same = 0.02
	return n.span > s.span+same || n.span > s.span-same && n.area > s.area
}

// relate finds the colours of sources and what each stands on.
func (p *probe) relate() {
	for _, s := range p.sources {
		if s.count > 0 {
			s.color = rgb{s.seen[0] / s.count, s.seen[1] / s.count, s.seen[2] / s.count, 1}
		}
		slices.SortStableFunc(s.pairs, func(a, b *pair) int { return b.pixels - a.pixels })
	}
	for _, s := range p.sources {
		for _, n := range p.sources { // in their order, so that it is the same each time
			if edge := s.near[n]; edge > 0 && n.holds(s) && (s.parent == nil || edge > s.near[s.parent]) {
				s.parent = n
			}
		}
		for _, one := range s.pairs {
			one.back = one.ground.color
		}
	}
}

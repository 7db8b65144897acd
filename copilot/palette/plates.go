package palette

import (
	"image"
	"slices"
	"strconv"

	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/template/markup"
)

// A plateUse is a picture that may need a plate.
type plateUse struct {
	node   *markup.Node
	lost   bool
	light  rgb
	spread float64 // how far the plate may go beyond the picture
}

// plates puts light plates below the pictures that would be lost on a ground that
// becomes dark: a logo, a signature. The picture itself stays.
func (p *plan) plates() {
	var uses []*plateUse
	byNode := map[*markup.Node]*plateUse{}
	for _, v := range p.views {
		for i, box := range v.boxes {
			if v.hidden == nil || box.Tag != "img" || box.Width <= 0 || box.Height <= 0 {
				continue
			}
			n := p.imageNode(v, i)
			u := byNode[n]
			if u == nil {
				u = &plateUse{node: n, spread: 20}
				byNode[n] = u
				uses = append(uses, u)
			}
			p.plate(v, box, u)
		}
	}
	name, spread := "", 20.0 // alike for all
	for _, u := range uses {
		if u.lost {
			spread = min(spread, u.spread)
		}
	}
	for _, u := range uses {
		switch {
		case !u.lost:
			continue
		case u.node == nil:
			p.notes = append(p.notes, "a picture is hard to see on the dark ground, and has no id by which a plate could be put below it")
			continue
		case name == "":
			name = p.make("plate", "transparent", u.light.String())
		}
		p.style(u.node, "background", "var(--"+name+")")
		// No rounded corners: they would clip the picture, and draw its edges anew.
		if spread >= 1 && !p.hasShadow(u.node) {
			p.style(u.node, "box-shadow", "0 0 0 "+strconv.Itoa(int(spread))+"px var(--"+name+")")
		}
	}
	paper, has := p.tones["code-paper"]
	if !has || paper.stays() {
		return
	}
	p.document.All(func(n *markup.Node) bool {
		_, qr := n.Get("p-qr")
		_, bars := n.Get("p-barcode")
		if (qr || bars) && !p.hasShadow(n) {
			p.style(n, "box-shadow", "0 0 0 "+strconv.Itoa(p.quiet(n))+"px var(--code-paper)")
		}
		return true
	})
}

// quiet is how wide the light edge around a code is, which scanners want: as far as
// no text is in its way.
func (p *plan) quiet(n *markup.Node) int {
	width := 12.0
	for _, v := range p.views {
		for _, box := range v.boxes {
			if id := box.ID; id != "" && p.node(id) == n && box.Width > 0 {
				width = min(width, max(4, gap(box, v.boxes)-2))
			}
		}
	}
	return int(width)
}

// hasShadow reports whether an element may have a shadow of its own.
func (p *plan) hasShadow(n *markup.Node) bool {
	return slices.ContainsFunc(p.sites, func(s site) bool {
		if s.property != "box-shadow" {
			return false
		}
		return s.place == inSheet && mayMatch(s.selector, n) || s.place == inStyle && s.node.ID() != "" && s.node.ID() == n.ID()
	})
}

// imageNode is the img of the box with that number.
func (p *plan) imageNode(v *probed, number int) *markup.Node {
	if id := v.boxes[number].ID; id != "" {
		return p.node(id)
	}
	before, all := 0, 0
	for i, b := range v.boxes {
		if b.Tag == "img" && b.ID == "" {
			if all++; i < number {
				before++
			}
		}
	}
	var nodes []*markup.Node
	p.document.All(func(n *markup.Node) bool {
		if n.Kind == markup.Element && n.Name == "img" && n.ID() == "" {
			nodes = append(nodes, n)
		}
		return true
	})
	if len(nodes) != all { // some are repeated, or left out
		return nil
	}
	return nodes[before]
}

// Pictures are judged by the pixels that they paint themselves.
const (
	fullPicture = 0.7  // of its box: then it has a ground of its own
	fullLogo    = 0.93 // the same, of what is said to be a logo
	lost        = 1.9  // contrast with its ground
	lostShare   = 0.35 // of its pixels
)

// plate looks at a picture in one view.
func (p *plan) plate(v *probed, box render.Box, u *plateUse) {
	u.spread = min(u.spread, max(6, box.Height*0.22), gap(box, v.boxes)-2)
	scale := float64(v.real.Bounds().Dx()) / float64(v.width)
	r := image.Rect(int(box.X*scale), int(box.Y*scale), int((box.X+box.Width)*scale), int((box.Y+box.Height)*scale)).Intersect(v.real.Bounds())
	var painted, gone int
	var ground [3]float64
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			below := colorAt(v.hidden, x, y)
			ground[0], ground[1], ground[2] = ground[0]+below.r, ground[1]+below.g, ground[2]+below.b
			if pixel(v.real, x, y) == pixel(v.hidden, x, y) {
				continue
			}
			painted++
			if c := colorAt(v.real, x, y); contrast(c, below) >= 2.2 && contrast(c, p.below(v, box, x, y)) < lost {
				gone++
			}
		}
	}
	area := r.Dx() * r.Dy()
	full := fullPicture
	if u.node != nil {
		if role, _ := u.node.Get("p-role"); role == "logo" {
			full = fullLogo
		}
	}
	if painted == 0 || float64(painted) > full*float64(area) || float64(gone) < lostShare*float64(painted) || u.lost {
		return
	}
	u.lost = true
	u.light = rgb{ground[0] / float64(area), ground[1] / float64(area), ground[2] / float64(area), 1}
}

// gap is how far the text next to a picture is from it.
func gap(box render.Box, boxes []render.Box) float64 {
	near := 1000.0
	for _, b := range boxes {
		if b.Text == nil {
			continue
		}
		for _, l := range b.Text.Lines {
			x := max(l.X-(box.X+box.Width), box.X-(l.X+l.Width))
			y := max(l.Y-(box.Y+box.Height), box.Y-(l.Y+l.Height))
			if away := max(x, y); away > 0 {
				near = min(near, away)
			}
		}
	}
	return near
}

// below is what is behind a picture in the dark theme: the ground around it.
func (p *plan) below(v *probed, box render.Box, x, y int) rgb {
	scale := float64(v.real.Bounds().Dx()) / float64(v.width)
	left, top := int(box.X*scale)-4, int(box.Y*scale)-4
	right, bottom := int((box.X+box.Width)*scale)+4, int((box.Y+box.Height)*scale)+4
	for _, at := range []image.Point{{left, y}, {x, top}, {right, y}, {x, bottom}} {
		if !at.In(v.bare.Bounds()) {
			continue
		}
		if s := p.byCode[pixel(v.bare, at.X, at.Y)]; s != nil && s != p.picture {
			return p.dark(s)
		}
	}
	return colorAt(v.hidden, x, y)
}

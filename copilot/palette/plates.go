package palette

import (
	"image"
	"strconv"

	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/template/markup"
)

// plates puts light plates below the pictures that would be lost on a ground that
// becomes dark: a logo, a signature. The picture itself stays.
func (p *plan) plates() {
	for _, v := range p.views {
		if v.hidden == nil {
			continue
		}
		for i, box := range v.boxes {
			if box.Tag == "img" && box.Width > 0 && box.Height > 0 {
				p.plate(v, box, p.imageNode(v, i))
			}
		}
	}
	paper, has := p.tones["code-paper"]
	if !has || paper.stays() {
		return
	}
	p.document.All(func(n *markup.Node) bool {
		_, qr := n.Get("p-qr")
		_, bars := n.Get("p-barcode")
		if qr || bars {
			p.style(n, "box-shadow", "0 0 0 12px var(--code-paper)") // scanners want a quiet zone
		}
		return true
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
	lost        = 1.9  // contrast with its ground
	lostShare   = 0.35 // of its pixels
)

func (p *plan) plate(v *probed, box render.Box, n *markup.Node) {
	scale := float64(v.real.Bounds().Dx()) / float64(v.width)
	r := image.Rect(int(box.X*scale), int(box.Y*scale), int((box.X+box.Width)*scale), int((box.Y+box.Height)*scale)).Intersect(v.real.Bounds())
	var painted, gone int
	var ground [3]float64
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			c, below := colorAt(v.real, x, y), colorAt(v.hidden, x, y)
			ground[0], ground[1], ground[2] = ground[0]+below.r, ground[1]+below.g, ground[2]+below.b
			if pixel(v.real, x, y) == pixel(v.hidden, x, y) {
				continue
			}
			painted++
			if contrast(c, below) >= 2.2 && contrast(c, p.below(v, box, x, y)) < lost {
				gone++
			}
		}
	}
	area := r.Dx() * r.Dy()
	if painted == 0 || float64(painted) > fullPicture*float64(area) || float64(gone) < lostShare*float64(painted) {
		return
	}
	if n == nil {
		p.notes = append(p.notes, "a picture is hard to see on the dark ground, and has no id by which a plate could be put below it")
		return
	}
	light := rgb{ground[0] / float64(area), ground[1] / float64(area), ground[2] / float64(area), 1}
	name := ""
	for _, m := range p.made {
		if m.plain == "transparent" {
			name = m.name
		}
	}
	if name == "" {
		name = p.make("plate", "transparent", light.String())
	}
	// No rounded corners: they would clip the picture, and draw its edges anew.
	spread := int(max(6, min(20, box.Height*0.22)))
	p.style(n, "background", "var(--"+name+")")
	p.style(n, "box-shadow", "0 0 0 "+strconv.Itoa(spread)+"px var(--"+name+")")
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

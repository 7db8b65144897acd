package check

import (
	"context"
	"fmt"
	"image"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/render"
)

// Two texts lie on each other where so many pixels have letters of both: of the text
// that has fewer, and at least.
const (
	overlapShare  = 0.01
	overlapPixels = 6
)

// overlap is the texts whose letters lie on others', and those that something covers.
func overlap(ctx context.Context, s shooter, v look.View, shot look.Shot, m measured) ([]Finding, error) {
	all := m.covered(shot.Boxes)
	candidates := pairs(m.texts)
	if len(candidates) == 0 {
		return all, nil
	}
	ink, err := inks(ctx, s, v, m, candidates)
	if err != nil {
		return nil, err
	}
	for _, p := range candidates {
		a, b := ink[p[0]], ink[p[1]]
		both := 0
		for i := range a {
			if b[i] {
				both++
			}
		}
		if both < overlapPixels || float64(both) < overlapShare*float64(min(len(a), len(b))) {
			continue
		}
		one, other := m.texts[p[0]], m.texts[p[1]]
		all = append(all, Finding{
			Code: CodeOverlap, Level: Error, Layer: other.Layer,
			Message: fmt.Sprintf("the text of %s lies on the text of %s", other.Layer, one.Layer),
		})
	}
	return all, nil
}

// covered is the texts of which no letter is seen, where there should be some.
func (m measured) covered(boxes []render.Box) []Finding {
	if m.shown == nil {
		return nil
	}
	seen := make([]bool, len(m.texts))
	for i, o := range m.owner {
		if o >= 0 && m.cover[i] > 12 {
			seen[o] = true
		}
	}
	var all []Finding
	for i, t := range m.texts {
		if seen[i] || !t.seen() || !m.onPage(t) || t.Cut > slack || standsIn(t, boxes) {
			continue
		}
		all = append(all, Finding{
			Code: CodeOverlap, Level: Error, Layer: t.Layer,
			Message: fmt.Sprintf("nothing is seen of the text of %s: something lies over it", t.Layer),
		})
	}
	return all
}

func (m measured) onPage(t text) bool {
	page := image.Rectangle{Max: m.shown.Rect.Size()}
	return slices.ContainsFunc(t.Lines, func(l render.Line) bool { return pixelsOf(l, 0, m.scale).In(page) })
}

// standsIn reports whether a text is what is seen where an image is missing: an
// image of about the same size lies just over its element.
func standsIn(t text, boxes []render.Box) bool {
	return slices.ContainsFunc(boxes, func(b render.Box) bool {
		return b.Tag == "img" && b.Width*b.Height < 1.5*t.box.Width*t.box.Height &&
			b.X <= t.box.X+slack && b.Y <= t.box.Y+slack && b.X+b.Width >= t.box.X+t.box.Width-slack && b.Y+b.Height >= t.box.Y+t.box.Height-slack
	})
}

// inks are the pixels that have letters of each of the texts that candidates name.
// Texts that lie apart are drawn together.
func inks(ctx context.Context, s shooter, v look.View, m measured, candidates [][2]int) (map[int]map[int]bool, error) {
	round := rounds(candidates)
	ground := m.behind
	if m.bare != nil {
		ground = m.bare
	}
	ink := map[int]map[int]bool{}
	for number := 0; ; number++ {
		var css strings.Builder
		var members []int
		for i := range m.texts {
			if r, has := round[i]; has && r == number {
				members = append(members, i)
				// What is important in an earlier layer is stronger than in the one that hides the rest.
				fmt.Fprintf(&css, "@layer{%[1]s,%[1]s::before,%[1]s::after{-webkit-text-fill-color:%[2]s!important;fill:%[2]s!important}}", m.texts[i].Path, m.inkOn(i, ground))
			}
		}
		if len(members) == 0 {
			return ink, nil
		}
		shot, err := s.shoot(ctx, with(v, css.String()+plainSheet("transparent")+unclipped(m.texts)))
		if err != nil {
			return nil, err
		}
		for _, i := range members {
			ink[i] = m.inkOf(i, shot.Picture, ground)
		}
	}
}

// rounds gives each text a number, such that no two that may lie on each other
// have the same.
func rounds(candidates [][2]int) map[int]int {
	round, against := map[int]int{}, map[int][]int{}
	var order []int
	for _, p := range candidates {
		for k := range p {
			if against[p[k]] == nil {
				order = append(order, p[k])
			}
			against[p[k]] = append(against[p[k]], p[1-k])
		}
	}
	for _, i := range order {
		taken := map[int]bool{}
		for _, other := range against[i] {
			if r, has := round[other]; has {
				taken[r] = true
			}
		}
		for r := 0; ; r++ {
			if !taken[r] {
				round[i] = r
				break
			}
		}
	}
	return round
}

// inkOn is black or white, whatever is seen better where a text lies.
func (m measured) inkOn(i int, ground *image.NRGBA) string {
	light, n := 0, 0
	for _, l := range m.texts[i].Lines {
		r := pixelsOf(l, 0, m.scale).Intersect(ground.Rect)
		for y := r.Min.Y; y < r.Max.Y; y += 4 {
			for x := r.Min.X; x < r.Max.X; x += 4 {
				c := ground.NRGBAAt(x, y)
				light, n = light+int(c.R)+int(c.G)+int(c.B), n+3
			}
		}
	}
	if n > 0 && light/n > 127 {
		return "#000"
	}
	return "#fff"
}

// inkOf are the pixels about a text that look another way than the ground.
func (m measured) inkOf(i int, shown, ground *image.NRGBA) map[int]bool {
	ink := map[int]bool{}
	for _, l := range m.texts[i].Lines {
		r := pixelsOf(l, 0.2*l.Height, m.scale).Intersect(ground.Rect)
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				at := y*m.width + x
				for c := range 3 {
					if d := int(shown.Pix[4*at+c]) - int(ground.Pix[4*at+c]); d > 64 || d < -64 {
						ink[at] = true
						break
					}
				}
			}
		}
	}
	return ink
}

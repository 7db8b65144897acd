package backdrop

import (
	"fmt"
	"slices"
	"strings"
)

// A clearing is where a backdrop leaves its page as it was: around texts that can
// just be read as they are. Its cells are those of a chart.
type clearing map[[2]int]bool

// clearings are those of pages, by their number.
type clearings map[int]clearing

const (
	weak      = 0.5  // a backdrop of less than that is hardly one: its page gets a clearing
	mostClear = 0.55 // of a page, so that something is left of its backdrop
)

// around makes clearings around the texts that leave a backdrop next to nothing, in
// all sizes, and reports whether there is more of them now. A backdrop that is the
// ground of its page has none.
func (c clearings) around(bounds []bound, grounds []ground) (more bool) {
	before := c.cells()
	for _, b := range bounds {
		number := b.plate.view.Page
		has := func(g ground) bool { return g.number == number && g.base == "" && g.over == "" }
		if b.part >= weak || !slices.ContainsFunc(grounds, has) {
			continue
		}
		if c[number] == nil {
			c[number] = clearing{}
		}
		c[number].add(b.plate, b.text)
	}
	for number, cells := range c {
		if float64(len(cells)) > mostClear*mesh*mesh {
			delete(c, number)
		}
	}
	return c.cells() > before
}

func (c clearings) cells() (n int) {
	for _, cells := range c {
		n += len(cells)
	}
	return n
}

const apron = 2 // cells around letters, in which the backdrop fades

// add clears the cells in which a text's letters are, and an apron.
func (c clearing) add(p *plate, t letters) {
	w, h := p.behind.Rect.Dx(), p.behind.Rect.Dy()
	for _, at := range t.at {
		x, y := (int(at)%p.behind.Stride/4)*mesh/w, int(at)/p.behind.Stride*mesh/h
		for i := max(x-apron, 0); i <= min(x+apron, mesh-1); i++ {
			for j := max(y-apron, 0); j <= min(y+apron, mesh-1); j++ {
				c[[2]int{i, j}] = true
			}
		}
	}
}

// of is the style of a backdrop with the clearing: a mask beside the one it has.
func (c clearing) of(style []string) []string {
	if len(c) == 0 {
		return style
	}
	mask, out := c.mask(), []string(nil)
	for _, decl := range style {
		if own, ok := strings.CutPrefix(decl, "mask-image: "); ok {
			mask = own + ", " + mask
			continue
		}
		out = append(out, decl)
	}
	return append(out, "mask-image: "+mask, "mask-size: 100% 100%", "mask-composite: intersect")
}

// mask is a picture that is opaque but for the clearing, whose edges are soft: the
// cells are blurred, and what is at least three quarters of one is taken away.
func (c clearing) mask() string {
	var path strings.Builder
	for y := range mesh {
		for x := 0; x < mesh; x++ {
			from := x
			for x < mesh && c[[2]int{x, y}] {
				x++
			}
			if x > from {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
			}
		}
	}
	svg := fmt.Sprintf(`<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 %[1]d %[1]d' preserveAspectRatio='none'>`+
		`<filter id='s' filterUnits='userSpaceOnUse' x='0' y='0' width='%[1]d' height='%[1]d'><feGaussianBlur stdDeviation='1.3'/>`+
		`<feComponentTransfer><feFuncA type='table' tableValues='1 .66 .33 0 0'/></feComponentTransfer></filter><g filter='url(#s)'><path d='%[2]s'/></g></svg>`, mesh, path.String())
	return "url(data:image/svg+xml," + escaped(svg) + ")"
}

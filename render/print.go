package render

import (
	"strings"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/internal/paper"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A Print says how the pages of a PDF lie on paper. The zero value prints each
// page in its own size, Width by Height CSS pixels at 96 to the inch, without
// margins.
//
// A page on a Paper keeps its size if it fits between the margins, else it is
// made as much smaller as it needs; it is never enlarged. It stands in the middle
// of what the margins leave.
type Print struct {
	Paper     string     // a preset's name, see Papers; "" is the page's own size with the margins around it
	Landscape bool       // the paper lies on its side; pages of their own size take no notice
	Margins   [4]float64 // top, right, bottom, left in CSS pixels
	Title     string     // in the file's properties; "" is the <title> of the first page
}

// A Sheet is a page of a PDF behind the first one.
type Sheet struct {
	HTML          string // the whole document, every value in its place
	Width, Height int    // in CSS pixels
}

// Papers are the names of the presets, sorted.
func Papers() []string { return paper.Names() }

// Size is the size of the paper in CSS pixels; ok is false for a name that is no
// preset's, "" among them.
func (p Print) Size() (width, height float64, ok bool) {
	size, ok := paper.Named(p.Paper)
	if p.Landscape {
		return size.Height, size.Width, ok
	}
	return size.Width, size.Height, ok
}

// Place is where a page of width by height lies on its paper: the size of the
// paper, the page's scale, at most 1, and the place of its upper left corner, in
// CSS pixels from the upper left. It wants a print that passed Validate.
func (p Print) Place(width, height int) (paper [2]float64, scale, left, top float64) {
	w, h := float64(width), float64(height)
	across, down := p.Margins[1]+p.Margins[3], p.Margins[0]+p.Margins[2]
	paperWidth, paperHeight, ok := p.Size()
	if !ok {
		return [2]float64{w + across, h + down}, 1, p.Margins[3], p.Margins[0]
	}
	scale = min(1, (paperWidth-across)/w, (paperHeight-down)/h)
	left = p.Margins[3] + (paperWidth-across-w*scale)/2
	top = p.Margins[0] + (paperHeight-down-h*scale)/2
	return [2]float64{paperWidth, paperHeight}, scale, left, top
}

// maxMargin is two feet: more is a mistake in the unit.
const maxMargin = 24 * 96

// Validate reports what no page can be printed with.
func (p Print) Validate() error {
	width, height, ok := p.Size()
	if !ok && p.Paper != "" {
		return problem.New(problem.Invalid, "there is no paper %q", p.Paper).At("paper").WithHint("use one of %s", strings.Join(Papers(), ", "))
	}
	for _, m := range p.Margins {
		if !(m >= 0 && m <= maxMargin) {
			return problem.New(problem.Invalid, "a margin of %v pixels is not within 0 and %d", m, maxMargin).At("margin")
		}
	}
	if ok && (p.Margins[1]+p.Margins[3] >= width || p.Margins[0]+p.Margins[2] >= height) {
		return problem.New(problem.Invalid, "the margins leave nothing of the paper, which is %.0fx%.0f pixels", width, height).At("margin")
	}
	if !utf8.ValidString(p.Title) || len(p.Title) > maxTitle {
		return problem.New(problem.Invalid, "the title is not text of at most %d bytes", maxTitle).At("title")
	}
	return nil
}

const maxTitle = 1000

package check

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/render"
	"github.com/pictifyd/pictifyd/template"
)

func order(a, b Finding, sizes, themes map[string]int) int {
	level := func(f Finding) int {
		if f.Level == Error {
			return 0
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(level(a), level(b)), cmp.Compare(sizes[a.Size], sizes[b.Size]), cmp.Compare(themes[a.Theme], themes[b.Theme]),
		cmp.Compare(a.Code, b.Code), cmp.Compare(a.Ratio, b.Ratio), cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Row, b.Row),
	)
}

// contrast is the texts that do not stand out enough.
func contrast(spans []Span) []Finding {
	var all []Finding
	for _, s := range spans {
		if s.Passes() {
			continue
		}
		all = append(all, Finding{
			Code: CodeContrast, Level: Error, Layer: s.Layer, Ratio: s.Ratio, Need: s.Need,
			Message: fmt.Sprintf("the text of %s has a contrast of %s:1 with what is behind it, and needs %g:1 at %g px", s.Layer, floored(s.Ratio), s.Need, s.FontPx),
		})
	}
	return all
}

// floored is a ratio that says not more than there is: 4.499 is no 4.5.
func floored(ratio float64) string { return fmt.Sprintf("%.2f", math.Floor(ratio*100)/100) }

// The tolerances of places, in CSS pixels.
const (
	slack      = 1.0  // that nobody sees
	spillShare = 0.25 // of the font size: what is beyond the box by less is the air about letters
)

// overflow is the texts that do not fit. Text that is cut with … by design is none.
func overflow(shot look.Shot) []Finding {
	var all []Finding
	told, quiet := map[string]bool{}, map[string]bool{}
	texts := textsOf(shot.Boxes)
	for _, t := range texts {
		if !t.seen() {
			quiet[t.Layer] = true
		}
	}
	for _, r := range shot.Texts {
		told[r.Layer] = true
		if r.Clipped && !quiet[r.Layer] {
			all = append(all, Finding{
				Code: CodeOverflow, Level: Error, Layer: r.Layer,
				Message: fmt.Sprintf("the text of %s does not fit into its box, at %g px on %d lines", r.Layer, r.FontPx, r.Lines),
			})
		}
	}
	for _, t := range texts {
		least := max(slack, spillShare*t.FontPx)
		switch {
		case !t.seen(), t.leftOut():
		case t.Cut > least:
			all = append(all, Finding{
				Code: CodeOverflow, Level: Error, Layer: t.Layer,
				Message: fmt.Sprintf("%g px of the text of %s are cut off by the box that it stands in", math.Ceil(t.Cut), t.Layer),
			})
		case t.Over > least && !told[t.Layer]: // the layout script measures better what it fits
			all = append(all, Finding{
				Code: CodeOverflow, Level: Error, Layer: t.Layer,
				Message: fmt.Sprintf("the text of %s reaches %g px out of its box", t.Layer, math.Ceil(t.Over)),
			})
		}
	}
	return all
}

// leftOut reports whether a text is one of a list of which so many are shown as there
// is room for: a copy that is outside its box as a whole.
func (t text) leftOut() bool {
	return copies.MatchString(t.box.ID) && len(t.Lines) == 1 && t.Cut >= t.Lines[0].Height-slack
}

// offPage is the texts and images of which a part is outside the page.
func offPage(shot look.Shot, n names) []Finding {
	var all []Finding
	width, height := float64(shot.Width), float64(shot.Height)
	for _, t := range textsOf(shot.Boxes) {
		if !t.seen() {
			continue
		}
		beyond := 0.0
		for _, l := range t.Lines {
			air := spillShare * l.Height // about the letters of a line
			beyond = max(beyond, -l.X-slack, l.X+l.Width-width-slack, -l.Y-air, l.Y+l.Height-height-air)
		}
		if beyond > 0 {
			all = append(all, Finding{
				Code: CodeOffPage, Level: Error, Layer: t.Layer,
				Message: fmt.Sprintf("%g px of the text of %s are outside the page", math.Ceil(beyond), t.Layer),
			})
		}
	}
	for _, b := range shot.Boxes {
		if b.Tag != "img" || n.role(b.ID) == "background" || b.Width < slack || b.Height < slack {
			continue
		}
		// What reaches from edge to edge is meant to bleed.
		x, y := beyond(b.X, b.Width, width), beyond(b.Y, b.Height, height)
		if x <= slack && y <= slack {
			continue
		}
		all = append(all, Finding{
			Code: CodeOffPage, Level: Error, Layer: n.layer(named(b)),
			Message: fmt.Sprintf("%g px of the image %s are outside the page", math.Ceil(max(x, y)), n.layer(named(b))),
		})
	}
	return all
}

// beyond is by how much what begins at and is long reaches out of a page.
func beyond(at, long, page float64) float64 {
	if at <= slack && at+long >= page-slack {
		return 0
	}
	return max(-at, at+long-page)
}

func named(b render.Box) string {
	if b.ID != "" {
		return b.ID
	}
	return b.Tag
}

// missing is the images that do not show what the row names. An image for which the
// row names nothing is as it should be.
func missing(shot look.Shot) []Finding {
	var all []Finding
	for _, i := range shot.Instead {
		if i.Reason == template.ReasonEmpty || i.Reason == "" {
			continue
		}
		instead := "its fallback is shown"
		if i.Hidden {
			instead = "it is left out"
		}
		layer := cmp.Or(i.Layer, "img")
		all = append(all, Finding{
			Code: CodeMissingImage, Level: Warning, Layer: layer,
			Message: fmt.Sprintf("the image %s cannot show %s, and %s: %s", layer, i.URL, instead, i.Reason),
		})
	}
	return all
}

// lacking is what an error of the camera says of files. A row that names a file that
// cannot be had makes no picture where the template wants it so; a file that is
// there and cannot be shown is wrong with the document.
func lacking(err error) (Finding, bool) {
	var files *render.AssetError
	if errors.As(err, &files) {
		return Finding{
			Code: CodeMissingImage, Level: Error,
			Message: fmt.Sprintf("there is no picture: %s cannot be shown; name another file, or give the image a p-fallback", strings.Join(files.Paths, ", ")),
		}, true
	}
	for _, p := range problem.All(err) {
		if p.Slug == "asset_failed" {
			return Finding{
				Code: CodeMissingImage, Level: Warning,
				Message: p.Message + "; the image has no p-fallback, so there is no picture",
			}, true
		}
	}
	return Finding{}, false
}

// The size of text that can be read where pictures are seen: in a timeline, at a
// third of their width.
const (
	readablePx = 24.0
	perWidth   = 1200.0
)

func tooSmall(shot look.Shot) []Finding {
	least := readablePx * float64(shot.Width) / perWidth
	var all []Finding
	for _, t := range textsOf(shot.Boxes) {
		if !t.seen() || t.FontPx >= least-0.005 {
			continue
		}
		all = append(all, Finding{
			Code: CodeTooSmall, Level: Warning, Layer: t.Layer,
			Message: fmt.Sprintf("the text of %s is %g px high, and %.4g px can be read where the picture is seen smaller", t.Layer, t.FontPx, least),
		})
	}
	return all
}

// lie says where the letters of a view lie: two views that say the same have them at
// the same places.
func lie(shot look.Shot) string {
	var b strings.Builder
	for _, t := range textsOf(shot.Boxes) {
		fmt.Fprintf(&b, "%+v\n", *t.TextMeasure)
	}
	return b.String()
}

// pairs are texts of which pieces lie over each other.
func pairs(texts []text) [][2]int {
	var all [][2]int
	for i, a := range texts {
		for k := i + 1; k < len(texts); k++ {
			b := texts[k]
			if a.seen() && b.seen() && a.Path != "" && b.Path != "" && !within(a.Path, b.Path) && !within(b.Path, a.Path) && touch(a.Lines, b.Lines) {
				all = append(all, [2]int{i, k})
			}
		}
	}
	return all
}

// within reports whether the element of a path is in that of another.
func within(path, outer string) bool { return strings.HasPrefix(path, outer+">") }

func touch(a, b []render.Line) bool {
	return slices.ContainsFunc(a, func(p render.Line) bool {
		return slices.ContainsFunc(b, func(q render.Line) bool {
			across := min(p.X+p.Width, q.X+q.Width) - max(p.X, q.X)
			down := min(p.Y+p.Height, q.Y+q.Height) - max(p.Y, q.Y)
			return across > slack && down > slack
		})
	})
}

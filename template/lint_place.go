package template

import (
	"strconv"
	"strings"

	figures "github.com/pictifyd/pictifyd/template/element"
	"github.com/pictifyd/pictifyd/template/markup"
)

// offPage finds texts, images and drawn elements that some size cuts off. Empty
// layers may hang over on purpose.
func (l *linter) offPage(n *markup.Node) {
	if n.Parent == nil || !n.Parent.HasClass(pageClass) || !showsSomething(n) {
		return
	}
	for _, size := range l.reader.manifest.sizes {
		if _, own := directiveOf(n.Parent, "p-size"); own {
			return
		}
		p := l.placeIn(n, size.Name)
		var over string
		switch {
		case p["left"] != nil && *p["left"] >= float64(size.Width), p["left"] != nil && p["width"] != nil && *p["left"]+*p["width"] > float64(size.Width):
			over = "right"
		case p["top"] != nil && *p["top"] >= float64(size.Height), p["top"] != nil && p["height"] != nil && *p["top"]+*p["height"] > float64(size.Height):
			over = "lower"
		default:
			continue
		}
		l.warn(n.Start, LintOffPage, "move it in the block of that size, or hide it there", "%s reaches over the %s edge of the size %q", nameOf(n), over, size.Name)
		return
	}
}

// showsSomething reports whether n has a text of rows or of the template, or draws.
func showsSomething(n *markup.Node) bool {
	if n.Name == "img" {
		_, cropped := directiveOf(n, "p-focus")
		return !cropped // a picture that is cropped anyway may bleed
	}
	for _, kind := range figures.Kinds() {
		if _, ok := directiveOf(n, "p-"+kind.Name); ok {
			return true
		}
	}
	for _, child := range n.Children {
		if child.Kind == markup.Text && !child.Blank() {
			return true
		}
	}
	return false
}

// placeIn are left, top, width and height of n in one size, where they are pixels
// and nothing turns or hides the layer.
func (l *linter) placeIn(n *markup.Node, size string) map[string]*float64 {
	all := append(of(l.styles.base, n), l.inline(n)...)
	all = append(all, of(l.styles.sizes[size], n)...)
	place := map[string]*float64{}
	for _, d := range all {
		switch d.property {
		case "left", "top", "width", "height":
			place[d.property] = pixels(d.value)
		case "transform", "rotate", "inset":
			return nil
		case "display", "visibility":
			if d.value == "none" || d.value == "hidden" {
				return nil
			}
		}
	}
	return place
}

func pixels(value string) *float64 {
	value = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "!important"))
	number, ok := strings.CutSuffix(value, "px")
	if !ok && value != "0" {
		return nil
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil {
		return nil
	}
	return &f
}

package relayout

import (
	"strings"

	"github.com/pictifyd/pictifyd/template/markup"
)

type kind int

func background(decls []markup.Decl) (string, bool) {
	for _, name := range []string{"background", "background-color", "background-image"} {
		if v, ok := get(decls, name); ok && v != "none" && v != "transparent" {
			return v, true
		}
	}
	return "", false
}

func attr(n *markup.Node, name string) (string, bool) {
	if v, ok := n.Get(name); ok {
		return v, true
	}
	return n.Get("data-" + name)
}

func has(n *markup.Node, name string) bool {
	_, ok := attr(n, name)
	return ok
}

func kindOf(n *markup.Node) kind {
	switch {
	case has(n, "p-chart"):
		return isChart
	case n.Name == "img" || n.Name == "svg" || has(n, "p-qr") || has(n, "p-barcode"):
		return isPicture
	case n.Holder() || has(n, "p-table"):
		return isStack
	case len(n.Elements()) == 0 && strings.TrimSpace(n.Inner()) == "" && !has(n, "p-rating") && !has(n, "p-countdown"):
		return isShape
	case len(n.Elements()) > 0 && blocks(n):
		return isStack
	}
	return isText
}

// blocks reports whether n has blocks inside, and so is more than a text.
func blocks(n *markup.Node) bool {
	for _, c := range n.Elements() {
		switch c.Name {
		case "div", "p", "ul", "ol", "table", "section", "dl", "h1", "h2", "h3", "img", "svg", "tbody", "tr", "td":
			return true
		}
	}
	return false
}

func headlineIn(n *markup.Node) (found *markup.Node) {
	n.All(func(m *markup.Node) bool {
		if m.Kind == markup.Element {
			if role, _ := m.Get("p-role"); role == "headline" {
				found = m
			}
		}
		return found == nil
	})
	return found
}

// opaqueIn reports whether elements inside n have lengths of their own and no
// name to override them by.
func opaqueIn(n *markup.Node) bool {
	opaque := false
	n.All(func(m *markup.Node) bool {
		if m.Kind != markup.Element {
			return !opaque
		}
		if m != n && m.ID() == "" && m.Parent != nil && !insideSVG(m) {
			style, _ := m.Get("style")
			width, _ := m.Get("width")
			_, pads := m.Get("cellpadding")
			opaque = opaque || strings.Contains(style, "px") || pads || m.Name != "svg" && width != "" && !strings.HasSuffix(width, "%")
		}
		return !opaque
	})
	return opaque
}

func insideSVG(n *markup.Node) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Name == "svg" {
			return true
		}
	}
	return false
}

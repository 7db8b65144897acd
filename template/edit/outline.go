package edit

import (
	"html"
	"regexp"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/template/markup"
)

// A Layer is an element of a page as a tool sees it.
type Layer struct {
	ID       string            `json:"id,omitempty"`
	Path     string            `json:"path"` // for ensure_id, where there is no id
	Tag      string            `json:"tag"`
	Class    string            `json:"class,omitempty"`
	Role     string            `json:"role,omitempty"`
	Name     string            `json:"name,omitempty"`
	Text     string            `json:"text,omitempty"` // all that stands in it, as plain text
	Bindings map[string]string `json:"bindings,omitempty"`
	Style    map[string]string `json:"style,omitempty"` // of its own attribute
	Parent   string            `json:"parent,omitempty"`
	Page     string            `json:"page,omitempty"`
	Locked   bool              `json:"locked,omitempty"`
	Opaque   bool              `json:"opaque,omitempty"` // has HTML inside that is no layer
	Box      *Box              `json:"box,omitempty"`    // if its style gives it in plain pixels
	Children []Layer           `json:"children,omitempty"`
}

// A Box is the place of a layer in its parent, in CSS pixels.
type Box struct {
	Left   float64 `json:"left"`
	Top    float64 `json:"top"`
	Width  float64 `json:"width,omitempty"` // 0 where the content decides
	Height float64 `json:"height,omitempty"`
}

// Outline is the pages of a document with their layers, in the order in which
// they are painted.
func Outline(src []byte) []Layer {
	e := &editor{src: string(src), doc: markup.Parse(src)}
	var out []Layer
	for _, page := range e.pages() {
		out = append(out, e.outline(page, "", e.address(page), false))
	}
	return out
}

func (e *editor) outline(n *markup.Node, parent, page string, locked bool) Layer {
	l := Layer{ID: n.ID(), Path: pathOf(n), Tag: n.Name, Parent: parent, Page: page, Locked: locked || isLocked(n)}
	l.Class, _ = n.Get("class")
	l.Role, _ = n.Get("p-role")
	l.Name, _ = n.Get("p-name")
	l.Bindings = bindings(n)
	style := n.Style()
	for _, d := range style.Decls() {
		if l.Style == nil {
			l.Style = map[string]string{}
		}
		l.Style[d.Name] = d.Value
	}
	l.Box = box(style)
	if !n.Holder() {
		l.Text = plainText(n)
		l.Opaque = len(n.Elements()) > 0
		return l
	}
	for _, child := range n.Elements() {
		l.Children = append(l.Children, e.outline(child, e.address(n), page, l.Locked))
	}
	return l
}

// bindings are the expressions of a layer by the targets of set_binding.
func bindings(n *markup.Node) map[string]string {
	found := map[string]string{}
	for _, a := range n.Tag().Attrs {
		value, _ := n.Get(a.Name)
		name := strings.TrimPrefix(a.Name, "data-")
		for prefix, target := range map[string]string{"p-attr-": "attr:", "p-style-": "style:", "p-class-": "class:"} {
			if rest, ok := strings.CutPrefix(name, prefix); ok {
				found[target+rest] = expression(value)
			}
		}
		switch {
		case name == "p-src" || name == "p-if" || name == "p-else-if" || name == "p-for":
			found[name[2:]] = expression(value)
		case name == "src" && strings.Contains(value, "{{"):
			found["src"] = expression(value)
		}
	}
	if inner := strings.TrimSpace(n.Inner()); !n.Holder() && len(n.Elements()) == 0 && holdsExpression(inner) {
		found["text"] = expression(html.UnescapeString(inner))
	}
	if len(found) == 0 {
		return nil
	}
	return found
}

func expression(value string) string {
	if e, p := bare(&value); p == nil && e != nil {
		return *e
	}
	return value
}

// plainText is what stands in n, white space made single spaces.
func plainText(n *markup.Node) string {
	var b strings.Builder
	n.All(func(m *markup.Node) bool {
		switch {
		case m.Kind == markup.Text && m.Parent.Name != "style" && m.Parent.Name != "script":
			b.WriteString(html.UnescapeString(m.Raw))
		case m.Kind == markup.Element && m.Name == "br":
			b.WriteByte('\n')
		}
		return true
	})
	return strings.Join(strings.Fields(b.String()), " ")
}

var pixels = regexp.MustCompile(`^(-?\d+(?:\.\d+)?)(px)?$`)

// box is the place of a layer whose style has left and top in plain pixels.
func box(s *markup.Style) *Box {
	b := Box{}
	for name, side := range map[string]*float64{"left": &b.Left, "top": &b.Top, "width": &b.Width, "height": &b.Height} {
		value, ok := s.Get(name)
		m := pixels.FindStringSubmatch(value)
		if m != nil && (m[2] != "" || m[1] == "0") {
			*side, _ = strconv.ParseFloat(m[1], 64)
		} else if ok || name == "left" || name == "top" {
			return nil
		}
	}
	return &b
}

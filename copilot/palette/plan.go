package palette

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/copilot/craft"
	"github.com/pictifyd/pictifyd/template/edit"
	"github.com/pictifyd/pictifyd/template/markup"
)

// A plan is what a document gets for a theme.
type plan struct {
	*deriver
	theme    string
	adds     bool // the theme is new
	made     []madeToken
	swaps    map[int]string // by site: the token that it has from now on
	styles   []styled
	rules    []styled // for what cannot be changed itself
	taken    map[string]bool
	document *markup.Document
}

// A madeToken is a token that only the theme needs.
type madeToken struct{ name, plain, dark string }

// A styled element gets a declaration.
type styled struct {
	node            *markup.Node
	property, value string
}

func newPlan(d *deriver, theme string, adds bool) *plan {
	doc := markup.Parse(d.doc.Source)
	return &plan{deriver: d, theme: theme, adds: adds, swaps: map[int]string{}, taken: takenNames(doc), document: doc}
}

// make is a new token: in the plain theme it is plain.
func (p *plan) make(name, plain, dark string) string {
	for _, m := range p.made {
		if m.plain == plain && m.dark == dark {
			return m.name
		}
	}
	name = fresh(p.taken, name)
	p.made = append(p.made, madeToken{name, plain, dark})
	return name
}

var repeated = regexp.MustCompile(`--\d+$`)

// node is the element of a layer, as check names it; nil if that is none of the
// document's by an id.
func (p *plan) node(layer string) *markup.Node {
	if n := p.document.Find(layer); n != nil {
		return n
	}
	return p.document.Find(repeated.ReplaceAllString(layer, ""))
}

func lockedNode(n *markup.Node) bool {
	for ; n != nil && n.Kind == markup.Element; n = n.Parent {
		if v, ok := n.Get("p-lock"); ok && v != "false" {
			return true
		}
	}
	return false
}

// style gives an element a declaration: itself, or by a rule of the theme where it
// is locked. It is false where neither can be.
func (p *plan) style(n *markup.Node, property, value string) bool {
	s := styled{n, property, value}
	switch {
	case n == nil || slices.Contains(p.styles, s) || slices.Contains(p.rules, s):
		return n != nil
	case !lockedNode(n) && property == "color" && p.coloured(n):
		return false
	case !lockedNode(n):
		p.styles = append(p.styles, s)
	case n.ID() != "":
		p.rules = append(p.rules, s)
	default:
		return false
	}
	return true
}

// coloured reports whether the colour of an element's text is, or may be in some
// rows, other than that of what it stands in.
func (p *plan) coloured(n *markup.Node) bool {
	for _, a := range n.Tag().Attrs {
		if strings.HasPrefix(a.Name, "p-class-") || a.Name == "p-style-color" || a.Name == "p-attr-style" || a.Name == "p-attr-class" {
			return true
		}
	}
	return slices.ContainsFunc(p.sites, func(s site) bool { return s.place == inSheet && s.property == "color" && mayMatch(s.selector, n) })
}

// change is the plan as operations for the document.
func (p *plan) change() (craft.Change, error) {
	var ops []edit.Op
	if p.adds {
		ops = append(ops, edit.Op{Op: "add_theme", Name: p.theme})
	}
	for _, m := range p.made {
		ops = append(ops, edit.Op{Op: "set_token", Name: m.name, Value: &m.plain})
	}
	for _, token := range themesOf(p.doc.Source)[0].order {
		if t := p.tones[token]; !t.stays() {
			ops = append(ops, edit.Op{Op: "set_token", Name: token, Value: &t.value, Theme: p.theme})
		}
	}
	for _, m := range p.made {
		if m.dark != "" {
			ops = append(ops, edit.Op{Op: "set_token", Name: m.name, Value: &m.dark, Theme: p.theme})
		}
	}
	if len(ops) == 0 {
		return craft.Change{}, nil
	}
	with, err := edit.Apply(p.doc.Source, ops)
	if err != nil {
		return craft.Change{}, fmt.Errorf("give template %q a theme: %w", p.doc.Name, err)
	}
	doc := markup.Parse(with.Source)
	p.write(doc)
	rest, err := edit.Diff(with.Source, []byte(doc.Print()))
	if err != nil {
		return craft.Change{}, fmt.Errorf("use the theme of template %q: %w", p.doc.Name, err)
	}
	return craft.Change{Ops: append(ops, rest...)}, nil
}

// write changes the elements and rules of a document that has the tokens already.
func (p *plan) write(doc *markup.Document) {
	was, is := p.document.Addresses(), map[string]*markup.Node{}
	for n, address := range doc.Addresses() {
		is[address] = n
	}
	i := -1
	rewrite(sitesOf(doc), func(s site) (string, bool) {
		i++
		name := p.swaps[i]
		if name == "" {
			return "", false
		}
		return replaced(s.value, p.colors(s), func(part) string { return "var(--" + name + ")" }), true
	})
	for _, s := range p.styles {
		n := is[was[s.node]]
		style := n.Style()
		style.Set(s.property, s.value, "")
		n.SetStyle(style)
	}
	if len(p.rules) == 0 {
		return
	}
	var b strings.Builder
	for _, s := range p.rules {
		fmt.Fprintf(&b, "  :root[data-theme=%q] #%s { %s: %s !important; }\n", p.theme, s.node.ID(), s.property, s.value)
	}
	var sheet *markup.Node
	doc.All(func(n *markup.Node) bool {
		if n.Kind == markup.Element && n.Name == "style" && !strings.HasPrefix(n.ID(), "p-") {
			sheet = n
		}
		return true
	})
	if sheet == nil {
		p.notes = append(p.notes, "what is locked keeps its colours: there is no style sheet of the document's own to say otherwise in")
		return
	}
	text := strings.TrimRight(sheet.Inner(), " \t\r\n") + "\n" + b.String()
	sheet.Children = nil
	sheet.Insert(0, &markup.Node{Kind: markup.Text, Raw: text})
}

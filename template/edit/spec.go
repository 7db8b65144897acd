package edit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// addable are the elements that a description may name.
var addable = fields(`div span p h1 h2 h3 h4 h5 h6 img ul ol li section article header footer figure figcaption
	blockquote q strong em b i u s small sub sup mark time svg table thead tbody tr td th hr br`)

const (
	maxChildren = 500
	maxNested   = 20
)

// html is the description as canonical HTML.
func (n *Node) html(indent, field string, depth int) (string, *problem.Error) {
	if p := n.check(field, depth); p != nil {
		return "", p
	}
	el := &markup.Node{Kind: markup.Element, Name: n.Tag, Raw: "<" + n.Tag + ">"}
	if n.ID != "" {
		el.Set("id", n.ID)
	}
	if n.Class != "" {
		el.Set("class", n.Class)
	}
	for _, name := range sortedKeys(n.Attrs) {
		if p := n.attr(el, name, field); p != nil {
			return "", p
		}
	}
	if p := n.style(el, field); p != nil {
		return "", p
	}
	if markup.Void(n.Tag) {
		return el.Raw, nil
	}
	var b strings.Builder
	b.WriteString(el.Raw + markup.EscapeText(n.Text))
	own := el.Holder() && len(n.Children) > 0
	for i := range n.Children {
		child, p := n.Children[i].html(indent+"  ", fmt.Sprintf("%s.children[%d]", field, i), depth+1)
		if p != nil {
			return "", p
		}
		if own {
			b.WriteString("\n" + indent + "  ")
		}
		b.WriteString(child)
	}
	if own {
		b.WriteString("\n" + indent)
	}
	b.WriteString("</" + n.Tag + ">")
	return b.String(), nil
}

func (n *Node) check(field string, depth int) *problem.Error {
	switch {
	case !contains(addable, n.Tag):
		return unknown(problem.New(problem.Invalid, "a layer cannot be a <%s>", n.Tag).At(field+".tag"), n.Tag, addable)
	case depth > maxNested:
		return problem.New(problem.TooLarge, "nodes stand inside each other more than %d deep", maxNested).At(field)
	case len(n.Children) > maxChildren:
		return problem.New(problem.TooLarge, "there are %d children, more than the %d allowed", len(n.Children), maxChildren).At(field + ".children")
	case markup.Void(n.Tag) && (n.Text != "" || len(n.Children) > 0):
		return problem.New(problem.Invalid, "a <%s> has no content", n.Tag).At(field)
	case contains(strings.Fields(n.Class), markup.PageClass):
		return problem.New(problem.Unsupported, "a page is added by add_page").At(field + ".class")
	case n.ID != "":
		return checkID(n.ID, field+".id")
	}
	return nil
}

func (n *Node) attr(el *markup.Node, name, field string) *problem.Error {
	value := n.Attrs[name]
	path := field + ".attrs." + name
	if p := settable(el, Op{Name: name, Value: &value}); p != nil {
		return p.At(path)
	}
	if name == "p-lock" {
		return problem.New(problem.Unsupported, "a new layer is not locked").At(path).WithHint("lock it by set_attr afterwards")
	}
	if value == "" {
		el.SetFlag(name)
		return nil
	}
	el.Set(name, value)
	if got, _ := el.Get(name); got != value {
		return problem.New(problem.Invalid, "the value would change the tag around it").At(path).WithHint("close every {{ with }}")
	}
	return nil
}

func (n *Node) style(el *markup.Node, field string) *problem.Error {
	if len(n.Style) == 0 {
		return nil
	}
	style := markup.ParseStyle("")
	for _, name := range sortedKeys(n.Style) { // a shorthand sorts before its parts
		value := n.Style[name]
		if p := checkDecl(Op{Property: name, Value: &value}, properties); p != nil {
			return p.At(field + ".style." + name)
		}
		style.Set(name, strings.TrimSpace(value), "")
	}
	el.SetStyle(style)
	if got, _ := el.Get("style"); got != style.String() {
		return problem.New(problem.Invalid, "a value would change the tag around it").At(field + ".style").WithHint("close every {{ with }}")
	}
	return nil
}

// all are the ids of the description.
func (n *Node) all() []string {
	list := []string{n.ID}
	for i := range n.Children {
		list = append(list, n.Children[i].all()...)
	}
	return slices.DeleteFunc(list, func(id string) bool { return id == "" })
}

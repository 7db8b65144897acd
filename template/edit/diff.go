package edit

import (
	"html"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/template/markup"
)

// Diff is by which operations the document before becomes after, to the byte: those
// that an editor would have sent, as far as there are such, and patch_source for
// the rest. Applying them may still be refused, as with all operations: where
// something locked was changed.
func Diff(before, after []byte) ([]Op, error) {
	if _, p := newEditor(after); p != nil {
		return nil, p
	}
	d := differ{now: string(before)}
	d.compare(markup.Parse(before), markup.Parse(after))
	if d.now != string(after) {
		from, to := passage(d.now, string(after))
		d.ops = append(d.ops, Op{Op: "patch_source", Old: from, New: to})
	}
	return d.ops, nil
}

// A differ collects operations, and has the document as they make it.
type differ struct {
	now string
	ops []Op
}

// try applies operations, and takes them up if the result is as wanted.
func (d *differ) try(wanted func(*markup.Document) bool, ops ...Op) bool {
	if len(ops) == 0 {
		return false
	}
	made, err := Apply([]byte(d.now), ops)
	if err != nil || string(made.Source) == d.now || !wanted(markup.Parse(made.Source)) {
		return false
	}
	d.now, d.ops = string(made.Source), append(d.ops, ops...)
	return true
}

// A pair is an element of both documents.
type pair struct {
	a, b    *markup.Node
	address string // in the newer one
}

// compare finds the elements of both documents, changes what is in which, and then
// each of them.
func (d *differ) compare(a, b *markup.Document) {
	if len(d.now) > maxDiffed {
		return
	}
	addresses := b.Addresses()
	pairs := []pair{{a.Node, b.Node, "/"}}
	for i := 0; i < len(pairs); i++ {
		was, is := pairs[i].a, pairs[i].b
		before, after := keyed(was), keyed(is)
		if is.Holder() {
			d.members(pairs[i].address, before, after)
		}
		for _, key := range after.order {
			if before.nodes[key] != nil {
				pairs = append(pairs, pair{before.nodes[key], after.nodes[key], addresses[after.nodes[key]]})
			}
		}
	}
	for _, p := range pairs[1:] {
		d.tag(p)
		d.content(p)
	}
}

const maxDiffed = 512 << 10 // bytes; longer documents are changed by patch_source

// A keyedList is the elements of a parent by what tells them apart.
type keyedList struct {
	order []string
	nodes map[string]*markup.Node
}

func keyed(parent *markup.Node) keyedList {
	l := keyedList{nodes: map[string]*markup.Node{}}
	for _, n := range parent.Elements() {
		key := "#" + n.ID()
		if key == "#" || l.nodes[key] != nil {
			key = n.Name
			for l.nodes[key] != nil {
				key += "+"
			}
		}
		l.order, l.nodes[key] = append(l.order, key), n
	}
	return l
}

// members takes away what went and adds what came to a holder.
func (d *differ) members(address string, before, after keyedList) {
	for _, key := range before.order {
		n := before.nodes[key]
		if after.nodes[key] != nil || n.ID() == "" {
			continue
		}
		d.try(func(*markup.Document) bool { return true }, Op{Op: "remove_node", ID: n.ID()})
	}
	for i, key := range after.order {
		n := after.nodes[key]
		if before.nodes[key] != nil || n.ID() == "" {
			continue
		}
		content := spaceAhead(n) + n.Print()
		d.try(func(*markup.Document) bool { return true }, Op{Op: "add_node", Parent: address, Index: &i, HTML: &content})
	}
}

// spaceAhead is the white space between the element before n and n.
func spaceAhead(n *markup.Node) string {
	i := n.Index()
	if i > 0 && n.Parent.Children[i-1].Blank() {
		return n.Parent.Children[i-1].Raw
	}
	return ""
}

// tag changes a start tag: by a property, an attribute or a binding at a time if
// that gives the same bytes.
func (d *differ) tag(p pair) {
	if p.a.Raw == p.b.Raw {
		return
	}
	as := func(doc *markup.Document) bool {
		n := at(doc, p.address)
		return n != nil && n.Raw == p.b.Raw
	}
	var ops []Op
	for _, name := range attrNames(p.a, p.b) {
		was, had := p.a.Get(name)
		is, has := p.b.Get(name)
		if had == has && was == is {
			continue
		}
		var value *string
		if has {
			value = &is
		}
		switch target, bound := targetOf(name); {
		case name == "style":
			ops = append(ops, styleOps(p)...)
		case bound && has && strings.TrimSpace(is) != "":
			expr := expression(is)
			ops = append(ops, Op{Op: "set_binding", ID: p.address, Target: target, Expr: &expr})
		case bound:
			ops = append(ops, Op{Op: "set_binding", ID: p.address, Target: target})
		default:
			ops = append(ops, Op{Op: "set_attr", ID: p.address, Name: name, Value: value})
		}
	}
	if !d.try(as, ops...) && p.a.Name == p.b.Name {
		d.try(as, Op{Op: "set_tag", ID: p.address, Tag: p.b.Raw})
	}
}

// attrNames are the attributes of both, in the order of the newer one.
func attrNames(a, b *markup.Node) []string {
	var names []string
	for _, n := range []*markup.Node{b, a} {
		for _, attr := range n.Tag().Attrs {
			if !slices.Contains(names, attr.Name) {
				names = append(names, attr.Name)
			}
		}
	}
	return names
}

// targetOf is what of set_binding an attribute is.
func targetOf(attr string) (string, bool) {
	switch attr {
	case "p-src", "p-if", "p-else-if", "p-for":
		return attr[2:], true
	}
	for prefix, target := range map[string]string{"p-attr-": "attr:", "p-style-": "style:", "p-class-": "class:"} {
		if rest, ok := strings.CutPrefix(attr, prefix); ok {
			return target + rest, true
		}
	}
	return "", false
}

func styleOps(p pair) []Op {
	var ops []Op
	was, is := p.a.Style(), p.b.Style()
	for _, decl := range was.Decls() {
		if _, there := is.Get(decl.Name); !there {
			ops = append(ops, Op{Op: "set_style", ID: p.address, Property: decl.Name})
		}
	}
	decls := is.Decls()
	for i := len(decls) - 1; i >= 0; i-- { // so that what a new one goes before is there
		name, value := decls[i].Name, decls[i].Value
		if old, had := was.Get(name); had && old == value {
			continue
		}
		op := Op{Op: "set_style", ID: p.address, Property: name, Value: &value}
		if _, had := was.Get(name); !had && i+1 < len(decls) {
			op.Before = decls[i+1].Name
		}
		ops = append(ops, op)
	}
	return ops
}

// content changes the text of an element, or all that is in one that is no holder.
func (d *differ) content(p pair) {
	if was := at(markup.Parse([]byte(d.now)), p.address); was == nil || was.Name != p.b.Name || was.Inner() == p.b.Inner() {
		return
	}
	inner := p.b.Inner()
	as := func(doc *markup.Document) bool {
		n := at(doc, p.address)
		return n != nil && n.Inner() == inner
	}
	switch {
	case p.b.Name == "style" || p.b.ID() == manifestID:
		from, to := passage(p.a.Inner(), inner)
		d.try(as, Op{Op: "patch_text", ID: p.address, Old: from, New: to})
	case len(p.b.Elements()) == 0 && len(p.a.Elements()) == 0:
		text := html.UnescapeString(inner)
		if !d.try(as, Op{Op: "set_text", ID: p.address, Text: &text}) {
			d.try(as, Op{Op: "set_text", ID: p.address, HTML: &inner})
		}
	case p.b.Layer() && !p.b.Holder():
		d.try(as, Op{Op: "set_text", ID: p.address, HTML: &inner})
	}
}

// at is the element of an address.
func at(doc *markup.Document, address string) *markup.Node {
	e := editor{doc: doc}
	n, p := e.find(address, "id")
	if p != nil {
		return nil
	}
	return n
}

package edit

import (
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

func (e *editor) removeNode(op Op) ([]way, *problem.Error) {
	n, p := e.unlocked(op.ID, "id")
	if p != nil {
		return nil, p
	}
	exact := op.Lead != nil
	switch {
	case exact && (n.Name == "html" || n.Name == "head" || n.Name == "body"):
		return nil, problem.New(problem.Unsupported, "a <%s> is no layer", n.Name).At("id")
	case !exact && n.Page():
		return nil, problem.New(problem.Unsupported, "%q is a page", op.ID).At("id").WithHint("use remove_page")
	case !exact && !n.Layer():
		return nil, opaque(e, n, "id")
	}
	if p := e.checkLocksBelow(n, "id"); p != nil {
		return nil, p
	}
	if op.Old != "" && op.Old != n.Print() {
		return nil, problem.New(problem.Conflict, "%q has been changed since", op.ID).WithSlug(Changed).At("old")
	}
	lead := lineBefore(n)
	if exact {
		lead = *op.Lead
	}
	return e.cut(n, lead, op.Trail)
}

// cut takes n out, with exactly that white space around it.
func (e *editor) cut(n *markup.Node, lead, trail string) ([]way, *problem.Error) {
	e.touch(family(n)...)
	undo := Op{Op: "add_node", Parent: e.parentAddress(n), Index: number(elementIndex(n)), HTML: text(lead + n.Print() + trail)}
	parent, i := n.Parent, n.Index()
	for j := i - 1; j >= 0 && parent.Children[j].Kind != markup.Element; j-- {
		undo.At += len(parent.Children[j].Raw)
	}
	undo.At -= len(lead)
	if !trimBeside(parent, i-1, lead, strings.TrimSuffix) || !trimBeside(parent, i+1, trail, strings.TrimPrefix) {
		return nil, problem.New(problem.Conflict, "the white space around %q has changed", e.address(n)).WithSlug(Changed).At("lead")
	}
	n.Remove()
	return []way{{undo}}, nil
}

// parentAddress is how an operation names the parent of n.
func (e *editor) parentAddress(n *markup.Node) string {
	return e.address(n.Parent)
}

// trimBeside cuts white space off the neighbouring text.
func trimBeside(parent *markup.Node, i int, space string, trim func(s, cut string) string) bool {
	if space == "" {
		return true
	}
	if strings.TrimSpace(space) != "" || i < 0 || i >= len(parent.Children) || parent.Children[i].Kind != markup.Text {
		return false
	}
	beside := parent.Children[i]
	rest := trim(beside.Raw, space)
	cut := len(rest) < len(beside.Raw)
	beside.Raw = rest
	return cut
}

func (e *editor) moveNode(op Op) ([]way, *problem.Error) {
	n, p := e.layer(op.ID, "id")
	if p != nil {
		return nil, p
	}
	if n.Page() {
		return nil, problem.New(problem.Unsupported, "%q is a page", op.ID).At("id").WithHint("use move_page")
	}
	if op.Parent == "" && op.Before == "" && op.After == "" {
		op.Parent = e.parentAddress(n)
	}
	s, p := e.spot(op, n)
	if p != nil {
		return nil, p
	}
	if p := e.holds(s.parent, "parent"); p != nil {
		return nil, p
	}
	back := Op{Op: "move_node", ID: op.ID, Parent: e.parentAddress(n), Index: number(elementIndex(n))}
	return []way{{back}}, e.move(n, s)
}

// move takes n out of its place and puts it into another, by the operations
// that do so, so that each is undone by itself.
func (e *editor) move(n *markup.Node, s spot) *problem.Error {
	for up := s.parent; up != nil; up = up.Parent {
		if up == n {
			return problem.New(problem.Invalid, "%q cannot stand inside itself", e.address(n)).At("parent")
		}
	}
	lead, parent := lineBefore(n), e.addressWithout(s.parent, n)
	content := n.Print()
	if p := e.apply(Op{Op: "remove_node", ID: e.address(n), Lead: &lead}); p != nil {
		return p
	}
	var p *problem.Error
	if s.parent, p = e.parent(Op{Parent: parent}); p != nil {
		return p
	}
	ahead, behind := e.spacing(s)
	content = ahead + indented(content, lead, ahead) + behind
	return e.apply(Op{Op: "add_node", Parent: parent, Index: &s.index, HTML: &content})
}

// addressWithout is the address of n once gone is no longer in the tree.
func (e *editor) addressWithout(n, gone *markup.Node) string {
	address := e.address(n)
	if !strings.HasPrefix(address, "/") || address == "/" {
		return address
	}
	address = ""
	for ; n.Parent != nil; n = n.Parent {
		i := elementIndex(n)
		if n.Parent == gone.Parent && elementIndex(gone) < i {
			i--
		}
		address = "/" + strconv.Itoa(i) + address
	}
	return address
}

// indented is an element that holds layers, with their lines moved to its own
// new indentation. All other white space could be seen.
func indented(content, from, to string) string {
	d := markup.Parse([]byte(content))
	if from == to || from == "" || to == "" || len(d.Children) != 1 {
		return content
	}
	indentLayers(d.Children[0], from, to)
	return d.Print()
}

func indentLayers(n *markup.Node, from, to string) {
	if !n.Holder() {
		return
	}
	for _, child := range n.Children {
		if rest, ok := strings.CutPrefix(child.Raw, from); ok && child.Blank() {
			child.Raw = to + rest
		}
		indentLayers(child, from, to)
	}
}

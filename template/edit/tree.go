package edit

import (
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// A spot is where an element goes: that many bytes behind the element before
// the index.
type spot struct {
	parent *markup.Node
	index  int
	at     int
}

// parent is the element that an operation puts something into.
func (e *editor) parent(op Op) (*markup.Node, *problem.Error) {
	if op.Parent == "" {
		if beside := op.Before + op.After; beside != "" {
			n, p := e.find(beside, "before")
			if p != nil {
				return nil, p
			}
			return n.Parent, nil
		}
		return e.body(), nil
	}
	if op.Parent == "/" {
		return e.doc.Node, nil
	}
	return e.find(op.Parent, "parent")
}

// spot finds the place that an operation names by index, before or after. What
// is to be moved there is counted as gone already.
func (e *editor) spot(op Op, moving *markup.Node) (spot, *problem.Error) {
	parent, p := e.parent(op)
	if p != nil {
		return spot{}, p
	}
	siblings := parent.Elements()
	for i, n := range siblings {
		if n == moving {
			siblings = append(siblings[:i:i], siblings[i+1:]...)
			break
		}
	}
	s := spot{parent: parent, index: len(siblings)}
	switch {
	case op.Index != nil:
		if s.index = *op.Index; s.index < 0 || s.index > len(siblings) {
			return s, problem.New(problem.Invalid, "there is no place %d: the parent has %d other elements", *op.Index, len(siblings)).At("index")
		}
	case op.Before != "" || op.After != "":
		field, id, shift := "before", op.Before, 0
		if id == "" {
			field, id, shift = "after", op.After, 1
		}
		for i, n := range siblings {
			if n.ID() == id {
				s.index = i + shift
				return s, nil
			}
		}
		return s, problem.New(problem.NotFound, "there is no layer %q in the parent", id).WithSlug(LayerNotFound).At(field)
	}
	return s, nil
}

// holds refuses places in which layers cannot stand.
func (e *editor) holds(parent *markup.Node, field string) *problem.Error {
	if p := e.checkLock(parent, field); p != nil {
		return p
	}
	if !parent.Holder() || !parent.Page() && !parent.Layer() {
		return problem.New(problem.Unsupported, "%q holds no layers", e.address(parent)).WithSlug(Opaque).At(field).
			WithHint("layers stand in elements of the class p-page, p-stack or p-group")
	}
	if parent.End == "" {
		return problem.New(problem.Unsupported, "%q has no end tag, so that nothing says where its layers end", e.address(parent)).At(field).
			WithHint("write </%s> behind it", parent.Name)
	}
	return nil
}

func (e *editor) addNode(op Op) ([]way, *problem.Error) {
	if (op.Node == nil) == (op.HTML == nil) {
		return nil, problem.New(problem.Invalid, "add_node needs node or html, and not both").At("node")
	}
	if op.HTML != nil {
		return e.addHTML(op)
	}
	s, p := e.spot(op, nil)
	if p != nil {
		return nil, p
	}
	if p := e.holds(s.parent, "parent"); p != nil {
		return nil, p
	}
	if op.Node.ID == "" {
		return nil, problem.New(problem.Invalid, "a layer needs an id").At("node.id").WithHint("%q is free", e.unused(op.Node.Tag))
	}
	for _, id := range op.Node.all() {
		if p := e.free(id, "node.id"); p != nil {
			return nil, p
		}
	}
	lead, trail := e.spacing(s)
	content, p := op.Node.html(strings.TrimLeft(lead, "\r\n"), "node", 0)
	if p != nil {
		return nil, p
	}
	return e.insert(s, lead, content, trail)
}

// addHTML puts exact bytes in their exact place.
func (e *editor) addHTML(op Op) ([]way, *problem.Error) {
	s, p := e.spot(op, nil)
	if p != nil {
		return nil, p
	}
	if p := e.checkLock(s.parent, "parent"); p != nil {
		return nil, p
	}
	s.at = op.At
	if p := harmless(*op.HTML, "html"); p != nil {
		return nil, p
	}
	content := strings.TrimSpace(*op.HTML)
	lead, trail, _ := strings.Cut(*op.HTML, content)
	return e.insert(s, lead, content, trail)
}

// insert puts an element with the white space around it into its place.
func (e *editor) insert(s spot, lead, content, trail string) ([]way, *problem.Error) {
	d := markup.Parse([]byte(content))
	if len(d.Children) != 1 || d.Children[0].Kind != markup.Element {
		return nil, problem.New(problem.Invalid, "the HTML is not one element").At("html")
	}
	n := d.Children[0]
	if p := e.checkLocksBelow(n, "html"); p != nil {
		return nil, p
	}
	if !splice(s, lead, n, trail) {
		return nil, problem.New(problem.Conflict, "the place is no longer there").WithSlug(Changed).At("at")
	}
	e.touch(family(n)...)
	undo := Op{Op: "remove_node", ID: e.address(n), Lead: &lead, Trail: trail}
	if n.Name == "style" {
		undo.Old = n.Print() // others may have put rules of theirs into it
	}
	return []way{{undo}}, nil
}

// splice puts n into the text between two elements. It is false if there is no
// such place.
func splice(s spot, lead string, n *markup.Node, trail string) bool {
	i, seen := 0, 0
	for ; i < len(s.parent.Children) && seen < s.index; i++ {
		if s.parent.Children[i].Kind == markup.Element {
			seen++
		}
	}
	at := s.at
	for ; i < len(s.parent.Children) && at > 0; i++ {
		c := s.parent.Children[i]
		switch {
		case c.Kind == markup.Element:
			return false
		case len(c.Raw) > at && c.Kind == markup.Text:
			rest := *c
			rest.Raw, c.Raw = c.Raw[at:], c.Raw[:at]
			s.parent.Insert(i+1, &rest)
		case len(c.Raw) > at:
			return false
		}
		at -= len(c.Raw)
	}
	if at > 0 {
		return false
	}
	s.parent.Insert(i, blanks(lead, n, trail)...)
	return true
}

func blanks(lead string, n *markup.Node, trail string) []*markup.Node {
	list := []*markup.Node{n}
	if lead != "" {
		list = append([]*markup.Node{{Kind: markup.Text, Raw: lead}}, list...)
	}
	if trail != "" {
		list = append(list, &markup.Node{Kind: markup.Text, Raw: trail})
	}
	return list
}

// spacing is the white space that a new element gets around it: that of its
// neighbours.
func (e *editor) spacing(s spot) (lead, trail string) {
	elements := s.parent.Elements()
	for _, i := range []int{s.index - 1, s.index} {
		if i >= 0 && i < len(elements) {
			return lineBefore(elements[i]), ""
		}
	}
	outer := lineBefore(s.parent)
	if outer == "" {
		outer = "\n"
	}
	inner := outer
	if s.parent.Holder() {
		inner += "  "
	}
	if s.parent.Inner() == "" {
		return inner, outer
	}
	return inner, ""
}

// lineBefore is the line break and the indentation before n, "" if it does not
// begin a line.
func lineBefore(n *markup.Node) string {
	i := n.Index()
	if i < 1 || n.Parent.Children[i-1].Kind != markup.Text {
		return ""
	}
	text := n.Parent.Children[i-1].Raw
	rest := strings.TrimRight(text, " \t")
	if !strings.HasSuffix(rest, "\n") {
		return ""
	}
	at := len(rest) - 1
	if strings.HasSuffix(rest, "\r\n") {
		at--
	}
	return text[at:]
}

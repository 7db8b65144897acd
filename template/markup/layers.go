package markup

// The classes that make an element hold layers.
const (
	PageClass  = "p-page"
	StackClass = "p-stack"
	GroupClass = "p-group"
)

// holders are the elements that may hold layers: those in which white space
// between blocks means nothing, and which the parser does not rearrange.
var holders = words("div section article main header footer nav aside figure ul ol li")

// Page reports whether n is a page.
func (n *Node) Page() bool { return holders[n.Name] && n.HasClass(PageClass) }

// Holder reports whether the elements in n are layers of their own: it is a
// page, a stack or a group.
func (n *Node) Holder() bool {
	return n.Kind == Element && holders[n.Name] && (n.HasClass(PageClass) || n.HasClass(StackClass) || n.HasClass(GroupClass))
}

// frame reports whether n is html, head or body, or the document itself.
func (n *Node) frame() bool {
	return n.Kind == Root || n.Kind == Element && (n.Name == "html" || n.Name == "head" || n.Name == "body")
}

// Layer reports whether n stands on its own in a page: it is in a holder whose
// parents are holders too, up to the body. A page is no layer.
func (n *Node) Layer() bool {
	if n.Kind != Element || n.Parent == nil || n.Page() {
		return false
	}
	p := n.Parent
	for ; p.Holder(); p = p.Parent {
		if p.Parent == nil {
			return false
		}
	}
	return p.frame() && p != n.Parent && p.Name != "head"
}

// Elements are the children that are elements.
func (n *Node) Elements() []*Node {
	var out []*Node
	for _, child := range n.Children {
		if child.Kind == Element {
			out = append(out, child)
		}
	}
	return out
}

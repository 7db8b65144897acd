package markup

import (
	"html"
	"strings"
)

// A Kind is what a node is.
type Kind int

// The kinds of nodes.
const (
	Root    Kind = iota
	Element      // a start tag, children, and an end tag or none
	Text
	Comment
	Doctype
	Stray // an end tag that ends nothing
)

// A Node is one node of a document. Its bytes are those of the file until it is
// edited.
type Node struct {
	Kind     Kind
	Name     string // of an element, lower case
	Raw      string // the start tag of an element; all of any other
	End      string // the end tag of an element; "" where it has none of its own
	Parent   *Node
	Children []*Node

	Start, Stop int // of Raw in the file that was parsed, in bytes; of new nodes 0
	EndStart    int // of End; where the content ends if there is none

	bit   nameSet // of the name, while the document is read
	tag   Tag     // of tagOf, which is Raw as it was read last
	tagOf string
}

// voids have neither content nor an end tag.
var voids = map[string]bool{
	"area": true, "base": true, "br": true, "col": true, "embed": true, "hr": true, "img": true, "input": true,
	"link": true, "meta": true, "param": true, "source": true, "track": true, "wbr": true,
}

// Void reports whether an element of the name has neither content nor an end tag.
func Void(name string) bool { return voids[name] }

// Print is the document, or the part of it below n, n included.
func (n *Node) Print() string {
	var b strings.Builder
	n.print(&b)
	return b.String()
}

func (n *Node) print(b *strings.Builder) {
	b.WriteString(n.Raw)
	for _, child := range n.Children {
		child.print(b)
	}
	b.WriteString(n.End)
}

// Inner is the content of n as it prints.
func (n *Node) Inner() string {
	var b strings.Builder
	for _, child := range n.Children {
		child.print(&b)
	}
	return b.String()
}

// Tag is the start tag of an element, its offsets counted inside Raw. Text in
// expressions is no attribute.
func (n *Node) Tag() Tag {
	if n.tagOf != n.Raw {
		_, masked := Marks([]byte(n.Raw))
		n.tag, n.tagOf = ParseTag(masked, 0, len(masked)), n.Raw
	}
	return n.tag
}

// Get is the value of an attribute with its entities decoded.
func (n *Node) Get(name string) (value string, ok bool) {
	if n.Kind != Element {
		return "", false
	}
	a, ok := n.Tag().Find(name)
	return html.UnescapeString(n.Raw[a.ValueStart:a.ValueEnd]), ok
}

// ID is the id of an element, "" for none.
func (n *Node) ID() string {
	id, _ := n.Get("id")
	return id
}

// HasClass reports whether the class attribute has the word.
func (n *Node) HasClass(class string) bool {
	value, _ := n.Get("class")
	for word := range strings.FieldsSeq(value) {
		if word == class {
			return true
		}
	}
	return false
}

// Blank reports whether n is text of white space alone.
func (n *Node) Blank() bool {
	return n.Kind == Text && strings.TrimLeft(n.Raw, " \t\r\n\f") == ""
}

// All calls visit for n and everything below it, in the order of the document,
// until visit returns false.
func (n *Node) All(visit func(*Node) bool) bool {
	if !visit(n) {
		return false
	}
	for _, child := range n.Children {
		if !child.All(visit) {
			return false
		}
	}
	return true
}

// Find is the first element with that id, nil if there is none.
func (n *Node) Find(id string) (found *Node) {
	n.All(func(m *Node) bool {
		if m.Kind == Element && m.ID() == id {
			found = m
		}
		return found == nil
	})
	return found
}

// Index is the place of n among its parent's children, -1 for one without a parent.
func (n *Node) Index() int {
	if n.Parent == nil {
		return -1
	}
	for i, child := range n.Parent.Children {
		if child == n {
			return i
		}
	}
	return -1
}

// Insert puts children before the child of that index.
func (n *Node) Insert(index int, children ...*Node) {
	for _, child := range children {
		child.Parent = n
	}
	rest := append([]*Node{}, n.Children[index:]...)
	n.Children = append(append(n.Children[:index], children...), rest...)
}

// Remove takes n out of its parent.
func (n *Node) Remove() {
	if i := n.Index(); i >= 0 {
		n.Parent.Children = append(n.Parent.Children[:i], n.Parent.Children[i+1:]...)
		n.Parent = nil
	}
}

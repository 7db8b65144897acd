package markup

import "strconv"

// Addresses are the names by which operations and editors call the elements of
// a document: the id of the first element that has it, else the path, which
// counts the elements from the document down: "/0/1/2".
func (d *Document) Addresses() map[*Node]string {
	addresses := map[*Node]string{}
	taken := map[string]bool{}
	var walk func(n *Node, path string)
	walk = func(n *Node, path string) {
		i := 0
		for _, child := range n.Children {
			if child.Kind != Element {
				continue
			}
			at := path + "/" + strconv.Itoa(i)
			i++
			addresses[child] = at
			if id := child.ID(); id != "" && !taken[id] {
				taken[id] = true
				addresses[child] = id
			}
			walk(child, at)
		}
	}
	walk(d.Node, "")
	return addresses
}

package edit

import (
	"slices"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// duplicateNode copies a layer, its CSS by id included, right behind it or to
// another place.
func (e *editor) duplicateNode(op Op) ([]way, *problem.Error) {
	n, p := e.find(op.ID, "id")
	if p != nil {
		return nil, p
	}
	if !n.Layer() {
		return nil, opaque(e, n, "id")
	}
	if p := e.free(op.ToID, "to_id"); p != nil {
		return nil, p
	}
	s := spot{parent: n.Parent, index: elementIndex(n) + 1}
	lead := lineBefore(n)
	if op.Parent != "" || op.Before != "" || op.After != "" || op.Index != nil {
		if op.Parent == "" && op.Before == "" && op.After == "" {
			op.Parent = e.parentAddress(n)
		}
		if s, p = e.spot(op, nil); p != nil {
			return nil, p
		}
		lead, _ = e.spacing(s)
	}
	if p := e.holds(s.parent, "parent"); p != nil {
		return nil, p
	}
	return nil, e.copyTo(n, op, lead, e.address(s.parent), s.index)
}

// rename gives n and all in it ids that are new, and unlocks them.
func (e *editor) rename(n *markup.Node, id, to string) map[string]string {
	names := map[string]string{}
	n.All(func(m *markup.Node) bool {
		if m.Kind != markup.Element {
			return true
		}
		m.Unset("p-lock")
		m.Unset("data-p-lock")
		if old := m.ID(); old != "" {
			names[old] = to
			if old != id {
				names[old] = e.unusedBut(old, names)
			}
			m.Set("id", names[old])
		}
		return true
	})
	return names
}

// unusedBut is a new id that none of the names has either.
func (e *editor) unusedBut(id string, names map[string]string) string {
	next := e.unused(id)
	for taken := true; taken; {
		taken = false
		for _, name := range names {
			if name == next {
				next, taken = e.unused(next), true
			}
		}
	}
	return next
}

func (e *editor) group(op Op) ([]way, *problem.Error) {
	if len(op.IDs) == 0 {
		return nil, problem.New(problem.Invalid, "a group needs layers").At("ids")
	}
	if p := e.free(op.ID, "id"); p != nil {
		return nil, p
	}
	members, p := e.members(op.IDs)
	if p != nil {
		return nil, p
	}
	// The group is painted where the topmost of its layers was.
	last := members[len(members)-1]
	index := elementIndex(last) + 1
	node := &Node{Tag: "div", ID: op.ID, Class: markup.GroupClass}
	if p := e.apply(Op{Op: "add_node", Parent: e.parentAddress(last), Index: &index, Node: node}); p != nil {
		return nil, p
	}
	var order []string
	for _, m := range members {
		order = append(order, m.ID())
	}
	for i, id := range order {
		if p := e.apply(Op{Op: "move_node", ID: id, Parent: op.ID, Index: &i}); p != nil {
			return nil, p
		}
	}
	e.touch(op.ID)
	return []way{{{Op: "ungroup", ID: op.ID}}}, nil
}

// members are the layers of a group in the order in which they are painted.
func (e *editor) members(list []string) ([]*markup.Node, *problem.Error) {
	var members []*markup.Node
	for _, id := range list {
		n, p := e.layer(id, "ids")
		if p != nil {
			return nil, p
		}
		switch {
		case n.Page():
			return nil, problem.New(problem.Unsupported, "%q is a page", id).At("ids")
		case slices.Contains(members, n):
			return nil, problem.New(problem.Invalid, "%q stands in the list twice", id).At("ids")
		case len(members) > 0 && n.Parent != members[0].Parent:
			return nil, problem.New(problem.Invalid, "%q is not in the same parent as %q", id, list[0]).At("ids").WithHint("move it there first")
		}
		members = append(members, n)
	}
	slices.SortFunc(members, func(a, b *markup.Node) int { return a.Index() - b.Index() })
	return members, nil
}

func (e *editor) ungroup(op Op) ([]way, *problem.Error) {
	n, p := e.layer(op.ID, "id")
	if p != nil {
		return nil, p
	}
	if !n.HasClass(markup.GroupClass) || n.Page() {
		return nil, problem.New(problem.Invalid, "%q is no group", op.ID).At("id")
	}
	if p := e.checkLocksBelow(n, "id"); p != nil {
		return nil, p
	}
	for _, child := range n.Children {
		if child.Kind != markup.Element && !child.Blank() {
			return nil, problem.New(problem.Unsupported, "%q has text or a comment of its own, which would be lost", op.ID).WithSlug(Opaque).At("id")
		}
	}
	var members []string
	for _, child := range n.Elements() {
		members = append(members, child.ID())
	}
	return e.dissolve(n, op.ID, members)
}

// dissolve moves the layers of the group in front of it, in their order.
func (e *editor) dissolve(n *markup.Node, id string, members []string) ([]way, *problem.Error) {
	index := elementIndex(n)
	for i := range members {
		n, _ = e.find(id, "id")
		child := n.Elements()[0]
		s := spot{parent: n.Parent, index: index + i}
		if p := e.move(child, s); p != nil {
			return nil, p
		}
	}
	if p := e.apply(Op{Op: "remove_node", ID: id}); p != nil {
		return nil, p
	}
	e.touch(id)
	if slices.Contains(members, "") || len(members) == 0 {
		return nil, nil
	}
	return []way{{{Op: "group", ID: id, IDs: members}}}, nil
}

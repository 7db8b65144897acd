package edit

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// What people do with a layer in one go is one operation here, made of others, so
// that each of them is undone as it would be alone.

// sides are what a box has, and how each is written.
var sides = []struct{ name, unit string }{{"left", "px"}, {"top", "px"}, {"width", "px"}, {"height", "px"}, {"rotate", "deg"}}

// opposite is what would hold a layer at the other side as well.
var opposite = map[string]string{"left": "right", "top": "bottom"}

// setBox gives a layer its place, its size and its turn.
func (e *editor) setBox(op Op) ([]way, *problem.Error) {
	n, p := e.layer(op.ID, "id")
	if p != nil {
		return nil, p
	}
	for _, name := range sortedKeys(op.Box) {
		if !slices.ContainsFunc(sides, func(s struct{ name, unit string }) bool { return s.name == name }) {
			return nil, problem.New(problem.Invalid, "a box has no %q", name).At("box." + name).WithHint("it has left, top, width, height and rotate")
		}
	}
	style := n.Style()
	for _, side := range sides {
		value, given := op.Box[side.name]
		if !given {
			continue
		}
		set := Op{Op: "set_style", ID: op.ID, Property: side.name, Size: op.Size}
		if value != nil {
			written, p := length(*value, side.unit)
			if p != nil {
				return nil, p.At("box." + side.name)
			}
			set.Value = &written
		}
		if p := e.apply(set); p != nil {
			return nil, p
		}
		other := opposite[side.name]
		if held, _ := style.Get(other); other == "" || held == "" || held == "auto" || value == nil {
			continue
		}
		loose := Op{Op: "set_style", ID: op.ID, Property: other, Size: op.Size}
		if op.Size != "" {
			loose.Value = text("auto")
		}
		if p := e.apply(loose); p != nil {
			return nil, p
		}
	}
	return nil, nil
}

// length is a number of CSS, to a hundredth.
func length(v float64, unit string) (string, *problem.Error) {
	if math.IsNaN(v) || math.Abs(v) > 100_000 {
		return "", problem.New(problem.Invalid, "%v is no length of a layer", v)
	}
	return strconv.FormatFloat(math.Round(v*100)/100+0, 'f', -1, 64) + unit, nil
}

// keptDisplay keeps the display that a hidden layer had.
const keptDisplay = "--p-display"

// setHidden takes a layer out of the page, or brings it back as it was.
func (e *editor) setHidden(op Op) ([]way, *problem.Error) {
	n, p := e.layer(op.ID, "id")
	if p != nil {
		return nil, p
	}
	if op.Size != "" {
		if p := e.hasSize(op.Size, "size"); p != nil {
			return nil, p
		}
		set := Op{Op: "set_size_override", ID: op.ID, Size: op.Size, Property: "display", Value: text("none")}
		if !*op.Hidden {
			set.Value = nil
			if hides(declared(n)) { // in this size alone it is to be seen
				set.Value = text(shownDisplay(n))
			}
		}
		return nil, e.apply(set)
	}
	style := n.Style()
	display, _ := style.Get("display")
	kept, had := style.Get(keptDisplay)
	switch {
	case *op.Hidden && display == "none":
		return nil, nil
	case *op.Hidden:
		return nil, e.styles(op.ID, decl(keptDisplay, display), decl("display", "none"))
	case had:
		return nil, e.styles(op.ID, decl("display", kept), decl(keptDisplay, ""))
	case display == "none":
		return nil, e.styles(op.ID, decl("display", ""))
	}
	if visibility, _ := style.Get("visibility"); visibility == "hidden" {
		return nil, e.styles(op.ID, decl("visibility", ""))
	}
	return nil, nil
}

func declared(n *markup.Node) map[string]string {
	all := map[string]string{}
	for _, d := range n.Style().Decls() {
		all[d.Name] = d.Value
	}
	return all
}

func shownDisplay(n *markup.Node) string {
	if kept, ok := n.Style().Get(keptDisplay); ok {
		return kept
	}
	if n.HasClass(markup.StackClass) {
		return "flex"
	}
	return "block"
}

func decl(name, value string) markup.Decl { return markup.Decl{Name: name, Value: value} }

// styles sets properties of a layer; an empty value takes one away.
func (e *editor) styles(id string, decls ...markup.Decl) *problem.Error {
	for _, d := range decls {
		op := Op{Op: "set_style", ID: id, Property: d.Name}
		if d.Value != "" {
			op.Value = &d.Value
		}
		if p := e.apply(op); p != nil {
			return p
		}
	}
	return nil
}

// removeOverride makes a layer in one size what it is in all.
func (e *editor) removeOverride(op Op) ([]way, *problem.Error) {
	if p := e.hasSize(op.Size, "size"); p != nil {
		return nil, p
	}
	if _, p := e.layer(op.ID, "id"); p != nil {
		return nil, p
	}
	for _, property := range sortedKeys(e.overrides()[op.ID][op.Size]) {
		if p := e.apply(Op{Op: "set_size_override", ID: op.ID, Size: op.Size, Property: property}); p != nil {
			return nil, p
		}
	}
	return nil, nil
}

const stackGap = "16px"

// wrapStack puts layers of one parent into a stack, in the order in which they
// stand: from above, or from the left.
func (e *editor) wrapStack(op Op) ([]way, *problem.Error) {
	if p := e.free(op.ID, "id"); p != nil {
		return nil, p
	}
	members, p := e.members(op.IDs)
	if p != nil {
		return nil, p
	}
	style, p := stackStyle(op, members)
	if p != nil {
		return nil, p
	}
	last := members[len(members)-1]
	index := elementIndex(last) + 1
	node := &Node{Tag: "div", ID: op.ID, Class: markup.StackClass, Style: style}
	if p := e.apply(Op{Op: "add_node", Parent: e.parentAddress(last), Index: &index, Node: node}); p != nil {
		return nil, p
	}
	var order []string
	slices.SortStableFunc(members, func(a, b *markup.Node) int { return along(op.Direction, a, b) })
	for _, m := range members {
		order = append(order, m.ID())
	}
	for i, id := range order {
		if p := e.apply(Op{Op: "move_node", ID: id, Parent: op.ID, Index: &i}); p != nil {
			return nil, p
		}
		if p := e.styles(id, decl("left", ""), decl("top", ""), decl("right", ""), decl("bottom", "")); p != nil {
			return nil, p
		}
	}
	return nil, nil
}

// along compares the places of layers in the direction of a stack. What has no
// place in its style stays where it is.
func along(direction string, a, b *markup.Node) int {
	one, two := box(a.Style()), box(b.Style())
	if one == nil || two == nil {
		return 0
	}
	by := one.Top - two.Top
	if direction == "row" || direction == "grid" && math.Abs(by) < min(one.Height, two.Height)/2 {
		by = one.Left - two.Left
	}
	switch {
	case by < 0:
		return -1
	case by > 0:
		return 1
	}
	return 0
}

func stackStyle(op Op, members []*markup.Node) (map[string]string, *problem.Error) {
	gap := stackGap
	if op.Value != nil {
		gap = *op.Value
	}
	style := map[string]string{"gap": gap}
	switch op.Direction {
	case "row", "column":
		style["flex-direction"] = op.Direction
	case "grid":
		style["display"], style["grid-template-columns"] = "grid", fmt.Sprintf("repeat(%d, auto)", min(len(members), 2))
	default:
		return nil, problem.New(problem.Invalid, "%q is no direction of a stack", op.Direction).At("direction").WithHint("it is row, column or grid")
	}
	left, top := math.Inf(1), math.Inf(1)
	for _, m := range members {
		if b := box(m.Style()); b != nil {
			left, top = min(left, b.Left), min(top, b.Top)
		}
	}
	if !math.IsInf(left, 0) && !members[0].Parent.HasClass(markup.StackClass) {
		style["left"], _ = length(left, "px")
		style["top"], _ = length(top, "px")
	}
	return style, nil
}

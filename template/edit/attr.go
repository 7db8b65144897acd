package edit

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

var attrName = regexp.MustCompile(`^[a-z][a-z0-9:_.-]*$`)

func (e *editor) setAttr(op Op) ([]way, *problem.Error) {
	n, p := e.find(op.ID, "id")
	if p != nil {
		return nil, p
	}
	unlocking := op.Name == "p-lock" && op.Value == nil && isLocked(n)
	if !unlocking || n.Parent != nil && e.checkLock(n.Parent, "id") != nil {
		if n, p = e.layer(op.ID, "id"); p != nil {
			return nil, p
		}
	}
	if p := settable(n, op); p != nil {
		return nil, p
	}
	return e.changeAttr(n, op.ID, op.Name, op.Value, func(old *string) Op {
		return Op{Op: "set_attr", ID: op.ID, Name: op.Name, Value: old}
	})
}

// settable refuses what other operations set, and what no template may have.
func settable(n *markup.Node, op Op) *problem.Error {
	value := ""
	if op.Value != nil {
		value = *op.Value
	}
	switch {
	case op.Name == "id":
		return problem.New(problem.Unsupported, "set_attr does not change ids").At("name").WithHint("use set_id")
	case op.Name == "style":
		return problem.New(problem.Unsupported, "set_attr does not change styles").At("name").WithHint("use set_style, a property at a time")
	case !attrName.MatchString(op.Name):
		return problem.New(problem.Invalid, "%q cannot be the name of an attribute: lower-case letters, digits and -", op.Name).At("name")
	case op.Name == "class" && n.Page() != slices.Contains(strings.Fields(value), markup.PageClass):
		return problem.New(problem.Unsupported, "what is a page stays one").At("value").WithHint("use add_page and remove_page")
	case op.Name == "class" && n.Holder() && len(n.Elements()) > 0 && !holder(n, value):
		return problem.New(problem.Unsupported, "%q holds layers, and would no more", n.ID()).At("value").WithHint("move the layers first")
	}
	return harmlessAttr(op.Name, value, "name")
}

// holder reports whether n would hold layers with that class.
func holder(n *markup.Node, class string) bool {
	with := *n
	with.Set("class", class)
	return with.Holder()
}

// changeAttr sets or takes away one attribute. again makes the operation that
// gives it the old value.
func (e *editor) changeAttr(n *markup.Node, id, name string, value *string, again func(old *string) Op) ([]way, *problem.Error) {
	e.touch(id)
	tag := n.Raw
	old, had := n.Get(name)
	others := attrsBut(n, name)
	switch {
	case value == nil:
		n.Unset(name)
	case *value == "" && !had:
		n.SetFlag(name)
	default:
		n.Set(name, *value)
	}
	if got, _ := n.Get(name); value != nil && got != *value || !slices.Equal(others, attrsBut(n, name)) {
		return nil, problem.New(problem.Invalid, "the value would change the tag around it").At("value").WithHint("close every {{ with }}")
	}
	undo := again(nil)
	if had {
		undo = again(&old)
	}
	return []way{{undo}, tagWay(e, n, tag)}, nil
}

// tagWay restores the exact start tag of n.
func tagWay(e *editor, n *markup.Node, tag string) way {
	return way{{Op: "set_tag", ID: e.address(n), Tag: tag}}
}

// attrsBut are the names and values of all other attributes.
func attrsBut(n *markup.Node, name string) []string {
	var list []string
	for _, a := range n.Tag().Attrs {
		if a.Name != name {
			list = append(list, a.Name, a.Value([]byte(n.Raw)))
		}
	}
	return list
}

// setTag restores the bytes of a start tag. On a locked layer it may only
// unlock, as set_attr may.
func (e *editor) setTag(op Op) ([]way, *problem.Error) {
	n, p := e.find(op.ID, "id")
	if p != nil {
		return nil, p
	}
	old := n.Raw
	others := attrsBut(n, "p-lock")
	locked := e.checkLock(n, "id")
	id := n.ID()
	if err := n.SetRaw(op.Tag); err != nil {
		return nil, problem.New(problem.Invalid, "%w", err).At("tag")
	}
	if locked != nil && (isLocked(n) || !slices.Equal(others, attrsBut(n, "p-lock")) || e.checkLock(n.Parent, "id") != nil) {
		return nil, locked
	}
	if refused[n.Name] || n.Name == "style" {
		return nil, problem.New(problem.Unsupported, "a <%s> is no layer", n.Name).At("id")
	}
	if p := harmlessTag(&markup.Node{Kind: markup.Element, Name: "div", Raw: n.Raw}, "tag"); p != nil {
		return nil, p
	}
	e.touch(touchName(id, op.ID), touchName(n.ID(), op.ID))
	return []way{tagWay(e, n, old)}, nil
}

func touchName(id, otherwise string) string {
	if id == "" {
		return otherwise
	}
	return id
}

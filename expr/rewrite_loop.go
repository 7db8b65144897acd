package expr

import (
	"strconv"

	"github.com/expr-lang/expr/ast"
)

// loop is one of the engine's loops over a list, with our idea of a list and of
// what is true.
func (w *rewriter) loop(n *ast.BuiltinNode) ast.Node {
	if w.loops++; w.loops > maxLoops {
		return w.fail(n, fail("more than %d loops inside each other", maxLoops))
	}
	defer func() { w.loops-- }()
	if len(n.Arguments) == 0 {
		return w.fail(n, fail("%s needs a list", n.Name).Expecting("a list"))
	}
	w.functions[n.Name] = true
	w.operator(n, n.Arguments[0])
	list := op(n, "list", w.node(n.Arguments[0]), label(n.Arguments[0]))
	rest := n.Arguments[1:]
	if n.Name == "sum" || n.Name == "count" && len(rest) == 0 {
		return w.total(n, list, rest)
	}
	if n.Name == "groupBy" && len(rest) == 1 {
		return w.groups(n, list, rest[0])
	}
	args := append([]ast.Node{list}, w.nodes(rest)...)
	body, ok := args[min(1, len(args)-1)].(*ast.PredicateNode)
	if !ok { // below it something was wrong already
		return w.fail(n, fail("%s needs something to do with each item", n.Name).Expecting("an expression"))
	}
	switch n.Name {
	case "findLast", "findLastIndex":
		return w.fromEnd(n, list, body)
	case "map", "reduce":
	case "sortBy":
		body.Node = op(n, "sortable", body.Node)
	default:
		body.Node = op(n, "truthy", body.Node)
	}
	return at(n, &ast.BuiltinNode{Name: n.Name, Arguments: args})
}

// total is sum and count, which the library does.
func (w *rewriter) total(n *ast.BuiltinNode, list ast.Node, rest []ast.Node) ast.Node {
	if len(rest) > 0 {
		list = at(n, &ast.BuiltinNode{Name: "map", Arguments: append([]ast.Node{list}, w.nodes(rest)...)})
	}
	if n.Name == "count" {
		return call(n, callPrefix+"length", list)
	}
	return call(n, callPrefix+"sum", list)
}

// fromEnd is a search from the end. The engine's own leaves a value on its
// stack for each step, which the next call takes for its argument.
func (w *rewriter) fromEnd(n *ast.BuiltinNode, list ast.Node, body *ast.PredicateNode) ast.Node {
	body.Node = op(n, "truthy", body.Node)
	if n.Name == "findLast" {
		return call(n, callPrefix+"last", at(n, &ast.BuiltinNode{Name: "filter", Arguments: []ast.Node{list, body}}))
	}
	return op(n, "lastTrue", at(n, &ast.BuiltinNode{Name: "map", Arguments: []ast.Node{list, body}}))
}

// groups is groupBy: the library puts together the list and the keys of its items.
func (w *rewriter) groups(n *ast.BuiltinNode, list, key ast.Node) ast.Node {
	w.temps++
	temp := "$" + strconv.Itoa(w.temps)
	value := func() ast.Node { return at(n, &ast.IdentifierNode{Value: temp}) }
	keys := at(n, &ast.BuiltinNode{Name: "map", Arguments: []ast.Node{value(), w.node(key)}})
	grouped := call(n, callPrefix+"groupBy", value(), keys)
	return at(n, &ast.VariableDeclaratorNode{Name: temp, Value: list, Expr: grouped})
}

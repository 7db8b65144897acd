package expr

import (
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// spanOf is all of the user's text that n was read from. The engine knows only
// one word of it, such as the operator.
func (s *source) spanOf(n ast.Node) span {
	r := &reach{seen: map[ast.Node]bool{}, from: -1}
	r.visit(n)
	if r.from < 0 {
		return s.original(n.Location())
	}
	sp := s.original(file.Location{From: r.from, To: r.to})
	return s.closeBrackets(sp, isCall(n))
}

func isCall(n ast.Node) bool {
	switch n.(type) {
	case *ast.CallNode, *ast.BuiltinNode:
		return true
	}
	return false
}

// closeBrackets makes sp reach to the ends of the brackets that it opens.
func (s *source) closeBrackets(sp span, call bool) span {
	depth := 0
	for _, t := range s.tokens {
		if t.From < sp.from {
			continue
		}
		opens := t.Kind == lexer.Bracket && strings.Contains("([{", t.Value)
		if t.From >= sp.to && depth == 0 && !(call && opens && t.Value == "(") {
			return sp
		}
		call = call && t.From < sp.to
		switch {
		case opens:
			depth++
		case t.Kind == lexer.Bracket && depth > 0:
			depth--
		}
		sp.to = max(sp.to, t.To)
	}
	return sp
}

// reach finds the first and the last word below a node. Nodes can be shared, so
// each is looked at once.
type reach struct {
	seen     map[ast.Node]bool
	from, to int
}

func (r *reach) visit(n ast.Node) {
	if n == nil || r.seen[n] {
		return
	}
	r.seen[n] = true
	if _, choice := n.(*ast.ConditionalNode); !choice { // its place is what follows it
		at := n.Location()
		if r.from < 0 || at.From < r.from {
			r.from = at.From
		}
		r.to = max(r.to, at.To)
	}
	for _, child := range children(n) {
		r.visit(child)
	}
}

// children are the nodes right below n.
func children(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.UnaryNode:
		return []ast.Node{n.Node}
	case *ast.BinaryNode:
		return []ast.Node{n.Left, n.Right}
	case *ast.ChainNode:
		return []ast.Node{n.Node}
	case *ast.MemberNode:
		return []ast.Node{n.Node, n.Property}
	case *ast.SliceNode:
		return []ast.Node{n.Node, n.From, n.To}
	case *ast.CallNode:
		return append([]ast.Node{n.Callee}, n.Arguments...)
	case *ast.BuiltinNode:
		return n.Arguments
	case *ast.PredicateNode:
		return []ast.Node{n.Node}
	case *ast.ConditionalNode:
		return []ast.Node{n.Cond, n.Exp1, n.Exp2}
	case *ast.VariableDeclaratorNode:
		return []ast.Node{n.Value, n.Expr}
	case *ast.SequenceNode:
		return n.Nodes
	case *ast.ArrayNode:
		return n.Nodes
	case *ast.MapNode:
		return n.Pairs
	case *ast.PairNode:
		return []ast.Node{n.Key, n.Value}
	}
	return nil
}

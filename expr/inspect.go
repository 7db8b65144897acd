package expr

import (
	"maps"
	"slices"

	"github.com/expr-lang/expr/ast"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// An inspector finds out what an expression gives, and what in it can never
// work, from the types of its names. It says nothing about what it does not know.
type inspector struct {
	source  *source
	options Options
	known   map[ast.Node]*Type // nodes can be shared
	lets    map[string]*Type
	items   []*Type  // of the loops around
	parts   []string // names of which a part is read
	err     *problem.Error
}

func (c *inspector) root(n ast.Node) *Type {
	c.known, c.lets = map[ast.Node]*Type{}, map[string]*Type{}
	t := c.node(n)
	if t != nil && t.literal != nil {
		return &Type{Kind: t.Kind}
	}
	return t
}

// alarm keeps the first problem, at n, where types were declared.
func (c *inspector) alarm(n ast.Node, p *problem.Error) {
	if c.err == nil && len(c.options.Types) > 0 {
		c.err = c.source.place(p, c.source.spanOf(n))
	}
}

func (c *inspector) node(n ast.Node) *Type {
	if n == nil {
		return nil
	}
	if t, ok := c.known[n]; ok {
		return t
	}
	t := c.look(n)
	c.known[n] = t
	return t
}

func (c *inspector) look(n ast.Node) *Type {
	switch n := n.(type) {
	case *ast.IntegerNode, *ast.FloatNode:
		return &Type{Kind: KindNumber}
	case *ast.BoolNode:
		return &Type{Kind: KindBoolean}
	case *ast.StringNode:
		return &Type{Kind: KindText, literal: &n.Value}
	case *ast.IdentifierNode:
		if t, ok := c.lets[n.Value]; ok {
			return t
		}
		return c.options.Types[n.Value]
	case *ast.PointerNode:
		return c.pointer(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		c.node(n.Cond)
		return either(c.node(n.Exp1), c.node(n.Exp2))
	case *ast.ChainNode:
		return c.node(n.Node)
	case *ast.MemberNode:
		return c.member(n)
	case *ast.SliceNode:
		return c.slice(n)
	case *ast.CallNode:
		return c.call(n)
	case *ast.BuiltinNode:
		return c.loop(n)
	case *ast.PredicateNode:
		return c.node(n.Node)
	case *ast.VariableDeclaratorNode:
		return c.let(n)
	case *ast.SequenceNode:
		return c.last(n.Nodes)
	case *ast.ArrayNode:
		return c.array(n)
	case *ast.MapNode:
		return c.object(n)
	}
	return nil
}

// either is the type of a value that is either the one or the other: not known
// where one of them is not.
func either(a, b *Type) *Type {
	if a == nil || b == nil {
		return nil
	}
	return a.Merge(b)
}

func (c *inspector) last(nodes []ast.Node) (t *Type) {
	for _, n := range nodes {
		t = c.node(n)
	}
	return t
}

func (c *inspector) pointer(n *ast.PointerNode) *Type {
	switch {
	case n.Name == "index":
		return &Type{Kind: KindNumber}
	case n.Name != "" || len(c.items) == 0:
		return nil
	}
	return c.items[len(c.items)-1]
}

// number raises the alarm where n can never be a number.
func (c *inspector) number(n ast.Node) {
	if t := c.node(n); !t.canBe(KindNumber) {
		c.alarm(n, c.misfit(n, t, KindNumber))
	}
}

func (c *inspector) misfit(n ast.Node, t *Type, want Kind) *problem.Error {
	subject := describe(n)
	switch {
	case t.literal != nil:
		return wrongType("%s is not %s", quote(*t.literal), want.phrase()).Expecting(want.phrase())
	case subject == "":
		return wrongType("this is %s, but %s is needed", t.Kind.phrase(), want.phrase()).Expecting(want.phrase())
	}
	return wrongType("%s is %s, but %s is needed", subject, t.Kind.phrase(), want.phrase()).Expecting(want.phrase())
}

func wrongType(format string, args ...any) *problem.Error {
	return problem.New(problem.Invalid, format, args...).WithSlug(WrongType)
}

func (c *inspector) unary(n *ast.UnaryNode) *Type {
	if n.Operator == "-" || n.Operator == "+" {
		c.number(n.Node)
		return &Type{Kind: KindNumber}
	}
	c.node(n.Node)
	return &Type{Kind: KindBoolean}
}

func (c *inspector) binary(n *ast.BinaryNode) *Type {
	left, right := c.node(n.Left), c.node(n.Right)
	switch n.Operator {
	case "+":
		return c.sum(n, left, right)
	case "-", "*", "/", "%", "**", "^":
		c.number(n.Left)
		c.number(n.Right)
		return &Type{Kind: KindNumber}
	case "..":
		c.number(n.Left)
		c.number(n.Right)
		return &Type{Kind: KindList, Items: &Type{Kind: KindNumber}}
	case "<", ">", "<=", ">=":
		for _, side := range []ast.Node{n.Left, n.Right} {
			switch t := c.node(side); t.kind() {
			case KindBoolean, KindList, KindObject:
				c.alarm(side, wrongType("%s is %s, which has no order", named(describe(side), "this"), t.Kind.phrase()))
			}
		}
	case "&&", "and", "||", "or", "??":
		return either(left, right)
	}
	return &Type{Kind: KindBoolean}
}

// sum is "+", which joins where one side is text.
func (c *inspector) sum(n *ast.BinaryNode, left, right *Type) *Type {
	l, r := left.kind(), right.kind()
	texts := func(k Kind) bool { return k == KindText || k == KindDate }
	switch {
	case l == KindNumber && r == KindNumber:
		return &Type{Kind: KindNumber}
	case texts(l) && texts(r), neverNumber(left), neverNumber(right):
		return madeText()
	case l == KindAny || r == KindAny || texts(l) || texts(r):
		return nil
	}
	c.number(n.Left)
	c.number(n.Right)
	return nil
}

// neverNumber reports whether t is a text of the expression that is no number.
func neverNumber(t *Type) bool { return t != nil && t.literal != nil && !isNumberText(*t.literal) }

func (c *inspector) member(n *ast.MemberNode) *Type {
	id, alone := n.Node.(*ast.IdentifierNode)
	if alone {
		c.parts = append(c.parts, id.Value)
	}
	if alone && id.Value == "$env" {
		if name, ok := n.Property.(*ast.StringNode); ok {
			return c.options.Types[name.Value]
		}
		return nil
	}
	of, key := c.node(n.Node), c.node(n.Property)
	name, isName := n.Property.(*ast.StringNode)
	subject := named(describe(n.Node), "this")
	switch of.kind() {
	case KindObject:
		if isName {
			return c.field(n.Property, of, subject, name.Value)
		}
	case KindList:
		if isName && !isNumberText(name.Value) {
			p := wrongType("%s is a list, which has no field %q", subject, name.Value).
				WithHint("write %s[0].%s for the first item, or map(%s, .%s)", subject, name.Value, subject, name.Value)
			c.alarm(n.Property, lengthHint(p, subject, name.Value))
		} else if !key.canBe(KindNumber) {
			c.alarm(n.Property, c.misfit(n.Property, key, KindNumber))
		}
		return of.Items
	case KindText, KindNumber, KindBoolean, KindDate:
		if !isName && of.kind() != KindBoolean {
			return madeText() // a letter
		}
		p := wrongType("%s is %s, which has no fields", subject, of.Kind.phrase())
		if isName {
			p = lengthHint(p, subject, name.Value)
		}
		c.alarm(n.Property, p)
	}
	return nil
}

func (c *inspector) field(n ast.Node, of *Type, subject, name string) *Type {
	if of.Fields == nil {
		return nil
	}
	t, ok := of.Fields[name]
	if !ok {
		known := slices.Sorted(maps.Keys(of.Fields))
		p := problem.New(problem.Invalid, "%s has no field %q", subject, name).WithSlug(UnknownField).Expecting("a field of " + subject)
		if near := Nearest(name, known); near != "" {
			p.WithHint("did you mean %q?", near)
		}
		c.alarm(n, p)
	}
	return t
}

func (c *inspector) slice(n *ast.SliceNode) *Type {
	of := c.node(n.Node)
	c.node(n.From)
	c.node(n.To)
	switch of.kind() {
	case KindObject, KindBoolean:
		c.alarm(n.Node, wrongType("%s is %s, which has no parts to cut", named(describe(n.Node), "this"), of.Kind.phrase()))
	case KindList:
		return of
	case KindText, KindDate:
		return madeText()
	}
	return nil
}

func (c *inspector) let(n *ast.VariableDeclaratorNode) *Type {
	value := c.node(n.Value)
	before, had := c.lets[n.Name]
	c.lets[n.Name] = value
	t := c.node(n.Expr)
	if delete(c.lets, n.Name); had {
		c.lets[n.Name] = before
	}
	return t
}

func (c *inspector) array(n *ast.ArrayNode) *Type {
	t := &Type{Kind: KindList}
	for i, item := range n.Nodes {
		if one := c.node(item); i == 0 {
			t.Items = one
		} else {
			t.Items = either(t.Items, one)
		}
	}
	return t
}

func (c *inspector) object(n *ast.MapNode) *Type {
	t := &Type{Kind: KindObject, Fields: map[string]*Type{}}
	for _, pair := range n.Pairs {
		p, ok := pair.(*ast.PairNode)
		if !ok {
			continue
		}
		value := c.node(p.Value)
		name, ok := p.Key.(*ast.StringNode)
		if !ok { // its name comes with the row
			t.Fields = nil
		}
		if t.Fields != nil {
			t.Fields[name.Value] = value
		}
	}
	return t
}

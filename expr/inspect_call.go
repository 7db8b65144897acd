package expr

import (
	"errors"

	"github.com/expr-lang/expr/ast"

	"github.com/pictifyd/pictifyd/internal/problem"
)

func (c *inspector) call(n *ast.CallNode) *Type {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return nil
	}
	f := library[c.source.functionName(callee)]
	if f == nil {
		return nil
	}
	args := make([]*Type, len(n.Arguments))
	for i, a := range n.Arguments {
		args[i] = c.node(a)
		if p, ok := f.param(i); ok && !args[i].canBe(p.Kind) {
			e := c.misfit(a, args[i], p.Kind)
			c.alarm(a, e.WithHint("%s of %s is %s", p.Name, f.Usage, p.Kind.phrase()))
		} else if ok {
			c.word(a, p, args[i])
		}
	}
	return f.result(args)
}

// argumentWords are the arguments for which only certain words will do, by
// their name in the signatures.
var argumentWords = map[string]func(word string) error{
	"locale": CheckLocale,
	"code":   CheckCurrency,
	"unit":   func(word string) error { _, err := unitOf(word); return err },
	"zone":   func(word string) error { _, err := new(run).zoneArg([]any{word}, 0); return err },
}

// word raises the alarm where an argument is a word that will not do.
func (c *inspector) word(n ast.Node, p Param, t *Type) {
	check, ok := argumentWords[p.Name]
	if !ok || t == nil || t.literal == nil {
		return
	}
	var wrong *problem.Error
	if errors.As(check(*t.literal), &wrong) {
		c.alarm(n, wrong)
	}
}

// result is what a function gives for arguments of these types.
func (f *function) result(args []*Type) *Type {
	at := func(i int) *Type {
		if i < len(args) {
			return args[i]
		}
		return nil
	}
	switch f.Name {
	case "first", "last", "find", "findLast":
		if at(0).kind() == KindList {
			return at(0).Items
		}
	case "slice", "reverse", "sort", "unique", "filter", "sortBy":
		if at(0).kind() == KindList {
			return at(0)
		}
	case "if":
		if len(args) == 3 {
			return either(at(1), at(2))
		}
	case "default", "coalesce":
		if len(args) == 2 {
			return either(at(0), at(1))
		}
	case "map":
		return &Type{Kind: KindList, Items: at(1)}
	case "groupBy":
		return &Type{Kind: KindList, Items: &Type{Kind: KindObject, Fields: map[string]*Type{"key": at(1), "items": at(0)}}}
	}
	switch f.Returns {
	case KindAny:
		return nil
	case KindText:
		return madeText()
	}
	return &Type{Kind: f.Returns}
}

func (c *inspector) loop(n *ast.BuiltinNode) *Type {
	f := library[n.Name]
	if f == nil || len(n.Arguments) == 0 {
		return nil
	}
	args := make([]*Type, len(n.Arguments))
	args[0] = c.node(n.Arguments[0])
	var items *Type
	if args[0].canBe(KindList) {
		if args[0] != nil {
			items = args[0].Items
		}
	} else {
		c.alarm(n.Arguments[0], c.misfit(n.Arguments[0], args[0], KindList))
	}
	c.items = append(c.items, items)
	for i, a := range n.Arguments[1:] {
		args[i+1] = c.node(a)
	}
	c.items = c.items[:len(c.items)-1]
	return f.result(args)
}

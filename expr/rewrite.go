package expr

import (
	"maps"
	"slices"
	"strconv"

	"github.com/expr-lang/expr/ast"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// The names that only a rewritten tree contains. A user cannot write them: the
// rewriter refuses names that begin with a dollar sign, except $env.
const (
	runName    = "$run"
	rowName    = "$row"
	opPrefix   = "$op:"
	callPrefix = "$fn:"

	localPrefix = "$local:"
)

// A rewriter turns the tree that the user wrote into the tree that the engine
// runs: every operator becomes a call of our own function, because rows carry
// numbers as text and the engine's operators are strict. On the way it collects
// the names used and refuses what is unknown. It never changes a node: the
// parser lets "a < b < c" and "a ?: b" share them.
type rewriter struct {
	source    *source
	known     []string // nil: any
	given     []string // locals of the caller
	names     map[string]bool
	local     map[string]bool // of given, those used
	functions map[string]bool
	operands  map[int][]ast.Node // of operators, by their place in the code
	locals    []string           // of let
	all       bool
	clock     bool
	loops     int
	visits    int
	temps     int
	err       *problem.Error
	wrong     ast.Node // where err is
}

func newRewriter(s *source, o Options) *rewriter {
	return &rewriter{
		source: s, known: o.Names, given: o.Locals, names: map[string]bool{}, local: map[string]bool{}, functions: map[string]bool{},
		operands: map[int][]ast.Node{},
	}
}

func (w *rewriter) used() []string          { return slices.Sorted(maps.Keys(w.names)) }
func (w *rewriter) usedLocals() []string    { return slices.Sorted(maps.Keys(w.local)) }
func (w *rewriter) usedFunctions() []string { return slices.Sorted(maps.Keys(w.functions)) }

// fail keeps the first problem, at n.
func (w *rewriter) fail(n ast.Node, p *problem.Error) ast.Node {
	if w.err == nil {
		w.err, w.wrong = p, n
	}
	return at(n, &ast.NilNode{})
}

// failWord is fail at the one word that n's place is, not at all of n.
func (w *rewriter) failWord(n ast.Node, p *problem.Error) ast.Node {
	return w.fail(at(n, &ast.NilNode{}), p)
}

// operator keeps which operands belong to the operator n, for errors to point at.
func (w *rewriter) operator(n ast.Node, operands ...ast.Node) {
	w.operands[n.Location().From] = operands
}

// at gives made the place of n.
func at(n, made ast.Node) ast.Node {
	made.SetLocation(n.Location())
	return made
}

// call is a call of one of our functions in the place of n.
func call(n ast.Node, name string, args ...ast.Node) ast.Node {
	callee := at(n, &ast.IdentifierNode{Value: name})
	first := at(n, &ast.IdentifierNode{Value: runName})
	return at(n, &ast.CallNode{Callee: callee, Arguments: append([]ast.Node{first}, args...)})
}

func op(n ast.Node, name string, args ...ast.Node) ast.Node {
	return call(n, opPrefix+name, args...)
}

func label(n ast.Node) ast.Node { return at(n, &ast.StringNode{Value: describe(n)}) }

// describe is how an error names the value of n: by its variable, or not at all.
func describe(n ast.Node) string {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return n.Value
	case *ast.ChainNode:
		return describe(n.Node)
	case *ast.MemberNode:
		of := describe(n.Node)
		if prop, ok := n.Property.(*ast.StringNode); ok && of == "$env" {
			return prop.Value
		} else if ok && of != "" {
			return of + "." + prop.Value
		}
		if i, ok := n.Property.(*ast.IntegerNode); ok && of != "" {
			return of + "[" + strconv.Itoa(i.Value) + "]"
		}
	}
	return ""
}

func (w *rewriter) nodes(list []ast.Node) []ast.Node {
	out := make([]ast.Node, len(list))
	for i, n := range list {
		out[i] = w.node(n)
	}
	return out
}

// node rewrites n and what is below it.
func (w *rewriter) node(n ast.Node) ast.Node {
	// Shared nodes are met once per way that leads to them, which can be
	// exponential in the length of the source.
	if w.visits++; w.visits > 4*maxNodes {
		return w.fail(n, fail("the expression has more than the %d parts allowed", maxNodes))
	}
	if w.err != nil {
		return at(n, &ast.NilNode{})
	}
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return w.name(n)
	case *ast.UnaryNode:
		return w.unary(n)
	case *ast.BinaryNode:
		return w.binary(n)
	case *ast.ChainNode:
		return at(n, &ast.ChainNode{Node: w.chain(n.Node)})
	case *ast.MemberNode:
		return w.member(n, "get")
	case *ast.SliceNode:
		return op(n, "slice", w.node(n.Node), w.optional(n, n.From), w.optional(n, n.To))
	case *ast.CallNode:
		return w.call(n)
	case *ast.BuiltinNode:
		return w.loop(n)
	case *ast.ConditionalNode:
		return w.choice(n)
	case *ast.VariableDeclaratorNode:
		return w.let(n)
	case *ast.SequenceNode:
		return at(n, &ast.SequenceNode{Nodes: w.nodes(n.Nodes)})
	case *ast.ArrayNode:
		return at(n, &ast.ArrayNode{Nodes: w.nodes(n.Nodes)})
	case *ast.MapNode:
		return at(n, &ast.MapNode{Pairs: w.nodes(n.Pairs)})
	case *ast.PairNode:
		return at(n, &ast.PairNode{Key: op(n.Key, "text", w.node(n.Key)), Value: w.node(n.Value)})
	case *ast.PredicateNode:
		return at(n, &ast.PredicateNode{Node: w.node(n.Node)})
	case *ast.PointerNode:
		return at(n, &ast.PointerNode{Name: n.Name})
	case *ast.NilNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.StringNode:
		return n
	}
	return w.fail(n, fail("this kind of value is not supported"))
}

func (w *rewriter) optional(parent, n ast.Node) ast.Node {
	if n == nil {
		return at(parent, &ast.NilNode{})
	}
	return w.node(n)
}

// name is a variable: a local one, the whole row, or a column.
func (w *rewriter) name(n *ast.IdentifierNode) ast.Node {
	local := slices.Contains(w.locals, n.Value)
	switch {
	case !local && slices.Contains(w.given, n.Value):
		w.local[n.Value] = true
		return at(n, &ast.IdentifierNode{Value: localPrefix + n.Value})
	case n.Value == "$env":
		w.all = true
		return at(n, &ast.IdentifierNode{Value: rowName})
	case w.known != nil && slices.Contains(w.known, n.Value):
		w.names[n.Value] = true // even behind a let of the same name: one render too many is the better mistake
	case local:
	case w.known != nil || n.Value[0] == '$':
		return w.unknown(n, n.Value)
	default:
		w.names[n.Value] = true
	}
	return at(n, &ast.IdentifierNode{Value: n.Value})
}

func (w *rewriter) unknown(n ast.Node, name string) ast.Node {
	p := problem.New(problem.Invalid, "unknown variable %q", name).WithSlug(UnknownVariable)
	if near := Nearest(name, slices.Concat(w.locals, w.given, w.known)); near != "" {
		p.WithHint("did you mean %q?", near)
	} else if _, ok := library[name]; ok {
		p.WithHint("to call the function write %s(…)", name)
	}
	if ours, ok := foreign[name]; ok {
		p.WithHint("did you mean %s?", ours)
	}
	return w.fail(n, p)
}

// foreign are words that other languages have for ours.
var foreign = map[string]string{
	"null": "nil", "undefined": "nil", "None": "nil", "NULL": "nil", "none": "nil", "True": "true", "TRUE": "true", "False": "false", "FALSE": "false",
}

func (w *rewriter) unary(n *ast.UnaryNode) ast.Node {
	switch n.Operator {
	case "!", "not":
		return op(n, "not", w.node(n.Node))
	case "-":
		w.operator(n, n.Node)
		return op(n, "neg", w.node(n.Node), label(n.Node))
	}
	w.operator(n, n.Node)
	return op(n, "pos", w.node(n.Node), label(n.Node))
}

var binaryOps = map[string]string{
	"+": "add", "-": "sub", "*": "mul", "/": "div", "%": "mod", "**": "pow", "^": "pow",
	"<": "lt", ">": "gt", "<=": "le", ">=": "ge", "==": "eq", "!=": "ne",
	"in": "in", "contains": "contains", "startsWith": "startsWith", "endsWith": "endsWith", "..": "range",
}

func (w *rewriter) binary(n *ast.BinaryNode) ast.Node {
	switch n.Operator {
	case "&&", "and":
		return w.lazy(n, n.Left, n.Right, false)
	case "||", "or":
		return w.lazy(n, n.Left, n.Right, true)
	case "??":
		return at(n, &ast.BinaryNode{Operator: "??", Left: w.node(n.Left), Right: w.node(n.Right)})
	case "matches":
		return w.matches(n)
	}
	name, ok := binaryOps[n.Operator]
	if !ok {
		return w.failWord(n, fail("the operator %s is not supported", n.Operator))
	}
	w.operator(n, n.Left, n.Right)
	return op(n, name, w.node(n.Left), w.node(n.Right), label(n.Left), label(n.Right))
}

// lazy is "left || right" (keep true) or "left && right": the left value decides
// whether the right one is computed, and the deciding value is the result.
func (w *rewriter) lazy(n, left, right ast.Node, keep bool) ast.Node {
	w.temps++
	temp := "$" + strconv.Itoa(w.temps)
	value := func() ast.Node { return at(n, &ast.IdentifierNode{Value: temp}) }
	choice := &ast.ConditionalNode{Cond: op(n, "truthy", value()), Exp1: value(), Exp2: value()}
	decl := &ast.VariableDeclaratorNode{Name: temp, Value: w.node(left)}
	if other := w.node(right); keep {
		choice.Exp2 = other
	} else {
		choice.Exp1 = other
	}
	decl.Expr = at(n, choice)
	return at(n, decl)
}

func (w *rewriter) matches(n *ast.BinaryNode) ast.Node {
	pattern := w.node(n.Right)
	if s, ok := n.Right.(*ast.StringNode); ok {
		compiled, wrong := compilePattern(s.Value)
		if wrong != nil {
			return w.fail(n.Right, wrong)
		}
		pattern = at(n.Right, &ast.ConstantNode{Value: compiled})
	}
	return op(n, "matches", w.node(n.Left), pattern)
}

// chain rewrites a?.b.c: from the first ?. on, a missing value makes the rest nil.
func (w *rewriter) chain(n ast.Node) ast.Node {
	if m, ok := n.(*ast.MemberNode); ok {
		return w.member(m, "maybe")
	}
	return w.node(n)
}

func (w *rewriter) member(n *ast.MemberNode, get string) ast.Node {
	if id, ok := n.Node.(*ast.IdentifierNode); ok && id.Value == "$env" {
		return w.column(n)
	}
	of := n.Node
	var from ast.Node
	if inner, ok := of.(*ast.MemberNode); ok && get == "maybe" {
		from = w.member(inner, get)
	} else {
		from = w.node(of)
	}
	return op(n, get, from, w.node(n.Property), label(of))
}

// column is $env["Unit Price"], or $env[x] with a name that only the row decides.
func (w *rewriter) column(n *ast.MemberNode) ast.Node {
	row := at(n, &ast.IdentifierNode{Value: rowName})
	if s, ok := n.Property.(*ast.StringNode); ok {
		if w.known != nil && !slices.Contains(w.known, s.Value) {
			return w.unknown(s, s.Value)
		}
		w.names[s.Value] = true
	} else {
		w.all = true
	}
	return op(n, "maybe", row, w.node(n.Property), label(n.Node))
}

func (w *rewriter) call(n *ast.CallNode) ast.Node {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return w.failWord(n, fail("values have no methods").WithHint("write upper(name) or name | upper"))
	}
	name := w.source.functionName(callee)
	f, ok := library[name]
	if !ok {
		p := problem.New(problem.Invalid, "unknown function %q", name).WithSlug(UnknownFunction).Expecting("a function")
		if near := Nearest(name, functionNames()); near != "" {
			p.WithHint("did you mean %q?", near)
		}
		return w.failWord(n, p)
	}
	if given := len(n.Arguments); given < f.least || (f.most >= 0 && given > f.most) {
		p := fail("wrong number of arguments for %s: it takes %s, not %d", name, f.argumentCount(), given)
		return w.fail(n, p.Expecting(f.Usage).WithHint("use it as %s", f.Usage))
	}
	w.functions[f.Name] = true
	w.clock = w.clock || f.clockAt >= len(n.Arguments) && f.clockAt > 0
	if f.Name == "if" {
		return w.ifCall(n)
	}
	return call(n, callPrefix+f.Name, w.nodes(n.Arguments)...)
}

// argumentCount says how many arguments f takes.
func (f *function) argumentCount() string {
	switch {
	case f.most < 0:
		return strconv.Itoa(f.least) + " or more"
	case f.most > f.least:
		return strconv.Itoa(f.least) + " to " + strconv.Itoa(f.most)
	}
	return strconv.Itoa(f.least)
}

// ifCall is if(condition, yes, no), which computes only one of the two.
func (w *rewriter) ifCall(n *ast.CallNode) ast.Node {
	no := at(n, &ast.StringNode{})
	if len(n.Arguments) == 3 {
		no = w.node(n.Arguments[2])
	}
	return at(n, &ast.ConditionalNode{Cond: w.condition(n.Arguments[0]), Exp1: w.node(n.Arguments[1]), Exp2: no})
}

func (w *rewriter) condition(n ast.Node) ast.Node { return op(n, "truthy", w.node(n)) }

func (w *rewriter) choice(n *ast.ConditionalNode) ast.Node {
	if n.Cond == n.Exp1 { // a ?: b
		return w.lazy(n, n.Cond, n.Exp2, true)
	}
	return at(n, &ast.ConditionalNode{Cond: w.condition(n.Cond), Exp1: w.node(n.Exp1), Exp2: w.node(n.Exp2)})
}

func (w *rewriter) let(n *ast.VariableDeclaratorNode) ast.Node {
	if n.Name[0] == '$' || reserved[n.Name] {
		return w.failWord(n, fail("%q cannot be declared", n.Name).Expecting("a name"))
	}
	value := w.node(n.Value)
	w.locals = append(w.locals, n.Name)
	body := w.node(n.Expr)
	w.locals = w.locals[:len(w.locals)-1]
	return at(n, &ast.VariableDeclaratorNode{Name: n.Name, Value: value, Expr: body})
}

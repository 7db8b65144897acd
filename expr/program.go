package expr

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// Options say what an expression may refer to.
type Options struct {
	Names  []string         // the known names; nil lets any name pass
	Locals []string         // names that Env.Locals will give, such as a loop's item; they hide names of the row
	Types  map[string]*Type // what is known of names and locals; empty: nothing is checked but at evaluation
}

// Env is what an evaluation knows besides its values.
type Env struct {
	Now      time.Time      // what now and today read
	Locale   string         // of all that is formatted; "" is en-US
	Zone     *time.Location // of all dates; nil is UTC
	Currency string         // of currency without a code; "" is USD
	Locals   map[string]any // the values of Options.Locals
}

// The slugs of this room's problems.
const (
	BadExpression   = "bad_expression"
	UnknownVariable = "unknown_variable"
	UnknownFunction = "unknown_function"
	UnknownField    = "unknown_field"
	WrongType       = "wrong_type"
)

// A Program is a compiled expression. It is safe for concurrent use.
type Program struct {
	source    source
	code      *vm.Program // nil where the expression is one name or one literal alone
	literal   any
	names     []string // of the row
	locals    []string
	parts     []string // of names
	functions []string
	all       bool
	clock     bool
	result    *Type
	operands  map[int][]ast.Node // of operators, by their place in the code
	machines  sync.Pool
}

// Compile checks and compiles src. The error is a *problem.Error whose position
// counts inside src.
func Compile(src string, o Options) (*Program, error) {
	p := &Program{source: source{text: src}}
	if len(src) > maxSource {
		e := problem.New(problem.TooLarge, "the expression has %d bytes, more than the %d allowed", len(src), maxSource).WithSlug(BadExpression)
		return nil, p.source.place(e, p.source.whole())
	}
	if p.compileName(o) {
		return p, nil
	}
	p.source.prepare()
	tree, err := parse(&p.source)
	if err != nil {
		return nil, p.problem(err)
	}
	rw := newRewriter(&p.source, o)
	root := rw.node(tree.Node)
	if rw.err != nil {
		return nil, p.source.place(rw.err, p.source.spanOf(rw.wrong))
	}
	c := &inspector{source: &p.source, options: o}
	p.result = c.root(tree.Node)
	if c.err != nil {
		return nil, c.err
	}
	p.parts = slices.DeleteFunc(slices.Compact(slices.Sorted(slices.Values(c.parts))), func(name string) bool { return !rw.names[name] })
	p.names, p.locals, p.functions, p.all, p.clock, p.operands = rw.used(), rw.usedLocals(), rw.usedFunctions(), rw.all, rw.clock, rw.operands
	if value, ok := literal(tree.Node); ok {
		p.literal = value
		return p, nil
	}
	if p.code, err = assemble(tree, root); err != nil {
		return nil, p.problem(err)
	}
	return p, nil
}

// compileName compiles an expression that is one name alone.
func (p *Program) compileName(o Options) bool {
	name := strings.TrimSpace(p.source.text)
	switch _, bare := bareName(name, o.Names); {
	case slices.Contains(o.Locals, name):
		p.locals = []string{name}
	case bare:
		p.names = []string{name}
	default:
		return false
	}
	p.result = o.Types[name]
	return true
}

// literal is the value of a lone number, text or the like.
func literal(n ast.Node) (any, bool) {
	switch n := n.(type) {
	case *ast.NilNode:
		return nil, true
	case *ast.StringNode:
		return n.Value, true
	case *ast.IntegerNode:
		return n.Value, true
	case *ast.FloatNode:
		return n.Value, true
	case *ast.BoolNode:
		return n.Value, true
	}
	return nil, false
}

// Names are the variables of the row that p reads, sorted.
func (p *Program) Names() []string { return slices.Clone(p.names) }

// Parts are those of Names of which p reads a part, as in brand.name, sorted.
func (p *Program) Parts() []string { return slices.Clone(p.parts) }

// Locals are those of Options.Locals that p reads, sorted.
func (p *Program) Locals() []string { return slices.Clone(p.locals) }

// Functions are the functions of the library that p calls, sorted; aliases are
// told by the name that they stand for.
func (p *Program) Functions() []string { return slices.Clone(p.functions) }

// UsesAll reports whether p may read any variable: it uses $env other than with
// a literal name.
func (p *Program) UsesAll() bool { return p.all }

// ReadsClock reports whether p calls now, today or relativeTime without a base.
func (p *Program) ReadsClock() bool { return p.clock }

// Type is what p's result is known to be.
func (p *Program) Type() *Type {
	if p.result == nil {
		return &Type{Kind: KindAny}
	}
	return p.result
}

// Eval computes p over values, which hold what JSON does: nil, bool, string,
// json.Number, []any and map[string]any. A name without a value is nil. The
// error is a *problem.Error with a position in the source.
func (p *Program) Eval(values map[string]any, env Env) (any, error) {
	if p.code == nil {
		switch {
		case len(p.names) == 1:
			return values[p.names[0]], nil
		case len(p.locals) == 1:
			return env.Locals[p.locals[0]], nil
		}
		return p.literal, nil
	}
	m, ok := p.machines.Get().(*machine)
	if !ok {
		m = newMachine(len(p.names) + len(p.locals) + 2)
	}
	out, err := m.run(p, values, env)
	p.machines.Put(m)
	if err != nil {
		return nil, p.problem(err)
	}
	return out, nil
}

// problem is err as a person reads it: the innermost cause, at its place in the
// user's own text.
func (p *Program) problem(err error) *problem.Error {
	var mine *problem.Error
	var theirs *file.Error
	if !errors.As(err, &theirs) {
		theirs = &file.Error{Message: err.Error()}
	}
	at := p.source.original(theirs.Location)
	switch {
	case errors.As(err, &mine):
		var m *misfit
		if of := p.operands[theirs.From]; errors.As(err, &m) && m.operand < len(of) {
			at = p.source.spanOf(of[m.operand])
		}
	case strings.Contains(theirs.Message, "memory budget"):
		mine = tooMuchWork()
	default:
		mine, at = p.source.syntax(theirs)
	}
	out := p.source.place(mine, at)
	out.Err = err
	return out
}

// place is a copy of e in a part of the text.
func (s *source) place(e *problem.Error, at span) *problem.Error {
	out := *e
	out.Pos = s.position(at)
	return &out
}

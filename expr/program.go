package expr

import (
	"errors"
	"slices"
	"time"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// Options say what an expression may refer to.
type Options struct {
	Names []string // the known names; nil lets any name pass
}

// Env is what an evaluation knows besides its values.
type Env struct {
	Now      time.Time      // what now and today read
	Locale   string         // of currency, number and percent; "" is en-US
	Zone     *time.Location // of now, today, date and time; nil is UTC
	Currency string         // of currency without a code; "" is USD
}

// The slugs of this room's problems.
const (
	BadExpression   = "bad_expression"
	UnknownVariable = "unknown_variable"
	UnknownFunction = "unknown_function"
)

// A Program is a compiled expression. It is safe for concurrent use.
type Program struct {
	source source
	code   *vm.Program // nil where the expression is one name alone
	names  []string
	all    bool
	clock  bool
}

// Compile checks and compiles src. The error is a *problem.Error whose position
// counts inside src.
func Compile(src string, o Options) (*Program, error) {
	s := source{text: src}
	if len(src) > maxSource {
		return nil, problem.New(problem.TooLarge, "the expression has %d bytes, more than the %d allowed", len(src), maxSource).WithSlug(BadExpression)
	}
	if name, ok := bareName(src, o.Names); ok {
		return &Program{source: s, names: []string{name}}, nil
	}
	s.prepare()
	tree, err := parse(&s)
	if err != nil {
		return nil, s.problem(err)
	}
	rw := newRewriter(o.Names)
	root := rw.node(tree.Node)
	if rw.err != nil {
		return nil, s.problem(rw.err)
	}
	code, err := assemble(tree, root)
	if err != nil {
		return nil, s.problem(err)
	}
	return &Program{source: s, code: code, names: rw.used(), all: rw.all, clock: rw.clock}, nil
}

// Names are the variables that p reads, sorted.
func (p *Program) Names() []string { return slices.Clone(p.names) }

// UsesAll reports whether p may read any variable: it uses $env other than with
// a literal name.
func (p *Program) UsesAll() bool { return p.all }

// ReadsClock reports whether p calls now or today.
func (p *Program) ReadsClock() bool { return p.clock }

// Eval computes p over values, which hold what JSON does: nil, bool, string,
// json.Number, []any and map[string]any. A name without a value is nil. The
// error is a *problem.Error with a position in the source.
func (p *Program) Eval(values map[string]any, env Env) (any, error) {
	if p.code == nil {
		return values[p.names[0]], nil
	}
	scope := make(map[string]any, len(p.names)+2)
	for _, name := range p.names {
		scope[name] = values[name]
	}
	scope[rowName] = values
	scope[runName] = &run{env: env, budget: maxWork}
	machine := vm.VM{MemoryBudget: maxMemory}
	out, err := machine.Run(p.code, scope)
	if err != nil {
		return nil, p.source.problem(err)
	}
	return out, nil
}

// problem is err as a person reads it: the innermost cause, at its place in the
// user's own text.
func (s *source) problem(err error) *problem.Error {
	out := problem.New(problem.Invalid, "").WithSlug(BadExpression)
	var mine *problem.Error
	var theirs *file.Error
	if errors.As(err, &mine) {
		copied := *mine
		out = &copied
	}
	if errors.As(err, &theirs) {
		out.Pos = s.position(theirs.From)
	}
	if out.Message == "" {
		out.Message = translate(err, theirs)
	}
	out.Err = err
	return out
}

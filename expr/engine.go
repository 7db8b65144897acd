package expr

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// The limits of one expression. The engine's virtual machine cannot be
// interrupted, so work is counted where it is done.
const (
	maxSource = 8 << 10 // bytes
	maxNodes  = 1000    // of the syntax tree
	maxLoops  = 3       // filter, map and the like inside each other
	maxList   = 10_000  // items in a list that is looped over or made
	maxText   = 1 << 20 // bytes in a text that is made
	maxWork   = 200_000 // items looped over, calls made, and 64ths of bytes made, together
	maxMemory = 100_000 // items that the engine itself allocates
)

// parse turns the user's own text into the engine's syntax tree.
func parse(s *source) (tree *parser.Tree, err error) {
	defer func() {
		if r := recover(); r != nil { // the engine's parser has tripped over its own node limit before
			err = problem.New(problem.Invalid, "the expression cannot be read").WithSlug(BadExpression)
		}
	}()
	c := conf.CreateNew()
	c.MaxNodes = maxNodes
	c.DisableIfOperator = true
	for name, f := range c.Builtins {
		c.Disabled[name] = !f.Predicate // what is left are the loops; the rest is our library
	}
	return parser.ParseWithConfig(s.code, c)
}

// assemble compiles the rewritten tree, in which nothing but loops, choices,
// literals and calls of our own functions is left.
func assemble(tree *parser.Tree, root ast.Node) (*vm.Program, error) {
	c := conf.New(map[string]any{})
	c.Strict = false
	c.Optimize = false
	c.Functions = engineFunctions
	rewritten := &parser.Tree{Node: root, Source: tree.Source}
	if _, err := checker.Check(rewritten, c); err != nil {
		return nil, err
	}
	return compiler.Compile(rewritten, c)
}

var engineFunctions = func() conf.FunctionsTable {
	table := conf.FunctionsTable{}
	for name, op := range operations {
		table[opPrefix+name] = engineFunction(opPrefix+name, op)
	}
	for name, f := range library {
		table[callPrefix+name] = engineFunction(callPrefix+name, f.call)
	}
	return table
}()

func engineFunction(name string, f operation) *builtin.Function {
	return &builtin.Function{Name: name, Func: func(args ...any) (any, error) {
		r, ok := args[0].(*run)
		if !ok {
			return nil, fmt.Errorf("call %q outside an evaluation", name)
		}
		if err := r.spend(1); err != nil {
			return nil, err
		}
		out, err := f(r, args[1:])
		if err != nil {
			return nil, err
		}
		return out, r.made(out)
	}}
}

// A run is one evaluation: what it knows, and how much work it may still do.
type run struct {
	env    Env
	budget int
}

func (r *run) spend(n int) error {
	if r.budget -= n; r.budget < 0 {
		return fail("the expression does too much work").WithHint("loop over shorter lists")
	}
	return nil
}

// made charges for a value that a function returned.
func (r *run) made(v any) error {
	switch v := v.(type) {
	case string:
		if len(v) > maxText {
			return fail("the expression makes a text of %d bytes, more than the %d allowed", len(v), maxText)
		}
		return r.spend(len(v) / 64)
	case []any:
		if len(v) > maxList {
			return fail("the expression makes a list of %d items, more than the %d allowed", len(v), maxList)
		}
		return r.spend(len(v))
	}
	return nil
}

// fail is a problem of evaluating; the place is added by whoever knows it.
func fail(format string, args ...any) *problem.Error {
	return problem.New(problem.Invalid, format, args...).WithSlug(BadExpression)
}

var engineToken = regexp.MustCompile(`unexpected token (\w+)(?:\("(.*)"\))?`)

// translate words the engine's own messages for people who never heard of tokens.
func translate(err error, e *file.Error) string {
	if e == nil {
		return firstLine(err.Error())
	}
	if m := engineToken.FindStringSubmatch(e.Message); m != nil {
		if m[1] == "EOF" {
			return "the expression ends too early"
		}
		return fmt.Sprintf("did not expect %q here", m[2])
	}
	if strings.Contains(e.Message, "maximum allowed nodes") {
		return fmt.Sprintf("the expression has more than the %d parts allowed", maxNodes)
	}
	if strings.Contains(e.Message, "memory budget") {
		return "the expression does too much work"
	}
	return firstLine(e.Message)
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

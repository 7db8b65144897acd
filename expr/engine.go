package expr

import (
	"errors"
	"fmt"

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
// interrupted, so work is counted where it is done: a unit is about a third of
// a microsecond, and the worst expressions end within a tenth of a second.
const (
	maxSource = 8 << 10 // bytes
	maxNodes  = 1000    // of the syntax tree
	maxLoops  = 3       // filter, map and the like inside each other
	maxList   = 10_000  // items in a list that is looped over or made
	maxText   = 1 << 20 // bytes in a text that is made
	maxWork   = 200_000 // units
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
	tree, err = parser.ParseWithConfig(s.code, c)
	var theirs *file.Error
	if errors.As(err, &theirs) { // the parser says where it stopped, the words say why
		return nil, theirs
	}
	return tree, err
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

// engineFunctions are operators and functions as the engine calls them.
var engineFunctions conf.FunctionsTable

func newEngineFunctions() conf.FunctionsTable {
	table := conf.FunctionsTable{}
	for name, op := range operations {
		table[opPrefix+name] = engineFunction(opPrefix+name, cost{light: lightOperations[name]}, op)
	}
	for name, f := range library {
		if f.call != nil && name == f.Name {
			table[callPrefix+name] = engineFunction(callPrefix+name, cost{call: f.cost, light: lightFunctions[name]}, f.call)
		}
	}
	for name, c := range heavy {
		f := library[name]
		table[callPrefix+name] = engineFunction(callPrefix+name, c, f.call)
	}
	table[opPrefix+"slice"] = engineFunction(opPrefix+"slice", heavy["slice"], slice)
	return table
}

// heavy are the functions that do more with a byte or an item than most, as
// measured.
var heavy = map[string]cost{
	"initials": {letters: 16}, "slugify": {letters: 32}, "words": {letters: 32}, "titleCase": {letters: 64}, "slice": {letters: 64, light: true}, "split": {letters: 32}, "parseJson": {letters: 16},
	"sort": {items: 10}, "min": {items: 1}, "max": {items: 1},
}

// A cost says how much work a function is.
type cost struct {
	call    int  // of each call, beyond one unit
	letters int  // how many bytes of its texts are one unit; 0: the usual
	items   int  // units for each item of a list; 0: one for some
	light   bool // it does not look at all items of a list
}

// What looks at no more than one item, however long the list.
var (
	lightOperations = map[string]bool{"get": true, "maybe": true, "list": true, "truthy": true, "not": true, "slice": true, "eq": true, "ne": true}
	lightFunctions  = map[string]bool{
		"first": true, "isEmpty": true, "isNotEmpty": true, "isDefined": true, "isArray": true, "isString": true, "default": true, "coalesce": true, "switch": true,
	}
)

const (
	usualLetters = 128 // bytes that a text function goes through in a unit
	usualItems   = 8   // and items that a list function does
)

func (c cost) of(args []any) int {
	units := 1 + c.call
	letters := c.letters
	if letters == 0 {
		letters = usualLetters
	}
	for _, v := range args {
		switch v := v.(type) {
		case string:
			units += len(v) / letters
		case []any:
			if c.light {
				continue
			}
			units += c.items*len(v) + weight(v, usualItems*maxWork)/usualItems
		case map[string]any:
			if c.light {
				continue
			}
			units += weight(v, usualItems*maxWork) / usualItems
		}
	}
	return units
}

// weight is how many items are in v at any depth, long texts for several; it
// stops counting at most.
func weight(v any, most int) int {
	n := 1
	switch v := v.(type) {
	case string:
		n += len(v) * usualItems / usualLetters
	case []any:
		for i := 0; i < len(v) && n < most; i++ {
			n += weight(v[i], most-n)
		}
	case map[string]any:
		n += 2 * usualItems
		for _, field := range v {
			if n += usualItems + weight(field, most-n); n >= most {
				break
			}
		}
	}
	return n
}

func engineFunction(name string, c cost, f operation) *builtin.Function {
	return &builtin.Function{Name: name, Func: func(args ...any) (any, error) {
		r, ok := args[0].(*run)
		if !ok {
			return nil, fmt.Errorf("call %q outside an evaluation", name)
		}
		if err := r.spend(c.of(args[1:])); err != nil {
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
		return tooMuchWork()
	}
	return nil
}

func tooMuchWork() *problem.Error {
	return fail("the expression does too much work").WithHint("loop over shorter lists")
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

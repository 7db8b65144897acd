package expr

import (
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// Options say what an expression may refer to.
type Options struct {
	Names []string // the known names; nil lets any name pass
}

// Env is what an evaluation knows besides its values.
type Env struct {
	Now    time.Time
	Locale string         // of currency, number and percent; "" is en-US
	Zone   *time.Location // of now, today, date and time; nil is UTC
}

// A Program is a compiled expression. It is safe for concurrent use.
type Program struct {
	source string
	names  []string
	all    bool
	clock  bool
}

// Compile checks and compiles src. The error is a *problem.Error whose position
// counts inside src.
func Compile(src string, o Options) (*Program, error) {
	return nil, problem.New(problem.Unsupported, "expressions cannot be compiled")
}

// Names are the variables that p reads, sorted.
func (p *Program) Names() []string { return p.names }

// UsesAll reports whether p may read any variable: $env with a computed name.
func (p *Program) UsesAll() bool { return p.all }

// ReadsClock reports whether p calls now or today.
func (p *Program) ReadsClock() bool { return p.clock }

// Eval computes p. The error is a *problem.Error with a position in the source.
func (p *Program) Eval(values map[string]any, env Env) (any, error) {
	return nil, problem.New(problem.Unsupported, "expressions cannot be evaluated")
}

// Text is how v prints in text.
func Text(v any) string { return "" }

// Truthy reports whether v counts as true in a condition.
func Truthy(v any) bool { return false }

// Number is v as a number; ok is false when v is none.
func Number(v any) (f float64, ok bool) { return 0, false }

// Nearest is the name among known that a person may have meant, or "".
func Nearest(name string, known []string) string { return "" }

// Package expr compiles, checks and evaluates the expressions that templates,
// mappings, conditions and paths are written in. The engine is
// github.com/expr-lang/expr; this room adds what rows need: numbers that arrive
// as text, decimal arithmetic, filters without parentheses, the function
// library, positions in the user's own text, and limits.
//
// Dates, numbers, lists and plurals are written by the data of Unicode CLDR in
// locales.txt; what a place does not say for itself, its language says. The
// functions describe themselves: docs/expressions.md, the arguments that are
// checked and the tests of the examples come from one table.
//
// An expression is a pure function of its values and of Env. It knows no rows,
// files or network, and no wall clock: now() reads Env.Now.
package expr

package bindings

import (
	"time"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// Mapped is what b gives to its template for a row: the values of its variables.
// ok is false for a row that does not meet where; such as can't be mapped is a
// problem.
func (b *Binding) Mapped(row map[string]any, j *Joined, now time.Time) (values map[string]any, ok bool, refused *Problem) {
	now = b.now(now)
	of, meets, refused := b.meet(row, j, now)
	if refused != nil || !meets {
		return nil, refused != nil, refused
	}
	values, refused = b.values(of, b.own, now)
	return values, true, refused
}

// Try is what an expression gives for a row as b's own expressions see it: with what
// is joined, and in b's language. The error of the expression is a *problem.Error
// with its position.
func (b *Binding) Try(program *expr.Program, row map[string]any, j *Joined, now time.Time) (any, error) {
	of, refused := b.join(row, j)
	if refused != nil {
		return nil, problem.New(problem.Invalid, "%s", refused.Message).WithSlug(refused.Code).At(refused.Field)
	}
	return program.Eval(of.row, b.env(b.now(now)))
}

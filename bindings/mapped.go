package bindings

import (
	"time"

	"github.com/pictifyd/pictifyd/expr"
)

// Mapped is what b gives to its template for a row: the values of its variables.
// ok is false for a row that does not meet where; such as can't be mapped is a
// problem.
func (b *Binding) Mapped(row map[string]any, now time.Time) (values map[string]any, ok bool, refused *Problem) {
	now = b.now(now)
	if b.where != nil {
		meets, err := b.where.Eval(row, b.env(now))
		if err != nil {
			p := b.explain(err, row, "where", b.where)
			return nil, true, &p
		}
		if !expr.Truthy(meets) {
			return nil, false, nil
		}
	}
	values, refused = b.values(row, now)
	return values, true, refused
}

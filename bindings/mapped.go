package bindings

import (
	"time"
)

// Mapped is what b gives to its template for a row: the values of its variables.
// ok is false for a row that does not meet where; such as can't be mapped is a
// problem.
func (b *Binding) Mapped(row map[string]any, j *Joined, now time.Time) (values map[string]any, ok bool, refused *Problem) {
	of, meets, refused := b.meet(row, j, now)
	if refused != nil || !meets {
		return nil, refused != nil, refused
	}
	values, refused = b.values(of, now)
	return values, true, refused
}

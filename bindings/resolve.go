package bindings

import (
	"time"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// Resolve is the values that b gives to the variables of its template for a row;
// those that have none take the template's default. An error names the variables
// whose expression fails.
func (b *Binding) Resolve(row map[string]any, j *Joined, now time.Time) (map[string]any, error) {
	of, refused := b.join(row, j)
	var values map[string]any
	if refused == nil {
		values, refused = b.values(of, now)
	}
	if refused != nil {
		return values, problem.New(problem.Invalid, "%s", refused.Message).WithSlug(refused.Code).At(refused.Field)
	}
	return values, nil
}

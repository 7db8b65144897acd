package bindings

import (
	"maps"
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
		values, refused = b.shown(of, j, b.now(now))
	}
	if refused != nil {
		return values, problem.New(problem.Invalid, "%s", refused.Message).WithSlug(refused.Code).At(refused.Field)
	}
	return values, nil
}

// shown are the values of the template that draws a row, with those that its variant
// gives.
func (b *Binding) shown(of joint, j *Joined, now time.Time) (map[string]any, *Problem) {
	if b.variants == nil {
		return b.values(of, b.own, now)
	}
	a, refused := b.variants.assigned(of.row, j)
	if refused != nil {
		return nil, refused
	}
	values, refused := b.values(of, b.variablesOf[a.Variant], now)
	if refused == nil {
		maps.Copy(values, b.variants.drawn[a.Variant].Variables)
	}
	return values, refused
}

// Package craft is the common shape of the copilot's tools that do much at once:
// deterministic code that looks at a document and says by which operations it would
// become what is wanted. Nothing is applied by it.
package craft

import (
	"fmt"

	"github.com/pictifyd/pictifyd/copilot/look"
	"github.com/pictifyd/pictifyd/template/edit"
)

// A Change is a list of operations for one document, applied together or not at all.
type Change struct {
	Ops   []edit.Op
	Notes []string // what a person or a model should know of it, a sentence each
}

// Apply is d with the change.
func (c Change) Apply(d look.Doc) (look.Doc, error) {
	r, err := edit.Apply(d.Source, c.Ops)
	if err != nil {
		return d, fmt.Errorf("change template %q: %w", d.Name, err)
	}
	return d.With(r.Source), nil
}

package rules

import (
	"testing"

	sizes "github.com/pictifyd/pictifyd/copilot/relayout"
)

// What is asked for by a name is the same format to the tool that lays it out.
func TestFormatsAreTheTools(t *testing.T) {
	for _, f := range formats {
		p, ok := sizes.PresetFor(f.label)
		if !ok || p.W != f.w || p.H != f.h {
			t.Errorf("%s is %d x %d here, and %+v (%t) there", f.label, f.w, f.h, p, ok)
		}
	}
}

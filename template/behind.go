package template

import "strings"

// Variables are the names of the variables behind each of v, joined by commas: in
// the order of v, and empty for a value that no variable stands behind, or that is
// not read with v.
func (p *Page) Variables(v Values) []string {
	f := filler{page: p, values: v, quiet: true, variables: make([]string, len(v))}
	f.fill()
	return f.variables
}

// behind notes the variables of the next value, which is p's.
func (f *filler) behind(p *piece) {
	if p.slot != nil && f.at < len(f.variables) {
		f.variables[f.at] = strings.Join(p.slot.vars, ", ")
	}
}

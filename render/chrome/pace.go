package chrome

import "github.com/pictifyd/pictifyd/render"

// A pace says which formats this machine makes faster in the plain lane. Its
// zero value knows of none.
type pace struct {
	plain map[render.Format]bool
}

func (p *pace) prefersPlain(f render.Format) bool { return p.plain[f] }

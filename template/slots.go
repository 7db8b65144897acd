package template

import (
	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

// A place is the kind of text that a value is put into. It decides how the value
// is escaped, and what it may be at all.
type place int

const (
	inHTML      place = iota // text, or an attribute without a meaning of its own
	inCSS                    // the value of a declaration
	inCSSString              // a quoted string in one
	inCSSURL                 // url(…)
	inFetch                  // an address that the browser loads: src, poster
	inLink                   // an address that it does not: href of <a>
)

func (p place) address() bool { return p >= inCSSURL }

// A slot is one place of the document that a value goes to. An address is one
// slot, whatever it is put together from.
type slot struct {
	place place
	parts []part
	vars  []string
	clock bool
	at    problem.Position
}

// A part of a slot is text of the template, or an expression.
type part struct {
	text    string
	program *expr.Program
}

// A piece of the document is text, a slot, or the place of the base style. Pages
// of other sizes leave it out if it belongs to a size.
type piece struct {
	text   string
	slot   int // index into slots; meaningful where isSlot
	isSlot bool
	isBase bool
	size   string
	asset  *Asset  // that text refers to
	remote *Remote // that text refers to
}

func (p *piece) isText() bool {
	return !p.isSlot && !p.isBase && p.asset == nil && p.remote == nil
}

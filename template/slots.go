package template

import (
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	figures "github.com/pictifyd/pictifyd/template/element"
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
	isCondition              // no text: whether what follows is shown
	isList                   // no text: how often what follows is repeated
	isPresence               // no text: whether all variables of the slot have a value
	isFigure                 // no text: what a generated element shows
)

func (p place) address() bool { return p >= inCSSURL && p <= inLink }

// A slot is one value that a row gives to the document: the text of a place, a
// condition, a list. An address is one slot, whatever it is put together from.
type slot struct {
	place place
	parts []part
	vars  []string
	clock bool
	at    problem.Position
	flag  bool   // false is as good as nothing: the value of p-attr
	limit int    // of a list; 0: the greatest allowed
	item  string // of a list: the name of one item in the body
	index string // and of its position; "" for none

	spot spot // of a canvas
}

// A part of a slot is text of the template, or an expression.
type part struct {
	text    string
	program *expr.Program
}

// A kind says what a piece does.
type kind int

const (
	isText     kind = iota
	isBase          // the place of the base style
	isTheme         // the place of the attribute that names the theme
	isSlot          // the next value, as text
	isSkipped       // the next value, which this page does not show
	isChoice        // the next value decides between body and otherwise
	isLoop          // the next value says how often body follows; otherwise for none
	isOptional      // body, unless all its values are empty
	isPage          // body is one page
	isSuffix        // what makes an id unique inside loops
	isImage         // body is an <img> with a fallback
	isSource        // the address that the image around it shows
	isLayer         // body is a layer that a row may hide
	isContent       // body is the content of a layer that a row may replace
	isStyled        // the place of the declarations that a row gives to a layer
	isShownBy       // body is the address of a layer that a row may replace
	isDrawn         // the next value is what a generated element shows
	isNode          // of a canvas: body is one element
	isCopy          // of a canvas: which of the elements that loops make of one
	isFallback      // of a canvas: what the image around it shows when its own can't be had
)

// A piece of the document. The values of a row are read one by one as the pieces
// are walked, each time in the same order.
type piece struct {
	kind kind
	text string
	slot *slot
	size string // of the only size that shows it; "" for all

	asset  *Asset  // that text refers to
	remote *Remote // that text refers to

	body      []piece
	otherwise []piece
	image     *imageRule
	figure    *figure
	page      *Size  // of isPage: its own size, nil for that of the document
	layer     int    // of isLayer to isShownBy: index into the layers
	attr      bool   // of isStyled: there is no style attribute around it
	node      string // of isNode: its address
}

// A figure is a generated element: a QR code, a chart.
type figure struct {
	element *figures.Element
	options map[string]*slot // those that rows decide
}

// An imageRule says what an image shows that can't show its own.
type imageRule struct {
	layer    string
	fallback *slot // nil for none
	onError  string
}

// The policies of p-onerror.
const (
	onErrorFallback = "fallback"
	onErrorHide     = "hide"
	onErrorFail     = "fail"
)

// merges reports whether p is nothing but text for all sizes of next.
func (p *piece) merges(next *piece) bool {
	plain := func(p *piece) bool { return p.kind == isText && p.asset == nil && p.remote == nil }
	return plain(p) && plain(next) && p.size == next.size
}

// joined are the pieces with neighbours of mere text made one, all the way down.
func joined(pieces []piece) []piece {
	var out []piece
	var text strings.Builder // of a run of text; growing a string would be quadratic
	for i := 0; i < len(pieces); i++ {
		p := pieces[i]
		p.body, p.otherwise = joined(p.body), joined(p.otherwise)
		if p.kind == isText {
			text.Reset()
			text.WriteString(p.text)
			for i+1 < len(pieces) && p.merges(&pieces[i+1]) {
				i++
				text.WriteString(pieces[i].text)
			}
			if p.text = text.String(); p.text == "" && p.asset == nil && p.remote == nil {
				continue
			}
		}
		out = append(out, p)
	}
	return out
}

package template

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// EmptyImage is the slug of an image for which the row has no picture.
const EmptyImage = "empty_image"

// A Canvas is a document compiled for an editor. What it draws is what Page.Fill
// makes of the same row, but that every element is marked with the address of its
// node, addresses lead where the editor finds the files, and a value that can't be
// had is replaced by its last good one instead of failing the row.
type Canvas struct {
	t        *Template
	bindings []Binding
	examples map[string]any // as the declared types have them
}

// A Binding is an expression of a document, and what it decides: a place of a node.
type Binding struct {
	Node       string `json:"node,omitempty"`
	Place      string `json:"place"`
	Expression string `json:"expression"`
	Span       [2]int `json:"span"` // in the document, in UTF-16 units
}

// ParseCanvas is Parse for an editor. Problems with expressions have a *Misplaced
// as their cause.
func ParseCanvas(name string, src []byte, assets map[string]string) (*Canvas, error) {
	t := &Template{name: name, assets: maps.Clone(assets)}
	notes := &canvasReader{}
	d, err := readFor(notes, name, src, t.book(), nil)
	if err != nil {
		return nil, err
	}
	t.manifest, t.slots, t.pieces, t.layers, t.themes = d.manifest, d.slots, d.pieces, d.layers, d.themes
	notes.number()
	c := &Canvas{t: t, bindings: bindingsOf(notes.slots, src)}
	w := resolver{t: t, book: t.book()}
	w.coerce(t.Examples())
	c.examples = w.row
	return c, nil
}

func bindingsOf(slots []*slot, src []byte) []Binding {
	text := bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	counter := markup.NewUnits(text)
	shift := 0
	if len(text) < len(src) {
		shift = 1
	}
	bindings := make([]Binding, 0, len(slots))
	for _, s := range slots { // in the order of the file
		from := counter.At(s.spot.from) + shift
		to := counter.At(s.spot.to) + shift
		bindings = append(bindings, Binding{s.spot.node, s.spot.place, s.spot.source, [2]int{from, to}})
	}
	return bindings
}

// Bindings are the expressions of the document in their order.
func (c *Canvas) Bindings() []Binding { return slices.Clone(c.bindings) }

// Template is the same document as Parse makes it, but for its Digest: it knows
// sizes, themes and variables.
func (c *Canvas) Template() *Template { return c.t }

// An Order says what a canvas is to draw.
type Order struct {
	View   View           // AllPages is none of one
	Values map[string]any // of the row; nil: the examples of the manifest
	Env    expr.Env
	// LinkFunc is the address at which the editor finds a file; it needs no escape
	// in HTML or CSS. Exactly one of both is given.
	LinkFunc func(a *Asset, r *Remote) string
	Last     *Drawing // of the same row, before the last change; nil for none
}

// A Drawing is a canvas with a row in it.
type Drawing struct {
	HTML          string
	Width, Height int
	Pages         int  // of the document with this row
	Layout        bool // the layout script has something to do
	Values        map[string]Shown
	Problems      []Trouble
	Variables     map[string]any // that it was drawn with

	nodes []nodeSpan
	raw   map[string]string // the value in each place of each copy
}

// Shown is what an expression came to. In a loop it is that of the first copy, or
// of the first that failed.
type Shown struct {
	Expression string `json:"expression"`
	Value      any    `json:"value"` // a text; of a condition whether it holds; of a loop how often
	Copies     int    `json:"copies,omitempty"`
	Error      *Wrong `json:"error,omitempty"`
	Kept       bool   `json:"kept,omitempty"` // Value is the last good one, or that of the examples
}

// A Wrong is why an expression has no value for a row.
type Wrong struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	From    int    `json:"from"` // in the expression, in UTF-16 units
	To      int    `json:"to"`
}

// A Trouble is one thing that is wrong with a row in a document.
type Trouble struct {
	*problem.Error
	Node, Place string // "" where it is the row's own
	Copy        string
}

// Draw fills the canvas. An error is one of the order itself: a size that there is
// none of, a row that makes too much.
func (c *Canvas) Draw(o Order) (*Drawing, error) {
	page, err := c.t.Page(o.View)
	if err != nil {
		return nil, err
	}
	values := o.Values
	if values == nil {
		values = c.t.Examples()
	}
	d := &Drawing{Values: map[string]Shown{}, Variables: values, Layout: page.Layout, raw: map[string]string{}}
	filled, err := c.resolve(values, o, d)
	if err != nil {
		return nil, err
	}
	f := filler{page: page, values: filled, out: make([]byte, 0, page.size*2), canvas: &canvasFill{link: o.LinkFunc}}
	f.doc.Width, f.doc.Height = page.Width, page.Height
	f.fill()
	d.HTML, d.Width, d.Height, d.Pages, d.nodes = string(f.out), f.doc.Width, f.doc.Height, f.pages, f.canvas.spans
	for _, i := range f.doc.Instead {
		if i.Reason == ReasonEmpty {
			p := problem.New(problem.NotFound, "the row has no picture for %s", strings.TrimSpace("the image "+i.Layer)).WithSlug(EmptyImage)
			d.Problems = append(d.Problems, Trouble{Error: p, Node: i.Layer})
		}
	}
	return d, nil
}

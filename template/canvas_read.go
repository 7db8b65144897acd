package template

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// nodeMark is the attribute that names the node of an element in a canvas.
const nodeMark = "data-p-node"

// A spot is where the value of a slot stands, for an editor.
type spot struct {
	node, place string
	source      string // the expression, or all text of a value that has more than one
	text        string // the expression with the white space around it
	mixed       bool   // there is more than one, or text beside it
	from, to    int    // of its expressions in the file, in bytes
}

// A canvasReader notes where expressions stand while a document is read for an
// editor. Its nil value notes nothing.
type canvasReader struct {
	addresses map[*markup.Node]string
	node      string
	place     string
	programs  map[*expr.Program][]spot // where each was read last; the same one may stand in many places
	slots     []*slot
}

func (c *canvasReader) begin(d *markup.Document) {
	if c != nil {
		c.addresses, c.programs = d.Addresses(), map[*expr.Program][]spot{}
	}
}

func (c *canvasReader) address(n *markup.Node) string {
	if c == nil {
		return ""
	}
	return c.addresses[n]
}

// enter says that what follows belongs to a place of n, until leave.
func (c *canvasReader) enter(n *markup.Node, place string) (leave func()) {
	if c == nil {
		return func() {}
	}
	node, was := c.node, c.place
	c.node, c.place = c.addresses[n], place
	return func() { c.node, c.place = node, was }
}

// at names the place of the node in hand that follows.
func (c *canvasReader) at(place string) {
	if c != nil {
		c.place = place
	}
}

// atFamily is at for one of p-attr-, p-style- and p-class-.
func (c *canvasReader) atFamily(a markup.Attr, family string) {
	if c == nil {
		return
	}
	name, _ := directiveName(a.Name)
	c.place = family + ":" + name[len("p-"+family+"-"):]
}

// attrPlace is the place that an attribute of an element is.
func attrPlace(tag, name string) string {
	switch {
	case name == "style":
		return "style"
	case name == "src" && tag == "img":
		return "src"
	}
	return "attr:" + name
}

// compiled notes where the text of a program stands.
func (c *canvasReader) compiled(p *expr.Program, src string, offset int, text string) {
	if c != nil {
		lead := len(text) - len(strings.TrimLeft(text, " \t\r\n"))
		c.programs[p] = append(c.programs[p], spot{text: src, source: strings.TrimSpace(src), from: offset + lead, to: offset + len(strings.TrimRight(text, " \t\r\n"))})
	}
}

// note gives s its spot.
func (c *canvasReader) note(s *slot) {
	if c == nil {
		return
	}
	s.spot.mixed = len(s.parts) > 1
	for _, p := range slices.Backward(s.parts) { // the last that was read first: what a condition decides about is read between it and its note
		if p.program == nil {
			s.spot.source = p.text + s.spot.source
			continue
		}
		read := c.programs[p.program]
		at := read[len(read)-1]
		c.programs[p.program] = read[:len(read)-1]
		if s.spot.to == 0 {
			s.spot.to = at.to
		}
		s.spot.from, s.spot.text = at.from, at.text
		if s.spot.mixed {
			at.source = "{{ " + at.source + " }}"
		}
		s.spot.source = at.source + s.spot.source
	}
	if s.spot.to == 0 || c.node == "" { // text alone, or of the manifest
		return
	}
	s.spot.node, s.spot.place = c.node, c.place
	c.slots = append(c.slots, s)
}

// number tells several expressions in one place apart, by their order in the file.
func (c *canvasReader) number() {
	slices.SortStableFunc(c.slots, func(a, b *slot) int { return a.spot.from - b.spot.from })
	seen := map[string]int{}
	for _, s := range c.slots {
		key := s.spot.node + " " + s.spot.place
		if seen[key]++; seen[key] > 1 {
			s.spot.place += "@" + strconv.Itoa(seen[key])
		}
	}
}

// trimmedSpan is SpanOf in the text without the white space around it.
func trimmedSpan(text string, pos problem.Position) (from, to int) {
	from, to = SpanOf(text, pos)
	lead, length := units(text[:len(text)-len(strings.TrimLeft(text, " \t\r\n"))]), units(strings.TrimSpace(text))
	clamp := func(n int) int { return min(max(n-lead, 0), length) }
	return clamp(from), clamp(to)
}

// A Misplaced is the cause of a problem with an expression: where in a document it
// stands, for whoever wrote it in a field of its own.
type Misplaced struct {
	Node, Place string
	Expression  string
	From, To    int // in Expression, in UTF-16 units; both its length where only the end is missing

	err error
}

func (m *Misplaced) Error() string { return m.Node + " " + m.Place + ": " + m.Expression }

// Unwrap is the cause of the problem itself.
func (m *Misplaced) Unwrap() error { return m.err }

// locate notes where the expression src stands that p is about.
func (c *canvasReader) locate(p *problem.Error, src string) *problem.Error {
	if c == nil || c.node == "" {
		return p
	}
	located := *p
	m := &Misplaced{Node: c.node, Place: c.place, Expression: strings.TrimSpace(src), err: p.Err}
	m.From, m.To = trimmedSpan(src, p.Pos)
	located.Err = m
	return &located
}

// MisplacedOf is where the expression stands that p is about.
func MisplacedOf(p *problem.Error) (*Misplaced, bool) {
	var m *Misplaced
	ok := errors.As(p.Err, &m)
	return m, ok
}

// SpanOf is the place pos of a text in UTF-16 units, which is how browsers count.
// A place without an end is one letter long, or nothing at the end of the text.
func SpanOf(text string, pos problem.Position) (from, to int) {
	if pos.Line == 0 {
		return 0, units(text)
	}
	from = unitsAt(text, pos.Line, pos.Column)
	if pos.EndLine == 0 {
		return from, min(from+1, units(text))
	}
	return from, max(from, unitsAt(text, pos.EndLine, pos.EndColumn))
}

// unitsAt is how many UTF-16 units stand before a line and column.
func unitsAt(text string, line, column int) int {
	n, l, c := 0, 1, 1
	for _, r := range text {
		if l == line && c == column || l > line {
			return n
		}
		n, c = n+unit(r), c+1
		if r == '\n' {
			l, c = l+1, 1
		}
	}
	return n
}

func unit(r rune) int {
	if r >= 1<<16 {
		return 2
	}
	return 1
}

// units is the length of a text in UTF-16 units.
func units(text string) (n int) {
	for _, r := range text {
		n += unit(r)
	}
	return n
}

package template

import (
	"strconv"
	"strings"
)

// A canvasFill is what a filler does besides for an editor.
type canvasFill struct {
	link    func(a *Asset, r *Remote) string
	spans   []nodeSpan
	open    []int  // indexes of the spans around
	instead string // what the image in hand shows when its own picture can't be had
}

// A nodeSpan is where an element stands in the HTML.
type nodeSpan struct {
	mark       string // its address, and its copy
	address    string
	start, end int
	parent     int // index, -1 for none
}

func (f *filler) node(p *piece) {
	c := f.canvas
	i, parent := len(c.spans), -1
	if len(c.open) > 0 {
		parent = c.open[len(c.open)-1]
	}
	c.spans = append(c.spans, nodeSpan{mark: p.node + f.copyMark(), address: p.node, start: len(f.out), parent: parent})
	c.open = append(c.open, i)
	f.walk(p.body)
	c.open = c.open[:len(c.open)-1]
	if c.spans[i].end = len(f.out); c.spans[i].end == c.spans[i].start { // it is not there
		c.spans = c.spans[:i]
	}
}

// copyMark tells the elements apart that loops make of one.
func (f *filler) copyMark() string {
	if len(f.loops) == 0 {
		return ""
	}
	var b strings.Builder
	for i, n := range f.loops {
		b.WriteByte("#."[min(i, 1)])
		b.WriteString(strconv.Itoa(n))
	}
	return b.String()
}

// linked is the address text with the path of the file replaced by where the
// editor finds it.
func (f *filler) linked(text string, a *Asset, r *Remote) string {
	if f.canvas == nil || f.canvas.link == nil {
		return text
	}
	switch {
	case a != nil:
		return f.canvas.link(a, nil) + strings.TrimPrefix(text, a.Path)
	case r != nil:
		return f.canvas.link(nil, r) + strings.TrimPrefix(text, r.Path)
	}
	return text
}

// fallback notes what the image in hand shows when its own picture can't be had.
func (c *canvasFill) fallback(resolved string) {
	if c != nil {
		c.instead = resolved
	}
}

// writeFallback tells the editor, which alone sees what fails, what to show then.
func (f *filler) writeFallback(p *piece) {
	policy := p.image.onError
	if policy == onErrorFallback && f.canvas.instead == "" {
		policy = onErrorHide
	}
	f.write(` data-p-onerror="` + policy + `"`)
	if f.canvas.instead != "" && policy == onErrorFallback {
		text, asset, remote := printed(f.canvas.instead, inFetch)
		f.write(` data-p-fallback="` + escapeHTML(f.linked(text, asset, remote)) + `"`)
	}
}

// withFallback adds that to an image.
func (c *canvasReader) withFallback(rule *imageRule, body []piece) []piece {
	if c == nil {
		return body
	}
	end := len(body) - 1
	return append(body[:end:end], piece{kind: isFallback, image: rule}, body[end])
}

// mark names the node of the tag.
func (w *tagWriter) mark() {
	address := w.r.canvas.address(w.e.node)
	if address == "" {
		return
	}
	w.r.emit(" " + nodeMark + `="` + escapeHTML(address))
	w.r.pieces = append(w.r.pieces, piece{kind: isCopy, size: w.r.size})
	w.r.emit(`"`)
}

// A Redrawn is one element as it is in a newer drawing.
type Redrawn struct {
	Node string `json:"node"` // its mark
	HTML string `json:"html"`
}

// framing are the elements that can't be put anew into a page that is shown.
var framing = map[string]bool{"html": true, "head": true, "body": true}

// Since are the elements that differ from an older drawing of the same document,
// and hold all differences; ok is false where the page must be written anew.
func (d *Drawing) Since(older *Drawing) (changed []Redrawn, ok bool) {
	if d.HTML == older.HTML {
		return nil, true
	}
	a, b := older.tree(), d.tree()
	return changed, compareNodes(a, b, true, &changed)
}

// A nodeTree is an element with what stands in it.
type nodeTree struct {
	mark, name string
	html       string
	own        string // without the elements in it
	children   []*nodeTree
}

// tree is the elements of a drawing, in one that stands for the page.
func (d *Drawing) tree() *nodeTree {
	root := &nodeTree{html: d.HTML}
	all := make([]*nodeTree, len(d.nodes))
	own := make([]strings.Builder, len(d.nodes)+1)
	from := make([]int, len(d.nodes)+1) // what is not in own yet
	for i, s := range d.nodes {
		from[i] = s.start
	}
	from[len(d.nodes)] = 0
	for i, s := range d.nodes {
		n := &nodeTree{mark: s.mark, html: d.HTML[s.start:s.end]}
		n.name, _, _ = strings.Cut(strings.TrimLeft(n.html, "<"), " ")
		all[i] = n
		parent, at := root, len(d.nodes)
		if s.parent >= 0 {
			parent, at = all[s.parent], s.parent
		}
		own[at].WriteString(d.HTML[from[at]:s.start] + "\x00")
		from[at] = s.end
		parent.children = append(parent.children, n)
	}
	for i, s := range d.nodes {
		all[i].own = own[i].String() + d.HTML[from[i]:s.end]
	}
	root.own = own[len(d.nodes)].String() + d.HTML[from[len(d.nodes)]:]
	return root
}

// compareNodes notes the smallest elements that hold what differs.
func compareNodes(a, b *nodeTree, frame bool, changed *[]Redrawn) bool {
	if a.html == b.html {
		return true
	}
	if a.own == b.own && sameMarks(a.children, b.children) {
		for i := range b.children {
			if !compareNodes(a.children[i], b.children[i], framing[strings.ToLower(b.children[i].name)], changed) {
				return false
			}
		}
		return true
	}
	if frame {
		return false
	}
	*changed = append(*changed, Redrawn{b.mark, b.html})
	return true
}

func sameMarks(a, b []*nodeTree) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].mark != b[i].mark {
			return false
		}
	}
	return true
}

package markup

import (
	"bytes"
	"errors"
	"io"

	htmltoken "golang.org/x/net/html"
)

// MaxDepth is how deep elements may stand inside each other; browsers flatten
// what is deeper than 512.
const MaxDepth = 400

// A Document is a file as a tree.
type Document struct {
	*Node
	Src    []byte
	Masked []byte // Src with letters in the place of every expression
	Marks  []Mark

	Unfinished int // where the file ends inside a tag; -1 if it does not
	TooDeep    int // the first element deeper than MaxDepth; -1 if none is
}

// Parse reads src. There is no document that it can't read; Print gives src back.
func Parse(src []byte) *Document {
	marks, masked := Marks(src)
	d := &Document{Node: &Node{Kind: Root}, Src: src, Masked: masked, Marks: marks, Unfinished: -1, TooDeep: -1}
	b := builder{doc: d, top: d.Node}
	z := htmltoken.NewTokenizer(bytes.NewReader(masked))
	end := 0
	for {
		kind := z.Next()
		start := end
		end += len(z.Raw())
		if kind == htmltoken.ErrorToken {
			if !errors.Is(z.Err(), io.EOF) || end < len(masked) || end > start {
				d.Unfinished = start
				b.add(&Node{Kind: Text, Raw: string(src[start:]), Start: start, Stop: len(src)})
			}
			b.finish(len(src))
			return d
		}
		b.token(kind, start, end)
	}
}

// A builder puts tokens into a tree.
type builder struct {
	doc     *Document
	top     *Node
	depth   int
	foreign int // how many <svg> and <math> are open
}

var leafKinds = map[htmltoken.TokenType]Kind{
	htmltoken.TextToken: Text, htmltoken.CommentToken: Comment, htmltoken.DoctypeToken: Doctype,
}

func (b *builder) token(kind htmltoken.TokenType, start, end int) {
	raw := string(b.doc.Src[start:end])
	switch kind {
	case htmltoken.StartTagToken, htmltoken.SelfClosingTagToken:
		b.open(ParseTag(b.doc.Masked, start, end), raw)
	case htmltoken.EndTagToken:
		b.close(ParseTag(b.doc.Masked, start, end), raw)
	default:
		b.add(&Node{Kind: leafKinds[kind], Raw: raw, Start: start, Stop: end})
	}
}

func (b *builder) add(n *Node) {
	n.Parent = b.top
	b.top.Children = append(b.top.Children, n)
}

func isForeign(name string) bool { return name == "svg" || name == "math" }

func (b *builder) open(t Tag, raw string) {
	if b.foreign == 0 {
		b.imply(t.Name, t.Start)
	}
	n := &Node{Kind: Element, Name: t.Name, Raw: raw, Start: t.Start, Stop: t.End, EndStart: t.End, bit: nameBits[t.Name]}
	b.add(n)
	if voids[t.Name] || t.SelfClosing && (b.foreign > 0 || isForeign(t.Name)) {
		return
	}
	if b.depth == MaxDepth { // as browsers do, so that no search upwards is long
		if b.doc.TooDeep < 0 {
			b.doc.TooDeep = t.Start
		}
		return
	}
	b.depth++
	if isForeign(t.Name) {
		b.foreign++
	}
	b.top = n
}

// pop ends the innermost open element, whose content ends at the offset.
func (b *builder) pop(at int) {
	if isForeign(b.top.Name) {
		b.foreign--
	}
	b.top.EndStart = at
	b.top = b.top.Parent
	b.depth--
}

func (b *builder) finish(at int) {
	for b.top.Kind != Root {
		b.pop(at)
	}
}

// close ends the element that the end tag names, and those inside it. An end
// tag without one is kept as it is.
func (b *builder) close(t Tag, raw string) {
	open, bit := b.top, nameBits[t.Name]
	for open.Kind != Root && open.Name != t.Name {
		if walls&open.bit != 0 && walls&bit == 0 {
			open = b.doc.Node // an inline element does not end across a cell
			break
		}
		open = open.Parent
	}
	if open.Kind == Root {
		b.add(&Node{Kind: Stray, Name: t.Name, Raw: raw, Start: t.Start, Stop: t.End})
		return
	}
	for b.top != open {
		b.pop(t.Start)
	}
	open.End = raw
	b.pop(t.Start)
}

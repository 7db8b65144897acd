package edit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// Import reads a document that other tools wrote and spells it as this format
// does: data-p-if and _if become p-if, and blocks around elements ({{#if}},
// {{#each}}, {{ if }}) become directives on those elements. Blocks in text stay:
// the language has them. What is spelled right already stays, byte for byte. The
// list says what was changed, and what could not be.
func Import(src []byte) (imported []byte, changes []string, err error) {
	if p := canvas(src); p != nil {
		return nil, nil, p
	}
	e, p := newEditor(src)
	if p != nil {
		return nil, nil, p
	}
	im := importer{lines: markup.NewLines("", src)}
	im.node(e.doc.Node)
	if p := e.commit(); p != nil {
		return nil, nil, p
	}
	slices.SortStableFunc(im.changes, func(a, b note) int { return a.line - b.line })
	for _, c := range im.changes {
		changes = append(changes, fmt.Sprintf("line %d: %s", c.line, c.text))
	}
	return []byte(e.src), changes, nil
}

// canvas refuses the JSON of a canvas editor.
func canvas(src []byte) *problem.Error {
	text := bytes.TrimSpace(bytes.TrimPrefix(src, []byte("\ufeff")))
	if len(text) == 0 || text[0] != '{' && text[0] != '[' || !json.Valid(text) {
		return nil
	}
	p := problem.New(problem.Unsupported, "this is JSON, and templates are HTML")
	if bytes.Contains(text, []byte(`"objects"`)) || bytes.Contains(text, []byte(`"fabric`)) {
		p = problem.New(problem.Unsupported, "this is the JSON of a canvas editor (Fabric), which is not imported: templates are HTML")
	}
	return p.WithHint("export the template as HTML")
}

type note struct {
	line int
	text string
}

type importer struct {
	lines   *markup.Lines
	changes []note
}

func (im *importer) say(offset int, format string, args ...any) {
	im.changes = append(im.changes, note{im.lines.At(offset).Line, fmt.Sprintf(format, args...)})
}

// node imports what is below n first: inner blocks before those around them.
func (im *importer) node(n *markup.Node) {
	if n.Kind == markup.Element {
		im.attributes(n)
	}
	if rawText[n.Name] {
		return
	}
	for _, child := range n.Children {
		if child.Kind == markup.Element {
			im.node(child)
		}
	}
	im.blocks(n)
}

// attributes spells the directives of a tag.
func (im *importer) attributes(n *markup.Node) {
	for _, a := range n.Tag().Attrs {
		name := a.Name
		to := strings.TrimPrefix(name, "data-")
		if name == "_if" || name == "_else" {
			to = "p-" + name[1:]
		}
		if to == name || !strings.HasPrefix(to, "p-") {
			continue
		}
		if _, there := n.Get(to); there {
			im.say(n.Start, "%s stays: the element has %s as well", name, to)
			continue
		}
		value, _ := n.Get(name)
		if inner := strings.TrimSpace(value); name == "_if" && holdsExpression(inner) {
			value = strings.TrimSpace(inner[2 : len(inner)-2])
		}
		n.Unset(name)
		if a.HasValue {
			n.Set(to, value)
		} else {
			n.SetFlag(to)
		}
		im.say(n.Start, "%s is %s", name, to)
	}
}

// blocks turns the blocks among the children of n into directives.
func (im *importer) blocks(n *markup.Node) {
	pieces := split(n)
	if !slices.ContainsFunc(pieces, func(p piece) bool { return p.block != "" }) {
		return
	}
	b := blockReader{im: im, parent: n}
	for _, p := range pieces {
		b.piece(p)
	}
	b.unclosed()
	n.Children = nil
	for _, p := range b.out {
		n.Insert(len(n.Children), p.nodes()...)
	}
}

// A piece is a child, or a part of a text: all up to a block, or the block.
type piece struct {
	node  *markup.Node
	block string // the text of the expression that is a block
	raw   string // the block as it stands there
	lead  string // the line break before it, if it has a line of its own
	at    int
}

func (p piece) nodes() []*markup.Node {
	if p.block == "" {
		return []*markup.Node{p.node}
	}
	return []*markup.Node{{Kind: markup.Text, Raw: p.lead + p.raw}}
}

func (p piece) element() bool { return p.block == "" && p.node.Kind == markup.Element }

// visible reports whether p is text that is shown.
func (p piece) visible() bool {
	return p.block != "" || p.node.Kind == markup.Text && !p.node.Blank()
}

// split cuts the texts among the children of n at blocks.
func split(n *markup.Node) []piece {
	var out []piece
	for _, child := range n.Children {
		if child.Kind != markup.Text {
			out = append(out, piece{node: child})
			continue
		}
		marks, _ := markup.Marks([]byte(child.Raw))
		from := 0
		for _, m := range marks {
			word, _ := blockWord(m.Src)
			if word == "" {
				continue
			}
			before, lead := ownLine(child.Raw[from:m.Start], child.Raw[m.End:])
			if before != "" {
				out = append(out, textPiece(before))
			}
			out = append(out, piece{block: html.UnescapeString(m.Src), raw: child.Raw[m.Start:m.End], lead: lead, at: child.Start + m.Start})
			from = m.End
		}
		if from < len(child.Raw) || from == 0 {
			out = append(out, textPiece(child.Raw[from:]))
		}
	}
	return out
}

func textPiece(raw string) piece { return piece{node: &markup.Node{Kind: markup.Text, Raw: raw}} }

// ownLine takes the line break from before a block that has its line alone.
func ownLine(before, after string) (rest, lead string) {
	trimmed := strings.TrimRight(before, " \t")
	next := strings.TrimLeft(after, " \t\r")
	if strings.HasSuffix(trimmed, "\n") && strings.HasPrefix(next, "\n") {
		at := len(strings.TrimSuffix(strings.TrimSuffix(trimmed, "\n"), "\r"))
		return before[:at], before[at:]
	}
	return before, ""
}

package template

import (
	"bytes"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// An item is one thing in the content of an element: text without expressions,
// an expression, or a node.
type item struct {
	from, to int
	mark     *markup.Mark
	node     *markup.Node
}

// items are what the content of n is made of.
func (r *reader) items(n *markup.Node) []item {
	var out []item
	for _, child := range n.Children {
		if child.Kind == markup.Text {
			out = append(out, r.textItems(child.Start, child.Stop)...)
		} else {
			out = append(out, item{from: child.Start, to: child.Stop, node: child})
		}
	}
	return out
}

func (r *reader) textItems(start, end int) []item {
	var out []item
	from := start
	for _, m := range r.marksIn(start, end) {
		if from < m.Start {
			out = append(out, item{from: from, to: m.Start})
		}
		out = append(out, item{from: m.Start, to: m.End, mark: &m})
		from = m.End
	}
	if from < end {
		out = append(out, item{from: from, to: end})
	}
	return out
}

func (i item) isBlank(src []byte) bool {
	return i.node == nil && i.mark == nil && len(bytes.TrimSpace(src[i.from:i.to])) == 0 || i.node != nil && i.node.Kind == markup.Comment
}

// flow reads items in order. Conditions and loops take what belongs to them.
func (r *reader) flow(items []item) {
	for i := 0; i < len(items); {
		it := items[i]
		if !r.based && !r.inTag && !it.isBlank(r.Src) {
			r.begin(it.node)
		}
		switch {
		case it.mark != nil:
			i = r.expressionOrBlock(items, i)
		case it.node != nil:
			i = r.node(items, i)
		default:
			r.space(items, i)
			i++
		}
	}
}

// space reads the text at i. White space behind the block of a size belongs to
// that size, so that a new block changes no page of the others.
func (r *reader) space(items []item, i int) {
	if size := sizeOfBlock(items, i-1); size != "" && items[i].isBlank(r.Src) {
		r.size = size
		defer func() { r.size = "" }()
	}
	r.literal(items[i].from, items[i].to)
}

func sizeOfBlock(items []item, i int) string {
	if i < 0 || items[i].node == nil || items[i].node.Name != "style" {
		return ""
	}
	if size, ok := strings.CutPrefix(items[i].node.ID(), sizeStyle); ok {
		return size
	}
	return ""
}

// node reads a node and returns the index behind it and what belongs to it.
func (r *reader) node(items []item, i int) int {
	n := items[i].node
	switch n.Kind {
	case markup.Element:
		return r.chain(items, i)
	case markup.Comment:
		if strings.HasPrefix(n.Raw, "<![CDATA[") {
			r.unsafe(n.Start, "CDATA sections")
		}
		r.ignoreIn(n.Start, n.Stop)
	case markup.Stray:
		r.endTag(n.Start, n.Stop, n.Raw)
	default:
		r.emit(n.Raw)
	}
	return i + 1
}

func (r *reader) endTag(start, end int, raw string) {
	if marks := r.marksIn(start, end); len(marks) > 0 {
		r.ignoreIn(start, end)
		r.unsafe(marks[0].Start, "an expression cannot stand in an end tag")
	}
	r.emit(raw)
}

// literal emits source text that has no expressions.
func (r *reader) literal(from, to int) {
	if i := bytes.Index(r.Src[from:to], []byte("{{")); i >= 0 {
		r.invalid(from+i, "{{ is not closed").slug(BadExpression).hint("write }} behind the expression")
	}
	r.emit(string(r.Src[from:to]))
}

// expressionOrBlock reads the expression at i, or the whole block that it opens.
func (r *reader) expressionOrBlock(items []item, i int) int {
	m := *items[i].mark
	word, rest := blockWord(m.Src)
	switch word {
	case "if", "unless", "each":
		return r.block(items, i, word, rest)
	case "else", "elseif", "end":
		if r.isName(strings.TrimSpace(m.Src)) {
			break
		}
		r.done[m.Start] = true
		r.invalid(m.Start, "{{%s}} belongs to no block", strings.TrimSpace(m.Src)).slug(BadExpression).
			hint("a block begins and ends between the same tags")
		return i + 1
	}
	if r.inHead && r.rawText == "" && !r.inTag {
		r.done[m.Start] = true
		r.invalid(m.Start, "an expression in <head>, where no text is shown")
		return i + 1
	}
	r.guardEndTag(m)
	r.value(inHTML, m, true)
	return i + 1
}

func (r *reader) isName(s string) bool {
	o := r.options()
	return slices.Contains(o.Names, s) || slices.Contains(o.Locals, s)
}

// guardEndTag refuses an expression whose empty value would complete an end tag
// in an element whose text is not markup.
func (r *reader) guardEndTag(m markup.Mark) {
	if r.rawText != "" && opensEndTag(r.doc.Masked[:m.Start]) {
		r.unsafe(m.Start, "an expression behind %q could end the element", "<")
	}
}

// A branch of a block: a condition (nil: otherwise) and what it decides about.
type branch struct {
	cond  *markup.Mark
	text  string // the condition
	at    int    // where it stands
	items []item
}

// block reads the block that the expression at i opens, and returns the index
// behind its end.
func (r *reader) block(items []item, i int, word, rest string) int {
	open := *items[i].mark
	r.done[open.Start] = true
	branches := []branch{{cond: &open, text: rest, at: open.Text + strings.Index(open.Src, rest)}}
	depth := 0
	for j := i + 1; j < len(items); j++ {
		inner, cond := "", ""
		if m := items[j].mark; m != nil {
			inner, cond = blockWord(m.Src)
		}
		last := &branches[len(branches)-1]
		switch {
		case inner == "if" || inner == "unless" || inner == "each":
			depth++
		case inner == "end" && depth > 0:
			depth--
		case inner == "end":
			r.done[items[j].mark.Start] = true
			r.checkEnd(open, *items[j].mark, word)
			r.closeBlock(word, branches)
			return j + 1
		case (inner == "else" || inner == "elseif") && depth == 0:
			m := items[j].mark
			r.done[m.Start] = true
			next := branch{at: m.Text}
			if inner == "elseif" {
				next.cond, next.text, next.at = m, cond, m.Text+strings.Index(m.Src, cond)
			}
			branches = append(branches, next)
			continue
		}
		last.items = append(last.items, items[j])
	}
	r.ignoreItems(items[i+1:])
	r.invalid(open.Start, "the block {{%s}} has no end here", strings.TrimSpace(open.Src)).slug(BadExpression).
		hint("write {{ end }} behind it, between the same tags; around an element use p-if or p-for")
	return len(items)
}

// checkEnd refuses the end of another block: one of the two is forgotten.
func (r *reader) checkEnd(open, end markup.Mark, word string) {
	if endsAnother(end.Src, word) {
		r.invalid(end.Start, "{{%s}} cannot end {{%s}}", strings.TrimSpace(end.Src), strings.TrimSpace(open.Src)).
			slug(BadExpression).hint("write {{ end }}, which ends any block")
	}
}

func (r *reader) ignoreItems(items []item) {
	for _, it := range items {
		end := it.to
		if it.node != nil {
			end = it.node.EndStart + len(it.node.End)
		}
		r.ignoreIn(it.from, max(end, it.to))
	}
}

func (r *reader) closeBlock(word string, branches []branch) {
	if word == "each" {
		r.eachBlock(branches)
		return
	}
	r.pieces = append(r.pieces, r.choices(branches, word == "unless")...)
}

// choices are the branches as choices inside each other.
func (r *reader) choices(branches []branch, negate bool) []piece {
	b := branches[0]
	body := func() { r.flow(b.items) }
	if b.cond == nil {
		return r.nested(body)
	}
	program := r.expression(b.text, b.at, true)
	p := piece{kind: isChoice, size: r.size, body: r.nested(body)}
	if len(branches) > 1 {
		p.otherwise = r.choices(branches[1:], false)
	}
	if negate {
		p.body, p.otherwise = p.otherwise, p.body
	}
	if program == nil {
		return nil
	}
	p.slot = r.noteSlot(&slot{place: isCondition, parts: []part{{program: program}}, at: r.At(b.at)})
	return []piece{p}
}

func (r *reader) eachBlock(branches []branch) {
	b := branches[0]
	if len(branches) > 2 || len(branches) == 2 && branches[1].cond != nil {
		r.invalid(branches[1].at, "a loop has one {{ else }}, for the empty list").slug(BadExpression)
		return
	}
	l, p := parseLoop(b.text, true)
	if p != nil {
		r.report(b.at, p)
		return
	}
	otherwise := func() {}
	if len(branches) == 2 {
		otherwise = func() { r.flow(branches[1].items) }
	}
	r.loop(l, b.at, 0, func() { r.flow(b.items) }, otherwise)
}

// loop adds a loop over the list of l.
func (r *reader) loop(l loopSyntax, offset, limit int, body, otherwise func()) {
	if len(r.scopes) == maxNesting {
		r.invalid(offset, "more than %d loops stand inside each other", maxNesting)
		return
	}
	program := r.expression(l.list, offset+l.listAt, true)
	s := scope{item: l.item, index: l.index}
	if program != nil {
		s.itemType = program.Type().Items
		s.vars = append(program.Names(), r.behind(program.Locals())...)
	}
	r.scopes = append(r.scopes, s)
	p := piece{kind: isLoop, size: r.size, body: r.nested(body)}
	r.scopes = r.scopes[:len(r.scopes)-1]
	p.otherwise = r.nested(otherwise)
	if program == nil || !r.repeatable(program.Type(), l.list, offset+l.listAt) {
		return
	}
	p.slot = r.noteSlot(&slot{
		place: isList, parts: []part{{program: program}}, at: r.At(offset), limit: limit, item: l.item, index: l.index,
	})
	r.pieces = append(r.pieces, p)
}

// repeatable reports what can never be a list.
func (r *reader) repeatable(t *expr.Type, list string, at int) bool {
	if t == nil || t.Kind == expr.KindAny || t.Kind == expr.KindList || t.Kind == "" {
		return true
	}
	r.invalid(at, "%s is %s, not a list, so it cannot be repeated", list, t.Kind).slug(WrongType)
	return false
}

// plain emits the source text of an attribute's value with its expressions and
// blocks, escaped for HTML.
func (r *reader) plain(start, end int) {
	r.inTag = true
	r.flow(r.textItems(start, end))
	r.inTag = false
}

var errLoop = func(text string) *problem.Error {
	return problem.New(problem.Invalid, "%s does not say what is repeated", quote(strings.TrimSpace(text))).WithSlug(BadExpression).
		WithHint(`write p-for="item in list", or "item, i in list"`)
}

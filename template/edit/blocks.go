package edit

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/pictifyd/pictifyd/template/markup"
)

var (
	opensBlock  = regexp.MustCompile(`^\s*(?:#\s*(if|unless|each|for)|(if|unless|for|each))\s+(\S(?s:.*))$`)
	elseBlock   = regexp.MustCompile(`^\s*(?:#|:)?\s*(?:else\s*if|elseif|elsif|elif)\s+(\S(?s:.*))$`)
	plainElse   = regexp.MustCompile(`^\s*(?:(?:#|:)?\s*else|\^)\s*$`)
	closesBlock = regexp.MustCompile(`^\s*(?:/\s*(if|unless|each|for)|end(if|unless|each|for)?)\s*$`)
)

// blockWord says what kind of block an expression begins, goes on with or ends,
// "" for none, and its argument.
func blockWord(src string) (word, argument string) {
	if m := elseBlock.FindStringSubmatch(src); m != nil {
		return "else if", strings.TrimSpace(m[1])
	}
	if plainElse.MatchString(src) {
		return "else", ""
	}
	if m := closesBlock.FindStringSubmatch(src); m != nil {
		return "end", m[1] + m[2]
	}
	if m := opensBlock.FindStringSubmatch(src); m != nil {
		return m[1] + m[2], strings.TrimSpace(m[3])
	}
	return "", ""
}

// A block is one that is open, with what stood in it so far.
type block struct {
	word     string
	argument string
	branches []branch
	marks    []piece // that opened it and each branch
}

type branch struct {
	condition string // "" for else
	pieces    []piece
}

// A blockReader reads the children of one element.
type blockReader struct {
	im     *importer
	parent *markup.Node
	open   []*block
	out    []piece
}

// add puts pieces into the innermost open branch.
func (b *blockReader) add(pieces ...piece) {
	if len(b.open) == 0 {
		b.out = append(b.out, pieces...)
		return
	}
	top := b.open[len(b.open)-1]
	last := &top.branches[len(top.branches)-1]
	last.pieces = append(last.pieces, pieces...)
}

func (b *blockReader) piece(p piece) {
	if p.block == "" {
		b.add(p)
		return
	}
	word, argument := blockWord(p.block)
	switch word {
	case "end":
		if len(b.open) == 0 || !closes(argument, b.open[len(b.open)-1].word) {
			b.im.say(p.at, "%s stays: nothing beside it opens that block", p.raw)
			b.add(p)
			return
		}
		top := b.open[len(b.open)-1]
		b.open = b.open[:len(b.open)-1]
		b.add(b.close(top, p)...)
	case "else if", "else":
		if len(b.open) == 0 {
			b.im.say(p.at, "%s stays: nothing beside it opens that block", p.raw)
			b.add(p)
			return
		}
		top := b.open[len(b.open)-1]
		top.branches = append(top.branches, branch{condition: argument})
		top.marks = append(top.marks, p)
	default:
		b.open = append(b.open, &block{word: word, argument: argument, branches: []branch{{condition: argument}}, marks: []piece{p}})
	}
}

func closes(end, word string) bool { return end == "" || end == word }

// unclosed gives back the blocks that nothing beside them closes.
func (b *blockReader) unclosed() {
	for len(b.open) > 0 {
		top := b.open[len(b.open)-1]
		b.open = b.open[:len(b.open)-1]
		b.im.say(top.marks[0].at, "%s stays: nothing beside it closes that block", top.marks[0].raw)
		b.add(top.asItWas()...)
	}
}

func (k *block) asItWas() []piece {
	var out []piece
	for i, br := range k.branches {
		mark := k.marks[i]
		out = append(append(out, textPiece(mark.lead+mark.raw)), br.pieces...)
	}
	return out
}

// close makes directives of a block, unless there is nothing but text in it.
func (b *blockReader) close(k *block, end piece) []piece {
	if !k.hasElements() {
		return append(k.asItWas(), textPiece(end.lead+end.raw))
	}
	if k.word == "each" || k.word == "for" {
		if done := b.loop(k); done != nil {
			return done
		}
		b.im.say(k.marks[0].at, "%s stays: it is no list that can be repeated over", k.marks[0].raw)
		return append(k.asItWas(), textPiece(end.lead+end.raw))
	}
	if k.word == "unless" {
		k.branches[0].condition = not(k.branches[0].condition)
	}
	return b.choice(k)
}

func (k *block) hasElements() bool {
	for _, br := range k.branches {
		for _, p := range br.pieces {
			if p.element() {
				return true
			}
		}
	}
	return false
}

func not(condition string) string { return "!(" + condition + ")" }

// choice puts p-if, p-else-if and p-else on the branches. Where a branch is not
// one element, each says its whole condition: only neighbours can be one's else.
func (b *blockReader) choice(k *block) []piece {
	chained := true
	for _, br := range k.branches {
		units := b.units(br.pieces)
		chained = chained && len(units) == 1 && (units[0] == nil || !decided(units[0]))
	}
	var out []piece
	var failed []string
	for i, br := range k.branches {
		name, condition := "p-if", br.condition
		switch {
		case chained && i > 0 && condition == "":
			name = "p-else"
		case chained && i > 0:
			name = "p-else-if"
		case !chained:
			condition = whole(failed, br.condition)
		}
		out = append(out, b.direct(br.pieces, k.marks[i], name, condition)...)
		failed = append(failed, not(br.condition))
	}
	return out
}

func whole(failed []string, condition string) string {
	all := failed
	if condition != "" && len(failed) > 0 {
		all = append(append([]string{}, failed...), "("+condition+")")
	} else if condition != "" {
		return condition
	}
	return strings.Join(all, " && ")
}

// units are the elements that get the directive; nil if they need one around
// them. In a page they stay its layers: two conditions become one there.
func (b *blockReader) units(pieces []piece) []*markup.Node {
	var units []*markup.Node
	for _, p := range pieces {
		switch {
		case p.visible() || p.element() && decided(p.node) && !(b.parent.Holder() && onlyIf(pieces)):
			return []*markup.Node{nil}
		case p.element():
			units = append(units, p.node)
		}
	}
	if len(units) > 1 && !b.parent.Holder() {
		return []*markup.Node{nil}
	}
	return units
}

// decided reports whether a directive says already when n is shown.
func decided(n *markup.Node) bool {
	for _, name := range []string{"p-if", "p-else-if", "p-else", "p-for", "p-empty"} {
		if _, ok := n.Get(name); ok {
			return true
		}
	}
	return false
}

// onlyIf reports whether no directive among the pieces but p-if decides what is
// shown.
func onlyIf(pieces []piece) bool {
	for _, p := range pieces {
		if !p.element() {
			continue
		}
		bare := *p.node
		if bare.Unset("p-if"); decided(&bare) {
			return false
		}
	}
	return true
}

// direct gives what stands in a branch the directive.
func (b *blockReader) direct(pieces []piece, mark piece, name, value string) []piece {
	units := b.units(pieces)
	if len(units) == 1 && units[0] == nil {
		pieces = b.wrapped(pieces)
		for _, p := range pieces {
			if p.element() {
				units = []*markup.Node{p.node}
			}
		}
	}
	for _, n := range units {
		inner, both := n.Get(name)
		switch {
		case value == "":
			n.SetFlag(name)
		case both:
			n.Set(name, "("+value+") && ("+inner+")")
		default:
			n.Set(name, value)
		}
		b.im.say(mark.at, "%s is %s on %s", mark.raw, name, described(n))
	}
	return pieces
}

func described(n *markup.Node) string {
	if id := n.ID(); id != "" {
		return fmt.Sprintf("<%s id=%q>", n.Name, id)
	}
	return "<" + n.Name + ">"
}

package api

import (
	"unicode/utf16"

	editing "github.com/pictifyd/pictifyd/template/edit"
)

// What a browser does with the answers, as the editor's own code has it.

func utf16Slice(text string, span [2]int) string {
	units := utf16.Encode([]rune(text))
	return string(utf16.Decode(units[span[0]:span[1]]))
}

// spliced is the text that the browser has after an answer.
func spliced(text string, s *sourceSplice) string {
	if s == nil {
		return text
	}
	units := utf16.Encode([]rune(text))
	to := len(units)
	if s.To != nil {
		to = *s.To
	}
	return string(utf16.Decode(units[:s.From])) + s.Text + string(utf16.Decode(units[to:]))
}

// grown is the tree that the browser has after an answer, in the order of the parents' children.
func grown(nodes []editing.Seen, v editedView) []editing.Seen {
	have := map[string]editing.Seen{}
	var roots []string
	for _, n := range nodes {
		if v.Source != nil {
			n = shiftedSeen(n, v.Source)
		}
		have[n.Address] = n
	}
	for _, address := range v.Tree.Removed {
		delete(have, address)
	}
	for _, n := range v.Tree.Nodes {
		have[n.Address] = n
	}
	for _, n := range nodes {
		if n.Parent == "" {
			roots = append(roots, n.Address)
		}
	}
	var out []editing.Seen
	var walk func(address string)
	walk = func(address string) {
		n := have[address]
		out = append(out, n)
		for _, child := range n.Children {
			walk(child)
		}
	}
	for _, address := range roots {
		walk(address)
	}
	return out
}

func shiftedSeen(n editing.Seen, s *sourceSplice) editing.Seen {
	by := len(utf16.Encode([]rune(s.Text))) - (*s.To - s.From)
	span := func(x [2]int) [2]int {
		if x[0] >= *s.To {
			x[0] += by
		}
		if x[1] > s.From {
			x[1] += by
		}
		return x
	}
	n.Span = span(n.Span)
	if n.Inner != nil {
		inner := span(*n.Inner)
		n.Inner = &inner
	}
	for i := range n.Bindings {
		n.Bindings[i].Span = span(n.Bindings[i].Span)
	}
	return n
}

package edit

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

const (
	manifestID = "p-template"
	tokensID   = "p-tokens"
	sizePrefix = "p-size-"
)

// patchText replaces one passage of the manifest or of a style sheet.
func (e *editor) patchText(op Op) ([]way, *problem.Error) {
	n, p := e.find(op.ID, "id")
	if p != nil {
		return nil, p
	}
	if n.Name != "style" && n.ID() != manifestID {
		return nil, problem.New(problem.Unsupported, "%q is neither the manifest nor a style sheet", op.ID).At("id")
	}
	content := n.Inner()
	if op.Old == "" && content != "" || op.Old != "" && !once(content, op.Old) {
		return nil, problem.New(problem.Conflict, "%q does not stand in %q exactly once", shortened(op.Old), op.ID).WithSlug(Changed).At("old")
	}
	return e.replaceText(n, strings.Replace(content, op.Old, op.New, 1))
}

// replaceText gives the manifest or a style sheet another text.
func (e *editor) replaceText(n *markup.Node, content string) ([]way, *problem.Error) {
	old := n.Inner()
	if n.ID() == manifestID && !json.Valid([]byte(content)) {
		return nil, problem.New(problem.Invalid, "the manifest would be no JSON").At("new")
	}
	if n.Name == "style" && loads.MatchString(content) && !loads.MatchString(old) {
		return nil, problem.New(problem.Invalid, "safety: @import in CSS").WithSlug("unsafe").At("new")
	}
	address := e.address(n)
	e.touch(address)
	n.Children = nil
	if content != "" {
		n.Insert(0, &markup.Node{Kind: markup.Text, Raw: content})
	}
	from, to := passage(content, old)
	return []way{{{Op: "patch_text", ID: address, Old: from, New: to}}}, nil
}

// passage is the shortest text that stands in content once and that, replaced
// by to, makes it wanted.
func passage(content, wanted string) (from, to string) {
	p := 0
	for p < len(content) && p < len(wanted) && content[p] == wanted[p] {
		p++
	}
	s := 0
	for s < len(content)-p && s < len(wanted)-p && content[len(content)-1-s] == wanted[len(wanted)-1-s] {
		s++
	}
	for step := 8; ; step *= 2 { // context, until it is the only one of its kind
		for p > 0 && p < len(content) && !utf8.RuneStart(content[p]) {
			p--
		}
		for s > 0 && !utf8.RuneStart(content[len(content)-s]) {
			s--
		}
		from, to = content[p:len(content)-s], wanted[p:len(wanted)-s]
		if from != "" && once(content, from) || p == 0 && s == 0 {
			return from, to
		}
		p, s = max(0, p-step), max(0, s-step)
	}
}

// once reports whether s stands in content in exactly one place; places may
// overlap.
func once(content, s string) bool {
	i := strings.Index(content, s)
	return i >= 0 && i == strings.LastIndex(content, s)
}

// shortened is the beginning of a text, for a message.
func shortened(s string) string {
	if runes := []rune(s); len(runes) > 60 {
		return string(runes[:60]) + "…"
	}
	return s
}

package edit

import (
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// paste adds layers that were copied from this or another document, with new ids
// where theirs are in use, unlocked, and with what they have in single sizes.
func (e *editor) paste(op Op) ([]way, *problem.Error) {
	copied := markup.Parse([]byte(strings.TrimSpace(*op.HTML)))
	layers := copied.Elements()
	if len(layers) == 0 || len(layers) > maxChildren {
		return nil, problem.New(problem.Invalid, "there are %d elements to paste, from 1 to %d are possible", len(layers), maxChildren).At("html")
	}
	for _, child := range copied.Children {
		if child.Kind != markup.Element && !child.Blank() {
			return nil, problem.New(problem.Invalid, "what is pasted is elements, with nothing but white space between them").At("html")
		}
	}
	s, p := e.spot(op, nil)
	if p != nil {
		return nil, p
	}
	if p := e.holds(s.parent, "parent"); p != nil {
		return nil, p
	}
	parent, names := e.address(s.parent), map[string]string{}
	for i, n := range layers {
		if n.HasClass(markup.PageClass) {
			return nil, problem.New(problem.Unsupported, "a page is copied by duplicate_page").At("html")
		}
		if n.ID() == "" {
			n.Set("id", e.unusedBut(n.Name, names))
		}
		if p := e.freeIDs(n, names); p != nil {
			return nil, p
		}
		s.index += min(i, 1)
		s.parent, _ = e.find(parent, "parent")
		lead, trail := e.spacing(s)
		content := lead + n.Print() + trail
		if p := e.apply(Op{Op: "add_node", Parent: parent, Index: &s.index, HTML: &content}); p != nil {
			return nil, p
		}
	}
	return nil, e.pasteOverrides(op, names)
}

// freeIDs gives n and all in it ids that are not in use, and unlocks them.
func (e *editor) freeIDs(n *markup.Node, names map[string]string) (p *problem.Error) {
	n.All(func(m *markup.Node) bool {
		if m.Kind != markup.Element {
			return true
		}
		m.Unset("p-lock")
		m.Unset("data-p-lock")
		old := m.ID()
		if old == "" {
			return true
		}
		if names[old] != "" {
			p = problem.New(problem.Conflict, "the id %q stands in the paste twice", old).WithSlug(Duplicate).At("html")
			return false
		}
		names[old] = old
		if e.doc.Find(old) != nil || checkID(old, "html") != nil {
			base := old
			if checkID(old, "html") != nil {
				base = m.Name
			}
			names[old] = e.unusedBut(base, names)
			m.Set("id", names[old])
		}
		return true
	})
	return p
}

func (e *editor) pasteOverrides(op Op, names map[string]string) *problem.Error {
	for _, size := range sortedKeys(op.Overrides) {
		if e.hasSize(size, "overrides") != nil {
			continue // the other document's size
		}
		for _, id := range sortedKeys(op.Overrides[size]) {
			for _, property := range sortedKeys(op.Overrides[size][id]) {
				value := op.Overrides[size][id][property]
				if names[id] == "" {
					return problem.New(problem.NotFound, "%q is not in what is pasted", id).WithSlug(LayerNotFound).At("overrides." + size)
				}
				if p := e.apply(Op{Op: "set_size_override", Size: size, ID: names[id], Property: property, Value: &value}); p != nil {
					return p
				}
			}
		}
	}
	return nil
}

// duplicatePage copies a page, its CSS by id included, right behind it.
func (e *editor) duplicatePage(op Op) ([]way, *problem.Error) {
	n, p := e.page(op.ID, "id")
	if p != nil {
		return nil, p
	}
	if p := e.free(op.ToID, "to_id"); p != nil {
		return nil, p
	}
	lead, parent, index := lineBefore(n), e.parentAddress(n), elementIndex(n)+1
	return nil, e.copyTo(n, op, lead, parent, index)
}

// copyTo puts a copy of n into its place.
func (e *editor) copyTo(n *markup.Node, op Op, lead, parent string, index int) *problem.Error {
	names := e.rename(n, op.ID, op.ToID)
	content := lead + n.Print()
	e.doc = markup.Parse([]byte(e.src)) // the original keeps its ids
	if p := e.apply(Op{Op: "add_node", Parent: parent, Index: &index, HTML: &content}); p != nil {
		return p
	}
	return e.copyRules(names)
}

package edit

import (
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// patchSource replaces one passage of the document, whatever it is.
func (e *editor) patchSource(op Op) ([]way, *problem.Error) {
	if op.Old == "" && e.src != "" || op.Old != "" && !once(e.src, op.Old) {
		return nil, problem.New(problem.Conflict, "%q does not stand in the document exactly once", shortened(op.Old)).WithSlug(Changed).At("old")
	}
	after := strings.Replace(e.src, op.Old, op.New, 1)
	next, p := newEditor([]byte(after))
	if p != nil {
		return nil, p.At("new")
	}
	if p := e.keepsLocked(next); p != nil {
		return nil, p
	}
	from := strings.Index(e.src, op.Old)
	for _, side := range []struct {
		of     *editor
		length int
	}{{e, len(op.Old)}, {next, len(op.New)}} {
		n := around(side.of.doc.Node, from, from+side.length)
		e.touch(family(n)...)
		e.touch(touchName(n.ID(), side.of.address(n)))
	}
	old, back := passage(after, e.src)
	e.doc = next.doc
	return []way{{{Op: "patch_source", Old: old, New: back}}}, nil
}

// around is the smallest element that holds what stands between two offsets.
func around(n *markup.Node, from, to int) *markup.Node {
	for _, child := range n.Elements() {
		if child.Start < from && to <= child.EndStart+len(child.End) && to > child.Start {
			return around(child, from, to)
		}
	}
	return n
}

// keepsLocked refuses a document in which something that is locked, and stays so,
// is another.
func (e *editor) keepsLocked(next *editor) *problem.Error {
	was, is := e.locked(), next.locked()
	for _, id := range sortedKeys(was) {
		if now, still := is[id]; still && now != was[id] {
			return problem.New(problem.Conflict, "%q is locked", id).WithSlug(Locked).At("new").WithHint("unlock it first: take its p-lock away")
		}
		if next.doc.Find(id) == nil && !strings.HasPrefix(id, "/") {
			return problem.New(problem.Conflict, "%q is locked, and would be gone", id).WithSlug(Locked).At("new").WithHint("unlock it first: take its p-lock away")
		}
	}
	return nil
}

// locked is what is locked for itself, by its address.
func (e *editor) locked() map[string]string {
	all := map[string]string{}
	e.doc.All(func(n *markup.Node) bool {
		if n.Kind == markup.Element && isLocked(n) {
			all[e.address(n)] = n.Print()
		}
		return true
	})
	return all
}

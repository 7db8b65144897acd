package edit

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// idName is what ids look like that are given here; the prefix p- belongs to
// the format.
var idName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

func checkID(id, field string) *problem.Error {
	if !idName.MatchString(id) || len(id) > 100 || strings.HasPrefix(id, "p-") {
		return problem.New(problem.Invalid, "%q cannot be an id: letters, digits, - and _, a letter first, and not p-…", id).At(field)
	}
	return nil
}

// free refuses an id that is in use.
func (e *editor) free(id, field string) *problem.Error {
	if p := checkID(id, field); p != nil {
		return p
	}
	if e.doc.Find(id) != nil {
		return problem.New(problem.Conflict, "the id %q is in use", id).WithSlug(Duplicate).At(field).WithHint("%q is free", e.unused(id))
	}
	return nil
}

// unused is id with the first number behind it that makes it new.
func (e *editor) unused(id string) string {
	for i := 2; ; i++ {
		if next := id + "-" + strconv.Itoa(i); e.doc.Find(next) == nil {
			return next
		}
	}
}

// find is the element with the id, wherever it stands.
func (e *editor) find(id, field string) (*markup.Node, *problem.Error) {
	if id == "" {
		return nil, problem.New(problem.Invalid, "the id is missing").At(field)
	}
	if n := e.doc.Find(id); n != nil {
		return n, nil
	}
	if strings.HasPrefix(id, "/") {
		if n := e.at(id); n != nil {
			return n, nil
		}
		return nil, problem.New(problem.NotFound, "there is no element at %s", id).WithSlug(LayerNotFound).At(field)
	}
	p := problem.New(problem.NotFound, "there is no layer %q", id).WithSlug(LayerNotFound).At(field)
	return nil, unknown(p, id, sortedKeys(ids(e.doc.Node)))
}

// at is the element of a path, nil if there is none.
func (e *editor) at(path string) *markup.Node {
	n := e.doc.Node
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		i, err := strconv.Atoi(part)
		elements := n.Elements()
		if err != nil || i < 0 || i >= len(elements) {
			return nil
		}
		n = elements[i]
	}
	return n
}

// address is the id of n, or its path where it has none of its own.
func (e *editor) address(n *markup.Node) string {
	if id := n.ID(); id != "" && e.doc.Find(id) == n {
		return id
	}
	return pathOf(n)
}

// pathOf is the way from the document down to n, by the numbers of the elements.
func pathOf(n *markup.Node) string {
	path := ""
	for ; n.Parent != nil; n = n.Parent {
		path = "/" + strconv.Itoa(elementIndex(n)) + path
	}
	if path == "" {
		return "/"
	}
	return path
}

// elementIndex is the place of n among the elements of its parent.
func elementIndex(n *markup.Node) int {
	for i, m := range n.Parent.Elements() {
		if m == n {
			return i
		}
	}
	return -1
}

// layer is the layer or page with the id, if operations may change it.
func (e *editor) layer(id, field string) (*markup.Node, *problem.Error) {
	n, p := e.unlocked(id, field)
	if p != nil {
		return nil, p
	}
	if !n.Layer() && !n.Page() {
		return nil, opaque(e, n, field)
	}
	return n, nil
}

func opaque(e *editor, n *markup.Node, field string) *problem.Error {
	p := problem.New(problem.Unsupported, "%q is no layer: it is part of HTML that is written by hand", n.ID()).WithSlug(Opaque).At(field)
	for up := n.Parent; up != nil; up = up.Parent {
		if up.Layer() && up.ID() != "" {
			return p.WithHint("change the layer %q, in which it stands, or the source", e.address(up))
		}
	}
	return p.WithHint("layers are the elements directly inside a p-page, p-stack or p-group")
}

// unlocked is the element with the id, unless it or what it stands in is locked.
func (e *editor) unlocked(id, field string) (*markup.Node, *problem.Error) {
	n, p := e.find(id, field)
	if p != nil {
		return nil, p
	}
	return n, e.checkLock(n, field)
}

func (e *editor) checkLock(n *markup.Node, field string) *problem.Error {
	for up := n; up != nil; up = up.Parent {
		if isLocked(up) {
			return problem.New(problem.Conflict, "%q is locked", e.address(up)).WithSlug(Locked).At(field).
				WithHint("unlock it first: set_attr p-lock null")
		}
	}
	return nil
}

// checkLocksBelow refuses to take away what has something locked in it.
func (e *editor) checkLocksBelow(n *markup.Node, field string) *problem.Error {
	var p *problem.Error
	n.All(func(m *markup.Node) bool {
		if isLocked(m) {
			p = problem.New(problem.Conflict, "%q is locked", e.address(m)).WithSlug(Locked).At(field).WithHint("unlock it first: set_attr p-lock null")
		}
		return p == nil
	})
	return p
}

func isLocked(n *markup.Node) bool {
	for _, name := range []string{"p-lock", "data-p-lock"} {
		if v, ok := n.Get(name); ok && v != "false" {
			return true
		}
	}
	return false
}

// body is where pages stand: the body, or the document if it has none.
func (e *editor) body() *markup.Node {
	var found *markup.Node
	e.doc.All(func(n *markup.Node) bool {
		if n.Kind == markup.Element && n.Name == "body" {
			found = n
		}
		return found == nil
	})
	if found == nil {
		return e.doc.Node
	}
	return found
}

// pages are the pages of the document, in their order.
func (e *editor) pages() []*markup.Node {
	var pages []*markup.Node
	e.doc.All(func(n *markup.Node) bool {
		if n.Kind == markup.Element && n.Page() {
			pages = append(pages, n)
		}
		return true
	})
	return pages
}

// family are the ids of n and of all in it.
func family(n *markup.Node) []string { return sortedKeys(ids(n)) }

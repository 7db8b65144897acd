package edit

import (
	"maps"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// setID renames a layer, and the selectors of the document's CSS with it.
func (e *editor) setID(op Op) ([]way, *problem.Error) {
	n, p := e.unlocked(op.ID, "id")
	if p != nil {
		return nil, p
	}
	if strings.HasPrefix(n.ID(), "p-") {
		return nil, problem.New(problem.Unsupported, "%q belongs to the format", op.ID).At("id")
	}
	if p := e.free(op.To, "to"); p != nil {
		return nil, p
	}
	if p := e.unreferred(op.ID); p != nil {
		return nil, p
	}
	e.touch(op.ID, op.To)
	tag := n.Raw
	n.Set("id", op.To)
	renamed := n.Raw
	n.Raw = tag
	if p := e.apply(Op{Op: "set_tag", ID: e.address(n), Tag: renamed}); p != nil {
		return nil, p
	}
	back := []way{{{Op: "set_id", ID: op.To, To: op.ID}}}
	return back, e.rewriteSheets(func(css string) string { return renameIn(css, map[string]string{op.ID: op.To}) })
}

func (e *editor) ensureID(op Op) ([]way, *problem.Error) {
	n := e.at(op.Path)
	if n == nil {
		return nil, problem.New(problem.NotFound, "there is no element at %q", op.Path).WithSlug(LayerNotFound).At("path").WithHint("paths are in the outline")
	}
	if p := e.checkLock(n, "path"); p != nil {
		return nil, p
	}
	if n.ID() != "" {
		if n.ID() == op.ID {
			return nil, nil
		}
		return nil, problem.New(problem.Conflict, "the element at %s has the id %q", op.Path, n.ID()).At("path").WithHint("use set_id")
	}
	if refused[n.Name] || n.Name == "style" {
		return nil, problem.New(problem.Unsupported, "a <%s> is no layer", n.Name).At("path")
	}
	if p := e.free(op.ID, "id"); p != nil {
		return nil, p
	}
	e.touch(op.ID)
	tag := n.Raw
	n.Set("id", op.ID)
	return []way{{{Op: "set_tag", ID: op.ID, Tag: tag}}}, nil
}

// unreferred refuses to rename what something other than CSS refers to.
func (e *editor) unreferred(id string) *problem.Error {
	var by *markup.Node
	e.doc.All(func(n *markup.Node) bool {
		if n.Kind != markup.Element || n.Name == "style" {
			return true
		}
		for _, a := range n.Tag().Attrs {
			value, _ := n.Get(a.Name)
			words := a.Name == "for" || a.Name == "headers" || strings.HasPrefix(a.Name, "aria-")
			if value == "#"+id || strings.Contains(value, "url(#"+id+")") || words && slices.Contains(strings.Fields(value), id) {
				by = n
			}
		}
		return by == nil
	})
	if by == nil {
		return nil
	}
	return problem.New(problem.Unsupported, "the id %q is referred to by %s", id, shortened(by.Raw)).At("id").WithHint("change the reference in the source first")
}

// rewriteSheets maps the text of every style sheet.
func (e *editor) rewriteSheets(change func(css string) string) *problem.Error {
	for _, path := range e.sheets() {
		n := e.at(path)
		if p := e.edit(n, change(n.Inner())); p != nil {
			return p
		}
	}
	return nil
}

// sheets are the paths of the style elements.
func (e *editor) sheets() []string {
	var paths []string
	e.doc.All(func(n *markup.Node) bool {
		if n.Kind == markup.Element && n.Name == "style" {
			paths = append(paths, pathOf(n))
		}
		return true
	})
	return paths
}

// copyRules gives copies the CSS of their originals: an id among selectors gets
// its copy beside it; in the styles of a size the rule is copied, so that it can
// be changed alone.
func (e *editor) copyRules(names map[string]string) *problem.Error {
	for _, path := range e.sheets() {
		n := e.at(path)
		css := n.Inner()
		if strings.HasPrefix(n.ID(), sizePrefix) {
			css = copyOwnRules(css, names)
		} else {
			css = addSelectors(css, names)
		}
		if p := e.edit(n, css); p != nil {
			return p
		}
	}
	return nil
}

func copyOwnRules(css string, names map[string]string) string {
	for _, old := range slices.Sorted(maps.Keys(names)) {
		rules, at, ok := findRule(css, "#"+old)
		if !ok {
			return css
		}
		if at >= 0 {
			r := rules[at]
			css = css[:r.End] + "\n  #" + names[old] + " {" + css[r.BodyStart:r.End] + css[r.End:]
		}
	}
	return css
}

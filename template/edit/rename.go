package edit

import (
	"html"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// renameVar renames a variable in the manifest and wherever an expression reads
// it. The values of rows are the user's: their columns stay.
func (e *editor) renameVar(op Op) ([]way, *problem.Error) {
	n, text, p := e.manifest()
	if p != nil {
		return nil, p.At("name")
	}
	names := keys(text, "vars")
	switch {
	case !contains(names, op.Name):
		return nil, unknown(problem.New(problem.NotFound, "there is no variable %q", op.Name).At("name"), op.Name, names)
	case contains(names, op.To):
		return nil, problem.New(problem.Conflict, "there is a variable %q already", op.To).At("to")
	case !identifier.MatchString(op.To) || !identifier.MatchString(op.Name):
		return nil, problem.New(problem.Unsupported, "only names of letters, digits and _ can be renamed: %q to %q", op.Name, op.To).At("to")
	}
	r := renamer{from: op.Name, to: op.To}
	e.doc.All(func(m *markup.Node) bool {
		if r.node(m) {
			e.touch(e.address(layerOf(m)))
		}
		return r.problem == nil
	})
	if r.problem != nil {
		return nil, r.problem.At("name")
	}
	e.touch("var:"+op.Name, "var:"+op.To)
	setChildren(n, renameKey(text, op.Name, op.To))
	return []way{{{Op: "rename_var", Name: op.To, To: op.Name}}}, nil
}

// layerOf is the innermost element with an id around n, else n's own.
func layerOf(n *markup.Node) *markup.Node {
	for up := n; up.Parent != nil; up = up.Parent {
		if up.Kind == markup.Element && up.ID() != "" {
			return up
		}
	}
	if n.Kind != markup.Element {
		return n.Parent
	}
	return n
}

func renameKey(text, from, to string) string {
	list, _ := members(text)
	at := indexOf(list, "vars")
	inner := text[list[at].valueStart:list[at].valEnd]
	entries, _ := members(inner)
	m := entries[indexOf(entries, from)]
	colon := strings.IndexByte(inner[m.start:], ':') // no quote stands in the key: it is an identifier
	rest := inner[m.start:][:colon]
	key := strings.TrimRight(rest, " \t\r\n")
	inner = inner[:m.start] + quoted(to) + rest[len(key):] + inner[m.start+colon:]
	return text[:list[at].valueStart] + inner + text[list[at].valEnd:]
}

// A renamer renames a variable in expressions.
type renamer struct {
	from, to string
	problem  *problem.Error
}

// node renames in the expressions of one node, and reports whether there was any.
func (r *renamer) node(n *markup.Node) bool {
	before := n.Raw
	switch {
	case n.Kind == markup.Text && n.Parent.Name != "script":
		n.Raw = inMarks(n.Raw, r.mark)
	case n.Kind == markup.Element && n.Name != "script":
		n.Raw = inMarks(n.Raw, r.mark)
		for _, a := range n.Tag().Attrs {
			r.attribute(n, a.Name)
		}
	}
	return n.Raw != before
}

// attribute renames in the directives whose expressions stand without {{ }}.
func (r *renamer) attribute(n *markup.Node, attr string) {
	name := strings.TrimPrefix(attr, "data-")
	value, _ := n.Get(attr)
	if !strings.HasPrefix(name, "p-") || strings.Contains(value, "{{") {
		return
	}
	changed := value
	switch {
	case name == "p-for":
		m := inList.FindStringSubmatch(strings.TrimSpace(value))
		if m == nil {
			return
		}
		r.defines(m[1], n.Raw)
		r.defines(m[2], n.Raw)
		changed = strings.TrimSuffix(value, m[3]) + r.expression(m[3])
	case name == "p-if" || name == "p-else-if" || name == "p-src" || hasPrefix(name, "p-attr-", "p-style-", "p-class-"):
		changed = r.expression(value)
	}
	if changed != value {
		n.Set(attr, changed)
	}
}

func hasPrefix(s string, prefixes ...string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// defines refuses names that mean something else in a part of the document.
func (r *renamer) defines(name, where string) {
	if name == r.from || name == r.to {
		r.problem = problem.New(problem.Unsupported, "%q is the name of something else in %s", name, shortened(where)).WithHint("rename it by hand")
	}
}

// mark renames in what stands between {{ and }}.
func (r *renamer) mark(src string) string {
	word, argument := blockWord(src)
	switch word {
	case "":
		return r.expression(src)
	case "end", "else":
		return src
	}
	list := argument
	if m := asNames.FindStringSubmatch(argument); m != nil && (word == "each" || word == "for") {
		r.defines(m[2], src)
		r.defines(m[3], src)
		list = m[1]
	} else if m := inList.FindStringSubmatch(argument); m != nil && (word == "each" || word == "for") {
		r.defines(m[1], src)
		r.defines(m[2], src)
		list = m[3]
	}
	at := strings.LastIndex(src, list)
	return src[:at] + r.expression(list) + src[at+len(list):]
}

// expression renames in an expression. Where it has entities, they are decoded
// for it, and those that must be are written again.
func (r *renamer) expression(src string) string {
	plain := html.UnescapeString(src)
	changed, p := renameIdentifier(plain, r.from, r.to)
	if p != nil {
		r.problem = p
	}
	switch {
	case changed == plain:
		return src
	case plain == src:
		return changed
	}
	return strings.ReplaceAll(changed, "&", "&amp;")
}

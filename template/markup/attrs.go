package markup

import (
	"html"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/internal/problem"
)

// attrOrder is the order of attributes in a canonical tag; those that it does
// not name stand between the two halves, in the order in which they are.
var attrOrder = func() map[string]int {
	first := strings.Fields(`id class p-for p-limit p-empty p-if p-else-if p-else p-role p-name p-lock p-anchor
		p-fit p-min p-max p-lines p-src p-fallback p-onerror p-focus p-crop src`)
	order := map[string]int{}
	for i, name := range first {
		order[name] = i + 1
	}
	return order
}()

// The ranks of what attrOrder does not name.
const (
	otherAttr = 100 + iota
	styleDirective
	classDirective
	attrDirective
	styleAttr
)

// attrRank says where an attribute stands in a canonical tag.
func attrRank(name string) int {
	name = strings.TrimPrefix(name, "data-")
	switch {
	case attrOrder[name] > 0:
		return attrOrder[name]
	case strings.HasPrefix(name, "p-style-"):
		return styleDirective
	case strings.HasPrefix(name, "p-class-"):
		return classDirective
	case strings.HasPrefix(name, "p-attr-"):
		return attrDirective
	case name == "style":
		return styleAttr
	}
	return otherAttr
}

// Set gives the element an attribute. Where it has one of the name, only the
// bytes between the quotes change; a new one goes to its canonical place. The
// value is escaped as far as it must be: Get returns it.
func (n *Node) Set(name, value string) {
	tag := n.Tag()
	a, ok := tag.Find(name)
	switch {
	case !ok:
		n.addAttr(tag, name+"="+Quote(value))
	case !a.HasValue:
		n.Raw = n.Raw[:a.NameEnd] + "=" + Quote(value) + n.Raw[a.NameEnd:]
	case !a.Quoted:
		n.Raw = n.Raw[:a.ValueStart] + Quote(value) + n.Raw[a.ValueEnd:]
	default:
		n.Raw = n.Raw[:a.ValueStart] + EscapeAttr(value, n.Raw[a.ValueStart-1]) + n.Raw[a.ValueEnd:]
	}
}

// SetFlag gives the element an attribute without a value, where it has none of
// the name.
func (n *Node) SetFlag(name string) {
	if tag := n.Tag(); !slices.ContainsFunc(tag.Attrs, func(a Attr) bool { return a.Name == name }) {
		n.addAttr(tag, name)
	}
}

func (n *Node) addAttr(tag Tag, text string) {
	name, _, _ := strings.Cut(text, "=")
	at := tag.NameEnd
	for _, a := range tag.Attrs {
		if attrRank(a.Name) > attrRank(name) {
			n.Raw = n.Raw[:a.Start] + text + " " + n.Raw[a.Start:]
			return
		}
		at = a.End
	}
	n.Raw = n.Raw[:at] + " " + text + n.Raw[at:]
}

// Unset takes every attribute of the name away, with the white space before it.
func (n *Node) Unset(name string) {
	for {
		tag := n.Tag()
		before := tag.NameEnd
		i := slices.IndexFunc(tag.Attrs, func(a Attr) bool { return a.Name == name })
		if i < 0 {
			return
		}
		if i > 0 {
			before = tag.Attrs[i-1].End
		}
		rest := n.Raw[tag.Attrs[i].End:]
		if rest != "" && !isSpace(rest[0]) && rest[0] != '/' && rest[0] != '>' {
			rest = " " + rest
		}
		n.Raw = n.Raw[:before] + rest
	}
}

// SetRaw replaces the start tag by another of the same element, byte for byte.
func (n *Node) SetRaw(tag string) error {
	d := Parse([]byte(tag))
	if len(d.Children) != 1 || d.Children[0].Kind != Element || d.Children[0].Raw != tag {
		return problem.New(problem.Invalid, "%q is not one start tag", tag)
	}
	if name := d.Children[0].Name; name != n.Name {
		return problem.New(problem.Invalid, "the tag is one of <%s>, the element is a <%s>", name, n.Name)
	}
	n.Raw = tag
	return nil
}

// Quote is value in quotes: double ones, unless only single ones keep what
// stands in it readable.
func Quote(value string) string {
	quote := byte('"')
	if strings.Contains(value, `"`) && !strings.Contains(value, "'") {
		quote = '\''
	}
	return string(quote) + EscapeAttr(value, quote) + string(quote)
}

// EscapeAttr escapes value for a place between two of the quote. Expressions
// stay as they are: quotes inside them end no attribute.
func EscapeAttr(value string, quote byte) string {
	entity := "&#34;"
	if quote == '\'' {
		entity = "&#39;"
	}
	return outsideMarks(value, func(s string) string {
		return strings.ReplaceAll(keepAmps(s), string(quote), entity)
	}, keepAmps)
}

// EscapeText escapes text for a place between tags. Expressions stay as they are.
func EscapeText(text string) string {
	return outsideMarks(text, func(s string) string {
		return strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(s)
	}, keepAmps)
}

// outsideMarks maps what stands outside the expressions of s and what is one.
func outsideMarks(s string, outside, inside func(string) string) string {
	marks, _ := Marks([]byte(s))
	var b strings.Builder
	from := 0
	for _, m := range marks {
		b.WriteString(outside(s[from:m.Start]))
		b.WriteString(inside(s[m.Start:m.End]))
		from = m.End
	}
	b.WriteString(outside(s[from:]))
	return b.String()
}

// keepAmps escapes the ampersands of s that would be read as entities, and
// leaves those of a && b and of ?a=1&b=2 readable.
func keepAmps(s string) string {
	if html.UnescapeString(s) == s {
		return s
	}
	return strings.ReplaceAll(s, "&", "&amp;")
}

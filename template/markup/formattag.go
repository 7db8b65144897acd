package markup

import (
	"html"
	"slices"
	"strings"
)

// FormatTag is the start tag of an element in its canonical form.
func FormatTag(n *Node) string {
	tag := n.Tag()
	if marksOutside(n.Raw, tag) {
		return n.Raw
	}
	attrs := slices.Clone(tag.Attrs)
	slices.SortStableFunc(attrs, func(a, b Attr) int { return attrRank(a.Name) - attrRank(b.Name) })
	var b strings.Builder
	b.WriteString("<" + n.Name)
	for _, a := range attrs {
		b.WriteString(" " + formatAttr(n.Raw, a))
	}
	return b.String() + ">"
}

// marksOutside reports whether an expression of the tag stands elsewhere than in
// a value. The compiler refuses that; until then it stays.
func marksOutside(raw string, tag Tag) bool {
	marks, _ := Marks([]byte(raw))
	return slices.ContainsFunc(marks, func(m Mark) bool {
		return !slices.ContainsFunc(tag.Attrs, func(a Attr) bool { return a.ValueStart <= m.Start && m.End <= a.ValueEnd })
	})
}

func formatAttr(raw string, a Attr) string {
	value := a.Value([]byte(raw))
	switch {
	case !a.HasValue:
		return a.Name
	case a.Name == "style":
		return a.Name + "=" + formatStyleAttr(FormatStyle(ParseStyle(html.UnescapeString(value))), raw[a.ValueStart-1])
	case a.Quoted && raw[a.ValueStart-1] == '"':
		return a.Name + `="` + value + `"`
	}
	return a.Name + "=" + requoted(value, a.Quoted)
}

// formatStyleAttr quotes a style. Double quotes stay even where others would
// read better, as they do when a property is set.
func formatStyleAttr(style string, quote byte) string {
	if quote == '"' {
		return `"` + EscapeAttr(style, quote) + `"`
	}
	return Quote(style)
}

// requoted puts a value that stood in single quotes or in none into double
// ones, unless there are double quotes in it. Its entities stay.
func requoted(value string, quoted bool) string {
	_, masked := Marks([]byte(value))
	switch {
	case !strings.Contains(value, `"`):
		return `"` + value + `"`
	case quoted || !strings.Contains(value, "'"):
		return "'" + value + "'"
	case strings.Contains(string(masked), `"`):
		return `"` + outsideMarks(value, func(s string) string { return strings.ReplaceAll(s, `"`, "&#34;") }, func(s string) string { return s }) + `"`
	}
	return `"` + value + `"`
}

package markup

import (
	"regexp"
	"slices"
	"strings"
)

// Format prints a document in the canonical form: a line for every layer, two
// spaces of indentation for each page, stack or group around it, attributes and
// properties in their order. What it can't know the meaning of stays as it is:
// the content of text layers byte for byte, HTML outside pages, style sheets
// other than the format's own. What a browser shows stays the same.
func Format(d *Document) []byte {
	f := formatter{}
	f.children(d.Node, 0)
	return []byte(f.b.String())
}

type formatter struct{ b strings.Builder }

// regular reports whether the children of n can have lines of their own: there
// is no text among them, and every one has an end.
func regular(n *Node) bool {
	if n.Kind != Root && n.End == "" {
		return false
	}
	return !slices.ContainsFunc(n.Children, func(c *Node) bool {
		switch c.Kind {
		case Element:
			return !ended(c) || c.frame() && !regular(c) // white space behind the body is put into it
		case Text:
			return !c.Blank() && !isBOM(c)
		case Comment, Doctype:
			return !closed(c.Raw)
		}
		return true
	})
}

// closed reports whether a comment does not go on to the end of the file.
func closed(raw string) bool {
	if strings.HasPrefix(raw, "<!--") {
		return strings.HasSuffix(raw, "-->") || strings.HasSuffix(raw, "--!>")
	}
	return strings.HasSuffix(raw, ">")
}

// formatting are the elements that a parser opens again in what follows, white
// space included, where they were not closed.
var formatting = words("a b big code em font i nobr s small strike strong tt u")

// ended reports whether n ends where its end tag stands, and nothing of it
// reaches beyond.
func ended(n *Node) bool {
	if n.End == "" && !Void(n.Name) && !(isForeign(n.Name) && n.Tag().SelfClosing) {
		return false
	}
	return n.All(func(m *Node) bool { return m.End != "" || !formatting[m.Name] })
}

// isBOM reports whether n is the mark that some editors put before a document.
func isBOM(n *Node) bool {
	return n.Kind == Text && n.Start == 0 && n.Parent.Kind == Root && strings.Trim(strings.TrimPrefix(n.Raw, "\ufeff"), " \t\r\n\f") == ""
}

// children prints what stands in n, of which each is a line of the depth. An
// empty line between two of them stays one.
func (f *formatter) children(n *Node, depth int) {
	if n.Kind == Root && !regular(n) {
		f.b.WriteString(n.Inner())
		return
	}
	gap, some := 0, false
	for i, child := range n.Children {
		if child.Kind == Text {
			if i == 0 && isBOM(child) && strings.HasPrefix(child.Raw, "\ufeff") {
				f.b.WriteString("\ufeff")
			}
			gap += strings.Count(child.Raw, "\n")
			continue
		}
		if gap > 1 && some {
			f.b.WriteString("\n")
		}
		gap, some = 0, true
		f.b.WriteString(strings.Repeat("  ", depth))
		f.node(child, depth)
		f.b.WriteString("\n")
	}
}

func (f *formatter) node(n *Node, depth int) {
	switch {
	case n.Kind == Doctype:
		f.b.WriteString(doctype(n.Raw))
	case n.Kind != Element:
		f.b.WriteString(n.Raw)
	case n.frame():
		f.frame(n, depth)
	case n.Holder() && len(n.Children) > 0 && regular(n): // an empty one is :empty, white space would change that
		f.b.WriteString(FormatTag(n) + "\n")
		f.children(n, depth+1)
		f.b.WriteString(strings.Repeat("  ", depth) + "</" + n.Name + ">")
	case n.Parent.frame() && !n.Page():
		f.own(n)
	default:
		f.layer(n)
	}
}

var plainDoctype = regexp.MustCompile(`^<!(?i:doctype\s+html)\s*>$`)

func doctype(raw string) string {
	if plainDoctype.MatchString(raw) {
		return "<!doctype html>"
	}
	return raw
}

// frame is html, head or body: what stands in them is not indented.
func (f *formatter) frame(n *Node, depth int) {
	if !regular(n) {
		f.b.WriteString(n.Print())
		return
	}
	f.b.WriteString(n.Raw + "\n")
	f.children(n, depth)
	f.b.WriteString("</" + n.Name + ">")
}

// layer is a layer, whose content is its own.
func (f *formatter) layer(n *Node) {
	if isForeign(n.Name) {
		f.b.WriteString(n.Print())
		return
	}
	f.b.WriteString(FormatTag(n) + n.Inner())
	if n.End != "" {
		f.b.WriteString("</" + n.Name + ">")
	}
}

// own is an element of the head or beside the pages: the format's own sheets
// and manifest have a form, all else stays.
func (f *formatter) own(n *Node) {
	id := n.ID()
	text := n.Inner()
	switch {
	case n.Name == "script" && id == "p-template":
		if formatted, err := ManifestJSON([]byte(text)); err == nil {
			text = "\n" + formatted + "\n"
		}
	case n.Name == "style" && id == "p-tokens":
		text = formatSheet(text, true)
	case n.Name == "style" && strings.HasPrefix(id, "p-size-"):
		text = formatSheet(text, false)
	}
	f.b.WriteString(n.Raw + text + n.End)
}

// formatSheet prints rules of declarations: each rule on a line, or with lines
// each declaration. A sheet with comments or other rules stays as it is.
func formatSheet(css string, lines bool) string {
	rules, ok := Rules(css)
	if !ok || css == "" || strings.Contains(css, "/*") || slices.ContainsFunc(rules, func(r Rule) bool { return !r.Plain }) {
		return css
	}
	var b strings.Builder
	b.WriteString("\n")
	for _, r := range rules {
		decls := formatDecls(ParseBlock(css[r.BodyStart:r.BodyEnd]))
		b.WriteString("  " + r.Selector)
		switch {
		case lines && len(decls) == 0:
			b.WriteString(" {\n  }\n")
		case lines:
			b.WriteString(" {\n    " + strings.Join(decls, ";\n    ") + ";\n  }\n")
		case len(decls) == 0:
			b.WriteString(" {}\n")
		default:
			b.WriteString(" { " + strings.Join(decls, "; ") + "; }\n")
		}
	}
	return b.String()
}

// formatDecls are the declarations with one space behind each colon.
func formatDecls(s *Style) []string {
	var out []string
	for _, d := range s.decls {
		switch {
		case d.blank():
		case d.name == "":
			out = append(out, strings.TrimSpace(d.value))
		default:
			out = append(out, d.property()+": "+roundLengths(d.value))
		}
	}
	return out
}

// FormatStyle is a style in its canonical order: by rank, within which what
// could override each other stays in its order.
func FormatStyle(s *Style) string {
	if strings.Contains(s.String(), "/*") {
		return s.String()
	}
	sorted := slices.Clone(s.decls)
	if !slices.ContainsFunc(sorted, func(d decl) bool { return !d.blank() && spansRanks(d.property()) }) {
		slices.SortStableFunc(sorted, func(a, b decl) int { return propertyRank(a.property()) - propertyRank(b.property()) })
	}
	return strings.Join(formatDecls(&Style{decls: sorted}), "; ")
}

var longNumber = regexp.MustCompile(`(^|[^\w.#-])([-+]?)(\d*)\.(\d{3,})(px|%|deg)`)

// roundLengths rounds pixels, per cents and degrees to a hundredth; smaller
// differences cannot be seen. What stands in quotes, in addresses and in
// expressions stays.
func roundLengths(value string) string {
	if !longNumber.MatchString(value) || strings.Contains(value, "url(") {
		return value
	}
	masked := maskLengths(value)
	var b strings.Builder
	from := 0
	for _, m := range longNumber.FindAllStringSubmatchIndex(masked, -1) {
		b.WriteString(value[from:m[4]] + rounded(value[m[4]:m[9]]))
		from = m[9]
	}
	return b.String() + value[from:]
}

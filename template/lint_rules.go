package template

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/template/markup"
)

// lintEnv is where sample rows are tried.
var lintEnv = expr.Env{}

// element looks for the traps of one element.
func (l *linter) element(n *markup.Node, ids map[string]bool) {
	if id := n.ID(); id != "" && !strings.Contains(id, "{{") {
		if ids[id] {
			l.note(n.Start, true, LintDuplicateID, "give each element an id of its own; loops make theirs unique", "the id %q stands there twice", id)
		}
		ids[id] = true
	}
	own := append(of(l.styles.base, n), l.inline(n)...)
	l.loopPlace(n, own)
	l.fit(n, own)
	l.boundStyles(n)
	l.whiteSpace(n, own)
	l.remoteFile(n)
	l.unclosed(n)
	l.offPage(n)
	if n.Parent != nil && isContainer(n.Parent) && n.ID() == "" && !markup.Void(n.Name) && n.Name != "style" {
		l.warn(n.Start, LintNoID, "give it an id, so that sizes, rows, the editor and the copilot can name it", "the layer <%s> has no id", n.Name)
	}
}

// mayStayOpen are the elements that HTML lets end without an end tag.
var mayStayOpen = map[string]bool{
	"html": true, "head": true, "body": true, "p": true, "li": true, "dt": true, "dd": true, "option": true, "optgroup": true,
	"tr": true, "td": true, "th": true, "thead": true, "tbody": true, "tfoot": true, "colgroup": true, "caption": true, "rt": true, "rp": true,
}

// unclosed finds elements that end where somebody else's end tag stands.
func (l *linter) unclosed(n *markup.Node) {
	if n.End != "" || markup.Void(n.Name) || mayStayOpen[n.Name] || strings.HasSuffix(n.Raw, "/>") {
		return
	}
	l.warn(n.Start, LintUnclosed, "write </"+n.Name+"> where it ends", "<%s> has no end tag: what follows stands inside it", n.Name)
}

func isContainer(n *markup.Node) bool {
	return n.HasClass(pageClass) || n.HasClass(stackClass) || n.HasClass(groupClass)
}

// directiveOf is the value of a directive in either spelling.
func directiveOf(n *markup.Node, name string) (string, bool) {
	if v, ok := n.Get(name); ok {
		return v, true
	}
	return n.Get("data-" + name)
}

// loopPlace finds loops whose copies would cover each other.
func (l *linter) loopPlace(n *markup.Node, own []declaration) {
	if _, ok := directiveOf(n, "p-for"); !ok || n.HasClass(pageClass) || n.Parent == nil {
		return
	}
	if !n.Parent.HasClass(pageClass) && !n.Parent.HasClass(groupClass) {
		return
	}
	parent := append(of(l.styles.base, n.Parent), l.inline(n.Parent)...)
	for _, d := range own {
		if d.property == "position" && (d.value == "static" || d.value == "relative") {
			return
		}
	}
	if n.Parent.HasClass(stackClass) || slices.ContainsFunc(parent, func(d declaration) bool {
		return d.property == "display" && (strings.Contains(d.value, "flex") || strings.Contains(d.value, "grid"))
	}) && !n.Parent.HasClass(pageClass) {
		return
	}
	l.note(n.Start, true, LintLoopPlace, `put it into an element of class "p-stack"`,
		"p-for on a placed layer: its copies would cover each other")
}

var (
	widths  = []string{"width", "max-width", "inline-size", "max-inline-size"}
	heights = []string{"height", "max-height", "block-size", "max-block-size"}
)

// fit finds texts that cannot be fitted, and font sizes that are guessed.
func (l *linter) fit(n *markup.Node, own []declaration) {
	for _, d := range own {
		if (d.property == "font-size" || d.property == "font") && strings.Contains(d.value, "{{") && strings.Contains(d.value, "length") {
			l.warn(d.at, LintComputedSize, `write p-fit="shrink": it measures, and long values grow back`,
				"the font size is guessed from the length of a text")
		}
	}
	if v, ok := directiveOf(n, "p-style-font-size"); ok && strings.Contains(v, "length") {
		l.warn(n.Start, LintComputedSize, `write p-fit="shrink": it measures`, "the font size is guessed from the length of a text")
	}
	fit, ok := directiveOf(n, "p-fit")
	if !ok || fit == "none" || fit == "" {
		return
	}
	l.fitBox(n, own)
	for _, rules := range append([][]rule{l.styles.base}, l.sizeRules()...) {
		for _, d := range of(rules, n) {
			if (d.property == "font-size" || d.property == "font") && strings.Contains(d.value, "!important") {
				l.warn(d.at, LintFixedSize, "take !important away: an id in a size block is strong enough where the size stands in a <style>",
					"the font size of %s is !important, so that it cannot be fitted", nameOf(n))
			}
		}
	}
}

func (l *linter) sizeRules() [][]rule {
	var out [][]rule
	for _, s := range l.reader.manifest.sizes {
		out = append(out, l.styles.sizes[s.Name])
	}
	return out
}

func (l *linter) fitBox(n *markup.Node, own []declaration) {
	inFlow := n.Parent != nil && !n.Parent.HasClass(pageClass) && !n.Parent.HasClass(groupClass)
	_, lines := directiveOf(n, "p-lines")
	wide := inFlow || has(own, widths...) || has(own, "inset") || has(own, "left") && has(own, "right")
	high := lines || has(own, heights...) || has(own, "inset") || has(own, "top") && has(own, "bottom") || has(own, "flex")
	switch {
	case !wide:
		l.warn(n.Start, LintFitBox, "give it a width", "%s has p-fit, but nothing says how wide its box is", nameOf(n))
	case !high:
		l.warn(n.Start, LintFitBox, "give it a height, or p-lines", "%s has p-fit, but nothing says how high its box is", nameOf(n))
	}
}

func nameOf(n *markup.Node) string {
	if id := n.ID(); id != "" {
		return "#" + id
	}
	return "<" + n.Name + ">"
}

// boundStyles finds addresses in styles without url().
func (l *linter) boundStyles(n *markup.Node) {
	t := markup.ParseTag(l.reader.doc.Masked, n.Start, n.Stop)
	for _, a := range t.Attrs {
		name, _ := directiveName(a.Name)
		if !strings.HasPrefix(name, "p-style-background") && !strings.HasPrefix(name, "p-style-mask") {
			continue
		}
		value := a.Value(l.Src)
		for _, v := range l.reader.manifest.vars {
			if (v.Type == Image || v.Type == URL) && usesWord(value, v.Name) && !strings.Contains(value, "url(") {
				l.warn(a.Start, LintBareAddress, "write url({{ "+v.Name+" }})", "%s is an address, and shows nothing in a style without url()", v.Name)
			}
		}
	}
}

func usesWord(text, word string) bool {
	return regexp.MustCompile(`\b` + regexp.QuoteMeta(word) + `\b`).MatchString(text)
}

// whiteSpace finds texts whose line breaks in the file would show.
func (l *linter) whiteSpace(n *markup.Node, own []declaration) {
	for _, d := range own {
		if d.property != "white-space" || !strings.HasPrefix(d.value, "pre") && d.value != "break-spaces" || len(n.Children) == 0 {
			continue
		}
		first, last := n.Children[0], n.Children[len(n.Children)-1]
		if first.Kind == markup.Text && strings.HasPrefix(first.Raw, "\n") || last.Kind == markup.Text && strings.Contains(last.Raw[len(strings.TrimRight(last.Raw, " \t\n")):], "\n") {
			l.warn(n.Start, LintWhiteSpace, "let the text begin right behind its tag, or use white-space: normal",
				"the line breaks around the text of %s show in the picture", nameOf(n))
			return
		}
	}
}

func (l *linter) remoteFile(n *markup.Node) {
	if n.Name == "a" || n.Name == "area" {
		return
	}
	for _, name := range []string{"src", "href", "xlink:href", "poster"} {
		if v, ok := n.Get(name); ok && strings.HasPrefix(v, "http") && !strings.Contains(v, "{{") {
			l.warn(n.Start, LintRemoteFile, "put the file into assets/", "%s is fetched from the network", quote(v))
		}
	}
}

// sheets looks at the style sheets.
func (l *linter) sheets() {
	for _, r := range l.styles.base {
		l.properties(r)
	}
	for _, name := range l.reader.manifest.sizeNames() {
		for _, r := range l.styles.sizes[name] {
			l.properties(r)
			l.sizeProperties(name, r)
		}
	}
	l.reader.doc.All(func(n *markup.Node) bool {
		if n.Kind == markup.Element {
			l.properties(rule{body: l.inline(n)})
		}
		return true
	})
}

func (l *linter) properties(r rule) {
	for _, d := range r.body {
		switch {
		case d.property == "text-fit":
			l.warn(d.at, LintTextFit, "use p-fit: it fits both axes, in every browser", "text-fit is a property of one browser, and fits along the line only")
		case d.property == "font-display" && d.value != "block" && d.value != "auto":
			l.warn(d.at, LintFontDisplay, "write font-display: block", "with font-display: %s the font may be missing from the first picture", d.value)
		case strings.Contains(d.value, "url(http") && !strings.Contains(d.value, "{{"):
			l.warn(d.at, LintRemoteFile, "put the file into assets/", "the style fetches a file from the network")
		}
	}
}

// sizeAllowed is what a size may change: places, type sizes, visibility, crop.
var sizeAllowed = regexp.MustCompile(`^(?:left|top|right|bottom|inset.*|(?:min-|max-)?(?:width|height|inline-size|block-size)|margin.*|padding.*|` +
	`(?:row-|column-)?gap|transform.*|rotate|scale|translate|zoom|aspect-ratio|display|visibility|opacity|order|flex.*|grid.*|align-.*|justify-.*|place-.*|` +
	`font|font-size|line-height|letter-spacing|word-spacing|text-align|text-indent|white-space|writing-mode|-webkit-line-clamp|line-clamp|columns?.*|` +
	`object-.*|clip-path|border.*-radius|border.*-width|background-(?:size|position.*)|overflow.*|mask-(?:size|position)|stroke-width|--.*)$`)

func (l *linter) sizeProperties(size string, r rule) {
	for _, d := range r.body {
		if !sizeAllowed.MatchString(d.property) {
			l.warn(d.at, LintSizeProperty, "say it once for all sizes, or as a token of a theme",
				"the size %q sets %s; sizes set places, type sizes, visibility and crop", size, d.property)
		}
	}
}

// sizes finds sizes that differ in width and height alone.
func (l *linter) sizes() {
	first := l.reader.manifest.sizes[0]
	for _, s := range l.reader.manifest.sizes[1:] {
		if _, ok := l.styles.at[s.Name]; !ok && (s.Width != first.Width || s.Height != first.Height) && !l.pageNames(s.Name) {
			l.warn(l.key(s.Name), LintBareSize, `add <style id="p-size-`+s.Name+`"> with the places of its layers`,
				"the size %q changes nothing but width and height", s.Name)
		}
	}
}

// pageNames reports whether a page has that size of its own.
func (l *linter) pageNames(size string) bool {
	found := false
	l.reader.doc.All(func(n *markup.Node) bool {
		v, ok := directiveOf(n, "p-size")
		found = found || ok && v == size
		return !found
	})
	return found
}

// key is where the manifest has that key.
func (l *linter) key(name string) int {
	at := 0
	l.reader.doc.All(func(n *markup.Node) bool {
		if n.Kind == markup.Element && n.Name == "script" {
			at = max(n.Start+strings.Index(n.Print(), `"`+name+`"`), n.Start)
		}
		return at == 0
	})
	return at
}

// copies finds texts that stand twice, each hidden in some size.
func (l *linter) copies() {
	first := map[string]*markup.Node{}
	l.reader.doc.All(func(n *markup.Node) bool {
		if n.Kind != markup.Element || len(n.Children) != 1 || n.Children[0].Kind != markup.Text || n.Name == "style" || n.Name == "title" {
			return true
		}
		text := strings.Join(strings.Fields(n.Children[0].Raw), " ")
		if !strings.Contains(text, "{{") {
			return true
		}
		before, ok := first[text]
		if ok && (l.hiddenSomewhere(n) || l.hiddenSomewhere(before)) {
			l.warn(n.Start, LintCopiedLayer, "keep one layer and move it in the size's block: a fix must not be made twice",
				"the text of %s also stands in %s, each shown in other sizes", nameOf(n), nameOf(before))
		}
		first[text] = n
		return true
	})
}

func (l *linter) hiddenSomewhere(n *markup.Node) bool {
	all := append(of(l.styles.base, n), l.inline(n)...)
	for _, rules := range l.styles.sizes {
		all = append(all, of(rules, n)...)
	}
	return slices.ContainsFunc(all, func(d declaration) bool { return d.property == "display" && d.value == "none" })
}

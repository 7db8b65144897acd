package template

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

// refusedElements load, run or reinterpret what is not in the template.
var refusedElements = map[string]string{
	"base": "", "iframe": "", "frame": "", "frameset": "", "object": "", "embed": "", "applet": "", "portal": "",
	"noscript": "", "noembed": "", "noframes": "", "plaintext": "", "xmp": "",
	"link": "put CSS into <style>, fonts into assets/",
}

// rawElements have text that is not markup.
var rawElements = map[string]bool{"script": true, "style": true, "title": true, "textarea": true}

// animations change attributes of other elements later, past all escaping.
var animations = map[string]bool{"animate": true, "animatemotion": true, "animatetransform": true, "set": true}

// An element is one that is being read.
type element struct {
	node *markup.Node
	tag  markup.Tag
	d    directives
}

func (r *reader) elementOf(n *markup.Node) *element {
	e := &element{node: n, tag: markup.ParseTag(r.doc.Masked, n.Start, n.Stop)}
	e.d = r.directives(e)
	return e
}

// chain reads the element at i with the p-else and p-empty behind it, and returns
// the index behind those.
func (r *reader) chain(items []item, i int) int {
	e := r.elementOf(items[i].node)
	if e.d.or != nil || e.d.empty {
		r.invalid(e.tag.Start, "<%s> with %s follows no element with p-if or p-for", e.tag.Name, e.d.orName()).slug(BadDirective)
	}
	if e.d.when == nil && e.d.loop == nil {
		r.element(e)
		return i + 1
	}
	if e.node.End == "" && !markup.Void(e.tag.Name) && !e.tag.SelfClosing {
		r.invalid(e.tag.Start, "<%s> with p-if or p-for needs an end tag of its own", e.tag.Name).slug(BadDirective)
	}
	rest, next := r.followers(items, i+1)
	switch {
	case e.d.loop != nil:
		r.repeat(e, rest)
	default:
		if i := slices.IndexFunc(rest, func(o *element) bool { return o.d.empty }); i >= 0 {
			r.invalid(rest[i].tag.Start, "p-empty follows an element with p-if, not one with p-for").slug(BadDirective).hint("write p-else")
		}
		r.pieces = append(r.pieces, r.alternatives(append([]*element{e}, rest...))...)
	}
	return next
}

// followers are the elements from i on that belong to the one before, with
// nothing but white space in between.
func (r *reader) followers(items []item, i int) (rest []*element, next int) {
	next = i
	for j := i; j < len(items); j++ {
		if items[j].isBlank(r.Src) {
			continue
		}
		if items[j].node == nil || items[j].node.Kind != markup.Element || !follows(items[j].node) {
			return rest, next
		}
		rest = append(rest, r.elementOf(items[j].node))
		next = j + 1
	}
	return rest, next
}

func follows(n *markup.Node) bool {
	for _, name := range []string{"p-else", "p-else-if", "p-empty"} {
		if _, ok := n.Get(name); ok {
			return true
		}
		if _, ok := n.Get("data-" + name); ok {
			return true
		}
	}
	return false
}

// alternatives are elements of which the first whose condition holds is shown.
func (r *reader) alternatives(chain []*element) []piece {
	e := chain[0]
	defer r.canvas.enter(e.node, "if")()
	cond := e.d.when
	if e.d.or != nil {
		cond = e.d.or
		r.canvas.at("else-if")
	}
	if cond == nil || cond.bare {
		if len(chain) > 1 {
			r.invalid(chain[1].tag.Start, "an element follows the one with p-else").slug(BadDirective)
		}
		return r.nested(func() { r.element(e) })
	}
	program := r.expression(cond.text, cond.at, true)
	p := piece{kind: isChoice, body: r.nested(func() { r.element(e) })}
	if len(chain) > 1 {
		p.otherwise = r.alternatives(chain[1:])
	}
	if program == nil { // reported already
		return nil
	}
	p.slot = r.noteSlot(&slot{place: isCondition, parts: []part{{program: program}}, at: r.At(cond.at)})
	return []piece{p}
}

// repeat reads the element once for each item of its list.
func (r *reader) repeat(e *element, rest []*element) {
	otherwise := func() {}
	if len(rest) > 0 {
		if !rest[0].d.empty || len(rest) > 1 {
			r.invalid(rest[len(rest)-1].tag.Start, "behind an element with p-for stands one with p-empty at most").slug(BadDirective)
		}
		otherwise = func() { r.element(rest[0]) }
	}
	defer r.canvas.enter(e.node, "for")()
	r.loop(e.d.loop.syntax, e.d.loop.at, e.d.loop.limit, func() {
		if e.d.when == nil {
			r.element(e)
			return
		}
		r.pieces = append(r.pieces, r.alternatives([]*element{e})...)
	}, otherwise)
}

// element reads an element whose conditions are dealt with.
func (r *reader) element(e *element) {
	if address := r.canvas.address(e.node); address != "" {
		defer r.canvas.enter(e.node, "text")()
		r.pieces = append(r.pieces, piece{kind: isNode, node: address, body: r.nested(func() { r.presence(e) })})
		return
	}
	r.presence(e)
}

// presence reads an element that may be there only with the values of its variables.
func (r *reader) presence(e *element) {
	hide := r.hiding(e)
	if len(hide) == 0 {
		r.layer(e)
		return
	}
	p := piece{kind: isChoice, body: r.nested(func() { r.layer(e) })}
	p.slot = &slot{place: isPresence, vars: hide, at: r.At(e.tag.Start)}
	r.slots = append(r.slots, p.slot)
	r.pieces = append(r.pieces, p)
}

// hiding are the variables of e's own text and attributes of which the manifest
// says that a missing value hides the element.
func (r *reader) hiding(e *element) []string {
	if !r.manifest.hides {
		return nil
	}
	var names []string
	note := func(start, end int) {
		for _, m := range r.marksIn(start, end) {
			program, err := expr.Compile(m.Src, expr.Options{})
			if err != nil {
				continue
			}
			for _, name := range program.Names() {
				if r.manifest.hidesOn(name) && !r.isLocal(name) && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
	}
	note(e.tag.Start, e.tag.End)
	for _, child := range e.node.Children {
		if child.Kind == markup.Text {
			note(child.Start, child.Stop)
		}
	}
	return names
}

// layer reads e as what a row may hide or change, where it has a name.
func (r *reader) layer(e *element) {
	isPageElement := r.isPage(e)
	i := -1
	if !r.inHead && !rawElements[e.tag.Name] && e.tag.Name != "html" && e.tag.Name != "body" {
		i = r.noteLayer(e)
	}
	e.d.layer = i
	switch {
	case isPageElement:
		if len(r.scopes) > 1 {
			r.unsupported(e.tag.Start, "a page inside two loops")
		}
		r.pieces = append(r.pieces, piece{kind: isPage, page: r.pageSize(e), body: r.nested(func() { r.tagAndContent(e) })})
	case i >= 0:
		r.pieces = append(r.pieces, piece{kind: isLayer, layer: i, body: r.nested(func() { r.tagAndContent(e) })})
	default:
		r.tagAndContent(e)
	}
}

// isPage reports whether e is a page: an element of that class which is in no other.
func (r *reader) isPage(e *element) bool {
	class, _ := e.tag.Get(r.Src, "class")
	if !slices.Contains(strings.Fields(class), pageClass) {
		return false
	}
	for n := e.node.Parent; n != nil; n = n.Parent {
		if n.HasClass(pageClass) {
			r.invalid(e.tag.Start, "a page inside another page").slug(BadDirective)
			return false
		}
	}
	r.pageCount++
	return true
}

// pageSize is the size that a page names for itself.
func (r *reader) pageSize(e *element) *Size {
	if e.d.size == nil {
		return nil
	}
	for i, s := range r.manifest.sizes {
		if s.Name == e.d.size.text {
			return &r.manifest.sizes[i]
		}
	}
	r.noSize(e.d.size.text, e.d.size.at)
	return nil
}

func (r *reader) noSize(name string, at int) {
	names := r.manifest.sizeNames()
	p := r.invalid(at, "the manifest has no size %q", name).slug(SizeNotFound)
	if near := expr.Nearest(name, names); near != "" {
		p.hint("did you mean %q?", near)
	}
}

func (r *reader) tagAndContent(e *element) {
	if e.d.image != nil {
		r.image(e)
		return
	}
	r.startTag(e)
	r.content(e)
}

func (r *reader) startTag(e *element) {
	t := e.tag
	r.rawText = ""
	if rawElements[t.Name] {
		r.rawText = t.Name
	}
	if marks := r.marksIn(t.Start, t.NameEnd); len(marks) > 0 {
		r.ignoreIn(t.Start, t.NameEnd)
		r.unsafe(marks[0].Start, "an expression cannot name an element")
	}
	if hint, refused := refusedElements[t.Name]; refused {
		r.ignoreIn(t.Start, t.End)
		r.unsafe(t.Start, "<%s> has no place in a template", t.Name)
		if hint != "" {
			r.problems[len(r.problems)-1].WithHint("%s", hint)
		}
		return
	}
	if rawElements[t.Name] && inSelect(e.node) {
		r.unsafe(t.Start, "<%s> in a <select>, where some browsers read its text as markup", t.Name)
	}
	switch t.Name {
	case "script":
		r.script(t)
		return
	case "head":
		r.inHead = true
	case "body":
		r.inHead = false
	case "style":
		r.style(t)
	case "meta":
		r.meta(t)
	}
	r.attributes(e)
	if isForeign(t.Name) && !t.SelfClosing {
		r.foreign++
	}
}

func inSelect(n *markup.Node) bool {
	for n = n.Parent; n != nil; n = n.Parent {
		if n.Name == "select" {
			return true
		}
	}
	return false
}

func isForeign(name string) bool { return name == "svg" || name == "math" }

// content reads what stands inside e, and its end tag.
func (r *reader) content(e *element) {
	n, raw := e.node, r.rawText
	inner := func() {
		if e.d.figure != nil {
			r.figure(e)
			return
		}
		if raw == "" {
			r.flow(r.items(n))
			return
		}
		for _, text := range n.Children {
			r.text(text.Start, text.Stop)
		}
	}
	if e.d.figure != nil && e.d.layer >= 0 {
		r.pieces = append(r.pieces, r.nested(inner)...)
	} else if e.d.layer >= 0 && !markup.Void(e.tag.Name) && r.foreign == 0 {
		r.pieces = append(r.pieces, piece{kind: isContent, layer: e.d.layer, body: r.nested(inner)})
	} else {
		inner()
	}
	r.rawText = ""
	if isForeign(e.tag.Name) && !e.tag.SelfClosing {
		r.foreign--
	}
	switch e.tag.Name {
	case "head":
		r.base() // an empty one
		r.inHead = false
	case "script":
		r.ignoreIn(n.EndStart, n.EndStart+len(n.End))
		return
	}
	if n.End != "" {
		r.endTag(n.EndStart, n.EndStart+len(n.End), n.End)
	}
	if e.tag.Name == "style" {
		r.size = ""
	}
}

// text is the content of an element whose text is no markup.
func (r *reader) text(start, end int) {
	switch r.rawText {
	case "script":
		r.ignoreIn(start, end) // the manifest; any other script is a problem already
	case "style":
		if r.foreign > 0 && bytes.ContainsAny(r.doc.Masked[start:end], "<&") {
			r.unsafe(start, "< or & in the CSS of an SVG; move the <style> into the head")
		}
		r.noteThemes(start, end)
		c := cssReader{r: r, in: r.cssText(start, end, false), mode: sheet}
		c.read()
	default:
		if r.foreign > 0 && bytes.IndexByte(r.doc.Masked[start:end], '<') >= 0 {
			r.unsafe(start, "an element inside the <%s> of an SVG", r.rawText)
		}
		r.guardEndTag(start, end)
		r.flow(r.textItems(start, end))
	}
}

// script is the manifest, or a problem.
func (r *reader) script(t markup.Tag) {
	r.ignoreIn(t.Start, t.End)
	id, _ := t.Get(r.Src, "id")
	kind, _ := t.Get(r.Src, "type")
	if id == manifestID && strings.EqualFold(strings.TrimSpace(kind), "application/json") {
		return
	}
	if id == manifestID {
		r.invalid(t.Start, "the manifest needs type=\"application/json\"")
		return
	}
	r.unsafe(t.Start, "<script>: templates run without JavaScript")
}

// style makes <style id="p-size-story"> belong to its size.
func (r *reader) style(t markup.Tag) {
	id, _ := t.Get(r.Src, "id")
	size, ok := strings.CutPrefix(id, sizeStyle)
	if !ok {
		return
	}
	if !slices.Contains(r.manifest.sizeNames(), size) {
		r.noSize(size, t.Start)
		return
	}
	r.size = size
}

var themeSelector = regexp.MustCompile(`\[\s*data-theme\s*=\s*["']?([A-Za-z0-9_-]+)["']?\s*\]`)

// noteThemes notes the themes that a style sheet has rules for.
func (r *reader) noteThemes(start, end int) {
	for _, m := range themeSelector.FindAllSubmatch(r.doc.Masked[start:end], -1) {
		if name := string(m[1]); !slices.Contains(r.themes, name) {
			r.themes = append(r.themes, name)
		}
	}
}

func (r *reader) meta(t markup.Tag) {
	if charset, ok := t.Get(r.Src, "charset"); ok && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "utf8") {
		r.report(t.Start, problem.New(problem.Invalid, "the charset must be utf-8"))
	}
}

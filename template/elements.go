package template

import (
	"html"
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

func (r *reader) startTag(t markup.Tag) {
	r.rawText = ""
	if rawElements[t.Name] {
		r.rawText = t.Name
	}
	nameEnd := t.NameEnd
	if marks := r.marksIn(t.Start, nameEnd); len(marks) > 0 {
		r.ignoreIn(t.Start, nameEnd)
		r.unsafe(marks[0].Start, "an expression cannot name an element")
	}
	if hint, refused := refusedElements[t.Name]; refused {
		r.refuse(t, hint)
		return
	}
	switch t.Name {
	case "script":
		r.script(t)
		return
	case "head":
		r.inHead = true
	case "body":
		r.inHead = false
	case "svg", "math":
		if !t.SelfClosing {
			r.foreign = append(r.foreign, t.Name)
		}
	case "style":
		r.style(t)
	case "meta":
		r.meta(t)
	}
	r.page(t)
	r.attributes(t)
}

func (r *reader) refuse(t markup.Tag, hint string) {
	r.ignoreIn(t.Start, t.End)
	r.unsafe(t.Start, "<%s> has no place in a template", t.Name)
	if hint != "" {
		r.problems[len(r.problems)-1].WithHint("%s", hint)
	}
}

func (r *reader) endTag(t markup.Tag) {
	if marks := r.marksIn(t.Start, t.End); len(marks) > 0 {
		r.ignoreIn(t.Start, t.End)
		r.unsafe(marks[0].Start, "an expression cannot stand in an end tag")
	}
	manifest := t.Name == "script" && r.rawText == "script"
	r.rawText = ""
	switch t.Name {
	case "head":
		r.inHead = false
	case "svg", "math":
		for i := len(r.foreign) - 1; i >= 0; i-- {
			if r.foreign[i] == t.Name {
				r.foreign = r.foreign[:i]
				break
			}
		}
	}
	if !manifest {
		r.emit(string(r.Src[t.Start:t.End]))
	}
	if t.Name == "style" {
		r.size = ""
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
		r.report(t.Start, problem.New(problem.Invalid, "the manifest needs type=\"application/json\""))
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
	names := r.manifest.sizeNames()
	if !slices.Contains(names, size) {
		p := problem.New(problem.Invalid, "the manifest has no size %q", size).WithSlug(SizeNotFound)
		if near := expr.Nearest(size, names); near != "" {
			p.WithHint("did you mean %q?", near)
		}
		r.report(t.Start, p)
		return
	}
	r.size = size
}

func (r *reader) meta(t markup.Tag) {
	if charset, ok := t.Get(r.Src, "charset"); ok && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "utf8") {
		r.report(t.Start, problem.New(problem.Invalid, "the charset must be utf-8"))
	}
}

// page notes the pages of the document; this version draws one.
func (r *reader) page(t markup.Tag) {
	class, _ := t.Get(r.Src, "class")
	if !slices.Contains(strings.Fields(class), pageClass) {
		return
	}
	if r.pageCount++; r.pageCount == 2 {
		r.unsupported(t.Start, "a second p-page")
	}
}

// attributes emits the tag with its attributes, each by its meaning.
func (r *reader) attributes(t markup.Tag) {
	from := t.Start
	for _, a := range t.Attrs {
		if hiddenAttrs[a.Name] {
			r.directive(a)
			r.ignoreIn(a.Start, a.End)
			r.emit(strings.TrimRight(string(r.Src[from:a.Start]), " \t\r\n\f"))
			from = a.End
			continue
		}
		if r.attribute(t, a) {
			from = r.special(t, a, from)
		}
	}
	r.emit(string(r.Src[from:t.End]))
}

// attribute reports what is wrong with a, and whether its value needs more than
// to be copied.
func (r *reader) attribute(t markup.Tag, a markup.Attr) bool {
	marks := r.marksIn(a.Start, a.End)
	inName := r.marksIn(a.Start, a.NameEnd)
	switch {
	case len(inName) > 0:
		r.ignoreIn(a.Start, a.End)
		r.unsafe(inName[0].Start, "an expression cannot name an attribute")
		return false
	case strings.HasPrefix(a.Name, "on"):
		r.ignoreIn(a.Start, a.End)
		r.unsafe(a.Start, "%s: templates run without JavaScript", a.Name)
		return false
	case refusedAttrs[a.Name]:
		r.ignoreIn(a.Start, a.End)
		r.unsafe(a.Start, "the attribute %s has no place in a template", a.Name)
		return false
	case strings.HasSuffix(a.Name, "srcset"):
		r.ignoreIn(a.Start, a.End)
		r.unsupported(a.Start, "%s", a.Name)
		return false
	case r.directive(a):
		r.ignoreIn(a.Start, a.End)
		return false
	case len(marks) > 0 && !a.Quoted:
		r.ignoreIn(a.Start, a.End)
		r.unsafe(marks[0].Start, "an expression needs quotes around it: %s=\"{{…}}\"", a.Name)
		return false
	case len(marks) > 0 && animations[t.Name]:
		r.ignoreIn(a.Start, a.End)
		r.unsafe(marks[0].Start, "an expression cannot stand in <%s>", t.Name)
		return false
	}
	return a.HasValue && (len(marks) > 0 || r.meaning(t, a) != plainAttr || strings.Contains(a.Value(r.Src), "{{"))
}

// A meaning is how an attribute's value is to be read.
type meaning int

const (
	plainAttr meaning = iota
	cssDeclarations
	cssOneValue
	fetchedAddress
	linkAddress
)

func (r *reader) meaning(t markup.Tag, a markup.Attr) meaning {
	switch {
	case a.Name == "style":
		return cssDeclarations
	case presentation[a.Name] && len(r.foreign) > 0:
		return cssOneValue
	case linkAttrs[a.Name] || isHref[a.Name] && (t.Name == "a" || t.Name == "area"):
		return linkAddress
	case fetchAttrs[a.Name] || isHref[a.Name]:
		return fetchedAddress
	}
	return plainAttr
}

var (
	isHref       = map[string]bool{"href": true, "xlink:href": true}
	fetchAttrs   = map[string]bool{"src": true, "poster": true, "background": true, "lowsrc": true, "dynsrc": true}
	linkAttrs    = map[string]bool{"cite": true, "longdesc": true, "action": true, "formaction": true}
	refusedAttrs = map[string]bool{"srcdoc": true, "http-equiv": true, "ping": true, "manifest": true, "xml:base": true, "shadowrootmode": true, "attributionsrc": true}
	// hiddenAttrs are for people and tools; no page has them, so that a new name renders nothing.
	hiddenAttrs  = map[string]bool{"p-name": true, "p-lock": true, "p-anchor": true, "p-version": true, "data-p-name": true, "data-p-lock": true, "data-p-anchor": true}
	presentation = map[string]bool{
		"fill": true, "stroke": true, "filter": true, "mask": true, "clip-path": true, "cursor": true, "color": true,
		"marker": true, "marker-start": true, "marker-mid": true, "marker-end": true,
		"stop-color": true, "flood-color": true, "lighting-color": true, "font-family": true,
	}
)

// special emits the source from from up to a's value, and the value by its
// meaning. It returns where the source goes on.
func (r *reader) special(t markup.Tag, a markup.Attr, from int) int {
	r.emit(string(r.Src[from:a.ValueStart]))
	switch kind := r.meaning(t, a); kind {
	case cssDeclarations, cssOneValue:
		mode := declarations
		if kind == cssOneValue {
			mode = oneValue
		}
		c := cssReader{r: r, in: r.cssText(a.ValueStart, a.ValueEnd, true), mode: mode}
		c.read()
	case fetchedAddress:
		r.addressAttr(a, inFetch)
	case linkAddress:
		if len(r.marksIn(a.ValueStart, a.ValueEnd)) > 0 {
			r.addressAttr(a, inLink)
		} else {
			r.staticLink(a)
		}
	default:
		r.plain(a.ValueStart, a.ValueEnd, false)
	}
	return a.ValueEnd
}

func (r *reader) addressAttr(a markup.Attr, p place) {
	var parts []rawPart
	add := func(from, to int) {
		if from < to {
			parts = append(parts, rawPart{text: html.UnescapeString(string(r.Src[from:to]))})
		}
	}
	from := a.ValueStart
	for _, m := range r.marksIn(a.ValueStart, a.ValueEnd) {
		add(from, m.Start)
		parts = append(parts, rawPart{mark: &m})
		from = m.End
	}
	add(from, a.ValueEnd)
	r.address(p, parts, a.ValueStart, true)
}

// staticLink lets any address pass that a click would merely follow.
func (r *reader) staticLink(a markup.Attr) {
	target := clean(html.UnescapeString(a.Value(r.Src)))
	switch strings.ToLower(scheme.FindString(target)) {
	case "", "http:", "https:", "mailto:", "tel:":
	default:
		r.unsafe(a.ValueStart, "the address %s", quote(target))
	}
	r.emit(a.Value(r.Src))
}

// Directives of the format that this version does not draw yet, and those that
// only inform.
var (
	laterDirectives = []string{"p-if", "p-else", "p-for", "p-limit", "p-empty", "p-src", "p-fallback", "p-onerror", "p-crop"}
	laterFamilies   = regexp.MustCompile(`^p-(?:attr|style|class)-`)
	informative     = []string{"p-role", "p-name", "p-lock", "p-anchor", "p-focus", "p-version", "p-min", "p-max", "p-lines", "p-fit"}
)

// directive reports whether a is a directive that cannot be let through.
func (r *reader) directive(a markup.Attr) bool {
	name, data := strings.CutPrefix(a.Name, "data-")
	if !strings.HasPrefix(name, "p-") {
		return false
	}
	fit := strings.TrimSpace(a.Value(r.Src))
	switch {
	case slices.Contains(laterDirectives, name) || laterFamilies.MatchString(name):
		r.unsupported(a.Start, "the directive %s", a.Name)
		return true
	case name == "p-fit" && fit != "none" && fit != "":
		r.unsupported(a.Start, "p-fit=%q", fit)
		return true
	case name == "p-version" && fit != "1":
		r.unsupported(a.Start, "version %q of the format", fit)
		return true
	case slices.Contains(informative, name) || data:
		return false
	}
	p := problem.New(problem.Invalid, "there is no directive %s", a.Name)
	if near := expr.Nearest(name, slices.Concat(informative, laterDirectives)); near != "" {
		p.WithHint("did you mean %q?", near)
	}
	r.report(a.Start, p)
	return true
}

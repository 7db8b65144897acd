package template

import (
	"html"
	"regexp"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
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

func (r *reader) startTag(t tag) {
	r.rawText = ""
	if rawElements[t.name] {
		r.rawText = t.name
	}
	nameEnd := t.nameEnd
	if marks := r.marksIn(t.start, nameEnd); len(marks) > 0 {
		r.ignoreIn(t.start, nameEnd)
		r.unsafe(marks[0].start, "an expression cannot name an element")
	}
	if hint, refused := refusedElements[t.name]; refused {
		r.refuse(t, hint)
		return
	}
	switch t.name {
	case "script":
		r.script(t)
		return
	case "head":
		r.inHead = true
	case "body":
		r.inHead = false
	case "svg", "math":
		if !t.selfClosing {
			r.foreign = append(r.foreign, t.name)
		}
	case "style":
		r.style(t)
	case "meta":
		r.meta(t)
	}
	r.page(t)
	r.attributes(t)
}

func (r *reader) refuse(t tag, hint string) {
	r.ignoreIn(t.start, t.end)
	r.unsafe(t.start, "<%s> has no place in a template", t.name)
	if hint != "" {
		r.problems[len(r.problems)-1].WithHint("%s", hint)
	}
}

func (r *reader) endTag(t tag) {
	if marks := r.marksIn(t.start, t.end); len(marks) > 0 {
		r.ignoreIn(t.start, t.end)
		r.unsafe(marks[0].start, "an expression cannot stand in an end tag")
	}
	manifest := t.name == "script" && r.rawText == "script"
	r.rawText = ""
	switch t.name {
	case "head":
		r.inHead = false
	case "svg", "math":
		for i := len(r.foreign) - 1; i >= 0; i-- {
			if r.foreign[i] == t.name {
				r.foreign = r.foreign[:i]
				break
			}
		}
	}
	if !manifest {
		r.emit(string(r.src[t.start:t.end]))
	}
	if t.name == "style" {
		r.size = ""
	}
}

// script is the manifest, or a problem.
func (r *reader) script(t tag) {
	r.ignoreIn(t.start, t.end)
	id, _ := t.get(r.src, "id")
	kind, _ := t.get(r.src, "type")
	if id == manifestID && strings.EqualFold(strings.TrimSpace(kind), "application/json") {
		return
	}
	if id == manifestID {
		r.report(t.start, problem.New(problem.Invalid, "the manifest needs type=\"application/json\""))
		return
	}
	r.unsafe(t.start, "<script>: templates run without JavaScript")
}

// style makes <style id="p-size-story"> belong to its size.
func (r *reader) style(t tag) {
	id, _ := t.get(r.src, "id")
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
		r.report(t.start, p)
		return
	}
	r.size = size
}

func (r *reader) meta(t tag) {
	if charset, ok := t.get(r.src, "charset"); ok && !strings.EqualFold(charset, "utf-8") && !strings.EqualFold(charset, "utf8") {
		r.report(t.start, problem.New(problem.Invalid, "the charset must be utf-8"))
	}
}

// page notes the pages of the document; this version draws one.
func (r *reader) page(t tag) {
	class, _ := t.get(r.src, "class")
	if !slices.Contains(strings.Fields(class), pageClass) {
		return
	}
	if r.pageCount++; r.pageCount == 2 {
		r.unsupported(t.start, "a second p-page")
	}
}

// attributes emits the tag with its attributes, each by its meaning.
func (r *reader) attributes(t tag) {
	from := t.start
	for _, a := range t.attrs {
		if hiddenAttrs[a.name] {
			r.directive(a)
			r.ignoreIn(a.start, a.end)
			r.emit(strings.TrimRight(string(r.src[from:a.start]), " \t\r\n\f"))
			from = a.end
			continue
		}
		if r.attribute(t, a) {
			from = r.special(t, a, from)
		}
	}
	r.emit(string(r.src[from:t.end]))
}

// attribute reports what is wrong with a, and whether its value needs more than
// to be copied.
func (r *reader) attribute(t tag, a attr) bool {
	marks := r.marksIn(a.start, a.end)
	inName := r.marksIn(a.start, a.nameEnd)
	switch {
	case len(inName) > 0:
		r.ignoreIn(a.start, a.end)
		r.unsafe(inName[0].start, "an expression cannot name an attribute")
		return false
	case strings.HasPrefix(a.name, "on"):
		r.ignoreIn(a.start, a.end)
		r.unsafe(a.start, "%s: templates run without JavaScript", a.name)
		return false
	case refusedAttrs[a.name]:
		r.ignoreIn(a.start, a.end)
		r.unsafe(a.start, "the attribute %s has no place in a template", a.name)
		return false
	case strings.HasSuffix(a.name, "srcset"):
		r.ignoreIn(a.start, a.end)
		r.unsupported(a.start, "%s", a.name)
		return false
	case r.directive(a):
		r.ignoreIn(a.start, a.end)
		return false
	case len(marks) > 0 && !a.quoted:
		r.ignoreIn(a.start, a.end)
		r.unsafe(marks[0].start, "an expression needs quotes around it: %s=\"{{…}}\"", a.name)
		return false
	case len(marks) > 0 && animations[t.name]:
		r.ignoreIn(a.start, a.end)
		r.unsafe(marks[0].start, "an expression cannot stand in <%s>", t.name)
		return false
	}
	return a.hasValue && (len(marks) > 0 || r.meaning(t, a) != plainAttr || strings.Contains(a.value(r.src), "{{"))
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

func (r *reader) meaning(t tag, a attr) meaning {
	switch {
	case a.name == "style":
		return cssDeclarations
	case presentation[a.name] && len(r.foreign) > 0:
		return cssOneValue
	case linkAttrs[a.name] || isHref[a.name] && (t.name == "a" || t.name == "area"):
		return linkAddress
	case fetchAttrs[a.name] || isHref[a.name]:
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
func (r *reader) special(t tag, a attr, from int) int {
	r.emit(string(r.src[from:a.valueStart]))
	switch kind := r.meaning(t, a); kind {
	case cssDeclarations, cssOneValue:
		mode := declarations
		if kind == cssOneValue {
			mode = oneValue
		}
		c := cssReader{r: r, in: r.cssText(a.valueStart, a.valueEnd, true), mode: mode}
		c.read()
	case fetchedAddress:
		r.addressAttr(a, inFetch)
	case linkAddress:
		if len(r.marksIn(a.valueStart, a.valueEnd)) > 0 {
			r.addressAttr(a, inLink)
		} else {
			r.staticLink(a)
		}
	default:
		r.plain(a.valueStart, a.valueEnd, false)
	}
	return a.valueEnd
}

func (r *reader) addressAttr(a attr, p place) {
	var parts []rawPart
	add := func(from, to int) {
		if from < to {
			parts = append(parts, rawPart{text: html.UnescapeString(string(r.src[from:to]))})
		}
	}
	from := a.valueStart
	for _, m := range r.marksIn(a.valueStart, a.valueEnd) {
		add(from, m.start)
		parts = append(parts, rawPart{mark: &m})
		from = m.end
	}
	add(from, a.valueEnd)
	r.address(p, parts, a.valueStart, true)
}

// staticLink lets any address pass that a click would merely follow.
func (r *reader) staticLink(a attr) {
	target := clean(html.UnescapeString(a.value(r.src)))
	switch strings.ToLower(scheme.FindString(target)) {
	case "", "http:", "https:", "mailto:", "tel:":
	default:
		r.unsafe(a.valueStart, "the address %s", quote(target))
	}
	r.emit(a.value(r.src))
}

// Directives of the format that this version does not draw yet, and those that
// only inform.
var (
	laterDirectives = []string{"p-if", "p-else", "p-for", "p-limit", "p-empty", "p-src", "p-fallback", "p-onerror", "p-crop"}
	laterFamilies   = regexp.MustCompile(`^p-(?:attr|style|class)-`)
	informative     = []string{"p-role", "p-name", "p-lock", "p-anchor", "p-focus", "p-version", "p-min", "p-max", "p-lines", "p-fit"}
)

// directive reports whether a is a directive that cannot be let through.
func (r *reader) directive(a attr) bool {
	name, data := strings.CutPrefix(a.name, "data-")
	if !strings.HasPrefix(name, "p-") {
		return false
	}
	fit := strings.TrimSpace(a.value(r.src))
	switch {
	case slices.Contains(laterDirectives, name) || laterFamilies.MatchString(name):
		r.unsupported(a.start, "the directive %s", a.name)
		return true
	case name == "p-fit" && fit != "none" && fit != "":
		r.unsupported(a.start, "p-fit=%q", fit)
		return true
	case name == "p-version" && fit != "1":
		r.unsupported(a.start, "version %q of the format", fit)
		return true
	case slices.Contains(informative, name) || data:
		return false
	}
	p := problem.New(problem.Invalid, "there is no directive %s", a.name)
	if near := expr.Nearest(name, slices.Concat(informative, laterDirectives)); near != "" {
		p.WithHint("did you mean %q?", near)
	}
	r.report(a.start, p)
	return true
}

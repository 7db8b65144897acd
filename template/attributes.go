package template

import (
	"html"
	"slices"
	"strings"

	"github.com/pictifyd/pictifyd/template/markup"
)

// A meaning is how an attribute's value is to be read.
type meaning int

const (
	plainAttr meaning = iota
	cssDeclarations
	cssOneValue
	fetchedAddress
	linkAddress
	idAttr    // made unique inside loops
	reference // to an id
)

var (
	isHref       = map[string]bool{"href": true, "xlink:href": true}
	fetchAttrs   = map[string]bool{"src": true, "poster": true, "background": true, "lowsrc": true, "dynsrc": true}
	linkAttrs    = map[string]bool{"cite": true, "longdesc": true, "action": true, "formaction": true}
	refusedAttrs = map[string]bool{"srcdoc": true, "http-equiv": true, "ping": true, "manifest": true, "xml:base": true, "shadowrootmode": true, "attributionsrc": true}
	references   = map[string]bool{"for": true, "headers": true, "list": true, "aria-labelledby": true, "aria-describedby": true, "aria-controls": true}
	animated     = map[string]bool{"from": true, "to": true, "by": true, "values": true} // values of other attributes
	presentation = map[string]bool{
		"fill": true, "stroke": true, "filter": true, "mask": true, "clip-path": true, "cursor": true, "color": true,
		"marker": true, "marker-start": true, "marker-mid": true, "marker-end": true,
		"stop-color": true, "flood-color": true, "lighting-color": true, "font-family": true,
	}
)

func (r *reader) meaning(tag, name string) meaning {
	switch {
	case name == "style":
		return cssDeclarations
	case presentation[name] && r.foreign > 0, animations[tag] && animated[name]:
		return cssOneValue
	case linkAttrs[name] || isHref[name] && (tag == "a" || tag == "area"):
		return linkAddress
	case fetchAttrs[name] || isHref[name]:
		return fetchedAddress
	case name == "id":
		return idAttr
	case references[name]:
		return reference
	}
	return plainAttr
}

// attributes emits the start tag of e with its attributes, each by its meaning.
func (r *reader) attributes(e *element) {
	w := tagWriter{r: r, e: e, from: e.tag.Start}
	for _, a := range e.tag.Attrs {
		r.canvas.at(attrPlace(e.tag.Name, a.Name))
		w.attribute(a)
	}
	w.finish()
	r.canvas.at("text")
}

// A tagWriter emits one start tag: its bytes as they stand, but for what has a
// meaning.
type tagWriter struct {
	r                  *reader
	e                  *element
	from               int // what is not emitted yet begins here
	hasStyle, hasClass bool
}

// upTo emits what stands before the offset.
func (w *tagWriter) upTo(offset int) {
	w.r.emit(string(w.r.Src[w.from:offset]))
	w.from = offset
}

// leaveOut is skip for an attribute whose expressions mean nothing.
func (w *tagWriter) leaveOut(a markup.Attr) {
	w.r.ignoreIn(a.Start, a.End)
	w.skip(a)
}

// skip emits what stands before a without the space between, and leaves a out.
// What follows a without a space must not grow together with what is before it:
// <b p-lock="1"ody> is no <body>.
func (w *tagWriter) skip(a markup.Attr) {
	w.r.emit(strings.TrimRight(string(w.r.Src[w.from:a.Start]), " \t\r\n\f"))
	w.from = a.End
	if a.End < w.e.tag.End && strings.IndexByte(" \t\r\n\f/>", w.r.Src[a.End]) < 0 {
		w.r.emit(" ")
	}
}

func (w *tagWriter) attribute(a markup.Attr) {
	r, t := w.r, w.e.tag
	if r.canvas != nil && a.Name == nodeMark {
		w.leaveOut(a)
		return
	}
	if name, ok := directiveName(a.Name); ok {
		w.directive(name, a)
		return
	}
	if w.sample(a) {
		w.leaveOut(a)
		return
	}
	if r.refuses(t, a) {
		r.ignoreIn(a.Start, a.End)
		return
	}
	if !a.HasValue {
		if w.extends(a.Name) { // the value comes from directives
			w.leaveOut(a)
		}
		return
	}
	marks := r.marksIn(a.Start, a.End)
	m := r.meaning(t.Name, a.Name)
	if !a.Quoted && w.extends(a.Name) {
		w.quoted(m, a)
		return
	}
	if m == plainAttr && len(marks) == 0 && a.Name != "class" && !strings.Contains(a.Value(r.Src), "{{") {
		return
	}
	w.upTo(a.ValueStart)
	w.value(m, a)
	w.from = a.ValueEnd
}

// extends reports whether directives or a row may write behind the value of the
// attribute.
func (w *tagWriter) extends(name string) bool {
	d := w.e.d
	return name == "style" && (len(d.styles) > 0 || d.layer >= 0) || name == "class" && len(d.toggles) > 0
}

// quoted emits an attribute whose value has no quotes yet: a space in what is
// written behind the value would end it.
func (w *tagWriter) quoted(m meaning, a markup.Attr) {
	w.upTo(a.ValueStart)
	quote := `"`
	if m == plainAttr && strings.Contains(a.Value(w.r.Src), quote) {
		quote = "'"
	}
	w.r.emit(quote)
	w.value(m, a)
	w.r.emit(quote)
	w.from = a.ValueEnd
}

// sample reports whether a is only what designers see: a directive gives the
// attribute its value.
func (w *tagWriter) sample(a markup.Attr) bool {
	if a.Name == "src" && w.e.d.image != nil {
		return true
	}
	if a.Name == "data-theme" && w.e.tag.Name == "html" {
		return true
	}
	return slices.ContainsFunc(w.e.d.bound, func(b markup.Attr) bool {
		name, _ := directiveName(b.Name)
		return name == "p-attr-"+a.Name
	})
}

// refuses reports what may not stand in a template.
func (r *reader) refuses(t markup.Tag, a markup.Attr) bool {
	marks, inName := r.marksIn(a.Start, a.End), r.marksIn(a.Start, a.NameEnd)
	switch {
	case len(inName) > 0:
		r.unsafe(inName[0].Start, "an expression cannot name an attribute")
	case r.forbids(a.Name, a.Start):
	case len(marks) > 0 && !a.Quoted:
		r.unsafe(marks[0].Start, "an expression needs quotes around it: %s=\"{{…}}\"", a.Name)
	case animations[t.Name] && a.Name == "attributename" && isHref[strings.ToLower(strings.TrimSpace(html.UnescapeString(a.Value(r.Src))))]:
		r.unsafe(a.Start, "an animation of an address")
	case len(marks) > 0 && animations[t.Name]:
		r.unsafe(marks[0].Start, "an expression cannot stand in <%s>", t.Name)
	default:
		return false
	}
	return true
}

// forbids reports an attribute that no template may have.
func (r *reader) forbids(name string, at int) bool {
	switch {
	case strings.HasPrefix(name, "on"):
		r.unsafe(at, "%s: templates run without JavaScript", name)
	case refusedAttrs[name]:
		r.unsafe(at, "the attribute %s has no place in a template", name)
	case strings.HasSuffix(name, "srcset"):
		r.unsupported(at, "%s", name)
	default:
		return false
	}
	return true
}

// value emits the value of a by its meaning.
func (w *tagWriter) value(m meaning, a markup.Attr) {
	r := w.r
	switch m {
	case cssDeclarations:
		w.hasStyle = true
		c := cssReader{r: r, in: r.cssText(a.ValueStart, a.ValueEnd, true), mode: declarations}
		c.read()
		w.styles()
	case cssOneValue:
		c := cssReader{r: r, in: r.cssText(a.ValueStart, a.ValueEnd, true), mode: oneValue}
		c.read()
	case fetchedAddress:
		w.address(a, inFetch)
	case linkAddress:
		if len(r.marksIn(a.ValueStart, a.ValueEnd)) > 0 {
			w.address(a, inLink)
		} else {
			r.staticLink(a)
		}
	case idAttr, reference:
		r.plain(a.ValueStart, a.ValueEnd)
		if r.repeats(a.Value(r.Src)) {
			r.suffix()
		}
	default:
		r.plain(a.ValueStart, a.ValueEnd)
		if a.Name == "class" {
			w.hasClass = true
			w.classes()
		}
	}
}

// repeats reports whether the loop around makes several elements of that id.
func (r *reader) repeats(id string) bool {
	return len(r.scopes) > 0 && r.repeated[html.UnescapeString(id)]
}

func (r *reader) suffix() { r.pieces = append(r.pieces, piece{kind: isSuffix, size: r.size}) }

// address emits an address that is fetched, or that a click follows. What a
// layer shows a row may replace.
func (w *tagWriter) address(a markup.Attr, p place) {
	body := w.r.nested(func() { w.r.addressAttr(a, p) })
	if w.e.d.layer < 0 || w.e.tag.Name != "img" || a.Name != "src" {
		w.r.pieces = append(w.r.pieces, body...)
		return
	}
	w.r.pieces = append(w.r.pieces, piece{kind: isShownBy, layer: w.e.d.layer, body: body})
}

func (r *reader) addressAttr(a markup.Attr, p place) {
	r.address(p, r.addressParts(a), a.ValueStart, true)
}

func (r *reader) addressParts(a markup.Attr) []rawPart {
	var parts []rawPart
	add := func(from, to int) {
		if from < to {
			parts = append(parts, rawPart{text: unescapeAttr(string(r.Src[from:to]))})
		}
	}
	from := a.ValueStart
	for _, m := range r.marksIn(a.ValueStart, a.ValueEnd) {
		add(from, m.Start)
		parts = append(parts, rawPart{mark: &m})
		from = m.End
	}
	add(from, a.ValueEnd)
	return parts
}

// staticLink lets any address pass that a click would merely follow.
func (r *reader) staticLink(a markup.Attr) {
	target := clean(unescapeAttr(a.Value(r.Src)))
	switch strings.ToLower(scheme.FindString(target)) {
	case "", "http:", "https:", "mailto:", "tel:":
	default:
		r.unsafe(a.ValueStart, "the address %s", quote(target))
	}
	r.emit(a.Value(r.Src))
	if id, ok := strings.CutPrefix(target, "#"); ok && r.repeats(id) {
		r.suffix()
	}
}

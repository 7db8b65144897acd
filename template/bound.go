package template

import (
	"regexp"
	"strings"

	"github.com/pictifyd/pictifyd/template/markup"
)

// directive emits what the page needs of a directive: nothing of most.
func (w *tagWriter) directive(name string, a markup.Attr) {
	if w.e.d.figure.claims(name, a) {
		w.leaveOut(a)
		return
	}
	known, ok := directiveTable[name]
	if !ok && !families.MatchString(name) && name != a.Name {
		return // somebody else's data-p-…
	}
	if !known.inPage {
		w.skip(a)
		return
	}
	w.upTo(a.Start)
	w.from = a.Start + len(a.Name) - len(name) // without data-
	if marks := w.r.marksIn(a.Start, a.End); len(marks) > 0 && !a.Quoted {
		w.r.ignoreIn(a.Start, a.End)
		w.r.unsafe(marks[0].Start, "an expression needs quotes around it: %s=\"{{…}}\"", a.Name)
		return
	}
	if a.HasValue {
		w.upTo(a.ValueStart)
		w.r.plain(a.ValueStart, a.ValueEnd)
		w.from = a.ValueEnd
	}
}

// finish emits what is left of the tag, with the attributes that directives add.
func (w *tagWriter) finish() {
	end := w.e.tag.End - 1
	if w.e.tag.SelfClosing {
		end--
	}
	w.upTo(max(w.from, end))
	if w.e.tag.Name == "html" && !w.r.themed {
		w.r.themed = true
		w.r.pieces = append(w.r.pieces, piece{kind: isTheme})
	}
	for _, a := range w.e.d.bound {
		w.r.canvas.atFamily(a, "attr")
		w.bound(a)
	}
	if !w.hasClass && len(w.e.d.toggles) > 0 {
		w.r.emit(` class="`)
		w.classes()
		w.r.emit(`"`)
	}
	w.addStyle()
	w.mark()
	w.upTo(w.e.tag.End)
}

// addStyle adds a style attribute where there is none and one is wanted.
func (w *tagWriter) addStyle() {
	switch {
	case w.hasStyle:
	case len(w.e.d.styles) > 0:
		w.r.emit(` style="`)
		w.styles()
		w.r.emit(`"`)
	case w.e.d.layer >= 0:
		w.r.pieces = append(w.r.pieces, piece{kind: isStyled, layer: w.e.d.layer, attr: true})
	}
}

// bound emits the attribute of p-attr-NAME; without a value there is none.
func (w *tagWriter) bound(a markup.Attr) {
	r := w.r
	name, _ := directiveName(a.Name)
	name = strings.TrimPrefix(name, "p-attr-")
	switch {
	case r.forbids(name, a.Start):
		return
	case name == "style" || name == "class" || name == "id" || name == "src" && w.e.tag.Name == "img":
		instead := map[string]string{"style": "p-style-PROPERTY", "class": "p-class-NAME", "id": "p-for, which makes ids unique", "src": "p-src"}
		r.invalid(a.Start, "p-attr-%s cannot be bound", name).slug(BadDirective).hint("use %s", instead[name])
		return
	case w.e.tag.Name == "meta":
		r.unsafe(a.Start, "an expression cannot stand in <meta>")
		return
	case animations[w.e.tag.Name]:
		r.unsafe(a.Start, "an expression cannot stand in <%s>", w.e.tag.Name)
		return
	}
	r.pieces = append(r.pieces, piece{kind: isOptional, body: r.nested(func() {
		r.emit(" " + name + `="`)
		w.boundValue(name, a)
		r.emit(`"`)
	})})
}

func (w *tagWriter) boundValue(name string, a markup.Attr) {
	r := w.r
	text, at := r.bareExpression(a)
	mixed := len(r.marksIn(a.ValueStart, a.ValueEnd)) > 0 && at == a.ValueStart
	switch r.meaning(w.e.tag.Name, name) {
	case cssOneValue:
		w.cssValue(a)
	case fetchedAddress, linkAddress:
		p := inFetch
		if r.meaning(w.e.tag.Name, name) == linkAddress {
			p = inLink
		}
		if mixed {
			r.addressAttr(a, p)
		} else if program := r.expression(text, at, true); program != nil {
			r.addSlot(&slot{place: p, parts: []part{{program: program}}, at: r.At(at), flag: true})
		}
	default:
		if mixed {
			r.plain(a.ValueStart, a.ValueEnd)
		} else if program := r.expression(text, at, true); program != nil {
			r.addSlot(&slot{place: inHTML, parts: []part{{program: program}}, at: r.At(at), flag: true})
		}
	}
}

// classes emits the words of p-class-NAME behind the value of class.
func (w *tagWriter) classes() {
	for _, a := range w.e.d.toggles {
		name, _ := directiveName(a.Name)
		name = strings.TrimPrefix(name, "p-class-")
		w.r.canvas.atFamily(a, "class")
		text, at := w.r.bareExpression(a)
		program := w.r.expression(text, at, true)
		if program == nil {
			continue
		}
		p := piece{kind: isChoice, size: w.r.size, body: w.r.nested(func() { w.r.emit(" " + escapeHTML(name)) })}
		p.slot = w.r.noteSlot(&slot{place: isCondition, parts: []part{{program: program}}, at: w.r.At(at)})
		w.r.pieces = append(w.r.pieces, p)
	}
}

// styles emits the declarations of p-style-PROPERTY behind the value of style,
// and the place of those that a row gives.
func (w *tagWriter) styles() {
	for _, a := range w.e.d.styles {
		name, _ := directiveName(a.Name)
		property := strings.TrimPrefix(name, "p-style-")
		w.r.canvas.atFamily(a, "style")
		if !cssProperty.MatchString(property) {
			w.r.ignoreIn(a.Start, a.End)
			w.r.invalid(a.Start, "%q is not a property of CSS", property).slug(BadDirective)
			continue
		}
		w.r.pieces = append(w.r.pieces, piece{kind: isOptional, body: w.r.nested(func() {
			w.r.emit(";" + escapeHTML(property) + ":")
			w.cssValue(a)
		})})
	}
	if w.e.d.layer >= 0 {
		w.r.pieces = append(w.r.pieces, piece{kind: isStyled, layer: w.e.d.layer})
	}
}

// cssProperty is also a custom one: p-style---accent is --accent.
var cssProperty = regexp.MustCompile(`^(?:--[a-z0-9_-]+|-?[a-z][a-z-]*)$`)

// cssValue emits the value of a directive as that of one property.
func (w *tagWriter) cssValue(a markup.Attr) {
	r := w.r
	if len(r.marksIn(a.ValueStart, a.ValueEnd)) > 0 {
		c := cssReader{r: r, in: r.cssText(a.ValueStart, a.ValueEnd, true), mode: oneValue}
		c.read()
		return
	}
	if program := r.expression(a.Value(r.Src), a.ValueStart, true); program != nil {
		r.addSlot(&slot{place: inCSS, parts: []part{{program: program}}, at: r.At(a.ValueStart)})
	}
}

// image emits an <img> whose own picture may be missing.
func (r *reader) image(e *element) {
	rule := &imageRule{onError: e.d.image.onError, layer: r.layerName(e)}
	if rule.onError == "" {
		rule.onError = onErrorFail
		if e.d.image.fallback != nil {
			rule.onError = onErrorFallback
		}
	}
	r.canvas.at("src")
	src := r.addressSlot(*e.d.image.src)
	if src == nil {
		return
	}
	if e.d.image.fallback != nil {
		r.canvas.at("fallback")
		rule.fallback = r.addressSlot(*e.d.image.fallback)
	}
	r.canvas.at("text")
	body := r.nested(func() { r.startTag(e) })
	r.pieces = append(r.pieces, piece{kind: isImage, slot: src, image: rule, layer: e.d.layer, body: r.canvas.withFallback(rule, withSource(body))})
}

// withSource puts the address before the last > of the tag.
func withSource(body []piece) []piece {
	source := []piece{{text: ` src="`}, {kind: isSource}, {text: `"`}}
	last := body[len(body)-1]
	end := len(last.text) - 1
	if strings.HasSuffix(last.text, "/>") {
		end--
	}
	body[len(body)-1].text = strings.TrimRight(last.text[:end], " ")
	return append(append(body, source...), piece{text: last.text[end:]})
}

// addressSlot is the address that a directive gives: text, an expression, or
// both; what has no {{ }} and is no address is an expression.
func (r *reader) addressSlot(a markup.Attr) *slot {
	s := &slot{place: inFetch, at: r.At(a.ValueStart)}
	marks := r.marksIn(a.ValueStart, a.ValueEnd)
	if text := strings.TrimSpace(a.Value(r.Src)); len(marks) == 0 && !looksLikeAddress(text) && a.Name != "src" {
		program := r.expression(a.Value(r.Src), a.ValueStart, true)
		if program == nil {
			return nil
		}
		s.parts = []part{{program: program}}
		return r.noteSlot(s)
	}
	parts := r.addressParts(a)
	for _, raw := range parts {
		if raw.mark == nil {
			s.parts = append(s.parts, part{text: raw.text})
		} else if program := r.compile(*raw.mark, true); program != nil {
			s.parts = append(s.parts, part{program: program})
		}
	}
	if len(marks) == 0 { // judged now rather than for every row
		if _, p := r.book.resolve(unescapeAttr(a.Value(r.Src)), inFetch); p != nil {
			r.report(a.ValueStart, p)
			return nil
		}
	}
	return r.noteSlot(s)
}

func looksLikeAddress(s string) bool {
	return scheme.MatchString(s) && !strings.Contains(s, "?.") || strings.HasPrefix(strings.TrimLeft(s, "./"), assetDir) || strings.HasPrefix(s, "//")
}

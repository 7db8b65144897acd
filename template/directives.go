package template

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pictifyd/pictifyd/expr"
	figures "github.com/pictifyd/pictifyd/template/element"
	"github.com/pictifyd/pictifyd/template/markup"
)

// BadDirective is the slug of a directive that stands where it can't, or says
// what it can't.
const BadDirective = "bad_directive"

// A source is the text of a directive, which holds an expression with or
// without {{ }} around it.
type source struct {
	text string
	at   int
	bare bool // the directive has no value
}

// A loopDirective is a p-for with its limit.
type loopDirective struct {
	syntax loopSyntax
	at     int
	limit  int
}

// An imageDirective is a p-src with its fallback.
type imageDirective struct {
	src      *markup.Attr
	fallback *markup.Attr
	onError  string
}

// directives are what the p-* attributes of one element ask for, apart from
// those that the page's layout reads.
type directives struct {
	loop      *loopDirective
	when      *source // p-if
	or        *source // p-else-if, or p-else without a value
	empty     bool
	loopLimit int // p-limit, 0 for none
	image     *imageDirective
	figure    *figureDirective
	size      *source // of a page
	bound     []markup.Attr
	styles    []markup.Attr
	toggles   []markup.Attr
	layer     int // index of the layer, -1 for none
}

func (d *directives) orName() string {
	switch {
	case d.empty:
		return "p-empty"
	case d.or != nil && d.or.bare:
		return "p-else"
	}
	return "p-else-if"
}

// A directive is one p-* attribute of the format.
type directive struct {
	read func(r *reader, e *element, a markup.Attr)
	// inPage: the page needs it, for its layout or its CSS. Others are left out,
	// so that a new name renders nothing.
	inPage bool
}

// directiveTable has every directive but the families p-attr-, p-style- and p-class-.
var directiveTable map[string]directive

func init() { // a value would be a circle: its functions look into it
	quiet, shown := directive{}, directive{inPage: true}
	directiveTable = map[string]directive{
		"p-name": quiet, "p-lock": quiet, "p-anchor": quiet, "p-role": {inPage: true},
		"p-fit": {read: (*reader).fitDirective, inPage: true}, "p-min": shown, "p-max": shown, "p-lines": shown,
		"p-focus": shown, "p-crop": shown,
		"p-version": {read: (*reader).versionDirective},
		"p-if":      {read: func(r *reader, e *element, a markup.Attr) { e.d.when = r.condition(a) }},
		"p-else-if": {read: func(r *reader, e *element, a markup.Attr) { e.d.or = r.condition(a) }},
		"p-else":    {read: (*reader).elseDirective},
		"p-for":     {read: (*reader).forDirective},
		"p-limit":   {read: (*reader).limitDirective},
		"p-empty":   {read: (*reader).emptyDirective},
		"p-src":     {read: func(_ *reader, e *element, a markup.Attr) { e.d.imageRule().src = &a }},
		"p-fallback": {read: func(_ *reader, e *element, a markup.Attr) {
			e.d.imageRule().fallback = &a
		}},
		"p-onerror": {read: (*reader).onErrorDirective},
		"p-size": {read: func(r *reader, e *element, a markup.Attr) {
			e.d.size = &source{text: strings.TrimSpace(a.Value(r.Src)), at: a.ValueStart}
		}},
	}
}

var families = regexp.MustCompile(`^p-(attr|style|class)-(.+)$`)

// directiveName is the name of a directive in its own spelling: data-p-if is
// p-if, and so is the seed product's _if.
func directiveName(attr string) (name string, ok bool) {
	if attr == "_if" {
		return "p-if", true
	}
	name = strings.TrimPrefix(attr, "data-")
	return name, strings.HasPrefix(name, "p-")
}

func (d *directives) imageRule() *imageDirective {
	if d.image == nil {
		d.image = &imageDirective{}
	}
	return d.image
}

// directives reads the p-* attributes of e.
func (r *reader) directives(e *element) directives {
	e.d = directives{layer: -1}
	e.d.figure = figureOf(e.tag)
	for _, a := range e.tag.Attrs {
		name, ok := directiveName(a.Name)
		if !ok || e.d.figure.claims(name, a) {
			continue
		}
		if m := families.FindStringSubmatch(name); m != nil {
			r.family(e, m[1], a)
			continue
		}
		known, ok := directiveTable[name]
		if !ok {
			r.unknownDirective(name, a)
			continue
		}
		if known.read != nil {
			known.read(r, e, a)
		}
	}
	r.checkDirectives(e)
	return e.d
}

func (r *reader) unknownDirective(name string, a markup.Attr) {
	if strings.HasPrefix(a.Name, "data-") { // somebody else's
		return
	}
	r.ignoreIn(a.Start, a.End)
	p := r.invalid(a.Start, "there is no directive %s", a.Name).slug(BadDirective)
	names := []string{"p-attr-", "p-style-", "p-class-"}
	for known := range directiveTable {
		names = append(names, known)
	}
	for _, kind := range figures.Kinds() {
		names = append(names, "p-"+kind.Name)
	}
	slices.Sort(names)
	if near := expr.Nearest(name, names); near != "" {
		p.hint("did you mean %q?", near)
	}
}

func (r *reader) family(e *element, of string, a markup.Attr) {
	switch of {
	case "attr":
		e.d.bound = append(e.d.bound, a)
	case "style":
		e.d.styles = append(e.d.styles, a)
	case "class":
		e.d.toggles = append(e.d.toggles, a)
	}
}

// checkDirectives looks at directives that exclude or need each other.
func (r *reader) checkDirectives(e *element) {
	d, at := &e.d, e.tag.Start
	wrong := func(format string, args ...any) { r.invalid(at, format, args...).slug(BadDirective) }
	if d.loop == nil && d.loopLimit > 0 {
		wrong("p-limit belongs to p-for")
	}
	switch {
	case d.loop != nil && (d.or != nil || d.empty):
		wrong("%s and p-for cannot stand on one element", d.orName())
	case d.when != nil && d.or != nil:
		wrong("p-if and %s cannot stand on one element", d.orName())
	}
	if control := d.loop != nil || d.when != nil || d.or != nil || d.empty; control {
		switch e.tag.Name {
		case "html", "head", "body", "script", "style", "title", "meta":
			wrong("<%s> is always there: p-if, p-else and p-for have no place on it", e.tag.Name)
			d.loop, d.when, d.or, d.empty = nil, nil, nil, false
		}
	}
	if d.loop != nil {
		d.loop.limit = d.loopLimit
	}
	if d.image != nil && e.tag.Name != "img" {
		wrong("p-src, p-fallback and p-onerror belong on an <img>, not on a <%s>", e.tag.Name)
		d.image = nil
	}
	if d.image != nil && d.image.src == nil {
		if src, ok := e.tag.Find("src"); ok {
			d.image.src = &src
		} else {
			wrong("an <img> with p-fallback or p-onerror needs p-src")
			d.image = nil
		}
	}
	if d.image != nil && d.image.onError == onErrorFallback && d.image.fallback == nil {
		wrong("p-onerror=\"fallback\" needs p-fallback")
	}
	if d.size != nil && !e.node.HasClass(pageClass) {
		wrong("p-size belongs on a page")
	}
}

// condition reads a directive whose value is one expression. It is compiled
// where it is used: a loop on the same element gives it names.
func (r *reader) condition(a markup.Attr) *source {
	text, at := r.bareExpression(a)
	return &source{text: text, at: at}
}

// bareExpression is the expression that the value of a is, without the {{ }}
// that may stand around it.
func (r *reader) bareExpression(a markup.Attr) (text string, at int) {
	r.ignoreIn(a.Start, a.End)
	if marks := r.marksIn(a.ValueStart, a.ValueEnd); len(marks) == 1 {
		before, after := r.Src[a.ValueStart:marks[0].Start], r.Src[marks[0].End:a.ValueEnd]
		if strings.TrimSpace(string(before)+string(after)) == "" {
			return marks[0].Src, marks[0].Text
		}
	}
	return a.Value(r.Src), a.ValueStart
}

func (r *reader) elseDirective(e *element, a markup.Attr) {
	if strings.TrimSpace(a.Value(r.Src)) == "" {
		e.d.or = &source{at: a.Start, bare: true}
		return
	}
	r.ignoreIn(a.Start, a.End)
	r.invalid(a.ValueStart, "p-else has no condition").slug(BadDirective).hint("write p-else-if=\"…\"")
}

func (r *reader) emptyDirective(e *element, a markup.Attr) {
	if strings.TrimSpace(a.Value(r.Src)) != "" {
		r.ignoreIn(a.Start, a.End)
		r.invalid(a.ValueStart, "p-empty has no value").slug(BadDirective).
			hint("put it on an element of its own behind the one with p-for: <li p-empty>nothing yet</li>")
	}
	e.d.empty = true
}

func (r *reader) forDirective(e *element, a markup.Attr) {
	text, at := r.bareExpression(a)
	syntax, p := parseLoop(text, false)
	if p != nil {
		r.report(at, p)
		return
	}
	e.d.loop = &loopDirective{syntax: syntax, at: at}
}

func (r *reader) limitDirective(e *element, a markup.Attr) {
	n, err := strconv.Atoi(strings.TrimSpace(a.Value(r.Src)))
	if err != nil || n < 1 || n > maxRepeats {
		r.ignoreIn(a.Start, a.End)
		r.invalid(a.ValueStart, "p-limit is %s, not a whole number from 1 to %d", quote(a.Value(r.Src)), maxRepeats).slug(BadDirective)
		n = 1
	}
	e.d.loopLimit = n
}

func (r *reader) onErrorDirective(e *element, a markup.Attr) {
	policies := []string{onErrorFallback, onErrorHide, onErrorFail}
	policy := strings.TrimSpace(a.Value(r.Src))
	if !slices.Contains(policies, policy) {
		r.ignoreIn(a.Start, a.End)
		r.invalid(a.ValueStart, "p-onerror is %s", quote(policy)).slug(BadDirective).hint("it is one of %s", list(policies))
	}
	e.d.imageRule().onError = policy
}

var fits = []string{"none", "shrink", "fit", "ellipsis"}

func (r *reader) fitDirective(_ *element, a markup.Attr) {
	fit := strings.TrimSpace(a.Value(r.Src))
	if len(r.marksIn(a.Start, a.End)) > 0 || fit == "" || slices.Contains(fits, fit) {
		return
	}
	p := r.invalid(a.ValueStart, "p-fit is %s", quote(fit)).slug(BadDirective).hint("it is one of %s", list(fits))
	if fit == "flow" {
		p.hint("text does not flow to further pages; repeat a page with p-for")
	}
}

func (r *reader) versionDirective(_ *element, a markup.Attr) {
	if version := strings.TrimSpace(a.Value(r.Src)); version != "1" {
		r.unsupported(a.Start, "version %q of the format", version)
	}
}

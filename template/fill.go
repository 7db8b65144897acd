package template

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Document is a page with every value in its place.
type Document struct {
	HTML          string
	Width, Height int      // of the picture, in CSS pixels; of AllPages the first one's
	Assets        []Asset  // that it refers to, each once
	Remote        []Remote // that it refers to, each once
	Instead       []Instead
	Sheets        []Sheet // of AllPages: the pages behind the first, which is HTML
}

// A Sheet is one page of a document of several. Its HTML is that of the page
// alone, or empty where the pages before it have 128 MiB together: that is too
// large to be drawn.
type Sheet struct {
	HTML          string
	Width, Height int // in CSS pixels
}

// An Instead says that an image does not show what the row named for it.
type Instead struct {
	Layer  string // "" where the image has neither id nor name
	URL    string // that could not be shown; "" where the row has none
	Reason string // empty, or why the file could not be had
	Hidden bool   // the image was left out; else its fallback is shown
}

// ReasonEmpty is the reason of an image for which the row has no address.
const ReasonEmpty = "empty"

// Shown is v with the values that this page does not show left empty, so that
// what only another size or page shows is no part of this one's fingerprint. Fill
// makes the same document of both.
func (p *Page) Shown(v Values) Values {
	f := filler{page: p, values: v, quiet: true, shown: make(Values, len(v))}
	f.fill()
	return f.shown
}

// Pages is how many pages the document has with v; 0 if it is not made of pages.
func (p *Page) Pages(v Values) int {
	f := filler{page: p, values: v, quiet: true}
	f.fill()
	return f.pages
}

// Fill puts v into the page, each value escaped for its place. Values come from
// Resolve of the same template.
func (p *Page) Fill(v Values) Document { return p.FillWithout(v, nil) }

// FillWithout is Fill where some files could not be had or shown: failed has the
// reason by the path of the file. Images that name a fallback show that instead,
// or are left out; Instead tells of each.
func (p *Page) FillWithout(v Values, failed map[string]string) Document {
	size := p.size
	for _, s := range v {
		size += len(s) + len(s)/8
	}
	f := filler{page: p, values: v, failed: failed, out: make([]byte, 0, size)}
	f.doc.Width, f.doc.Height = p.Width, p.Height
	f.fill()
	if p.number == AllPages && f.pages > 0 {
		f.part()
	} else {
		f.doc.HTML = string(f.out)
	}
	return f.doc
}

// A filler walks the pieces of a page together with the values of a row.
type filler struct {
	page    *Page
	values  Values
	at      int // of the next value
	failed  map[string]string
	changes map[int]modification

	out    []byte
	quiet  bool // nothing is written
	hidden int  // what is read is not shown
	shown  Values
	pages  int
	sheets []sheetSpan // of AllPages
	loops  []int       // the positions in the loops around
	source string
	doc    Document

	variables []string // behind the values; nil where nobody asks

	canvas *canvasFill // nil: nobody edits the page
}

func (f *filler) fill() {
	first := f.next()
	if len(f.shown) > 0 {
		f.shown[0] = first
	}
	pieces := f.page.plain
	if f.changes = modified(first); len(f.changes) > 0 {
		pieces = f.page.full
	}
	f.walk(pieces)
}

// next is the next value; values that were stored may end too early.
func (f *filler) next() string {
	if f.at >= len(f.values) {
		return ""
	}
	f.at++
	return f.values[f.at-1]
}

// structure is the next value where it decides what is read.
func (f *filler) structure() string {
	i := f.at
	v := f.next()
	if f.at > i && f.shown != nil {
		f.shown[i] = v
	}
	return v
}

// visible is the next value where it is shown.
func (f *filler) visible() string {
	if f.hidden > 0 {
		return f.next()
	}
	return f.structure()
}

func (f *filler) write(text string) {
	if f.hidden == 0 && !f.quiet {
		f.out = append(f.out, text...)
	}
}

func (f *filler) walk(pieces []piece) {
	for i := range pieces {
		f.piece(&pieces[i])
	}
}

func (f *filler) piece(p *piece) {
	f.behind(p)
	switch p.kind {
	case isText:
		f.write(f.linked(p.text, p.asset, p.remote))
		f.refer(p.asset, p.remote, "", false)
	case isSlot:
		f.value(p)
	case isSkipped:
		f.next()
	case isChoice:
		if f.structure() == "1" {
			f.walk(p.body)
		} else {
			f.walk(p.otherwise)
		}
	case isLoop:
		f.loop(p)
	case isOptional:
		f.optional(p)
	case isPage:
		f.onePage(p)
	case isSuffix:
		for _, i := range f.loops {
			f.write("--" + strconv.Itoa(i))
		}
	case isImage:
		f.image(p)
	case isSource:
		f.writeSource()
	case isDrawn:
		if data := f.visible(); f.hidden == 0 && !f.quiet {
			f.write(p.figure.element.Markup(data))
		}
	case isNode:
		f.node(p)
	case isCopy:
		f.write(f.copyMark())
	case isFallback:
		f.writeFallback(p)
	default:
		f.layer(p)
	}
}

func (f *filler) loop(p *piece) {
	n, _ := strconv.Atoi(f.structure())
	if n <= 0 {
		f.walk(p.otherwise)
		return
	}
	f.loops = append(f.loops, 0)
	for i := range min(n, maxRepeats) {
		f.loops[len(f.loops)-1] = i
		f.walk(p.body)
	}
	f.loops = f.loops[:len(f.loops)-1]
}

// optional writes the body, and takes it back where all its values are empty.
func (f *filler) optional(p *piece) {
	start, from := len(f.out), f.at
	assets, remotes := len(f.doc.Assets), len(f.doc.Remote)
	f.walk(p.body)
	if slices.ContainsFunc(f.values[from:f.at], func(v string) bool { return v != "" }) {
		return
	}
	f.out = f.out[:start]
	f.doc.Assets, f.doc.Remote = f.doc.Assets[:assets], f.doc.Remote[:remotes]
}

func (f *filler) onePage(p *piece) {
	f.pages++
	switch f.page.number {
	case AllPages:
		span := sheetSpan{start: len(f.out), width: f.page.Width, height: f.page.Height}
		if p.page != nil {
			span.width, span.height = p.page.Width, p.page.Height
		}
		f.shownPage(p)
		span.end = len(f.out)
		f.sheets = append(f.sheets, span)
	case f.pages:
		if p.page != nil {
			f.doc.Width, f.doc.Height = p.page.Width, p.page.Height
		}
		f.shownPage(p)
	default:
		f.hide(p.body)
	}
}

func (f *filler) shownPage(p *piece) {
	if p.page != nil {
		f.write(fmt.Sprintf(pageSizeStyle, p.page.Width, p.page.Height))
	}
	f.walk(p.body)
}

// A sheetSpan is where a page stands in what was written.
type sheetSpan struct{ start, end, width, height int }

const maxSheets = 128 << 20 // bytes of all pages of a document

// part makes of all pages that were written a document for each: what stands
// outside of pages is in all of them.
func (f *filler) part() {
	around := len(f.out)
	for _, s := range f.sheets {
		around -= s.end - s.start
	}
	total := 0
	for i, s := range f.sheets {
		if total += around + s.end - s.start; total > maxSheets {
			f.doc.Sheets = append(f.doc.Sheets, Sheet{Width: s.width, Height: s.height})
			continue
		}
		b := make([]byte, 0, around+s.end-s.start)
		from := 0
		for k, other := range f.sheets {
			b = append(b, f.out[from:other.start]...)
			if k == i {
				b = append(b, f.out[other.start:other.end]...)
			}
			from = other.end
		}
		sheet := Sheet{HTML: string(append(b, f.out[from:]...)), Width: s.width, Height: s.height}
		if i == 0 {
			f.doc.HTML, f.doc.Width, f.doc.Height = sheet.HTML, sheet.Width, sheet.Height
		} else {
			f.doc.Sheets = append(f.doc.Sheets, sheet)
		}
	}
}

func (f *filler) hide(pieces []piece) {
	f.hidden++
	f.walk(pieces)
	f.hidden--
}

// value is the next value as it stands in the place of p. An address is noted as
// well.
func (f *filler) value(p *piece) {
	v := f.visible()
	if f.quiet || f.hidden > 0 {
		return
	}
	if !p.slot.place.address() {
		f.out = appendEscaped(f.out, p.slot.place, v)
		return
	}
	text, asset, remote := printed(v, p.slot.place)
	f.refer(asset, remote, strings.Join(p.slot.vars, ", "), false)
	f.write(escapeHTML(f.linked(text, asset, remote)))
}

// refer notes what the document refers to.
func (f *filler) refer(a *Asset, r *Remote, vars string, optional bool) {
	if f.hidden > 0 || f.quiet {
		return
	}
	if a != nil && !slices.Contains(f.doc.Assets, *a) {
		f.doc.Assets = append(f.doc.Assets, *a)
	}
	if r != nil {
		f.doc.Remote = addRemote(f.doc.Remote, *r, vars, optional)
	}
}

// addRemote adds r once, with the variables of all its places.
func addRemote(list []Remote, r Remote, vars string, optional bool) []Remote {
	r.Var, r.Optional = vars, optional
	for i := range list {
		if list[i].Path != r.Path {
			continue
		}
		list[i].Optional = list[i].Optional && optional
		if have := list[i].Var; have != vars && vars != "" {
			list[i].Var = strings.TrimPrefix(have+", "+vars, ", ")
		}
		return list
	}
	return append(list, r)
}

// image decides what an <img> shows: its own picture, its fallback, or nothing.
func (f *filler) image(p *piece) {
	own := f.visible()
	fallback := ""
	if p.image.fallback != nil {
		fallback = f.visible()
	}
	if m, ok := f.changes[p.layer]; ok && p.layer >= 0 && m.Src != "" {
		own = m.Src
	}
	text, asset, remote := printed(own, inFetch)
	path := text
	switch { // without the fragment
	case remote != nil:
		path = remote.Path
	case asset != nil:
		path = asset.Path
	}
	reason := f.failed[path]
	if own == "" {
		reason = ReasonEmpty
	}
	if reason == "" || reason != ReasonEmpty && p.image.onError == onErrorFail {
		f.refer(asset, remote, strings.Join(p.slot.vars, ", "), p.image.onError != onErrorFail)
		f.source = f.linked(text, asset, remote)
		f.canvas.fallback(fallback)
		f.walk(p.body)
		return
	}
	f.instead(p, Instead{Layer: p.image.layer, Reason: reason, URL: addressOf(own, remote)}, fallback)
}

func addressOf(own string, remote *Remote) string {
	if remote != nil {
		return remote.URL
	}
	path, _, _ := strings.Cut(own, "#")
	return path
}

func (f *filler) instead(p *piece, note Instead, fallback string) {
	text, asset, remote := printed(fallback, inFetch)
	note.Hidden = fallback == "" || p.image.onError == onErrorHide
	if f.hidden == 0 && !f.quiet {
		f.doc.Instead = append(f.doc.Instead, note)
	}
	if note.Hidden {
		f.hide(p.body)
		return
	}
	f.refer(asset, remote, strings.Join(p.image.fallback.vars, ", "), false)
	f.source = f.linked(text, asset, remote)
	f.canvas.fallback("")
	f.walk(p.body)
}

func (f *filler) writeSource() { f.write(escapeHTML(f.source)) }

// layer is one that the row may change by its name.
func (f *filler) layer(p *piece) {
	m := f.changes[p.layer]
	switch {
	case p.kind == isLayer && m.Hide, p.kind == isShownBy && m.Src != "", p.kind == isContent && m.Text != nil:
		f.hide(p.body)
	default:
		f.walk(p.body)
	}
	switch {
	case p.kind == isContent && m.Text != nil:
		f.write(escapeHTML(*m.Text))
	case p.kind == isShownBy && m.Src != "":
		text, asset, remote := printed(m.Src, inFetch)
		f.refer(asset, remote, modificationsName, false)
		f.write(escapeHTML(f.linked(text, asset, remote)))
	case p.kind == isStyled && m.Style != "" && p.attr:
		f.write(` style="` + m.Style + `"`)
	case p.kind == isStyled:
		f.write(m.Style)
	}
}

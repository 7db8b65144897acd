package template

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"regexp"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	htmltoken "golang.org/x/net/html"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

const (
	maxDocument = 4 << 20 // bytes
	maxMarks    = 1000
	maxReferred = 1000 // addresses in the text
	maxProblems = 100  // more would not be read
	manifestID  = "p-template"
	sizeStyle   = "p-size-"
	pageClass   = "p-page"
)

// A reader turns a file into pieces and slots.
type reader struct {
	*markup.Lines
	masked   []byte
	marks    []markup.Mark
	done     map[int]bool // marks dealt with, by their start
	book     addressBook
	problems problem.List

	manifest manifest
	pieces   []piece
	slots    []slot
	size     string // that what is being read belongs to

	based       bool // the base style has its place
	inHead      bool
	foreign     []string // the <svg> and <math> that are open
	rawText     string
	manifests   int
	pageCount   int
	referred    int
	sawDocument bool
}

// read reads the file of the template name.
func read(name string, src []byte, book addressBook) (*reader, error) {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	r := &reader{Lines: markup.NewLines(name+".html", src), done: map[int]bool{}, book: book}
	if p := readable(src); p != nil {
		return nil, problem.List{p.In(problem.Position{File: r.File})}
	}
	r.marks, r.masked = markup.Marks(src)
	if len(r.marks) > maxMarks {
		return nil, problem.List{problem.New(problem.TooLarge, "the document has more than the %d expressions allowed", maxMarks).In(r.At(r.marks[maxMarks].Start))}
	}
	r.readManifest()
	r.readDocument()
	r.finish()
	return r, r.problems.Err()
}

func readable(src []byte) *problem.Error {
	switch {
	case len(src) > maxDocument:
		return problem.New(problem.TooLarge, "the document has %d bytes, more than the %d allowed", len(src), maxDocument).
			WithHint("put pictures and fonts into assets/ instead of writing them into the document")
	case !utf8.Valid(src):
		return problem.New(problem.Invalid, "the document is not UTF-8")
	case bytes.IndexByte(src, 0) >= 0:
		return problem.New(problem.Invalid, "the document has a NUL byte")
	}
	return nil
}

func (r *reader) report(offset int, p *problem.Error) {
	if len(r.problems) >= maxProblems {
		return
	}
	if p.Pos == (problem.Position{}) {
		p.In(r.At(offset))
	}
	r.problems = append(r.problems, p)
}

func (r *reader) unsafe(offset int, format string, args ...any) {
	r.report(offset, problem.New(problem.Invalid, "safety: "+format, args...).WithSlug(Unsafe))
}

func (r *reader) unsupported(offset int, format string, args ...any) {
	r.report(offset, problem.New(problem.Unsupported, format+" is not supported by this version", args...).WithSlug(NotSupported))
}

// marksIn are the expressions between two offsets.
func (r *reader) marksIn(start, end int) []markup.Mark {
	from := sort.Search(len(r.marks), func(i int) bool { return r.marks[i].End > start })
	to := sort.Search(len(r.marks), func(i int) bool { return r.marks[i].Start >= end })
	if from >= to {
		return nil
	}
	return r.marks[from:to]
}

// ignore says that m may stand where it does, and means nothing there.
func (r *reader) ignore(m markup.Mark) { r.done[m.Start] = true }

func (r *reader) ignoreIn(start, end int) {
	for _, m := range r.marksIn(start, end) {
		r.ignore(m)
	}
}

// tokens calls visit for each token of the masked document.
func (r *reader) tokens(visit func(kind htmltoken.TokenType, start, end int)) {
	z := htmltoken.NewTokenizer(bytes.NewReader(r.masked))
	end := 0
	for {
		kind := z.Next()
		start := end
		end += len(z.Raw())
		if kind == htmltoken.ErrorToken {
			if !errors.Is(z.Err(), io.EOF) || end < len(r.masked) || end > start {
				r.report(start, problem.New(problem.Invalid, "the document ends inside a tag"))
			}
			return
		}
		visit(kind, start, end)
	}
}

// readManifest finds the manifest, which may stand behind the expressions that
// need it.
func (r *reader) readManifest() {
	inManifest := false
	mr := manifestReader{report: r.report}
	r.tokens(func(kind htmltoken.TokenType, start, end int) {
		if kind == htmltoken.TextToken && inManifest {
			mr.read(string(r.Src[start:end]), start)
		}
		inManifest = false
		if kind == htmltoken.StartTagToken {
			t := markup.ParseTag(r.masked, start, end)
			if id, _ := t.Get(r.Src, "id"); t.Name == "script" && id == manifestID {
				inManifest = true
				r.manifests++
				if r.manifests > 1 {
					r.report(start, problem.New(problem.Invalid, "the document has a second manifest"))
				}
			}
		}
	})
	r.problems = slices.DeleteFunc(r.problems, func(p *problem.Error) bool { return p.Message == "the document ends inside a tag" })
	r.manifest = mr.m
	if len(r.manifest.sizes) == 0 {
		r.manifest.sizes = []Size{{Name: defaultSize, Width: defaultWidth, Height: defaultHeight}}
	}
	r.checkDeclared(mr.values)
}

// checkDeclared holds defaults and examples against their types.
func (r *reader) checkDeclared(values []declaredValue) {
	for _, d := range values {
		v := &r.manifest.vars[d.of]
		value := &v.Default
		if d.what == "example" {
			value = &v.Example
		}
		if *value == nil {
			continue
		}
		if _, p := coerce(*v, *value, r.book); p != nil {
			p.Message = fmt.Sprintf("the %s of %s", d.what, p.Message)
			p.Path = ""
			r.report(d.offset, p)
		}
	}
}

func (r *reader) readDocument() {
	r.tokens(func(kind htmltoken.TokenType, start, end int) {
		r.begin(kind, start, end)
		switch kind {
		case htmltoken.TextToken:
			r.text(start, end)
		case htmltoken.StartTagToken, htmltoken.SelfClosingTagToken:
			r.startTag(markup.ParseTag(r.masked, start, end))
		case htmltoken.EndTagToken:
			r.endTag(markup.ParseTag(r.masked, start, end))
		case htmltoken.DoctypeToken:
			r.emit(string(r.Src[start:end]))
		case htmltoken.CommentToken:
			if bytes.HasPrefix(r.Src[start:end], []byte("<![CDATA[")) {
				r.unsafe(start, "CDATA sections")
			}
			r.ignoreIn(start, end)
		}
	})
	r.base()
}

// begin puts the base style where the head begins, and a doctype where none
// stands: without it the browser would imitate browsers of 1998.
func (r *reader) begin(kind htmltoken.TokenType, start, end int) {
	if r.based || kind == htmltoken.CommentToken || kind == htmltoken.TextToken && len(bytes.TrimSpace(r.Src[start:end])) == 0 {
		return
	}
	if !r.sawDocument {
		r.sawDocument = true
		if kind != htmltoken.DoctypeToken {
			r.emit("<!doctype html>")
		}
	}
	if kind == htmltoken.DoctypeToken {
		return
	}
	if kind == htmltoken.StartTagToken {
		if name := markup.ParseTag(r.masked, start, end).Name; name == "html" || name == "head" {
			return
		}
	}
	r.base()
}

func (r *reader) base() {
	if !r.based {
		r.based = true
		r.pieces = append(r.pieces, piece{isBase: true})
	}
}

// emit adds text to the document.
func (r *reader) emit(text string) {
	if text != "" {
		r.pieces = append(r.pieces, piece{text: text, size: r.size})
	}
}

// joined are the pieces with neighbours of mere text made one.
func joined(pieces []piece) []piece {
	var out []piece
	var text strings.Builder
	for i, p := range pieces {
		if !p.isText() {
			out = append(out, p)
			continue
		}
		text.WriteString(p.text)
		if i+1 < len(pieces) && pieces[i+1].isText() && pieces[i+1].size == p.size {
			continue
		}
		out = append(out, piece{text: text.String(), size: p.size})
		text.Reset()
	}
	return out
}

// text is a text node, or the content of an element that has no other.
func (r *reader) text(start, end int) {
	switch r.rawText {
	case "script":
		r.ignoreIn(start, end)
		return // the manifest; any other script is a problem already
	case "style":
		if len(r.foreign) > 0 && bytes.ContainsAny(r.masked[start:end], "<&") {
			r.unsafe(start, "< or & in the CSS of an SVG; move the <style> into the head")
		}
		c := cssReader{r: r, in: r.cssText(start, end, false), mode: sheet}
		c.read()
		return
	case "title", "textarea":
		if len(r.foreign) > 0 && bytes.IndexByte(r.masked[start:end], '<') >= 0 {
			r.unsafe(start, "an element inside the <%s> of an SVG", r.rawText)
		}
	}
	if r.inHead && r.rawText == "" {
		for _, m := range r.marksIn(start, end) {
			r.report(m.Start, problem.New(problem.Invalid, "an expression in <head>, where no text is shown"))
		}
	}
	r.plain(start, end, r.rawText != "")
}

// plain emits source text with its expressions, escaped for HTML.
func (r *reader) plain(start, end int, raw bool) {
	from := start
	for _, m := range r.marksIn(start, end) {
		r.literal(from, m.Start)
		if raw && opensEndTag(r.masked[start:m.Start]) {
			r.unsafe(m.Start, "an expression behind %q could end the element", "<")
		}
		r.value(inHTML, m, true)
		from = m.End
	}
	r.literal(from, end)
}

// literal emits source text that has no expressions.
func (r *reader) literal(from, to int) {
	if i := bytes.Index(r.Src[from:to], []byte("{{")); i >= 0 {
		r.report(from+i, problem.New(problem.Invalid, "{{ is not closed").WithSlug(BadExpression).WithHint("write }} behind the expression"))
	}
	r.emit(string(r.Src[from:to]))
}

// cssText is the CSS between two offsets; in an attribute its entities are decoded.
func (r *reader) cssText(start, end int, entities bool) cssText {
	var out cssText
	var b strings.Builder
	add := func(from, to int) {
		if i := bytes.Index(r.Src[from:to], []byte("{{")); i >= 0 {
			r.report(from+i, problem.New(problem.Invalid, "{{ is not closed").WithSlug(BadExpression))
		}
		text := string(r.Src[from:to])
		if entities {
			text = html.UnescapeString(text)
		}
		b.WriteString(text)
		for i := range len(text) {
			out.at = append(out.at, min(from+i, to))
		}
	}
	from := start
	out.marks = slices.Clone(r.marksIn(start, end))
	for _, m := range out.marks {
		add(from, m.Start)
		b.WriteByte(hole)
		out.at = append(out.at, m.Start)
		from = m.End
	}
	add(from, end)
	out.text = b.String()
	return out
}

// value puts the expression m into the document at place p.
func (r *reader) value(p place, m markup.Mark, entities bool) {
	program := r.compile(m, entities)
	if program == nil {
		return
	}
	r.addSlot(slot{place: p, parts: []part{{program: program}}, at: r.At(m.Start)})
}

func (r *reader) addSlot(s slot) {
	for _, p := range s.parts {
		if p.program == nil {
			continue
		}
		s.clock = s.clock || p.program.ReadsClock()
		names := p.program.Names()
		if p.program.UsesAll() {
			names = append(names, r.manifest.names()...)
		}
		for _, name := range names {
			if !slices.Contains(s.vars, name) {
				s.vars = append(s.vars, name)
			}
		}
	}
	r.pieces = append(r.pieces, piece{isSlot: true, slot: len(r.slots), size: r.size})
	r.slots = append(r.slots, s)
}

// A rawPart of an address is text or an expression, as read.
type rawPart struct {
	text string
	mark *markup.Mark
}

// address puts an address into the document, judged now if it is all text.
func (r *reader) address(p place, parts []rawPart, offset int, entities bool) {
	s := slot{place: p}
	static := true
	var text strings.Builder
	for _, raw := range parts {
		if raw.mark == nil {
			text.WriteString(raw.text)
			s.parts = append(s.parts, part{text: raw.text})
			continue
		}
		static = false
		if program := r.compile(*raw.mark, entities); program != nil {
			s.parts = append(s.parts, part{program: program})
		}
	}
	if !static {
		s.at = r.At(offset)
		r.addSlot(s)
		return
	}
	r.staticAddress(p, text.String(), offset)
}

var cssData = regexp.MustCompile(`^(?i:data:(?:font/|application/(?:x-)?font-))`)

func (r *reader) staticAddress(p place, text string, offset int) {
	if p == inCSSURL && cssData.MatchString(text) {
		r.emit(encode(clean(text)))
		return
	}
	resolved, err := r.book.resolve(text, p)
	if err != nil {
		r.report(offset, err)
		return
	}
	shown, asset, remote := printed(resolved, p)
	if asset != nil || remote != nil {
		if r.referred++; r.referred == maxReferred+1 {
			r.report(offset, problem.New(problem.TooLarge, "the document refers to more than the %d files allowed", maxReferred))
		}
	}
	r.pieces = append(r.pieces, piece{text: escapeHTML(shown), size: r.size, asset: asset, remote: remote})
}

// block is the other way to write conditions and loops that people know.
var block = regexp.MustCompile(`^\s*(?:[#/^>!&]|(?:if|else|elseif|end|endif|for|each|endfor)(?:\s|$))`)

// compile compiles m; a mistake is reported at its place in the file.
func (r *reader) compile(m markup.Mark, entities bool) *expr.Program {
	r.done[m.Start] = true
	src := m.Src
	if entities && strings.Contains(src, "&") {
		src = html.UnescapeString(src)
	}
	if block.MatchString(src) {
		r.unsupported(m.Start, "the block {{%s}}", src)
		return nil
	}
	program, err := expr.Compile(src, expr.Options{Names: r.manifest.names()})
	if err == nil {
		return program
	}
	var p *problem.Error
	if !errors.As(err, &p) {
		p = problem.New(problem.Invalid, "%w", err)
	}
	base := r.At(m.Text)
	if p.Pos.Line > 1 {
		base.Line += p.Pos.Line - 1
		base.Column = p.Pos.Column
	} else if p.Pos.Line == 1 && src == m.Src {
		base.Column += p.Pos.Column - 1
	}
	p.Pos = base
	if strings.TrimSpace(src) == "" {
		p.Message = "there is no expression in {{ }}"
	}
	r.report(m.Start, p)
	return nil
}

// finish checks what only the whole document shows.
func (r *reader) finish() {
	for _, m := range r.marks {
		if !r.done[m.Start] && len(r.problems) == 0 {
			r.unsafe(m.Start, "an expression cannot stand here")
		}
	}
	r.pieces = joined(r.pieces)
	if !r.manifest.declared {
		r.declareUsed()
	}
	slices.SortStableFunc(r.problems, func(a, b *problem.Error) int {
		if a.Pos.Line != b.Pos.Line {
			return a.Pos.Line - b.Pos.Line
		}
		return a.Pos.Column - b.Pos.Column
	})
}

// declareUsed makes a variable of every name that the expressions use.
func (r *reader) declareUsed() {
	var names []string
	for _, s := range r.slots {
		names = append(names, s.vars...)
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		r.manifest.vars = append(r.manifest.vars, Var{Name: name, Type: Any})
	}
}

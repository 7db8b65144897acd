package template

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"maps"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	"github.com/pictifyd/pictifyd/template/markup"
)

const (
	maxDocument = 4 << 20 // bytes
	maxMarks    = 1000
	maxReferred = 1000 // addresses in the text
	maxProblems = 100  // more would not be read
	maxNesting  = 4    // loops inside each other
	manifestID  = "p-template"
	sizeStyle   = "p-size-"
	pageClass   = "p-page"
	stackClass  = "p-stack"
	groupClass  = "p-group"
)

// programs are the expressions of the documents that were read lately.
var programs = expr.NewCache(4096)

// CompiledExpressions is how many compiled expressions of documents are kept, and
// how often one was found and not.
func CompiledExpressions() (entries int, hits, misses int64) { return programs.Use() }

// A reader turns a file into pieces and slots.
type reader struct {
	*markup.Lines
	doc      *markup.Document
	done     map[int]bool // marks dealt with, by their start
	book     addressBook
	problems problem.List

	manifest manifest
	types    map[string]*expr.Type // what is known of the variables
	samples  map[string]*expr.Type // what examples and sample rows say of them; nil outside lint
	pieces   []piece
	slots    []*slot
	layers   []layer
	layerOf  map[*markup.Node]int
	themes   []string
	size     string          // that what is being read belongs to
	scopes   []scope         // the loops around what is being read
	repeated map[string]bool // ids of elements inside loops

	based       bool // the base style has its place
	themed      bool // so has the theme
	inHead      bool
	inTag       bool // what is read is an attribute's value
	foreign     int  // how many <svg> and <math> are open
	rawText     string
	pageCount   int
	referred    int
	sawDocument bool

	canvas *canvasReader // nil: nobody edits what is read
}

// A scope is what the names of a loop stand for.
type scope struct {
	item, index string
	vars        []string   // that the list is made of
	itemType    *expr.Type // nil: not known
}

// read reads the file of the template name.
// samples are what sample rows say about the types of variables, nil where only
// the manifest counts.
func read(name string, src []byte, book addressBook, samples map[string]*expr.Type) (*reader, error) {
	return readFor(nil, name, src, book, samples)
}

// readFor is read for a canvas, where there is one.
func readFor(canvas *canvasReader, name string, src []byte, book addressBook, samples map[string]*expr.Type) (*reader, error) {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	r := &reader{Lines: markup.NewLines(name+".html", src), done: map[int]bool{}, layerOf: map[*markup.Node]int{}, book: book, samples: samples, canvas: canvas}
	if p := readable(src); p != nil {
		return nil, problem.List{p.In(problem.Position{File: r.File})}
	}
	r.doc = markup.Parse(src)
	if len(r.doc.Marks) > maxMarks {
		return nil, problem.List{problem.New(problem.TooLarge, "the document has more than the %d expressions allowed", maxMarks).In(r.At(r.doc.Marks[maxMarks].Start))}
	}
	if r.doc.TooDeep >= 0 {
		return nil, problem.List{problem.New(problem.TooLarge, "more than the %d elements allowed stand inside each other", markup.MaxDepth).In(r.At(r.doc.TooDeep))}
	}
	r.canvas.begin(r.doc)
	r.readManifest()
	r.noteRepeated()
	r.flow(r.items(r.doc.Node))
	r.base()
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
	case foreignFormat(src):
		return problem.New(problem.Unsupported, "the document is a drawing in JSON, not HTML").WithSlug(NotSupported).
			WithHint("canvas drawings (fabricJSData and the like) are not imported; make the template as HTML")
	}
	return nil
}

// foreignFormat reports whether src is a JSON document: what canvas editors export.
func foreignFormat(src []byte) bool {
	start := bytes.TrimSpace(src)
	return len(start) > 1 && start[0] == '{' && start[1] != '{'
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

// A remark is a problem that is reported already, and may be told more exactly.
type remark struct{ p *problem.Error }

func (m remark) slug(slug string) remark { m.p.Slug = slug; return m }

func (m remark) hint(format string, args ...any) remark {
	m.p.Hint = fmt.Sprintf(format, args...)
	return m
}

func (r *reader) invalid(offset int, format string, args ...any) remark {
	p := problem.New(problem.Invalid, format, args...)
	r.report(offset, p)
	return remark{p}
}

func (r *reader) unsafe(offset int, format string, args ...any) {
	r.invalid(offset, "safety: "+format, args...).slug(Unsafe)
}

func (r *reader) unsupported(offset int, format string, args ...any) {
	r.report(offset, problem.New(problem.Unsupported, format+" is not supported", args...).WithSlug(NotSupported))
}

// marksIn are the expressions between two offsets.
func (r *reader) marksIn(start, end int) []markup.Mark {
	marks := r.doc.Marks
	from := sort.Search(len(marks), func(i int) bool { return marks[i].End > start })
	to := sort.Search(len(marks), func(i int) bool { return marks[i].Start >= end })
	if from >= to {
		return nil
	}
	return marks[from:to]
}

// ignore says that m may stand where it does, and means nothing there.
func (r *reader) ignore(m markup.Mark) { r.done[m.Start] = true }

func (r *reader) ignoreIn(start, end int) {
	for _, m := range r.marksIn(start, end) {
		r.ignore(m)
	}
}

// readManifest finds the manifest, which may stand behind the expressions that
// need it.
func (r *reader) readManifest() {
	mr := manifestReader{report: r.report}
	found := 0
	r.doc.All(func(n *markup.Node) bool {
		if n.Kind != markup.Element || n.Name != "script" || n.ID() != manifestID {
			return true
		}
		if found++; found > 1 {
			r.invalid(n.Start, "the document has a second manifest")
			return true
		}
		for _, text := range n.Children {
			mr.read(text.Raw, text.Start)
		}
		return true
	})
	r.manifest = mr.m
	if len(r.manifest.sizes) == 0 {
		r.manifest.sizes = []Size{{Name: defaultSize, Width: defaultWidth, Height: defaultHeight}}
	}
	r.types = r.manifest.types(r.samples)
	r.checkDeclared(mr.values)
	r.checkEnv(mr.env)
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
		if _, p := coerce(v, *value, r.book); p != nil {
			p.Message = fmt.Sprintf("the %s of %s", d.what, p.Message)
			p.Path = ""
			r.report(d.offset, p)
		}
	}
}

// noteRepeated notes the ids that loops make several of.
func (r *reader) noteRepeated() {
	r.repeated = map[string]bool{}
	var note func(n *markup.Node, inLoop bool)
	note = func(n *markup.Node, inLoop bool) {
		if n.Kind == markup.Element {
			_, own := n.Get("p-for")
			_, data := n.Get("data-p-for")
			inLoop = inLoop || own || data
			if id := n.ID(); inLoop && id != "" {
				r.repeated[id] = true
			}
		}
		for _, child := range n.Children {
			note(child, inLoop)
		}
	}
	note(r.doc.Node, false)
}

// begin puts the base style where the head begins, and a doctype where none
// stands: without it the browser would imitate browsers of 1998.
// n is what comes next, nil for text.
func (r *reader) begin(n *markup.Node) {
	isDoctype := n != nil && n.Kind == markup.Doctype
	if !r.sawDocument {
		r.sawDocument = true
		if !isDoctype {
			r.emit("<!doctype html>")
		}
	}
	if isDoctype || n != nil && n.Kind == markup.Element && (n.Name == "html" || n.Name == "head") {
		return
	}
	r.base()
}

func (r *reader) base() {
	if r.based {
		return
	}
	r.based = true
	if !r.themed { // the document has no <html> that could name it
		r.themed = true
		r.pieces = append(r.pieces, piece{kind: isTheme, attr: true})
	}
	r.pieces = append(r.pieces, piece{kind: isBase})
}

// emit adds text to the document.
func (r *reader) emit(text string) {
	if text != "" {
		r.pieces = append(r.pieces, piece{text: text, size: r.size})
	}
}

// nested are the pieces that read adds.
func (r *reader) nested(read func()) []piece {
	outer := r.pieces
	r.pieces = nil
	read()
	inner := r.pieces
	r.pieces = outer
	return inner
}

// value puts the expression m into the document at place p.
func (r *reader) value(p place, m markup.Mark, entities bool) {
	program := r.compile(m, entities)
	if program == nil {
		return
	}
	r.addSlot(&slot{place: p, parts: []part{{program: program}}, at: r.At(m.Start)})
}

func (r *reader) addSlot(s *slot) {
	r.pieces = append(r.pieces, piece{kind: isSlot, slot: r.noteSlot(s), size: r.size})
}

// noteSlot notes which variables s reads.
func (r *reader) noteSlot(s *slot) *slot {
	for _, p := range s.parts {
		if p.program == nil {
			continue
		}
		s.clock = s.clock || p.program.ReadsClock()
		names := p.program.Names()
		if p.program.UsesAll() {
			names = append(names, r.manifest.names()...)
		}
		names = append(names, r.behind(p.program.Locals())...)
		for _, name := range names {
			if !slices.Contains(s.vars, name) {
				s.vars = append(s.vars, name)
			}
		}
	}
	r.canvas.note(s)
	r.slots = append(r.slots, s)
	return s
}

// behind are the variables that the loops around take locals from.
func (r *reader) behind(locals []string) (vars []string) {
	for _, name := range locals {
		for _, s := range slices.Backward(r.scopes) {
			if s.item == name || s.index == name {
				vars = append(vars, s.vars...)
				break
			}
		}
	}
	return vars
}

func (r *reader) isLocal(name string) bool {
	return slices.ContainsFunc(r.scopes, func(s scope) bool { return s.item == name || s.index == name })
}

// options are what expressions may refer to here, and what is known of it.
func (r *reader) options() expr.Options {
	o := expr.Options{Names: r.manifest.names(), Types: r.types}
	if len(r.scopes) > 0 && r.types != nil {
		o.Types = maps.Clone(r.types)
	}
	for _, s := range r.scopes {
		o.Locals = append(o.Locals, s.item)
		if s.index != "" {
			o.Locals = append(o.Locals, s.index)
		}
		if r.types != nil {
			o.Types[s.item], o.Types[s.index] = s.itemType, &expr.Type{Kind: expr.KindNumber}
		}
	}
	return o
}

// compile compiles m; a mistake is reported at its place in the file.
func (r *reader) compile(m markup.Mark, entities bool) *expr.Program {
	r.done[m.Start] = true
	if word, _ := blockWord(m.Src); word != "" {
		r.invalid(m.Start, "the block {{%s}} cannot stand here", strings.TrimSpace(m.Src)).slug(BadExpression).
			hint("blocks stand in text; in a value write {{ condition ? yes : no }}")
		return nil
	}
	return r.expression(m.Src, m.Text, entities)
}

// expression compiles text, which stands at the offset of the file.
func (r *reader) expression(text string, offset int, entities bool) *expr.Program {
	src := text
	if entities && strings.Contains(src, "&") {
		src = html.UnescapeString(src)
	}
	program, err := programs.Compile(src, r.options())
	if err == nil {
		r.canvas.compiled(program, src, offset, text)
		return program
	}
	var p *problem.Error
	if !errors.As(err, &p) {
		p = problem.New(problem.Invalid, "%w", err)
	}
	if end := strings.IndexByte(src, '}'); end >= 0 && !strings.Contains(src[:end], "{") {
		p = problem.New(problem.Invalid, "{{ is closed by one } alone").WithSlug(BadExpression).WithHint("write }} behind the expression")
	}
	p = r.canvas.locate(p, src)
	p.Pos = r.within(offset, p.Pos, src == text)
	if strings.TrimSpace(src) == "" {
		p.Message = "there is no expression in {{ }}"
	}
	r.report(offset, p)
	return nil
}

// within is the place in the file of a place in an expression, which begins at
// the offset. Where the expression had entities only its lines are known.
func (r *reader) within(offset int, pos problem.Position, exact bool) problem.Position {
	base := r.At(offset)
	place := base
	if pos.Line > 1 {
		place.Line += pos.Line - 1
		place.Column = pos.Column
	} else if pos.Line == 1 && exact {
		place.Column += pos.Column - 1
	}
	if pos.EndLine > 0 && exact {
		place.EndLine, place.EndColumn = base.Line+pos.EndLine-1, pos.EndColumn
		if pos.EndLine == 1 {
			place.EndColumn += base.Column - 1
		}
	}
	return place
}

// finish checks what only the whole document shows.
func (r *reader) finish() {
	for _, m := range r.doc.Marks {
		if !r.done[m.Start] && len(r.problems) == 0 {
			r.unsafe(m.Start, "an expression cannot stand here")
		}
	}
	if r.doc.Unfinished >= 0 {
		r.invalid(r.doc.Unfinished, "the document ends inside a tag")
	}
	if len(r.problems) == 0 {
		r.lookThrough()
	}
	r.pieces = joined(r.pieces)
	if !r.manifest.declared {
		r.declareUsed()
	}
	sortProblems(r.problems)
}

func sortProblems(list problem.List) {
	slices.SortStableFunc(list, func(a, b *problem.Error) int {
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

package template

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	maxRepeats = 10_000   // of one loop
	maxValues  = 100_000  // of one row
	maxFilled  = 32 << 20 // bytes of the document that one row makes
)

// Values are what a row gives to a template, one text per place in the order of
// the document, resolved but not escaped. Loops and conditions are among them: how
// often, and whether. The fingerprint of a picture is taken over them. An address
// of the template's own assets carries the digest of its bytes.
type Values []string

// Resolve checks values and computes what the document is filled with, at the
// moment now. Values hold what JSON does; variables that the template does not
// declare are ignored. The error is a problem.List with one entry for each
// variable at fault, its Path "variables.NAME".
func (t *Template) Resolve(values map[string]any, now time.Time) (Values, error) {
	return t.ResolveIn(values, expr.Env{Now: now})
}

// ResolveIn is Resolve with a locale, a time zone and a currency; what env leaves
// open the template decides.
func (t *Template) ResolveIn(values map[string]any, env expr.Env) (Values, error) {
	w := resolver{t: t, book: t.book(), env: env, out: make(Values, 1, len(t.slots)+1)}
	w.coerce(values)
	for _, p := range w.problems {
		w.suspect(p)
	}
	w.settle()
	w.out[0] = w.modifications(values)
	w.walk(t.pieces)
	if err := w.problems.Err(); err != nil {
		return nil, err
	}
	return w.out, nil
}

// A resolver computes the values of one row.
type resolver struct {
	t        *Template
	book     addressBook
	row      map[string]any // as the declared types have it
	env      expr.Env
	out      Values
	fault    map[string]bool // variables that are at fault already; nil for none
	problems problem.List

	size      int // bytes of the document so far, as far as they are known
	overflown bool

	sketch *sketch // nil: a row that fails, fails
}

// coerce makes the row as the declared types have it.
func (w *resolver) coerce(values map[string]any) {
	w.row = make(map[string]any, len(w.t.manifest.vars)+2)
	for i := range w.t.manifest.vars {
		v := &w.t.manifest.vars[i]
		value := values[v.Name]
		if value == nil || value == "" {
			if v.Required {
				w.problems = append(w.problems, w.t.missing(v, values))
				continue
			}
			if value = v.Default; value == nil {
				continue
			}
		}
		typed, p := coerce(v, value, w.book)
		if p != nil {
			w.problems = append(w.problems, p)
			continue
		}
		w.row[v.Name] = typed
	}
}

func (t *Template) book() addressBook {
	return addressBook{
		lookup: func(path string) (string, bool) { d, ok := t.assets[path]; return d, ok },
		paths:  func() []string { return slices.Sorted(maps.Keys(t.assets)) },
	}
}

func (w *resolver) put(value string) {
	w.out = append(w.out, value)
	w.grow(len(value))
}

// grow counts what the document has more. A row must not make one without end:
// loops inside each other repeat text of the template as well.
func (w *resolver) grow(bytes int) {
	if w.size += bytes; w.size > maxFilled || len(w.out) > maxValues {
		w.overflow()
	}
}

func (w *resolver) fail(p *problem.Error) {
	w.problems = append(w.problems, p)
	w.suspect(p)
}

// suspect notes that the variable of p is at fault.
func (w *resolver) suspect(p *problem.Error) {
	if w.fault == nil {
		w.fault = map[string]bool{}
	}
	w.fault[strings.TrimPrefix(p.Path, "variables.")] = true
}

// broken reports whether s reads a variable that is at fault already.
func (w *resolver) broken(s *slot) bool {
	if len(w.fault) == 0 {
		return false
	}
	return slices.ContainsFunc(s.vars, func(name string) bool { return w.fault[name] })
}

func (w *resolver) walk(pieces []piece) {
	for i := range pieces {
		if w.overflown {
			return
		}
		switch p := &pieces[i]; p.kind {
		case isText:
			w.grow(len(p.text))
		case isBase, isTheme, isSuffix, isSource, isStyled, isCopy, isFallback:
		case isSlot:
			w.put(w.text(p.slot))
		case isChoice:
			w.choice(p)
		case isLoop:
			w.loop(p)
		case isDrawn:
			w.put(w.figure(p))
		case isImage:
			w.put(w.text(p.slot))
			if p.image.fallback != nil {
				w.put(w.text(p.image.fallback))
			}
			w.walk(p.body)
		default:
			w.walk(p.body)
		}
	}
}

func (w *resolver) choice(p *piece) {
	holds, known := w.holds(p.slot)
	switch {
	case !known:
	case holds:
		w.put("1")
		w.walk(p.body)
	default:
		w.put("")
		w.walk(p.otherwise)
	}
}

// holds reports whether the condition s does; known is false where the row lets
// nobody say.
func (w *resolver) holds(s *slot) (holds, known bool) {
	if s.place == isPresence {
		return !slices.ContainsFunc(s.vars, func(name string) bool { v := w.row[name]; return v == nil || v == "" }), true
	}
	if w.sketch != nil {
		return w.sketchHolds(s), true
	}
	if w.broken(s) {
		return false, false
	}
	v, err := s.parts[0].program.Eval(w.row, w.env)
	if err != nil {
		w.fail(s.problem(err))
		return false, false
	}
	return expr.Truthy(v), true
}

func (w *resolver) loop(p *piece) {
	items := w.items(p.slot)
	w.put(strconv.Itoa(len(items)))
	if len(items) == 0 {
		w.walk(p.otherwise)
		return
	}
	s := p.slot
	outer := w.env.Locals
	w.env.Locals = cloneLocals(outer)
	defer w.enterLoop()()
	for i, item := range items {
		w.round(i)
		w.env.Locals[s.item] = item
		if s.index != "" {
			w.env.Locals[s.index] = i
		}
		w.grow(1) // even an empty round takes time
		w.walk(p.body)
		if w.overflown {
			break
		}
	}
	w.env.Locals = outer
}

// overflow says once that the row makes too much.
func (w *resolver) overflow() {
	if w.overflown {
		return
	}
	w.overflown = true
	w.problems = append(w.problems, problem.New(problem.TooLarge, "the row makes a document with more than the %d values or %d MiB allowed", maxValues, maxFilled>>20).
		WithHint("give shorter lists, or loops a p-limit"))
}

// items are what the loop of s runs over.
func (w *resolver) items(s *slot) []any {
	if w.sketch != nil {
		return w.sketchItems(s)
	}
	if w.broken(s) {
		return nil
	}
	items, p := w.listOf(s)
	if p != nil {
		w.fail(p)
	}
	return items
}

// listOf is the list of s.
func (w *resolver) listOf(s *slot) ([]any, *problem.Error) {
	v, err := s.parts[0].program.Eval(w.row, w.env)
	if err != nil {
		return nil, s.problem(err)
	}
	if v == nil || v == "" {
		return nil, nil
	}
	items, ok := structured(v).([]any)
	limit := s.limit
	switch {
	case !ok:
		return nil, s.blame(problem.New(problem.Invalid, "%s is not a list, so it cannot be repeated", quote(v)).WithSlug(WrongType).In(s.at).
			WithHint("%s", typeHints[Array]))
	case limit == 0 && len(items) > maxRepeats:
		return nil, s.blame(problem.New(problem.TooLarge, "the list has %d items, more than the %d that a loop shows", len(items), maxRepeats).
			WithSlug(TooLong).In(s.at))
	case limit > 0 && len(items) > limit:
		items = items[:limit]
	}
	return items, nil
}

// text is the text of one slot.
func (w *resolver) text(s *slot) string {
	if w.broken(s) {
		return ""
	}
	text, p := w.resolve(s)
	if w.sketch != nil {
		return w.note(s, text, p, "")
	}
	if p != nil {
		w.fail(p)
	}
	return text
}

func (w *resolver) resolve(s *slot) (string, *problem.Error) {
	if len(s.parts) == 1 && !s.place.address() { // nearly always
		return w.part(s, &s.parts[0])
	}
	var b strings.Builder
	for i := range s.parts {
		text, p := w.part(s, &s.parts[i])
		if p != nil {
			return "", p
		}
		if s.place.address() && s.parts[i].program != nil {
			text = within(b.String(), text)
		}
		b.WriteString(text)
	}
	if !s.place.address() {
		return b.String(), nil
	}
	resolved, p := w.book.resolve(b.String(), s.place)
	if p != nil {
		p.Slug = BadURL
		if len(s.vars) > 0 {
			p.Message = s.vars[0] + ": " + p.Message
		}
		return "", s.blame(p)
	}
	return resolved, nil
}

func (w *resolver) part(s *slot, p *part) (string, *problem.Error) {
	if p.program == nil {
		return p.text, nil
	}
	v, err := p.program.Eval(w.row, w.env)
	if err != nil {
		return "", s.problem(err)
	}
	if s.flag && v == false {
		return "", nil
	}
	return expr.Text(v), nil
}

// problem is what an expression of s ran into. Its place is that of the
// expression in the template.
func (s *slot) problem(err error) *problem.Error {
	var p *problem.Error
	if !errors.As(err, &p) {
		p = problem.New(problem.Invalid, "%w", err)
	}
	copied := *p
	copied.Pos = s.at
	copied.Slug = BadExpression
	copied.Err = err // with the place inside the expression
	return s.blame(&copied)
}

// blame gives p the variable that it begins with, else the first of s.
func (s *slot) blame(p *problem.Error) *problem.Error {
	for i, name := range s.vars {
		if i == 0 || strings.HasPrefix(p.Message, name+" is ") {
			p.Path = "variables." + name
		}
	}
	return p
}

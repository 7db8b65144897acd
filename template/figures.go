package template

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/pictifyd/pictifyd/expr"
	"github.com/pictifyd/pictifyd/internal/problem"
	figures "github.com/pictifyd/pictifyd/template/element"
	"github.com/pictifyd/pictifyd/template/markup"
)

// A figureDirective is p-qr, p-chart and the like, with the options beside it.
type figureDirective struct {
	kind    figures.Kind
	value   markup.Attr
	options map[string]markup.Attr // by name without p-
}

// figureOf is the generated element that t asks for, nil for none.
func figureOf(t markup.Tag) *figureDirective {
	for _, a := range t.Attrs {
		name, ok := directiveName(a.Name)
		if !ok {
			continue
		}
		for _, kind := range figures.Kinds() {
			if name == "p-"+kind.Name {
				return &figureDirective{kind: kind, value: a, options: map[string]markup.Attr{}}
			}
		}
	}
	return nil
}

// claims reports whether the directive belongs to the generated element: it is
// the one that names it, or an option of its kind.
func (f *figureDirective) claims(name string, a markup.Attr) bool {
	if f == nil {
		return false
	}
	if a == f.value {
		return true
	}
	for _, o := range f.kind.Options {
		if name == "p-"+o.Name {
			f.options[o.Name] = a
			return true
		}
	}
	return false
}

// figure emits the generated element in the place of e's content, which is only
// what designers see.
func (r *reader) figure(e *element) {
	d := e.d.figure
	r.ignoreIn(e.tag.End, e.node.EndStart)
	if host := d.kind.Host; host != "" && e.tag.Name != host || markup.Void(e.tag.Name) || rawElements[e.tag.Name] {
		r.invalid(e.tag.Start, "p-%s belongs on a <%s>, not on a <%s>", d.kind.Name, orElse(d.kind.Host, "div"), e.tag.Name).slug(BadDirective)
		return
	}
	options := map[string]string{}
	rows := map[string]*slot{}
	for name, a := range d.options {
		r.canvas.at("option:" + name)
		options[name] = a.Value(r.Src)
		if len(r.marksIn(a.ValueStart, a.ValueEnd)) > 0 {
			rows[name] = r.optionSlot(a)
		}
	}
	element, err := figures.New(d.kind.Name, options)
	for _, p := range problem.All(err) {
		r.report(d.value.Start, p)
	}
	r.canvas.at("element")
	text, at := r.bareExpression(d.value)
	program := r.expression(text, at, true)
	if err != nil || program == nil {
		return
	}
	s := r.noteSlot(&slot{place: isFigure, parts: []part{{program: program}}, at: r.At(at)})
	s.clock = s.clock || element.ReadsClock()
	r.pieces = append(r.pieces, piece{kind: isDrawn, slot: s, figure: &figure{element, rows}})
}

func orElse(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// optionSlot is an option that rows decide.
func (r *reader) optionSlot(a markup.Attr) *slot {
	s := &slot{place: isFigure, at: r.At(a.ValueStart)}
	from := a.ValueStart
	for _, m := range r.marksIn(a.ValueStart, a.ValueEnd) {
		if from < m.Start {
			s.parts = append(s.parts, part{text: string(r.Src[from:m.Start])})
		}
		if program := r.compile(m, true); program != nil {
			s.parts = append(s.parts, part{program: program})
		}
		from = m.End
	}
	if from < a.ValueEnd {
		s.parts = append(s.parts, part{text: string(r.Src[from:a.ValueEnd])})
	}
	return r.noteSlot(s)
}

// figure is what a generated element shows of the row.
func (w *resolver) figure(p *piece) string {
	if w.broken(p.slot) {
		return ""
	}
	data, wrong := w.drawn(p)
	if w.sketch != nil {
		return w.note(p.slot, data, wrong, "")
	}
	if wrong != nil {
		w.fail(wrong)
	}
	return data
}

// drawn is what a generated element shows of the row, or why it can't.
func (w *resolver) drawn(p *piece) (string, *problem.Error) {
	value, err := p.slot.parts[0].program.Eval(w.row, w.env)
	if err != nil {
		return "", p.slot.problem(err)
	}
	var options map[string]string
	for _, name := range slices.Sorted(maps.Keys(p.figure.options)) {
		if options == nil {
			options = map[string]string{}
		}
		options[name] = w.option(p.figure.options[name])
	}
	data, err := p.figure.element.Data(value, options, w.env)
	if err != nil {
		return data, p.slot.drawProblem(err)
	}
	return data, nil
}

// option is the value of an option; a list stays one, as JSON.
func (w *resolver) option(s *slot) string {
	if len(s.parts) == 1 && s.parts[0].program != nil {
		v, err := s.parts[0].program.Eval(w.row, w.env)
		if err != nil {
			if w.sketch != nil {
				return w.note(s, "", s.problem(err), "")
			}
			w.fail(s.problem(err))
			return ""
		}
		if items, ok := v.([]any); ok {
			text, _ := json.Marshal(items) // of what JSON holds
			return string(text)
		}
		return expr.Text(v)
	}
	return w.text(s)
}

// drawProblem is what kept an element from being drawn, with its own slug.
func (s *slot) drawProblem(err error) *problem.Error {
	var p *problem.Error
	if !errors.As(err, &p) {
		return s.problem(err)
	}
	copied := *p
	copied.Pos = s.at
	return s.blame(&copied)
}
